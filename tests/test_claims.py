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
    ("look", r"wrote the ([\d,]+) test", "Y_test.size", 0),
    ("digit-grid-answer", r"from ([\d,]+) fives", "(labels == 5).sum()", 0),
    ("digit-grid-answer", r"to ([\d,]+) ones", "(labels == 1).sum()", 0),
    ("digit-grid-answer", r"right for (\d+) of 100", "100 * (labels == 1).mean()", 0.5),
    ("network-text", r"(\d+) of 100", "100 * np.mean(nearest == Y_dev)", 0.5),
    ("overflow-text", r"and 2 it makes ([\d.]+),", "softmax(np.arange(3.0)[:, None])[0, 0]", 0.005),
    ("overflow-text", r"0\.09, ([\d.]+) and", "softmax(np.arange(3.0)[:, None])[1, 0]", 0.005),
    ("overflow-text", r"and (0\.\d+)\.", "softmax(np.arange(3.0)[:, None])[2, 0]", 0.005),
    ("way-back-text", r"is now ([\d.]+),", "slopes_Z1[1][0, 0]", 0.0005),
    ("softmax-text", r"happens above (\d+)", "np.floor(np.log(np.finfo(np.float32).max))", 0),
    ("cross-entropy-text", r"the same ([\d.]+)\.", "np.log(2)", 0.0005),
    ("first-loss-answer", r"the ([\d.]+) of our", "cross_entropy(A2, Y_dev)", 0.0005),
    ("gradients", r"our ([\d,]+) parameters", "size(params)", 0),
    ("descent-text", r"near (-[\d.]+)\.", "slope", 0.0005),
    ("one-step-text", r"all (\d+) weights", "W2.size", 0),
    ("tiny-text", r"from ([\d.]+) to", "before", 0.0005),
    ("tiny-text", r"to ([\d.]+)\. And", "step_loss(1)", 0.0005),
    ("tiny-text", r"And (-[\d.]+) would", "before - 10 * np.sum(slopes_W2**2)", 0.0005),
    ("tiny-text", r"took (\d+) runs", "2 * W2.size", 0),
    ("tiny-text", r"has ([\d,]+) weights more", "W1.size", 0),
    ("tiny-layer-1-text", r"= ([\d.]+)\. \*\*When", "measured_dA1[0, 0]", 0.0005),
    ("gradient-check-text", r"run ours ([\d,]+) times", "2 * size(params)", 0),
    ("broken-text", r"All (\d+) slopes", "size(small_params)", 0),
    ("overfit-20-text", r"([\d,]+) parameters can learn", "size(params_20)", 0),
    ("overfit-1000-text", r"ends at (\d+) %", "100 * history_20[-1]['train_accuracy']", 0),
    ("lineage-run-text", r"notebook: ([\d,]+) digits", "Y_full.size", 0),
    ("spread-text", r"at ([\d.]+) %\.", "100 * ends(history_1000[:51])", 0.05),
    ("init-params-scaled-text", r"about (\d+) times, the root", "sums.std()", 0.5),
    ("init-params-scaled-text", r"place of ([\d.]+)\.", "12**-0.5", 0.0005),
    ("init-params-scaled-text", r"weights, (0\.\d+) in", "(2 / 10) ** 0.5", 0.0005),
    ("draw-early-text", r"reaches about (\d+) %", "100 * history[-1]['dev_accuracy']", 0.5),
    ("too-large-answer", r"About (\d+) %", "100 * history_large[-1]['train_accuracy']", 0.5),
    ("too-large-answer", r"creeps to ([\d.]+) usually", "history_large[-1]['train_loss']", 0.02),
    ("two-mistakes-answer", r"at ([\d.]+) % on dev", "100 * ends(history_bias)", 0.05),
    ("two-mistakes-answer", r"slopes at ([\d.]+) %", "100 * ends(history_1000[:51])", 0.05),
    ("climb", r"stand at (\d+) %", "100 * history[-1]['dev_accuracy']", 0.5),
    ("climb", r"For ([\d.]+) % of", "100 * history[-1]['dev_accuracy']", 0.05),
    ("climb", r"that is ([\d.]+) points", "100 * half_width(ends(history), 1000) / 1.96", 0.05),
    ("climb", r"here ([\d.]+) points", "100 * half_width(ends(history), 1000)", 0.05),
    ("batch-clouds-text", r"all ([\d,]+) digits", "Y_train.size", 0),
    ("train-text", r"as ([\d,]+) small", "10 * -(-Y_train.size // 128)", 0),
    ("rung-2-text", r"flattens at (\d+) %", "100 * history_1[-1]['train_accuracy']", 0.5),
    ("rung-2-text", r"128: ([\d,]+) parameters", "size(params_2)", 0),
    ("spread-of-seeds", r"ten is about (\d)", "10**0.5", 0.2),
    ("spread-of-seeds", r"about ([\d.]+) points", "196 * (0.0099 / Y_test.size) ** 0.5", 0.05),
    ("exercise-inside", r"^(\d+) % sure", "100 * sure_mistake()[0]", 0.5),
    ("exercise-inside", r"sure of a (\d)", "sure_mistake()[1]", 0),
    ("exercise-inside", r"it is a (\d)\.", "sure_mistake()[2]", 0),
    ("close", r"loss (2\.30) ", "history_large[-1]['train_loss']", 0.02),
]

