"""checks.diagnose reads curves of real, short training runs, made by the notebook's functions."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import checks

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def data():
    """8,000 training and 1,000 dev digits: the first rows of the shipped file."""
    table = pd.read_csv(ROOT / "data" / "train.csv.gz", dtype=np.uint8, nrows=9000)
    X = (table.drop(columns="label").to_numpy() / np.float32(255)).T
    Y = table["label"].to_numpy()
    return (X[:, :8000], Y[:8000]), (X[:, 8000:], Y[8000:])


@pytest.fixture(scope="module")
def train(data, notebook_functions):
    """Trains on the first m digits and returns the history: full batch, or on batches of 64."""
    f = notebook_functions
    (X_all, Y_all), (X_dev, Y_dev) = data

    def run(params, alpha, steps, m=600, every=10, dev=True, batch=None):
        X, Y, history, rng = X_all[:, :m], Y_all[:m], [], np.random.default_rng(0)
        parts = {"train": (X, Y), "dev": (X_dev, Y_dev)} if dev else {"train": (X, Y)}
        with np.errstate(all="ignore"):
            for step in range(steps + 1):
                if step % every == 0:
                    history.append({"step": step, "params": params})
                    for name, part in parts.items():
                        A2 = f.forward_prop(*params, part[0])[3]
                        right = f.get_accuracy(f.get_predictions(A2), part[1])
                        history[-1][f"{name}_loss"] = f.cross_entropy(A2, part[1])
                        history[-1][f"{name}_accuracy"] = right
                some = slice(None) if batch is None else rng.integers(0, m, batch)
                forward = f.forward_prop(*params, X[:, some])
                gradients = f.backward_prop(*forward, params[0], params[2], X[:, some], Y[some])
                params = f.update_params(*params, *gradients, alpha)
        return history

    return run


def says(history, words):
    """The diagnosis holds the words, and is one sentence."""
    sentence = checks.diagnose(history)
    assert re.search(words, sentence), sentence
    inner = re.sub(r"\d\.\d", "0", sentence)
    assert sentence.endswith(".") and not re.search(r"[.?!]\s", inner), sentence


def test_not_a_number(train, notebook_functions):
    """Raw pixels 0..255 and alpha 1e30 overflow float32."""
    says(
        train(notebook_functions.init_params(), 1e30, 40),
        r"no longer a number at step "
        r"10.*smaller alpha",
    )


@pytest.mark.parametrize("alpha", [5, 10])
def test_always_the_same_answer_because_alpha_killed_the_units(train, notebook_functions, alpha):
    for seed in (0, 1):
        history = train(notebook_functions.init_params_scaled(seed=seed), alpha, 200)
        assert history[-1]["train_accuracy"] < 0.14
        says(
            history,
            r"near ln 10, and the accuracy at 1\d.\d %, so it always gives the same "
            r"answer",
        )


def test_always_the_same_answer_because_all_weights_are_zero(train, notebook_functions):
    zero = [np.zeros_like(p) for p in notebook_functions.init_params()]
    says(train(zero, 0.1, 200), "always gives the same answer.*random weights")


@pytest.mark.parametrize("seed", range(3))
def test_start_too_high(train, notebook_functions, seed):
    says(
        train(notebook_functions.init_params(seed=seed), 0.1, 150, m=3000),
        "starts at .*above ln 10.*init_params_scaled",
    )


@pytest.mark.parametrize("alpha", [0.8, 1.0])
def test_alpha_too_large_is_a_saw(train, notebook_functions, alpha):
    for seed in (0, 1):
        says(
            train(notebook_functions.init_params_scaled(seed=seed), alpha, 200),
            "like a saw, so alpha is too large",
        )


def test_alpha_far_too_large_rises(train, notebook_functions):
    says(
        train(notebook_functions.init_params_scaled(), 1e6, 10, every=1),
        "rises, so alpha is too large",
    )


@pytest.mark.parametrize("start", ["init_params", "init_params_scaled"])
@pytest.mark.parametrize("alpha", [1e-4, 1e-3])
def test_alpha_too_small(train, notebook_functions, start, alpha):
    says(
        train(getattr(notebook_functions, start)(), alpha, 200), "barely falls.*alpha is too small"
    )


def test_overfitting_twenty_digits_dev_loss_rises(train, notebook_functions):
    says(
        train(notebook_functions.init_params(), 0.1, 1000, m=20),
        "dev loss rises since about step .*overfits",
    )


def test_overfitting_a_large_gap(train, notebook_functions):
    history = train(notebook_functions.init_params_scaled(64), 0.1, 200, m=150)
    says(history, r"Train accuracy is .* and dev only .*overfits")


def test_still_improving(train, notebook_functions):
    history = train(notebook_functions.init_params_scaled(), 0.03, 100, m=2000)
    says(history, r"still falling, by \d+ % in the last fifth.*train longer")


def test_levelled_off_far_from_zero(train, notebook_functions):
    """Two hidden units cannot tell ten digits apart: the network learns what it can, and stays."""
    params = notebook_functions.init_params_scaled(2, seed=1)
    says(
        train(params, 0.1, 1500, m=8000, every=100, batch=64),
        r"levelled off at 1\.\d\d, far "
        r"from 0",
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dev", [True, False])
def test_looks_healthy(train, notebook_functions, seed, dev):
    """Twelve passes over 8,000 digits in mini-batches, as the notebook does it later."""
    params = notebook_functions.init_params_scaled(seed=seed)
    history = train(params, 0.1, 1500, m=8000, every=125, batch=64, dev=dev)
    assert ("dev_loss" in history[0]) == dev
    says(history, "look healthy")


@pytest.mark.parametrize("rows", [1, 2])
def test_too_few_rows_to_judge(train, notebook_functions, rows):
    history = train(notebook_functions.init_params_scaled(), 0.1, 20)
    says(history[:rows], "too few to judge: train longer")


def test_no_rows_at_all():
    says([], "history is empty.* call record")


def test_not_a_number_is_named_even_at_the_second_measurement():
    """Fails if a run that `record` stopped at its first NaN is told to train longer."""
    first = {"step": 0, "train_loss": 2.3, "train_accuracy": 0.1}
    second = {"step": 10, "train_loss": np.nan, "train_accuracy": 0.099}
    says([first, second], "no longer a number at step 10")
