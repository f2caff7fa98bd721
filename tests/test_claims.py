"""What the notebook, README.md and the guide claim, against one run on the real data and against
the stored measurements. All claims are here, and each value is read from its one source.

CLAIMS: a number in the notebook's prose, and the expression that gives it in the kernel after the
last cell. BOUNDS: what the prose says without a number, or an exercise prints. MEASURED: a number
that a tool in tools/ measured. When the notebook changes, these three tables change with it.
"""

import json
import platform
import re
from importlib.metadata import version

import pytest

import bench_training
import run_notebook
from run_notebook import ROOT, tags

README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "workshop/README.md").read_text(encoding="utf-8")
BENCHMARK = json.loads(bench_training.MEASURED.read_text(encoding="utf-8"))
HUB = json.loads((ROOT / "tools/hub_load.json").read_text(encoding="utf-8"))

# (cell, pattern with one group, expression, tolerance)
CLAIMS = [
    ("title", r"about (\d+) of 100", "100 * test_accuracy", 0.5),
    ("look", r"set of ([\d,]+) handwritten", "row_labels.size + Y_test.size", 0),
    ("gradients", r"has ([\d,]+) numbers", "size(params)", 0),
    ("gradient-check-text", r"the (\d+) parameters", "size(small_params)", 0),
    ("too-large-answer", r"about (\d+) %", "100 * history_large[-1]['train_accuracy']", 0.5),
    ("too-large-answer", r"at about ([\d.]+)", "history_large[-1]['train_loss']", 0.02),
    ("accuracy-per-digit-text", r"about (\d+) examples", "Y_dev.size / 10", 30),
    ("minibatches-text", r"over all ([\d,]+) of them", "Y_train.size", 0),
    ("minibatches-text", r"makes ([\d,]+) steps", "np.ceil(Y_train.size / 32)", 0),
    ("rung-4-text", r"now ([\d,]+) parameters", "size(params_4)", 0),
    ("score-chart-text", r"about ([\d.]+) points", "196 * (0.0099 / Y_test.size) ** 0.5", 0.05),
    ("preparation-text", r"makes (\d+) digits", "len(inks)", 0),
    ("draw-pad-text", r"reads (\d+) % when they are f", "read(params_5, 'fitted to 20 x 20')", 4),
    ("draw-pad-text", r"(\d+) % when they are c", "read(params_5, 'fitted and centred')", 1),
    ("close", r"accuracy ([\d.]+) % on train", "100 * (Y_train == 0).mean()", 0.05),
    ("close", r"\(([\d.]+) % on test\), loss `nan`", "100 * (Y_test == 0).mean()", 0.05),
    ("close", r"stuck at ([\d.]+) %", "100 * (Y_train == 1).mean()", 0.05),
    ("close", r"\(([\d.]+) % on test\), loss about", "100 * (Y_test == 1).mean()", 0.005),
    ("close", r"loss about ([\d.]+) \| it always", "history_large[-1]['train_loss']", 0.02),
    ("exercise-baseline", r"([\d.]+)\. The network", "printed('baseline', 'average: (.*)%')[0]", 0),
]

