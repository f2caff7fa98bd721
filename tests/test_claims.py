"""Every number in the notebook's prose, against the data or a full run.

CLAIMS holds a row for each: the cell, a pattern that finds the number (one group), and where the
true value comes from. A number that has no row and is not a plain part of the network's
definition makes `test_no_number_is_left_unchecked` fail: add a row for it.
"""

import math
import re

import numpy as np
import pytest

from bench_training import RUNGS

RUNG_3 = RUNGS["3 mini-batches"]  # that it is the notebook's own: test_benchmark.py

# (cell, pattern with one group, key in `truth`, tolerance)
CLAIMS = [
    ("setup-text", r"puts ([\d,]+) rows", "held out", 0),
    ("split-text", r"takes ([\d,]+) rows out", "held out", 0),
    ("title", r"about (\d+) of 100", "test score", 0.5),
    ("split-text", r"([\d,]+) rows that you look at", "dev", 0),
    ("look", r"set of ([\d,]+) handwritten", "all", 0),
    ("look", r"([\d,]+) for training", "rows", 0),
    ("look", r"and ([\d,]+) for testing", "test", 0),
    ("softmax-text", r"`float64` this happens above a score of (\d+)", "exp limit float64", 0),
    ("softmax-text", r"`float32` already above (\d+)", "exp limit float32", 0),
    ("softmax-picture-text", r"gets ([\d.]+) times", "e", 0.05),
    ("softmax-picture-text", r"e \\approx ([\d.]+)", "e", 0.05),
    ("first-answers-text", r"the ([\d,]+) dev digits", "dev", 0),
    ("first-loss-answer", r"\\ln 10 \\approx ([\d.]+)", "ln 10", 0.0005),
    ("first-loss-answer", r"Remember (\d\.\d+)", "ln 10", 0.0005),
    ("build-key", r"about (\d\.\d+)", "ln 10", 0.0005),
    ("gradients", r"has ([\d,]+) numbers", "parameters", 0),
    ("gradient-check-text", r"the (\d+) parameters", "small parameters", 0),
    ("overfit-20-text", r"([\d,]+) parameters", "parameters", 0),
    ("overfit-20-text", r"learn (\d+) digits", "overfitted digits", 0),
    ("overfit-20-text", r"on (\d+) digits", "overfitted digits", 0),
    ("lineage-run-text", r"all (\d+) answers", "overfitted digits", 0),
    ("lineage-run-text", r"these (\d+) pictures", "overfitted digits", 0),
    ("lineage-run-text", r"(\d+) steps", "steps", 0),
    ("lineage-run-text", r"does it: ([\d,]+) digits", "full batch", 0),
    ("scaled-run-text", r"half the steps: (\d+)", "steps of the scaled start", 0),
    ("too-large-text", r"after (\d+) steps it", "steps of the scaled start", 0),
    ("too-large-text", r"ends after (\d+)", "steps", 0),
    ("too-large-text", r"with ([\d,]+) examples", "full batch", 0),
    ("rungs-1-2-text", r"(\d+) steps from", "steps", 0),
    ("rungs-1-2-text", r"(\d+) from the scaled", "steps of the scaled start", 0),
    ("too-large-answer", r"about (\d+) %", "stuck accuracy", 0.5),
    ("too-large-answer", r"stays at about ([\d.]+)", "stuck loss", 0.02),
    ("accuracy-per-digit-text", r"about (\d+) examples", "dev examples of a digit", 30),
    ("climb", r"only ([\d,]+) digits", "dev", 0),
    ("minibatches-text", r"looks at ([\d,]+) digits", "full batch", 0),
    ("minibatches-text", r"over all ([\d,]+) of them", "train", 0),
    ("minibatches-text", r"But (\d+) digits", "batch of rung 3", 0),
    ("minibatches-text", r"makes ([\d,]+) steps", "steps per epoch", 0),
    ("rung-3-text", r"took (\d+) steps", "steps of the scaled start", 0),
    ("rung-3-text", r"steps of ([\d,]+) digits\. This", "full batch", 0),
    ("rung-3-text", r"takes (\d+) times", "epochs of rung 3", 0),
    ("rung-3-text", r"times ([\d,]+) steps", "steps per epoch", 0),
    ("rung-3-text", r"steps of (\d+) digits each", "batch of rung 3", 0),
    ("rung-4-text", r"all ([\d,]+)\. The rest", "train", 0),
    ("rung-4-text", r"; (\d+) together", "batch of rung 3", 0),
    ("rung-4-text", r"so take (\d+)\.", "hidden units of rung 4", 0),
    ("rung-4-text", r"now ([\d,]+) parameters", "parameters of rung 4", 0),
    ("rung-7-text", r"(\d+) hidden units", "hidden units of rung 7", 0),
    ("rung-7-text", r"(\d+) epochs", "epochs of rung 7", 0),
    ("score", r"came from ([\d,]+) digits", "dev", 0),
    ("score", r"comes from ([\d,]+)\.", "test", 0),
    ("score-chart-text", r"same ([\d,]+) digits", "test", 0),
    ("score-chart-text", r"On ([\d,]+) digits", "test", 0),
    ("score-chart-text", r"about ([\d.]+) points wide", "half width at 1 % error", 0.05),
    ("preparation-text", r"makes (\d+) digits", "drawings", 0),
    ("draw-pad-text", r"it reads (\d+) % when they are fitted", "drawn, fitted, rung 5", 4),
    ("draw-pad-text", r"(\d+) % when they are centred as well", "drawn, both, rung 5", 1),
    ("close", r"accuracy ([\d.]+) % on train", "zeros in train", 0.05),
    ("close", r"\(([\d.]+) % on test\), loss `nan`", "zeros in test", 0.05),
    ("close", r"stuck at ([\d.]+) %", "ones in train", 0.05),
    ("close", r"\(([\d.]+) % on test\), loss about", "ones in test", 0.005),
    ("close", r"loss about ([\d.]+) \| it always", "stuck loss", 0.02),
    ("close", r"loss exactly ([\d.]+)", "loss of zero weights", 0.0005),
    ("exercise-prepare", r"\((\d{5}),\)", "train", 0),
    ("exercise-build", r"([\d.]+), which is ln 10", "ln 10", 0.0005),
    ("exercise-climb", r"rung 5, with (\d+)", "hidden units of rung 4", 0),
]

