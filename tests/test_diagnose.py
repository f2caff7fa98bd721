"""checks.diagnose reads curves of real, short training runs, made by the notebook's functions."""

import contextlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import checks

TRAIN_CSV = Path(__file__).resolve().parent.parent / "data" / "train.csv.gz"


@pytest.fixture(scope="module")
def digits(notebook_functions):
    """The first 4,500 training digits: X (784, m) and Y (m,)."""
    table = pd.read_csv(TRAIN_CSV, dtype=np.uint8, nrows=4500).to_numpy()
    return notebook_functions.to_columns(table[:, 1:]), table[:, 0]


def says(words, history):
    """The diagnosis holds the words, "..." standing for anything, and is one sentence."""
    sentence = checks.diagnose(history)
    assert re.search(".*".join(map(re.escape, words.split(" ... "))), sentence), sentence
    inner = re.sub(r"\d\.\d", "0", sentence)
    assert sentence.endswith(".") and not re.search(r"[.?!]\s", inner), sentence


STARTS = {
    "first": lambda f: f.init_params(),
    "scaled": lambda f: f.init_params_scaled(),
    "64 units": lambda f: f.init_params_scaled(64),
    "2 units": lambda f: f.init_params_scaled(2, seed=1),  # cannot tell ten digits apart
    "zeros": lambda f: [0 * array for array in f.init_params()],
}
SAME = "near ln 10, and the accuracy at ... %, so it always gives the same answer"
RUNS = [  # (how it trains, start, number of digits, alpha, steps or epochs, what is said)
    ("all", "first", 300, 1e30, 20, "no longer a number at step 10, so ... smaller alpha"),
    ("all", "scaled", 300, 10, 100, "W1 no longer moves ... units are dead"),
    ("all", "zeros", 300, 0.1, 60, SAME + " ... random weights"),
    ("all", "first", 2500, 0.1, 100, "starts at ... ln 10 ... init_params_scaled"),
    ("all", "scaled", 300, 0.8, 200, "like a saw, so alpha is too large"),
    ("all", "scaled", 300, 1e6, 40, "units are dead ... lower alpha"),
    ("all", "scaled", 300, 1e-3, 100, "barely falls ... alpha is too small"),
    ("all", "first", 300, 1e-4, 100, "barely falls ... alpha is too small"),
    ("all", "first", 20, 0.1, 1000, "lowest at step ... rises ... overfits"),
    ("all", "64 units", 100, 0.1, 200, "accuracy is ... and dev only ... overfits"),
    ("all", "scaled", 1000, 0.05, 40, "still falling, by ... last fifth ... longer"),
    ("batches", "2 units", 4000, 0.1, 20, "levelled off at 1. ... far from 0"),
    ("batches", "scaled", 4000, 0.1, 12, "look healthy"),
]


@pytest.mark.parametrize(("how", "start", "m", "alpha", "length", "words"), RUNS)
def test_each_symptom_of_a_real_run_is_named(
    notebook_functions, digits, how, start, m, alpha, length, words
):
    f, (X, Y) = notebook_functions, digits
    history, dev, params = [], (X[:, -500:], Y[-500:]), STARTS[start](f)
    few = X[:, :m], Y[:m]
    with np.errstate(all="ignore"), contextlib.suppress(FloatingPointError):
        if how == "batches":
            f.train(*few, [alpha] * length, 64, params, history, dev)
        else:
            f.gradient_descent(*few, alpha, length, params, history, dev)
    says(words, history)
    if words == "look healthy":
        says(words, [{k: row[k] for k in row if not k.startswith("dev")} for row in history])


def test_too_few_rows_to_judge():
    start = {"step": 0, "train_loss": 2.3, "train_accuracy": 0.1}
    says("There are 1 measurements, too few to judge: train longer", [start])
    says("too few to judge: train longer", [start, start])
    says("history is empty ... call record", [])
    # with that run's accuracy, not MNIST's share of zeros
    stopped = {"step": 10, "train_loss": np.nan, "train_accuracy": 0.25}
    says("no longer a number at step 10, so ... accuracy 25.0 %", [start, stopped])