# (what is claimed, expression, at least, at most)
BOUNDS = [
    ("untrained, it guesses", "right.mean()", 0.05, 0.15),
    ("and is sure of it", "cross_entropy(A2, Y_dev)", 3, 30),
    ("the gradients agree", "max(errors.values())", 0, 1e-6),
    ("the broken bias is seen", "broken_errors['db2']", 1 - 1e-6, 1 + 1e-6),
    ("and nothing else", "sorted(broken_errors.values())[-2]", 0, 1e-6),
    ("20 digits are learned by heart", "history_20[-1]['train_loss']", 0, 0.01),
    ("and nothing else is", "history_20[-1]['dev_accuracy']", 0, 0.5),
    ("the first start begins above 3", "history_first[0]['train_loss']", 3, 5),
    ("and ends near 85 %", "100 * history_first[-1]['train_accuracy']", 83, 87),
    ("the scaled start begins near ln 10", "history[0]['train_loss']", 2.2, 2.7),
    ("is ahead all the way", "min(lead(history_first, history, 'train_loss'))", 0, 9),
    ("ends better, in half the steps", "gain(history_first, history, 'dev_accuracy')", 0.02, 1),
    ("without overfitting", "gap(history)", -0.03, 0.03),
    ("a large alpha kills all units", "forward_prop(*params_large, X_full)[1].any()", 0, 0),
    ("empty pixels exist", "(~X_train.any(axis=1)).sum()", 50, 783),
    ("their weights never move", "abs(moved[:, ~X_train.any(axis=1)]).max()", 0, 0),
    ("rung 3", "rungs['mini-batches'][2]", 91.8, 95.8),
    ("rung 4", "rungs['128 hidden units'][2]", 96.8, 98.8),
    ("overfits", "gap(history_4)", 0.005, 0.05),
    ("its dev loss says so", "history_4[-1]['dev_loss'] / history_4[-1]['train_loss']", 3, 1e9),
    ("rung 5", "rungs['momentum, falling'][2]", 97, 99),
    ("rung 6", "rungs['shifts'][2]", 97.3, 99.3),
    ("rung 7", "rungs['warps, 512 units'][2]", 98.1, 99.9),
    ("scikit-learn", "100 * library_accuracy", 96.6, 99),
    ("32 digits point nearly the right way", "np.median(at_start[32])", 0.6, 1),
    ("1 digit hardly does", "np.median(at_start[1])", 0.05, 0.5),
    ("512 do", "np.median(at_start[512])", 0.95, 1),
    ("later it is noise", "after_rung_3 / np.median(at_start[32])", -1, 0.5),
    ("the score", "test_accuracy", 0.985, 1),
    ("its interval", "test_width / (test_accuracy * (1 - test_accuracy)) ** 0.5", 0.0195, 0.0197),
    ("Simard's 1.1 % cannot be told apart", "abs(1 - test_accuracy - 0.011)", 0, 0.004),
    ("drawings need preparation", "read(params_7, 'only shrunk')", 0, 60),
    ("with it they are read", "read(params_7, 'fitted and centred')", 97, 100),
    ("it is sure of no digit at all", "max(map(sure, NOT_DIGITS.values()))", 0.6, 1),
    # the exercises
    ("no signal from zeros", "printed('train', r'stays at (\\d+\\.\\d+)')[0]", 2.29, 2.31),
    ("alpha 0.3 beats 0.1", "-np.subtract(*printed('alpha', 'dev (.+)%')[:2])", 2, 90),
    ("alpha 1 is rough", "printed('alpha', r'rose (\\d+) times')[2]", 1, 99),
    ("30 units", "printed('climb', 'dev (.+)%')[0]", 94.5, 97.5),
    ("unit 0 is missed most", "printed('inside', r'without unit 0: (.+)%')[0]", 42, 58),
    ("a 7 at the border is misread", "set(printed('draw', r'read as (\\d)')) == {7}", 0, 0),
    ("4 x the digits, half the width", "halved(printed('score', 'minus (.+)%'))", 0.45, 0.55),
]

# What each solution must print, besides; None: it has no code
PRINTS = {
    "exercise-start": r"data/trian\.csv\.gz",
    "exercise-look": r"^67 pixels are empty",
    "exercise-baseline": r"nearest average: ",
    "exercise-prepare": r"\(784, 5\) \(784,\) \(59000,\)",
    "exercise-build": r"^2\.30[0-5]$",
    "exercise-gradients": r"(?s)dW1: .* DIFFERENT.*db1: .* DIFFERENT.*dW2: .* equal.*db2: .* equal",
    "exercise-third-layer": r"slopes: right\. All \d+ gradients agree",
    "exercise-activation": r"slopes: right\. All 78 gradients agree",
    "exercise-data": None,
    "exercise-bend": r"^(8\d|9\d|1[01]\d)% of the ink",
}

# Runs in the kernel after the last cell. SOLUTIONS and EXPRESSIONS are set before it.
PROBE = r"""
import contextlib, io, pathlib, re

# The peak, on Linux: resource's ru_maxrss would begin at what the parent had
status = pathlib.Path("/proc/self/status")
status = status.read_text() if status.exists() else ""
peak_mb = [int(kb) * 1024 / 1e6 for kb in re.findall(r"VmHWM:\s*(\d+) kB", status)]

def solved(code):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            exec(code, dict(globals()))
        except Exception as error:
            print(type(error).__name__, error)
    return said.getvalue()

said = {cell: solved(code) for cell, code in SOLUTIONS.items()}
def printed(exercise, pattern):
    return [float(x) for x in re.findall(pattern, said["exercise-" + exercise], re.M)]
def size(params):
    return sum(p.size for p in params)
def lead(one, other, key):
    return [a[key] - b[key] for a, b in zip(one, other)]
def gain(one, other, key):
    return other[-1][key] - one[-1][key]
def gap(history):
    return history[-1]["train_accuracy"] - history[-1]["dev_accuracy"]
def read(params, way):
    X = np.hstack([prepare(ink, *ways[way]) for ink in inks])
    return 100 * get_accuracy(get_predictions(forward_prop(*params, X)[3]), drawn_labels)
def sure(strokes):
    return predict(picture_from_strokes(strokes)).max()
def halved(widths):
    return widths[2] / widths[0]
moved = params[0] - history[0]["params"][0]

def value(expression):
    try:
        return float(eval(expression))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
answer = {
    "values": {expression: value(expression) for expression in EXPRESSIONS},
    "said": said, "peak_mb": peak_mb,
}
"""