# Years, sizes of published networks and confidence levels: facts of the sources, not of a run
QUOTED = [
    ("init-params-scaled-text", r"\(2015\)"),
    ("climb", r"95 % interval|95 % of a bell curve|within 1\.96|Where do 1\.96"),
    ("climb-key", r"1,000 dev rows"),
    ("spread", r"1,000 dev digits|(?m:^\|.*$)"),  # the table: test_benchmark.py
    ("train-text", r"first 1,000 training digits"),
    ("update-velocity-text", r"close to 100 %"),
    ("rung-5-text", r"0\.01"),
    ("scikit-learn-text", r"784-128-10"),
    ("preparation-text", r"of 100 will"),
    ("draw", r"20 x 20"),
    ("score-chart-text", r"paper of 2003|from 1998|Its 1\.6 %|its 1\.1 %|its 0\.7 %|at 1 %"),
    ("exercise-bend", r"1,024 hidden units with it for 30 epochs"),  # test_benchmark.py
    ("exercise-bend", r"reached [\d.]+ % on the test"),
    ("lineage-run-text", r"about 20 seconds"),  # test_seconds_to_catch_up_fit_a_run
    ("accuracy-per-digit-text", r"95 % intervals"),
    ("class-counts-text", r"right 90 % of the time"),
    ("overflow-text", r"1000, 1001 and 1002"),  # the numbers of the cell below it
    ("gradient-check-text", r"\(1e-6\)"),
    ("exercise-look", r"67, all near"),
    ("exercise-baseline", r"of 100 does|79\.4\. The network"),  # these: test_exercises.py
    ("exercise-train", r"take 20 full-batch steps"),
    ("exercise-alpha", r"[Aa]fter 100 steps|for 100 steps"),
    ("exercise-score", r"Simard's 1\.1 %"),
    ("exercise-climb", r"Train 30 hidden units"),
]

# The network's own definition and the digits themselves: tested in test_network and test_data
DEFINITION = {*map(str, range(11)), "28", "784", "255", "0.5", "0.1", "0.3", "12"}


@pytest.fixture(scope="module")
def truth(whole_run):
    """The true values, by the names that CLAIMS uses. Shares are in per cent."""
    a = whole_run.answer
    return {
        "held out": 10_000,
        "dev": a["dev"],
        "train": a["train"],
        "rows": a["rows"],
        "test": a["test"],
        "all": a["rows"] + a["test"],
        "exp limit float64": math.floor(math.log(np.finfo(np.float64).max)),
        "exp limit float32": math.floor(math.log(np.finfo(np.float32).max)),
        "e": math.e,
        "ln 10": math.log(10),
        "parameters": a["parameters"],
        "small parameters": a["small_parameters"],
        "overfitted digits": a["overfitted"],
        "steps": a["first"][-1]["step"],
        "steps of the scaled start": a["scaled"][-1]["step"],
        "full batch": a["full batch"],
        "stuck accuracy": 100 * a["large"][-1]["train_accuracy"],
        "stuck loss": a["large"][-1]["train_loss"],
        "dev examples of a digit": len(a["Y_dev"]) / 10,
        "test score": 100 * a["test_accuracy"],
        "batch of rung 3": RUNG_3["batch"],
        "epochs of rung 3": a["rung_curves"][0][-1]["step"],
        "epochs of rung 7": a["rung_curves"][4][-1]["step"],
        "hidden units of rung 4": a["hidden"]["4"],
        "hidden units of rung 7": a["hidden"]["7"],
        "parameters of rung 4": a["parameters_4"],
        "steps per epoch": math.ceil(a["train"] / RUNG_3["batch"]),
        "half width at 1 % error": 100 * 1.96 * math.sqrt(0.01 * 0.99 / a["test"]),
        "drawings": a["drawings"],
        "drawn, fitted, rung 5": 100 * a["drawn"]["rung 5"]["fitted to 20 x 20"],
        "drawn, both, rung 5": 100 * a["drawn"]["rung 5"]["fitted and centred"],
        "zeros in train": 100 * a["zeros_in_train"],
        "zeros in test": 100 * a["zeros_in_test"],
        "ones in train": 100 * a["ones_in_train"],
        "ones in test": 100 * a["ones_in_test"],
        "loss of zero weights": math.log(10),  # all ten scores are 0; the run: test_exercises.py
    }


