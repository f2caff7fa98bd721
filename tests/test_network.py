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


def made_up(n_hidden, m, dtype, n_in=784, seed=0):
    """A network with non-zero biases, and examples for it."""
    rng = np.random.default_rng(seed)
    params = [
        rng.normal(0, 0.2, shape).astype(dtype)
        for shape in [(n_hidden, n_in), (n_hidden, 1), (10, n_hidden), (10, 1)]
    ]
    return params, rng.random((n_in, m)).astype(dtype), rng.integers(0, 10, m)


@pytest.fixture
def f(notebook_functions):
    return notebook_functions


def test_a_start_has_ten_hidden_units_unless_told_otherwise(f):
    for start in (f.init_params, f.init_params_scaled):
        assert [a.shape for a in start()] == [(10, 784), (10, 1), (10, 10), (10, 1)]


@pytest.mark.parametrize("m", [1, 7])
def test_backward_prop_agrees_with_central_differences_and_a_doubled_slope_does_not(f, m):
    """Fails, too, if the notebook's gradient check would let a wrong gradient through."""
    params, X, Y = made_up(4, m, np.float64, n_in=12, seed=3)
    assert np.abs(f.forward_prop(*params, X)[0]).min() > 1e-3  # away from the kink of ReLU
    assert max(f.gradient_check(f.backward_prop, params, X, Y).values()) < 1e-6

    def doubled(*arguments):
        dW1, db1, dW2, db2 = f.backward_prop(*arguments)
        return dW1, 2 * db1, dW2, db2

    errors = f.gradient_check(doubled, params, X, Y)
    assert errors.pop("db1") > 0.3 and max(errors.values()) < 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
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


def test_loss_that_is_no_number_ends_in_one_sentence(f):
    params, X, Y = made_up(4, 7, np.float32)
    says = r"Step 10: the loss is not a number\. Check softmax and alpha\."
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=says):
        f.gradient_descent(X, Y, 1e30, 100, params=params, history=[], dev=(X, Y))