@pytest.fixture(scope="module")
def run(notebook):
    """One execution of the notebook on the real data: a run_notebook.Run with PROBE's answer."""
    expressions = [row[2] for row in CLAIMS] + [row[1] for row in BOUNDS]
    given = f"SOLUTIONS = {run_notebook.solutions(notebook)!r}\nEXPRESSIONS = {expressions!r}\n"
    return run_notebook.run(notebook, probe=given + PROBE)


# ---------------------------------------------------------------- the prose, against the run


def test_each_claimed_number_is_in_the_prose(cells):
    """Fails if a text has changed: mend its row, or drop it with the number."""
    gone = [(cell, pattern) for cell, pattern, *_ in CLAIMS
            if cell not in cells or not re.search(pattern, cells[cell].source)]  # fmt: skip
    assert not gone


@pytest.mark.full
@pytest.mark.parametrize(("cell", "pattern", "expression", "tolerance"), CLAIMS)
def test_number_in_the_prose_is_true(cells, run, cell, pattern, expression, tolerance):
    [number] = re.findall(pattern, cells[cell].source)
    value = run.answer["values"][expression]
    assert float(number.replace(",", "")) == pytest.approx(value, abs=tolerance + 1e-9)


@pytest.mark.full
@pytest.mark.parametrize(("claim", "expression", "least", "most"), BOUNDS)
def test_claim_without_a_number_holds(run, claim, expression, least, most):
    value = run.answer["values"][expression]
    assert isinstance(value, float), value
    assert least <= value <= most


@pytest.mark.full
def test_every_solution_runs_and_prints_what_it_should(notebook, run):
    for cell, code in run_notebook.solutions(notebook).items():
        said, wanted = run.answer["said"][cell], PRINTS.get(cell, "")
        assert bool(code) == (wanted is not None), cell
        assert not re.match(r"\w*(Error|Exception)\b", said), said
        assert re.search(wanted or "", said, re.M), (cell, said)


@pytest.mark.full
def test_memory_that_readme_names_is_enough(run):
    """Fails if the kernel's peak in Run All is above what a learner, or a hub, is told to have."""
    [needed] = re.findall(r"the notebook needs (\d+) MB", README)
    if not run.answer["peak_mb"]:
        pytest.skip("the peak is measured on Linux")
    assert run.answer["peak_mb"][0] < int(needed)


# ---------------------------------------------------------------- the stored outputs


@pytest.mark.full
def test_stored_outputs_are_those_of_a_run(notebook, run):
    """Fails if an output is stale. nbval compares the rest; this the kinds of what it ignores."""
    for old, new in zip(notebook.cells, run_notebook.normalise(run.nb).cells, strict=True):
        if old.cell_type == "code" and "timed" not in tags(old):
            kinds = [[(o.output_type, *sorted(o.get("data", {}))) for o in cell.outputs]
                     for cell in (old, new)]  # fmt: skip
            assert kinds[0] == kinds[1], old.id


