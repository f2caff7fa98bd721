"""`watch`: what it returns, what it leaves in a notebook, and what it shows on the way."""

import inspect
import re

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import run_notebook
import widgets.training
from widgets import watch

PARAMS = tuple(np.full(shape, 0.5) for shape in [(10, 784), (10, 1), (10, 10), (10, 1)])


def row(step, loss=1.0, **more):
    params = tuple(p + step for p in PARAMS)
    return {"step": step, "params": params, "train_loss": loss, "train_accuracy": 0.5, **more}


def gradient_descent(X, Y, alpha, iterations, params=None, history=None, dev=None):
    for step in range(0, iterations + 1, 10):
        history.append(row(step, dev_loss=2.0, dev_accuracy=0.4))
        if alpha == step:
            raise KeyboardInterrupt
    return "the trained network"


def diverges(*, history, **settings):
    history += [row(0), row(1, np.nan)]
    history.append(row(2, np.inf))
    raise FloatingPointError("Step 2: the loss is not a number. Try a smaller alpha.")


def test_returns_what_the_trainer_returned_and_its_rows(capsys):
    """Fails when the network or the history differs from that of the trainer called alone."""
    params, history = watch(gradient_descent, "X", "Y", 0.1, 40, dev="dev")
    assert params == "the trained network" and type(history) is list
    assert [r["step"] for r in history] == [0, 10, 20, 30, 40]
    assert capsys.readouterr() == ("", ""), "outside of a notebook it says nothing"


def test_a_run_that_ends_early_keeps_its_last_row_and_says_why_in_a_sentence(capsys):
    """Fails when the stop button or a diverged run loses the network, or raises."""
    params, history = watch(gradient_descent, "X", "Y", 20, 40)
    assert params is history[-1]["params"] and history[-1]["step"] == 20
    said = capsys.readouterr().out
    assert "step 20 of 40" in said and "params=params" in said and said.count("\n") == 1
    params, history = watch(diverges, alphas=[10, 10])
    assert params is history[2]["params"] and len(history) == 3
    assert capsys.readouterr().out == "Step 2: the loss is not a number. Try a smaller alpha.\n"


def test_wrong_calls_are_refused_and_other_errors_come_through():
    """Fails when a mistake in a call or in the learner's trainer is hidden."""

    def broken(history):
        history.append(row(0))
        return {}["W3"]

    def stopped_at_once(history):
        raise KeyboardInterrupt

    with pytest.raises(TypeError, match="without brackets"):
        watch(PARAMS, 1)
    with pytest.raises(TypeError, match="leave history= out"):
        watch(gradient_descent, 1, 2, 3, 4, history=[])
    with pytest.raises(TypeError, match="gradient_descent cannot be called so: missing a required"):
        watch(gradient_descent, 1, 2)
    with pytest.raises(KeyError):
        watch(broken)
    with pytest.raises(KeyboardInterrupt):
        watch(stopped_at_once)


def test_knows_how_long_a_run_is():
    """Fails when the bar would run to another end than the trainer."""
    for trainer, args, kwargs, expected in [
        (gradient_descent, (1, 2, 3, 50), {}, ("step", 50)),
        (gradient_descent, (1, 2), {"alpha": 3, "iterations": np.int64(60)}, ("step", 60)),
        (diverges, (), {"alphas": np.ones(7)}, ("epoch", 7)),
        (lambda X, Y, alphas, history: 0, (1, 2, iter([3])), {}, ("epoch", None)),
        (lambda a, b, c, n, history: 0, (1, 2, 3, 70), {}, ("step", 70)),
        (lambda history: 0, (), {}, ("step", None)),
    ]:
        assert widgets.training._length(trainer, args, kwargs) == expected


@pytest.mark.parametrize(("weights", "total"), [(False, None), (True, 1000)])
def test_the_growing_picture_fits_and_is_described(weights, total):
    """Fails when a line leaves its chart, a row breaks the picture, or its words are wrong."""
    view = widgets.training._History("step", total, weights)
    view._size = 816, 560
    losses = [2.3, np.nan, 1e12, np.inf, 0.0, 1.5]
    rows = [row(10 * i, loss, dev_loss=0.5, dev_accuracy=1) for i, loss in enumerate(losses)]
    rows += [row(10 * i, dev_loss=None) for i in range(6, 90)]
    for n in range(1, len(rows) + 1):
        view[:] = rows[:n]
        html, text = view._page(3.0)
        for d in re.findall(r'd="M([\d.]+ [^"h]+)"', html):
            places = np.array([p.split() for p in d.split("L")], float)
            assert (places >= 0).all() and (places <= [816, 560]).all()
    assert 'role="img"' in html and "aria-live" not in html
    assert text.startswith("Training, still running: step 890" + (" of 1,000, " if total else "."))
    assert html.count("data:image/png") == 2 * weights
    assert ("about 1 s left" in text) == bool(total)


def test_redraws_at_most_four_times_a_second_and_a_twentieth_of_the_time(monkeypatch):
    """Fails when redraws are more often, or a slow machine pays more than 5 % for them."""
    now, drawn = [100.0], []
    history = widgets.training._History("step", 10, False)
    monkeypatch.setattr(widgets.training.time, "perf_counter", lambda: now[0])
    history._live, history._size = True, (816, 400)
    history._send = lambda data: (drawn.append(now[0]), now.__setitem__(0, now[0] + cost))
    for cost in (0.001, 0.1):
        drawn.clear()
        history.clear()
        for step in range(1000):
            history.append(row(step))
            now[0] += 0.02
        assert len(drawn) > 5 and min(np.diff(drawn)) >= max(0.25, cost / 0.05)


CELLS = [
    "import numpy as np\nimport helpers\nfrom widgets import watch\nPARAMS = (np.eye(10, 784),)",
    inspect.getsource(row) + inspect.getsource(gradient_descent),
    "watch(gradient_descent, 1, 2, 0.1, 20)[0]",
    "params, history = watch(gradient_descent, 1, 2, 30, 50, weights=True)",
    "helpers.training_curves(history, 'step', weights=(history[0]['params'][0], params[0]))",
]


def test_a_stored_notebook_holds_the_last_picture_and_repeats():
    """Fails when anything of the live view is stored, on stderr, or differs in a second run."""
    nb = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    run = run_notebook.run(nb, twice=True)
    first, second = run_notebook.normalise(run.nb), run_notebook.normalise(run.again)
    assert [cell.outputs for cell in first.cells] == [cell.outputs for cell in second.cells]
    assert "widgets" not in run.nb.metadata
    _, _, short, stopped, alone = (cell.outputs for cell in run.nb.cells)
    assert [set(o.get("data", [])) for o in short] == [
        {"image/png", "text/plain"},
        {"text/markdown", "text/plain"},
        {"text/plain"},
    ]
    assert stopped[2].name == "stdout" and "step 30 of 50" in stopped[2].text
    assert [o.data for o in stopped[:2]] == [o.data for o in alone], "the picture is helpers' own"
    assert short[0].metadata["image/png"]["alt"] == short[0].data["text/plain"]
