"""Each check passes every right function, and names the mistake in every wrong one.

The functions are in mistakes.md and right_variants.md, beside this file.
"""

import linecache
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import checks
from checks import search

HERE = Path(__file__).resolve().parent


def read_cases(path):
    """Cases of a file: (function, title, {"says": ..., "line": ...}, source) for each `###`."""
    cases = []
    for section in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
        function, *parts = re.split(r"^### ", section, flags=re.M)
        for part in parts:
            head, source = part.split("```python\n")
            title, *lines = head.strip().splitlines()
            fields = dict(each.split(": ", 1) for each in lines if each)
            cases.append((function.strip(), title, fields, source.split("```")[0]))
    return cases


MISTAKES = read_cases(HERE / "mistakes.md")
RIGHT = read_cases(HERE / "right_variants.md")
BLIND = read_cases(HERE / "right_variants_blind.md")  # by somebody who had not seen the checks
PLAIN = {name: source for name, title, _, source in RIGHT if title == "plain"}
# What a notebook holds besides: arrays and numbers that a function may read by mistake, and helpers
NOTEBOOK = """
X_train = np.ones((784, 20), dtype=np.float32)
Y_train = np.zeros(20, dtype=np.uint8)
W1 = np.ones((10, 784))
m = 59_000
learning_rate = 0.1

def record(history, step, params, X, Y, dev):
    if history is not None:
        history.append({"step": step, "params": params})

def get_gradients(params, X, Y):
    Z1, A1, Z2, A2 = forward_prop(*params, X)
    return backward_prop(Z1, A1, Z2, A2, params[0], params[2], X, Y)
"""


def build(source):
    """The functions of `source`, as a notebook's cell makes them: its lines are in linecache."""
    namespace = {"np": np}
    for text in [*PLAIN.values(), NOTEBOOK]:
        exec(text, namespace)
    linecache.cache["<cell>"] = len(source), None, source.splitlines(True), "<cell>"
    exec(compile(source, "<cell>", "exec"), namespace)
    return namespace


def message(name, source):
    """What the check `name` says to a wrong function."""
    function = build(source)[name]
    with pytest.raises(AssertionError) as caught:
        getattr(checks, name)(function)
    return str(caught.value)


def says(words, text):
    """True when the text holds the words, "..." standing for anything between them."""
    return re.search(".*".join(map(re.escape, words.strip('"').split(" ... "))), text)


def ids(cases):
    return [f"{name}: {title}" for name, title, *_ in cases]


@pytest.mark.parametrize(("name", "title", "fields", "source"), MISTAKES, ids=ids(MISTAKES))
def test_each_mistake_is_caught_by_its_own_check(name, title, fields, source, monkeypatch):
    """Here by the facts alone; the places are in test_search.py."""
    monkeypatch.setattr(search, "repair", lambda *_: None)
    said = message(name, source)
    assert said.startswith(f"{name}: ") and says(fields.get("says", ""), said), said
    assert len(said) < 330, said


def test_the_tables_cover_every_function_and_each_line_is_one_of_the_code():
    assert set(PLAIN) == {name for name, *_ in MISTAKES} and len(MISTAKES) >= 200
    for cases in (MISTAKES, RIGHT, BLIND):
        assert len(set(ids(cases))) == len(cases)
    for name, title, fields, source in MISTAKES:
        line = source.splitlines()[int(fields.get("line", 1)) - 1]
        assert line.strip() and fields.keys() <= {"says", "line"}, (name, title)


@pytest.mark.parametrize(
    ("name", "title", "fields", "source"), RIGHT + BLIND, ids=ids(RIGHT + BLIND)
)
def test_a_right_function_passes_however_it_is_written(
    name, title, fields, source, capsys, monkeypatch
):
    """Fails, too, when a check searches for nothing, or leaves another state behind."""
    monkeypatch.setattr(search, "repair", lambda *_: pytest.fail("searched"))

    def state():
        _, keys, position, *_ = np.random.get_state()
        rest = np.geterr(), np.get_printoptions(), warnings.filters[:]
        return keys.tolist(), position, rest

    function, before = build(source)[name], state()
    getattr(checks, name)(function)
    assert state() == before
    out, err = capsys.readouterr()
    assert err == "" and out.startswith(f"{name}: right. "), out