# (what is claimed, expression, at least, at most)
BOUNDS = [
    ("one layer says what two say", "np.abs(two_layers - one_layer).max()", 0, 1e-4),
    ("untrained, it guesses", "right.mean()", 0.05, 0.15),
    ("and is sure of it", "A2.max(axis=0).mean()", 0.3, 1),
    ("a nudge of 1 raises the loss", "loss_at(weight + 1) - loss_at(weight)", 0.01, 1),
    ("a tiny step does as expected", "step_loss(0.01) / (before - 0.01 * fall)", 0.999, 1.001),
    ("alpha 10 raises the loss", "step_loss(10)", 4, 99),
    ("dZ2 is what is measured", "np.ptp(one_column['dZ2'] - one_column['measured'])", 0, 1e-5),
    ("the gradients agree", "max(errors.values())", 0, 1e-6),
    ("the broken bias is seen", "broken_errors['db2']", 1 - 1e-6, 1 + 1e-6),
    ("and nothing else", "sorted(broken_errors.values())[-2]", 0, 1e-6),
    ("20 digits are learned by heart", "history_20[-1]['train_loss']", 0, 0.01),
    ("one dev digit in four is right", "history_20[-1]['dev_accuracy']", 0.2, 0.33),
    ("the dev loss turns early", "step_of_lowest(history_20)", 5, 100),
    ("and rises", "history_20[-1]['dev_loss'] / history_20[0]['dev_loss']", 1.3, 9),
    ("while the dev accuracy creeps up", "creep(history_20)", 0.02, 0.3),
    ("1,000 digits are learned by heart, too", "history_1000[-1]['train_accuracy']", 0.995, 1),
    ("and their dev loss turns", "history_1000[-1]['dev_loss'] / lowest(history_1000)", 1.2, 2),
    ("the gap is far smaller", "gap(history_20) / gap(history_1000)", 3, 99),
    ("the first start begins above 3", "history_first[0]['train_loss']", 3, 5),
    ("numbers grow sixfold", "grown", 5.5, 6.5),
    ("the scaled start begins near ln 10", "history[0]['train_loss']", 2.2, 2.7),
    ("ends better, in half the steps", "gain(history_first, history, 'train_accuracy')", 0.02, 1),
    ("41,000 digits are no better", "gain(history_first, history_1000, 'dev_accuracy')", 0, 0.05),
    ("a large alpha throws the loss up", "max(r['train_loss'] for r in history_large)", 9, 999),
    ("a large alpha kills all units", "forward_prop(*params_large, X_full)[1].any()", 0, 0),
    ("without the subtraction the loss is lost", "np.isnan(history_nan[-1]['train_loss'])", 1, 1),
    ("few full-batch steps go nowhere", "np.mean(A2_ten_steps.argmax(axis=0) == Y_dev)", 0.05, 0.5),
    ("empty pixels exist", "(~X_train.any(axis=1)).sum()", 50, 783),
    ("their weights never move", "abs(moved[:, ~X_train.any(axis=1)]).max()", 0, 0),
    ("16 times the digits, a cloud a quarter as wide", "clouds_ratio()", 3.2, 4.8),
    ("rung 1", "rungs['mini-batches'][1]", 91, 94.5),
    ("rung 1 flattens", "gain(history_1[:-3], history_1, 'train_accuracy')", -0.005, 0.005),
    ("rung 2 helps a lot", "rungs['128 units'][1] - rungs['mini-batches'][1]", 1.5, 5),
    ("its loss falls", "history_2[-1]['train_loss'] / history_2[-3]['train_loss']", 0, 0.95),
    ("rung 3", "rungs['momentum'][1]", 97, 98.7),
    ("momentum saves half of the dev mistakes", "saved('dev_accuracy')", 0.4, 0.7),
    ("and most of those on train", "saved('train_accuracy')", 0.8, 1),
    ("its dev loss jumps", "np.diff([r['dev_loss'] for r in history_3[-3:]]).max()", 0.003, 1),
    ("rung 4 knows its digits by heart", "history_4[-1]['train_accuracy']", 0.998, 1),
    ("and overfits", "gap(history_4)", 0.005, 0.05),
    ("moved by 4 pixels, it misses two of three", "1 - still_read", 0.58, 0.75),
    ("rung 5", "rungs['new pictures'][1]", 97.6, 99.3),
    ("which closes the gap", "gap(history_5)", -0.004, 0.004),
    ("train fell", "gain(history_5, history_4, 'train_accuracy')", 0.005, 0.05),
    ("most mistakes are left", "(1 - ends(history_6)) / (1 - ends(history_5))", 0.5, 1.05),
    ("a small gap is back", "gap(history_6)", 0.001, 0.02),
    ("rung 6", "rungs['more units and epochs'][1]", 98.3, 99.9),
    ("the test result", "test_accuracy", 0.99, 1),
    ("its interval", "test_width / (test_accuracy * (1 - test_accuracy)) ** 0.5", 0.0195, 0.0197),
    ("a third as wide as dev's", "half_width(0.99, Y_dev.size) / half_width(0.99, 10_000)", 3, 3.3),
    ("20 of 20 leave half_width at 0", "half_width(1, 20)", 0, 0),
    ("made-up drawings are read", "stand_in_accuracy", 0.85, 1),
    # the exercises
    ("alpha 0.3 beats 0.1", "-np.subtract(*printed('alpha', 'dev (.+)%')[:2])", 2, 90),
    ("alpha 1 is rough", "printed('alpha', r'rose (\\d+) times')[2]", 1, 99),
    ("30 units", "printed('climb', 'dev (.+)%')[0]", 94.5, 97.8),
    ("unit 2 least", "np.ptp(printed('inside', r'(?:all units|unit 2): (.+)%'))", 0, 1),
    ("unit 0 is missed most", "printed('inside', r'without unit 0: (.+)%')[0]", 42, 58),
    ("no digit at all, and sure", "max(printed('fool', r', (\\d+)% sure'))", 85, 100),
]  # fmt: skip

