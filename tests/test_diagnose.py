"""checks.diagnose reads curves of real, short training runs, made by the notebook's functions."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import checks

TRAIN_CSV = Path(__file__).resolve().parent.parent / "data" / "train.csv.gz"


@pytest.fixture(scope="module")
def train(notebook_functions):
    """Trains on the first m digits and returns the history: full batch, or on batches of 64."""
    f = notebook_functions
    table = pd.read_csv(TRAIN_CSV, dtype=np.uint8, nrows=4500)
    X_all, Y_all = f.to_columns(table.loc[:, "pixel0":].to_numpy()), table["label"].to_numpy()

    def run(start, alpha, steps, m=300, every=10, dev=True, batch=None):
        X, Y, history, rng = X_all[:, :m], Y_all[:m], [], np.random.default_rng(0)
        parts = {"train": (X[:, :1000], Y[:1000]), "dev": (X_all[:, -500:], Y_all[-500:])}
        params = start(f)
        for step in range(steps + 1):
            if step % every == 0:
                history.append({"step": step, "params": params})
                for name in ["train", "dev"][: 1 + dev]:
                    A2 = f.forward_prop(*params, parts[name][0])[3]
                    history[-1][f"{name}_loss"] = f.cross_entropy(A2, parts[name][1])
                    right = f.get_accuracy(f.get_predictions(A2), parts[name][1])
                    history[-1][f"{name}_accuracy"] = right
            some = slice(None) if batch is None else rng.integers(0, m, batch)
            forward = f.forward_prop(*params, X[:, some])
            gradients = f.backward_prop(*forward, params[0], params[2], X[:, some], Y[some])
            params = f.update_params(*params, *gradients, alpha)
        return history

    return run


def says(words, history):
    """The diagnosis holds the words, "..." standing for anything, and is one sentence."""
    sentence = checks.diagnose(history)
    assert re.search(".*".join(map(re.escape, words.split(" ... "))), sentence), sentence
    inner = re.sub(r"\d\.\d", "0", sentence)
    assert sentence.endswith(".") and not re.search(r"[.?!]\s", inner), sentence


def first(f):
    return f.init_params()


def scaled(f):
    return f.init_params_scaled()


def wide(f):
    return f.init_params_scaled(64)


def narrow(f):
    """Two hidden units cannot tell ten digits apart."""
    return f.init_params_scaled(2, seed=1)


def zeros(f):
    return [np.zeros_like(p) for p in f.init_params()]


SAME = "near ln 10, and the accuracy at ... %, so it always gives the same answer"
BATCHES = {"m": 4000, "every": 62, "batch": 64}
RUNS = {
    "overflow": (first, 1e30, 20, {}, "no longer a number at step 10, so ... smaller alpha"),
    "alpha killed the units": (scaled, 10, 100, {}, "W1 no longer moves ... units are dead"),
    "all weights 0": (zeros, 0.1, 60, {}, SAME + " ... random weights"),
    "start too high": (first, 0.1, 100, {"m": 2500}, "starts at ... ln 10 ... init_params_scaled"),
    "alpha too large": (scaled, 0.8, 200, {}, "like a saw, so alpha is too large"),
    "alpha far too large": (scaled, 1e6, 10, {"every": 1}, "units are dead ... lower alpha"),
    "alpha too small": (scaled, 1e-3, 100, {}, "barely falls ... alpha is too small"),
    "alpha too small, high start": (first, 1e-4, 100, {}, "barely falls ... alpha is too small"),
    "twenty digits": (first, 0.1, 1000, {"m": 20}, "lowest at step ... rises ... overfits"),
    "a large gap": (wide, 0.1, 200, {"m": 100}, "accuracy is ... and dev only ... overfits"),
    "too short": (scaled, 0.05, 40, {"m": 1000}, "still falling, by ... last fifth ... longer"),
    "two hidden units": (narrow, 0.1, 1240, BATCHES, "levelled off at 1. ... far from 0"),
    "healthy": (scaled, 0.1, 744, BATCHES, "look healthy"),
    "healthy, without dev": (scaled, 0.1, 744, BATCHES | {"dev": False}, "look healthy"),
}


@pytest.mark.parametrize("run", RUNS)
def test_each_symptom_of_a_real_run_is_named(train, run):
    start, alpha, steps, keywords, words = RUNS[run]
    with np.errstate(all="ignore"):
        says(words, train(start, alpha, steps, **keywords))


def test_too_few_rows_to_judge(train):
    history = train(scaled, 0.1, 20)
    says("There are 1 measurements, too few to judge: train longer", history[:1])
    says("too few to judge: train longer", history[:2])
    says("history is empty ... call record", [])


def test_not_a_number_is_named_even_at_the_second_measurement_with_that_runs_accuracy():
    """Fails if such a run is told to train longer, or if MNIST's share of zeros is quoted."""
    start = {"step": 0, "train_loss": 2.3, "train_accuracy": 0.1}
    stopped = {"step": 10, "train_loss": np.nan, "train_accuracy": 0.25}
    says("no longer a number at step 10, so ... accuracy 25.0 %", [start, stopped])
