"""The network's functions, taken from the notebook's own cells, against independent answers.

That each does what its docstring says, for both types, is what the checks find; here is what they
do together, and what SciPy and scikit-learn say."""

import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.special import softmax as scipy_softmax
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import LabelBinarizer

TYPES = [np.float32, np.float64]


def made_up(n_hidden, m, dtype, n_in=784, seed=0):
    """A network with non-zero biases, and examples for it."""
    rng = np.random.default_rng(seed)
    params = [
        rng.normal(0, 0.2, shape).astype(dtype)
        for shape in [(n_hidden, n_in), (n_hidden, 1), (10, n_hidden), (10, 1)]
    ]
    return params, rng.random((n_in, m)).astype(dtype), rng.integers(0, 10, m)


def backward(f, params, X, Y):
    """The gradients of the notebook's backward_prop at params."""
    return f.backward_prop(*f.forward_prop(*params, X), params[0], params[2], X, Y)


@pytest.fixture
def f(notebook_functions):
    return notebook_functions


@pytest.mark.parametrize("dtype", TYPES)
def test_a_step_keeps_shapes_and_types_and_changes_no_input(f, dtype):
    # Never 10 examples or 10 hidden units: a bias of the wrong shape would broadcast unseen
    for n_hidden, m in [(1, 7), (4, 1), (13, 25)]:
        params, X, Y = made_up(n_hidden, m, dtype)
        before = [a.copy() for a in [*params, X, Y]]
        forward, gradients = f.forward_prop(*params, X), backward(f, params, X, Y)
        assert [a.shape for a in forward] == [(n_hidden, m)] * 2 + [(10, m)] * 2
        moved = f.update_params(*params, *gradients, 0.1)
        for arrays in (gradients, moved):
            assert [a.shape for a in arrays] == [p.shape for p in params]
        assert {a.dtype for a in [*forward, *gradients, *moved]} == {np.dtype(dtype)}
        for array, old in zip([*params, X, Y], before, strict=True):
            np.testing.assert_array_equal(array, old)


def test_a_start_has_ten_hidden_units_unless_told_otherwise(f):
    for start in (f.init_params, f.init_params_scaled):
        assert [a.shape for a in start()] == [(10, 784), (10, 1), (10, 10), (10, 1)]


@pytest.mark.parametrize("m", [1, 7])
def test_backward_prop_agrees_with_central_differences_everywhere(f, m):
    params, X, Y = made_up(5, m, np.float64, n_in=12, seed=3)
    assert np.abs(f.forward_prop(*params, X)[0]).min() > 1e-3  # away from the kink of ReLU
    for which, gradient in enumerate(backward(f, params, X, Y)):
        numeric = f.numerical_gradient(params, which, X, Y)
        np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-9)


def test_gradient_check_sees_a_doubled_bias_slope(f):
    """Fails if the notebook's gradient check would let a wrong gradient through."""
    params, X, Y = made_up(4, 7, np.float64, n_in=6, seed=3)

    def doubled(*arguments):
        dW1, db1, dW2, db2 = f.backward_prop(*arguments)
        return dW1, 2 * db1, dW2, db2

    errors = f.gradient_check(doubled, params, X, Y)
    assert errors.pop("db1") > 0.3
    assert max(errors.values()) < 1e-6


@pytest.mark.parametrize("dtype", TYPES)
def test_softmax_equals_scipy_and_large_scores_do_no_harm(f, dtype):
    """Fails, too, if scores of ten thousand give a warning, or a loss that is no number."""
    rng = np.random.default_rng(1)
    for spread in (5, 10_000):
        Z = rng.normal(0, spread, (10, 25)).astype(dtype)
        A2 = f.softmax(Z)
        np.testing.assert_allclose(A2, scipy_softmax(Z, axis=0), rtol=1e-5)
        assert np.isfinite(f.cross_entropy(A2, rng.integers(0, 10, 25)))


def test_cross_entropy_equals_scikit_learn_and_scipy(f):
    rng = np.random.default_rng(2)
    Z, Y = rng.normal(0, 5, (10, 25)), rng.integers(0, 10, 25)
    A2 = f.softmax(Z)
    assert f.cross_entropy(A2, Y) == pytest.approx(log_loss(Y, A2.T, labels=range(10)))
    assert f.cross_entropy(A2, Y) == pytest.approx(-log_softmax(Z, axis=0)[Y, range(25)].mean())


def test_scikit_learn_with_our_weights_gives_our_probabilities(f):
    params, X, _ = made_up(13, 25, np.float64)
    model = MLPClassifier(hidden_layer_sizes=(13,))
    model.coefs_, model.intercepts_ = [params[0].T, params[2].T], [params[1][:, 0], params[3][:, 0]]
    model.n_layers_, model.n_outputs_, model.out_activation_ = 3, 10, "softmax"
    model.classes_, model.n_features_in_ = np.arange(10), 784
    model._label_binarizer = LabelBinarizer().fit(model.classes_)
    np.testing.assert_allclose(f.forward_prop(*params, X)[3], model.predict_proba(X.T).T, rtol=1e-9)


def test_gradient_descent_takes_the_steps_it_says(f):
    """Fails if a step is left out, repeated, or not recorded."""
    params, X, Y = made_up(4, 7, np.float64)
    expected = params
    for _ in range(12):
        expected = f.update_params(*expected, *backward(f, expected, X, Y), 0.1)
    history = []
    got = f.gradient_descent(X, Y, 0.1, 12, params=params, history=history, dev=(X, Y))
    for p, q in zip(got, expected, strict=True):
        np.testing.assert_array_equal(p, q)
    assert [row["step"] for row in history] == [0, 10]
    assert history[0]["train_loss"] == f.cross_entropy(f.forward_prop(*params, X)[3], Y)


def test_loss_that_is_no_number_ends_in_one_sentence(f):
    params, X, Y = made_up(4, 7, np.float32)
    says = r"Step 10: the loss is not a number\. Check softmax and alpha\."
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=says):
        f.gradient_descent(X, Y, 1e30, 100, params=params, history=[], dev=(X, Y))