@pytest.mark.parametrize(("cell", "pattern", "key", "tolerance"), CLAIMS)
def test_number_in_the_prose_is_true(cells, truth, cell, pattern, key, tolerance):
    found = re.findall(pattern, cells[cell].source)
    assert found, f"{cell} says nothing that fits {pattern!r}: has the prose changed?"
    for number in found:
        assert float(number.replace(",", "")) == pytest.approx(truth[key], abs=tolerance + 1e-9)


@pytest.mark.parametrize(("cell", "pattern"), QUOTED)
def test_quoted_number_is_still_there(cells, cell, pattern):
    """Fails if the text no longer holds what the row excuses: delete the row, or a part of it."""
    for part in pattern.split("|") if "(?m" not in pattern else [pattern]:
        assert re.search(part, cells[cell].source), part


def test_no_number_is_left_unchecked(notebook):
    """Fails if the prose states a number that no test compares with anything."""
    left = []
    for cell in notebook.cells:
        if cell.cell_type != "markdown" or cell.id == "contents":
            continue
        text = list(cell.source)
        for name, pattern, *_ in [*CLAIMS, *QUOTED]:
            if name == cell.id:
                for match in re.finditer(pattern, cell.source):
                    text[slice(*match.span())] = " " * (match.end() - match.start())
        text = "".join(text)
        text = re.sub(r"```.*?```", " ", text, flags=re.S)
        text = re.sub(r"\$\$.*?\$\$|\$.*?\$|`[^`]*`|\]\([^)]*\)", " ", text, flags=re.S)
        text = re.sub(r"^## .*|^\*\*Behind\?.*", " ", text, flags=re.M)
        text = re.sub(r"\*\*Minutes:\*\* \d+|sections? \d", " ", text)
        numbers = re.findall(r"(?<![\w#.])\d[\d,]*(?:\.\d+)?", text)
        left += [(cell.id, n) for n in numbers if n.rstrip(",") not in DEFINITION]
    assert not left


# ---------------------------------------------------------------- claims without a number


def test_untrained_network_guesses_and_is_sure_of_it(whole_run):
    a = whole_run.answer
    assert 0.05 < a["first_accuracy"] < 0.15
    assert a["first_loss"] > 3 > math.log(10)


def test_gradient_check_passes_and_the_broken_bias_fails(whole_run):
    a = whole_run.answer
    assert max(a["errors"].values()) < 1e-6
    assert a["broken_errors"].pop("db2") == pytest.approx(1, abs=1e-6)
    assert max(a["broken_errors"].values()) < 1e-6


def test_twenty_digits_are_learned_by_heart_and_nothing_else(whole_run):
    end = whole_run.answer["history_20"][-1]
    assert end["train_loss"] < 0.01 and end["train_accuracy"] == 1
    assert end["dev_accuracy"] < 0.5


def test_first_start_begins_above_three_and_ends_near_85_per_cent(whole_run):
    run = whole_run.answer["first"]
    assert run[0]["train_loss"] > 3
    assert run[-1]["train_accuracy"] == pytest.approx(0.85, abs=0.02)
    assert run[-1]["dev_accuracy"] == pytest.approx(0.84, abs=0.025)


def test_scaled_start_is_ahead_all_the_way_and_still_improves(whole_run):
    first, scaled = whole_run.answer["first"], whole_run.answer["scaled"]
    assert 2.2 < scaled[0]["train_loss"] < 2.7
    assert all(s["train_loss"] < f["train_loss"] for f, s in zip(first, scaled, strict=False))
    assert scaled[-1]["train_accuracy"] == pytest.approx(0.887, abs=0.01)
    for score in ("train_accuracy", "dev_accuracy"):  # half the steps, and past its end
        assert scaled[-1][score] > first[-1][score] + 0.02
    assert abs(scaled[-1]["train_accuracy"] - scaled[-1]["dev_accuracy"]) < 0.03
    for run in (first, scaled):
        assert run[-1]["train_loss"] < run[-3]["train_loss"]