def test_an_error_in_the_learners_code_is_shown_as_theirs():
    """The cause is their own error, and its traceback begins in their cell, not in checks."""
    function = build(PLAIN["forward_prop"].replace("W1 @ X", "X @ W1"))["forward_prop"]
    with pytest.raises(AssertionError) as caught:
        checks.forward_prop(function)
    cause = caught.value.__cause__
    assert isinstance(cause, ValueError)
    assert cause.__traceback__.tb_frame.f_code.co_filename == "<cell>"


def test_a_missing_body_or_a_wrong_answer_shows_no_second_traceback():
    for source in ("def ReLU(Z):\n    raise NotImplementedError\n", "def ReLU(Z):\n    return Z\n"):
        with pytest.raises(AssertionError) as caught:
            checks.ReLU(build(source)["ReLU"])
        assert caught.value.__cause__ is None and caught.value.__suppress_context__
        in_checks = [each for each in caught.traceback if each.path.parent.name == "checks"]
        assert len(in_checks) == 1


def test_advice_leaves_a_right_function_in_float32(monkeypatch, capsys):
    """Fails if the advice on the scale makes float64, which the check then remarks on."""
    monkeypatch.setattr(search, "repair", lambda *_: None)
    source = re.sub(r"(\w+, \w+)\)\)", r"\1), np.float32)", PLAIN["init_params_scaled"])
    unscaled = re.sub(r" \* np.sqrt\(.*\)", "", source)
    said = message("init_params_scaled", unscaled)
    advice = re.search(r"by (\(2 / n_in\) \*\* 0\.5)\.", said)[1]
    source = re.sub(r"np.sqrt\(2 / (\w+)\)", lambda n: advice.replace("n_in", n[1]), source)
    checks.init_params_scaled(build(source)["init_params_scaled"])
    assert "float32 instead" not in capsys.readouterr().out


@pytest.mark.parametrize("inner", ["sum({} for i in range(1))", "(lambda: {})()"])
def test_an_outside_name_is_seen_wherever_in_the_function_it_stands(inner):
    """Comprehensions (their own code before Python 3.12) and lambdas have a code of their own."""
    source = "def ReLU(Z):\n    return np.maximum(Z, 0) + " + inner.format("learning_rate")
    assert "reads learning_rate from outside" in message("ReLU", source)


# --- A network of the learner's own ---------------------------------------------------------------


def cubes(params):
    return float(sum((theta**3).sum() for theta in params))


def two_arrays():
    rng = np.random.default_rng(5)
    return [rng.normal(size=(3, 2)), rng.normal(size=(3, 1))]


def test_slopes_passes_right_gradients_and_leaves_the_params_alone(capsys):
    params = two_arrays()
    checks.slopes(cubes, params, [3 * theta**2 for theta in params])
    assert capsys.readouterr().out.startswith("slopes: right. All 9 slopes agree")
    assert all(map(np.array_equal, params, two_arrays()))
    with pytest.raises(AssertionError, match="Make the params float64"):
        checks.slopes(cubes, [theta.astype(np.float32) for theta in params], params)


@pytest.mark.parametrize(
    ("gradients", "words"),
    [
        (lambda a, b: [3 * a**2], "2 parameter arrays, but 1 gradients ... in the same order"),
        (lambda a, b: [3 * a**2, (3 * b**2).T], "gradient 2 of 2 has shape (1, 3) ... axis=1"),
        (lambda a, b: [3 * a**2, 2 * b**2], "gradient 2 of 2 is wrong in 3 of 3 ... (0, 0)"),
        (lambda a, b: [np.full(a.shape, np.nan), 3 * b**2], "gradient 1 of 2 ... yours is nan"),
    ],
)
def test_slopes_names_the_wrong_gradient(gradients, words):
    params = two_arrays()
    with pytest.raises(AssertionError) as caught:
        checks.slopes(cubes, params, gradients(*params))
    assert says(words, str(caught.value)), caught.value