# What each solution must print, besides
PRINTS = {
    "exercise-look": r"^67 pixels are empty",
    "exercise-prepare": r"\(784, 5\) \(784,\) \(59000,\)",
    "exercise-build": r"^2\.30[0-5]$",
    "exercise-gradients": r"(?s)dW1: .* DIFFERENT.*db1: .* DIFFERENT.*dW2: .* equal.*db2: .* equal",
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
def gain(one, other, key):
    return other[-1][key] - one[-1][key]
def ends(history):
    return history[-1]["dev_accuracy"]
def saved(key):
    return 1 - (1 - history_3[-1][key]) / (1 - history_2[-1][key])
def gap(history):
    return history[-1]["train_accuracy"] - history[-1]["dev_accuracy"]
def creep(history):
    lowest = min(history, key=lambda row: row["dev_loss"])
    return history[-1]["dev_accuracy"] - lowest["dev_accuracy"]
def lowest(history):
    return min(row["dev_loss"] for row in history)
def step_of_lowest(history):
    return min(history, key=lambda row: row["dev_loss"])["step"]
def step_loss(alpha):
    stepped = [*params_64[:2], params_64[2] - alpha * slopes_W2, params_64[3]]
    return cross_entropy(forward_prop(*stepped, X_dev)[3], Y_dev)
def sure_mistake():
    wrong = np.where(predictions != Y_dev, A2_dev.max(axis=0), 0)
    i = wrong.argmax()
    return wrong[i], predictions[i], Y_dev[i]
def clouds_ratio():
    return np.mean(clouds[32].std(axis=0) / clouds[512].std(axis=0))
fall = np.sum(slopes_W2**2)
stand_in_accuracy = get_accuracy(get_predictions(predict(stand_in, params_6)), stand_in_labels)
one = ReLU(0.289 * np.random.default_rng(0).standard_normal((784, 784)) @ X_dev)
two = ReLU(0.289 * np.random.default_rng(1).standard_normal((784, 784)) @ one)
grown = np.sqrt(np.mean(two**2) / np.mean(one**2))
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
        if old.cell_type == "code":
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
        if old.cell_type == "code" and "nbval-ignore-output" not in tags(old):
            assert new.outputs == old.outputs, old.id


# ---------------------------------------------------------------- what tools/ measured

EPOCH, RUNGS = BENCHMARK["epoch"], BENCHMARK["rungs"]
LIBRARY = f"scikit-learn as {bench_training.LIBRARY}"

# (README or a cell, pattern with one group, value)
MEASURED = [
    ("README", r"needs ([\d.]+) times as long as its matrix", EPOCH["ours / products alone"]),
    ("README", r"takes ([\d.]+) times as long as in PyTorch", EPOCH["ours / PyTorch"]),
    ("README", r"and ([\d.]+) times as long as in scikit", EPOCH["ours / scikit-learn"]),
    ("README", r"section 8, from ([\d.]+) %", 100 - RUNGS["1 mini-batches"]["test_mean"]),
    ("README", r"% to ([\d.]+) %, the", 100 - RUNGS["6 more units and epochs"]["test_mean"]),
    ("README", r"take-home run, ([\d.]+) %", 100 - RUNGS["take-home"]["test_mean"]),
    ("README", r"scikit-learn, ([\d.]+) %\]", 100 - RUNGS[LIBRARY]["test_mean"]),
    ("close", r"reached ([\d.]+) % on the test digits", RUNGS["take-home"]["test_mean"]),
    ("spread-of-seeds", r"ends at ([\d.]+) %: that", RUNGS["2 128 units, alpha 1"]["test_mean"]),
    ("spread-of-seeds", r"epochs ends at ([\d.]+) %", RUNGS["6 more epochs only"]["test_mean"]),
    ("spread-of-seeds", r"only the units at ([\d.]+) %", RUNGS["6 more units only"]["test_mean"]),
]


@pytest.mark.parametrize(("where", "pattern", "value"), MEASURED)
def test_what_was_measured_is_what_is_quoted(cells, where, pattern, value):
    [said] = re.findall(pattern, README if where == "README" else cells[where].source)
    assert float(said) == round(value, len(said.partition(".")[2]))


def test_table_of_rungs_is_the_measured_one(cells):
    source = cells["spread-of-seeds"].source
    rows = re.findall(r"^\| ([^|]+) \| ([\d.]+) \| ([\d.]+) \|$", source, re.M)
    assert [name for name, *_ in rows] == [
        *bench_training.FULL_BATCH,
        *list(bench_training.RUNGS)[:6],
    ]
    for name, mean, deviation in rows:
        stored = RUNGS[name]["test_mean"], RUNGS[name]["test_sd"]
        assert (float(mean), float(deviation)) == stored, name
    wrong = [100 - RUNGS[name]["test_mean"] for name in ("2 128 units", "3 momentum")]
    assert abs(1 - wrong[1] / wrong[0] - 1 / 3) < 0.05, "section 8 says: over five seeds a third"
    seeds = {name: stored["seeds"] for name, stored in RUNGS.items() if name != "measured"}
    assert set(seeds.values()) == {5}, f"the texts say five seeds: {seeds}"


def test_measurement_has_the_present_settings():
    """Fails if tools/measured.json is older than the benchmark's settings."""
    for name, settings in (bench_training.FULL_BATCH | bench_training.RUNGS).items():
        stored = RUNGS.get(name, settings)
        assert {key: stored.get(key) for key in settings} == settings, name


def test_benchmark_trains_as_the_notebook_does(cells):
    """Fails if a run's settings are changed in one place only."""
    sources = [cells["lineage-run"].source, cells["scaled-run"].source]
    for source, settings in zip(sources, bench_training.FULL_BATCH.values(), strict=True):
        assert f"X_full, Y_full, {settings['alpha']}, {settings['iterations']}," in source
        assert f"X_train[:, :{settings['digits']:_}]" in sources[0]
    for n, settings in enumerate(list(bench_training.RUNGS.values())[:6], start=1):
        alpha, epochs, source = settings["alpha"], settings["epochs"], cells[f"rung-{n}"].source
        alphas = f"falling({alpha}, {epochs})" if settings.get("falls") else f"[{alpha}] * {epochs}"
        hidden = settings["hidden"] if settings["hidden"] != 10 else ""
        assert f"{alphas}, {settings['batch']}, init_params_scaled({hidden})" in source, n
        assert ("update_velocity" in source) == settings.get("momentum", False), n
        assert re.search(rf"\b{settings.get('change', '')}[,)]", source), n


def test_measured_hub_stands_in_the_guide():
    for m in HUB.values():
        cells = [m["users"], m["cores"], m["threads"] or "not set", f"{m['learner_pss_mb']} MB",
                 f"{m['alone_s']:.0f} s", f"{m['together_last_s']:.0f} s"]  # fmt: skip
        assert f"| {' | '.join(map(str, cells))} |" in GUIDE
        assert not m["failures"] and m["learner_pss_mb"] < 1000, "README allows 1 GB for each"


def test_longest_cell_stands_in_the_guide():
    """Fails if the calculation for 100 learners rests on another length of the longest cell."""
    one = HUB["1 users, 1 threads"]
    [said] = re.findall(r"takes about (\d+) core-seconds", GUIDE)
    assert one["longest_cell"] == "rung-6", "the guide calls it the last run of section 8"
    for a, b, c, result in re.findall(r"(\d+) x (\d+) / (\d+) = (\d+)", GUIDE):
        assert abs(int(a) * int(b) / int(c) - int(result)) <= 0.5, result
    assert one["threads"] == 1 and abs(int(said) / one["longest_cell_s"] - 1) < 0.1