def test_alpha_too_large_kills_every_hidden_unit(whole_run):
    a = whole_run.answer
    assert a["large_is_dead"]
    assert a["large"][-1]["train_accuracy"] == pytest.approx(a["ones_in_full_batch"])


def test_weights_of_pixels_without_ink_never_move(whole_run):
    assert whole_run.answer["dead_pixels"] > 50
    assert whole_run.answer["border_moved"] == 0


def test_seconds_to_catch_up_fit_a_run(notebook, cells, whole_run):
    """Fails if "Behind?" names a time that is off by more than a factor of two on this machine.

    The machine's own speed is taken out: what is compared is each share of the whole run. The 3 s
    on top are for the imports, which take 1 to 9 s, depending on versions and on the disk."""
    stated, before, gone = [], [], 0.0
    for cell in notebook.cells:
        gone += whole_run.seconds.get(cell.id, 0)
        for seconds in re.findall(r"\*\*Behind\?\*\* .*: about (\d+) s\.$", cell.source, re.M):
            stated.append(float(seconds))
            before.append(gone)
    assert len(stated) == 10, "one for each section but the first"
    speed = before[-1] / stated[-1]
    assert speed < 5, "far slower than stated, even for a busy machine"
    [said] = re.findall(r"about (\d+) seconds", cells["lineage-run-text"].source)
    stated.append(float(said))
    before.append(whole_run.seconds["lineage-run"])
    for said, measured in zip(stated, before, strict=True):
        assert said / 2 - 3 < measured / speed < 2 * said + 3


def test_each_rung_stands_where_the_text_says(whole_run):
    """Fails if a rung of the ladder no longer buys what the text claims. Dev, so +- 1 point."""
    a = whole_run.answer
    assert a["rungs"]["mini-batches"] == pytest.approx(93.8, abs=2)
    assert a["rungs"]["128 hidden units"] == pytest.approx(97.8, abs=1)
    assert a["rungs"]["momentum, falling"] == pytest.approx(98.0, abs=1)
    assert a["rungs"]["shifts"] == pytest.approx(98.3, abs=1)
    assert a["rungs"]["warps, 512 units"] == pytest.approx(99, abs=0.9)
    assert a["library_accuracy"] == pytest.approx(0.978, abs=0.012)


def test_rung_four_overfits(whole_run):
    end = whole_run.answer["rung_curves"][1][-1]
    assert end["train_accuracy"] > 0.99 > end["dev_accuracy"] + 0.005
    assert end["dev_loss"] > 3 * end["train_loss"]


def test_batches_of_32_point_nearly_the_right_way_at_first_and_hardly_later(whole_run):
    """Fails if the reason that the text gives for rungs 3 and 5 is no longer what is measured."""
    cosines = whole_run.answer["cosines"]
    assert 0.05 < cosines["1"] < 0.5 and cosines["32"] > 0.6 and cosines["512"] > 0.95
    assert whole_run.answer["cosine after rung 3"] < cosines["32"] / 2


def test_rung_two_looks_at_nearly_six_times_the_digits_of_rung_three(truth):
    full_batch = truth["steps of the scaled start"] * truth["full batch"]
    assert 5.5 < full_batch / (truth["epochs of rung 3"] * truth["train"]) < 6


def test_your_score_and_simards_with_affine_changes_cannot_be_told_apart(whole_run):
    """Both are shares of the same number of digits, so both have an interval."""
    a = whole_run.answer
    simard = 1.96 * math.sqrt(0.011 * 0.989 / a["test"])
    assert abs(1 - a["test_accuracy"] - 0.011) < a["half_width"] + simard


def test_score_is_honest_and_its_interval_is_right(whole_run):
    a = whole_run.answer
    p = a["test_accuracy"]
    assert p > 0.985
    assert a["half_width"] == pytest.approx(1.96 * math.sqrt(p * (1 - p) / a["test"]))


def test_drawings_need_the_preparation(whole_run):
    """Fails if fitting and centring no longer decide whether a drawing is read, or if centring
    counts for the network of rung 7, which saw shifted digits."""
    drawn = whole_run.answer["drawn"]["rung 7"]
    assert drawn["fitted and centred"] > 0.97
    assert drawn["only shrunk"] < 0.6
    assert drawn["only shrunk"] < drawn["centred by mass"]
    assert drawn["fitted to 20 x 20"] == pytest.approx(drawn["fitted and centred"], abs=0.01)


def test_network_is_sure_of_something_that_is_no_digit(whole_run):
    assert max(whole_run.answer["not_digits"].values()) > 0.6