@pytest.mark.full
def test_stored_bytes_repeat_on_the_lock(notebook, run):
    """On Linux and x86-64, where they were made: others round, and pack figures, in another way."""
    text = (ROOT / ".ci/constraints.txt").read_text(encoding="utf-8")
    lock = set(re.findall(r"^[\w.-]+==[^\s;]+", text, re.M))
    names = ["numpy", "pandas", "matplotlib", "scikit-learn", "pillow", "ipython", "ipykernel"]
    same = {f"{name}=={version(name)}" for name in names} <= lock
    if not same or (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("other versions than those in .ci/constraints.txt draw other bytes")
    for old, new in zip(notebook.cells, run_notebook.normalise(run.nb).cells, strict=True):
        if old.cell_type == "code" and not {"trained", "nbval-ignore-output"} & set(tags(old)):
            assert new.outputs == old.outputs, old.id


# ---------------------------------------------------------------- what tools/ measured

# (text, pattern with one group, value)
EPOCH, MEASURED_RUNGS = BENCHMARK["epoch"], BENCHMARK["rungs"]


def rung(start):
    """The measured rung whose name begins so."""
    [name] = [name for name in MEASURED_RUNGS if name.startswith(start)]
    return MEASURED_RUNGS[name]


MEASURED = [
    (r"needs ([\d.]+) times as long as its matrix", EPOCH["ours / products alone"]),
    (r"takes ([\d.]+) times as long as in PyTorch", EPOCH["ours / PyTorch"]),
    (r"and ([\d.]+) times as long as in scikit", EPOCH["ours / scikit-learn"]),
    (r"section 8, from (\d+) %", 100 - rung("1 ")["test_mean"]),
    (r"% to ([\d.]+) %, its last", 100 - rung("7 ")["test_mean"]),
    (r"exercise, ([\d.]+) %, and", 100 - rung("exercise")["test_mean"]),
    (r"scikit-learn, ([\d.]+) %\]", 100 - rung("scikit-learn")["test_mean"]),
]


@pytest.mark.parametrize(("pattern", "value"), MEASURED)
def test_readme_quotes_what_was_measured(pattern, value):
    [said] = re.findall(pattern, README)
    assert float(said) == round(value, len(said.partition(".")[2]))


def test_table_of_rungs_is_the_measured_one(cells):
    rows = re.findall(r"^\| (\d) [^|]*\| ([\d.]+) \| ([\d.]+) \|$", cells["spread"].source, re.M)
    assert len(rows) >= 6
    for number, mean, deviation in rows:
        stored = rung(f"{number} ")
        assert (float(mean), float(deviation)) == (stored["test_mean"], stored["test_sd"])
        assert stored["seeds"] >= 5


def test_exercise_promises_what_was_measured(cells):
    text, stored = cells["exercise-bend"].source, rung("exercise")
    [mean] = re.findall(r"reached ([\d.]+) % on the test digits", text)
    assert (float(mean), stored["seeds"]) == (stored["test_mean"], 5)
    assert f"{stored['hidden']:,} hidden units with it for {stored['epochs']} epochs" in text


def test_measurement_has_the_present_settings():
    """Fails if tools/measured.json is older than the benchmark's settings."""
    for name, settings in (bench_training.FULL_BATCH | bench_training.RUNGS).items():
        stored = MEASURED_RUNGS.get(name, settings)
        assert {key: stored.get(key) for key in settings} == settings, name


@pytest.mark.parametrize("name, cell", [
    ("1 mini-batches", "rung-3"), ("2 128 units", "rung-4"), ("4 falling alpha", "rung-5"),
    ("5 new pictures", "rung-6"), ("6 more units and epochs", "rung-7"),
])  # fmt: skip
def test_benchmark_trains_each_rung_as_the_notebook_does(cells, name, cell):
    """Fails if a rung's settings are changed in one place only."""
    settings, source = bench_training.RUNGS[name], cells[cell].source
    alpha, epochs = settings["alpha"], settings["epochs"]
    alphas = f"falling({alpha}, {epochs})" if settings.get("falls") else f"[{alpha}] * {epochs}"
    hidden = settings["hidden"] if settings["hidden"] != 10 else ""
    assert f"{alphas}, {settings['batch']}, init_params_scaled({hidden})" in source
    assert ("update_velocity" in source) == settings.get("momentum", False)
    assert re.search(rf"\b{settings.get('change', '')}[,)]", source)


def test_benchmark_makes_the_full_batch_runs_as_the_notebook_does(cells):
    sources = [cells["lineage-run"].source, cells["scaled-run"].source]
    for source, settings in zip(sources, bench_training.FULL_BATCH.values(), strict=True):
        assert f"X_full, Y_full, {settings['alpha']}, {settings['iterations']}," in source
        assert f"X_train[:, :{settings['digits']:_}]" in sources[0]


@pytest.mark.parametrize("m", HUB.values())
def test_measured_hub_stands_in_the_guide(m):
    cells = [m["users"], m["cores"], m["threads"] or "not set", f"{m['learner_pss_mb']} MB",
             f"{m['alone_s']:.0f} s", f"{m['together_last_s']:.0f} s"]  # fmt: skip
    assert f"| {' | '.join(map(str, cells))} |" in GUIDE
    assert not m["failures"] and m["learner_pss_mb"] < 1000, "README allows 1 GB for each learner"
