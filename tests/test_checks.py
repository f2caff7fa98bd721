"""Each check passes every right function, and names the mistake in every wrong one.

To teach a check a new mistake, add a row to MISTAKES: the mistake in words, the function, how its
source differs from RIGHT (pairs old, new; or a whole new source), and what the message must say.
The test fails until checks.py names it.
"""

import linecache
import re
import warnings

import numpy as np
import pytest

import checks
from checks import functions, reference

RIGHT = {
    "init_params": """\
def init_params(n_hidden=10, seed=42):
    rng = np.random.default_rng(seed)
    W1 = rng.random((n_hidden, 784), dtype=np.float32) - 0.5
    b1 = rng.random((n_hidden, 1), dtype=np.float32) - 0.5
    W2 = rng.random((10, n_hidden), dtype=np.float32) - 0.5
    b2 = rng.random((10, 1), dtype=np.float32) - 0.5
    return W1, b1, W2, b2
""",
    "init_params_scaled": """\
def init_params_scaled(n_hidden=10, seed=42):
    rng = np.random.default_rng(seed)
    W1 = rng.standard_normal((n_hidden, 784)) * np.sqrt(2 / 784)
    W2 = rng.standard_normal((10, n_hidden)) * np.sqrt(2 / n_hidden)
    b1, b2 = np.zeros((n_hidden, 1)), np.zeros((10, 1))
    return W1, b1, W2, b2
""",
    "ReLU": """\
def ReLU(Z):
    return np.maximum(Z, 0)
""",
    "softmax": """\
def softmax(Z):
    E = np.exp(Z - Z.max(axis=0, keepdims=True))
    return E / E.sum(axis=0, keepdims=True)
""",
    "forward_prop": """\
def forward_prop(W1, b1, W2, b2, X):
    Z1 = W1 @ X + b1
    A1 = ReLU(Z1)
    Z2 = W2 @ A1 + b2
    A2 = softmax(Z2)
    return Z1, A1, Z2, A2
""",
    "cross_entropy": """\
def cross_entropy(A2, Y):
    p = A2[Y, np.arange(Y.size)]
    p = np.maximum(p, np.finfo(p.dtype).tiny)
    return float(-np.log(p).mean())
""",
    "one_hot": """\
def one_hot(Y):
    columns = np.zeros((10, Y.size), dtype=np.float32)
    columns[Y, np.arange(Y.size)] = 1
    return columns
""",
    "ReLU_deriv": """\
def ReLU_deriv(Z):
    return (Z > 0).astype(Z.dtype)
""",
    "backward_prop": """\
def backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y):
    m = X.shape[1]
    dZ2 = A2 - one_hot(Y)
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * ReLU_deriv(Z1)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    return dW1, db1, dW2, db2
""",
    "update_params": """\
def update_params(W1, b1, W2, b2, dW1, db1, dW2, db2, alpha):
    W1 = W1 - alpha * dW1
    b1 = b1 - alpha * db1
    W2 = W2 - alpha * dW2
    b2 = b2 - alpha * db2
    return W1, b1, W2, b2
""",
    "get_predictions": """\
def get_predictions(A2):
    return A2.argmax(axis=0)
""",
    "get_accuracy": """\
def get_accuracy(predictions, Y):
    return float(np.mean(predictions == Y))
""",
    "gradient_descent": """\
def gradient_descent(X, Y, alpha, iterations, params=None, history=None, dev=None):
    W1, b1, W2, b2 = init_params() if params is None else params
    for i in range(iterations):
        Z1, A1, Z2, A2 = forward_prop(W1, b1, W2, b2, X)
        dW1, db1, dW2, db2 = backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y)
        W1, b1, W2, b2 = update_params(W1, b1, W2, b2, dW1, db1, dW2, db2, alpha)
    return W1, b1, W2, b2
""",
    "minibatches": """\
def minibatches(m, batch_size, rng):
    order = rng.permutation(m)
    for start in range(0, m, batch_size):
        yield order[start : start + batch_size]
""",
    "train_epoch": """\
def train_epoch(params, X, Y, alpha, batch_size, rng, momentum=None, change=None):
    velocity = [np.zeros_like(p) for p in params]
    for batch in minibatches(Y.size, batch_size, rng):
        X_batch = X[:, batch] if change is None else change(X[:, batch], rng)
        gradients = get_gradients(params, X_batch, Y[batch])
        velocity = gradients if momentum is None else momentum(velocity, gradients)
        params = update_params(*params, *velocity, alpha)
    return params
""",
    "update_velocity": """\
def update_velocity(velocity, gradients, beta=0.9):
    return [beta * v + g for v, g in zip(velocity, gradients)]
""",
    "shift_images": """\
def shift_images(X, down, right):
    images = X.T.reshape(-1, 28, 28)
    moved = np.zeros_like(images)
    top, bottom = max(down, 0), 28 + min(down, 0)
    left, end = max(right, 0), 28 + min(right, 0)
    moved[:, top:bottom, left:end] = images[
        :, top - down : bottom - down, left - right : end - right
    ]
    return moved.reshape(-1, 784).T
""",
}
LINEAGE_SOFTMAX = "def softmax(Z):\n    return np.exp(Z) / sum(np.exp(Z))\n"
# What a notebook's own cells hold: arrays and numbers that a function may read by mistake.
GLOBALS = """
X_train = np.ones((784, 20), dtype=np.float32)
Y_train = np.zeros(20, dtype=np.uint8)
W1 = np.ones((10, 784))
m = 59_000
learning_rate = 0.1

def get_gradients(params, X, Y):
    Z1, A1, Z2, A2 = forward_prop(*params, X)
    return backward_prop(Z1, A1, Z2, A2, params[0], params[2], X, Y)
"""

# (the mistake in words, function, [(old, new), ...] or a whole source, what the message must say)
RECORDING = """\
def gradient_descent(X, Y, alpha, iterations, params=None, history=None, dev=None):
    W1, b1, W2, b2 = init_params() if params is None else params
    if history is not None:
        record(history, 0, (W1, b1, W2, b2), X, Y, dev)
    for i in range(1, iterations + 1):
        Z1, A1, Z2, A2 = forward_prop(W1, b1, W2, b2, X)
        dW1, db1, dW2, db2 = backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y)
        W1, b1, W2, b2 = update_params(W1, b1, W2, b2, dW1, db1, dW2, db2, alpha)
        if i % 10 == 0 and history is not None:
            record(history, i, (W1, b1, W2, b2), X, Y, dev)
    return W1, b1, W2, b2
"""

MISTAKES = [
    # init_params
    ("weights in 0..1", "init_params", [("784), dtype=np.float32) - 0.5",
     "784), dtype=np.float32)")],
     "W1 has no negative numbers. Subtract 0.5"),
    ("b1 in 0..1", "init_params", [("b1 = rng.random((n_hidden, 1), dtype=np.float32) - 0.5",
     "b1 = rng.random((n_hidden, 1))")], "b1 has no negative numbers"),
    ("weights from N(0, 1)", "init_params", [("rng.random((n_hidden, 784), dtype=np.float32) - 0.5",
     "rng.standard_normal((n_hidden, 784))")], "W1 .* looks like normal numbers"),
    ("b1 from N(0, 1)", "init_params", [("rng.random((n_hidden, 1), dtype=np.float32) - 0.5",
     "rng.standard_normal((n_hidden, 1))")], "b1 .* looks like normal numbers"),
    ("range -1..1", "init_params", [("rng.random((n_hidden, 784), dtype=np.float32) - 0.5",
     "rng.uniform(-1, 1, (n_hidden, 784))")], "W1 .* too wide"),
    ("bias of shape (n,)", "init_params", [("(n_hidden, 1)", "n_hidden")],
     r"b1 .*shape \(300,\).* as a column: \(n_hidden, 1\)"),
    ("one number for all biases", "init_params", [("(10, 1)", "1")], "b2 .*own bias, as a column"),
    ("bias is a plain number", "init_params",
     [("rng.random((10, 1), dtype=np.float32) - 0.5", "0.1")],
     "b2 came out as a single number.*own bias"),
    ("W1 transposed", "init_params", [("(n_hidden, 784)", "(784, n_hidden)")],
     "W1 .*Rows and columns are swapped"),
    ("10 hidden units whatever is asked", "init_params", [("n_hidden, 784", "10, 784")],
     "W1 .*does not follow n_hidden"),
    ("no n_hidden", "init_params", "def init_params():\n    return 1, 2, 3, 4\n", "takes no "
     "n_hidden"),
    ("no default", "init_params", [("n_hidden=10", "n_hidden")], "Give each a default"),
    ("all weights equal", "init_params", [("rng.random((10, n_hidden), dtype=np.float32) - 0.5",
     "np.full((10, n_hidden), 0.1)")], "all of W2 is the same number"),
    ("zero biases where random ones are asked", "init_params", [
     ("rng.random((10, 1), dtype=np.float32) - 0.5", "np.zeros((10, 1))")], "all of b2 is 0"),
    ("one generator for each array", "init_params", [("rng.random",
     "np.random.default_rng(seed).random")],
     "repeat each other's numbers. Make rng once"),
    ("seed ignored", "init_params", [("default_rng(seed)", "default_rng(0)")], "seed has no "
     "effect"),
    ("no seed used", "init_params", [("default_rng(seed)", "default_rng()")], "seed=1 gave two "
     "different"),
    ("float16 weights", "init_params", [("784), dtype=np.float32) - 0.5",
     "784)).astype(np.float16) - 0.5")], "W1 came out as float16"),
    ("whole numbers", "init_params", [("rng.random((n_hidden, 784), dtype=np.float32) - 0.5",
     "rng.integers(-1, 2, (n_hidden, 784))")], "W1 came out as int64"),
    ("returns in another order", "init_params", [("return W1, b1, W2, b2", "return W1, W2, b1, "
     "b2")],
     "b1 came out as the shape"),
    # init_params_scaled
    ("not scaled", "init_params_scaled", [(" * np.sqrt(2 / 784)", "")], "W1 has spread 1.*not "
     "scaled"),
    ("variance instead of its root", "init_params_scaled", [("np.sqrt(2 / 784)", "(2 / 784)")],
     "W1 .*the variance"),
    ("sqrt(1 / n_in)", "init_params_scaled", [("np.sqrt(2 / 784)", "np.sqrt(1 / 784)")],
     "W1 .*ReLU silences half"),
    ("n_out instead of n_in", "init_params_scaled", [("np.sqrt(2 / 784)", "np.sqrt(2 / n_hidden)")],
     "W1 .*count what comes in"),
    ("784 for both layers", "init_params_scaled", [("np.sqrt(2 / n_hidden)", "np.sqrt(2 / 784)")],
     "W2 .*n_hidden inputs, not 784"),
    ("random biases", "init_params_scaled", [("np.zeros((n_hidden, 1))", "rng.random((n_hidden, "
     "1))")],
     "b1 is not zero"),
    ("uniform instead of normal", "init_params_scaled", [("rng.standard_normal((n_hidden, 784))",
     "(rng.random((n_hidden, 784)) - 0.5)")], "W1 .*standard_normal"),
    # ReLU
    ("np.max instead of np.maximum", "ReLU", [("np.maximum(Z, 0)", "np.max(Z, 0)")],
     "np.max reduces"),
    ("absolute value", "ReLU", [("np.maximum(Z, 0)", "np.abs(Z)")], "negative numbers became "
     "positive"),
    ("the mask instead of the values", "ReLU", [("np.maximum(Z, 0)", "(Z > 0).astype(Z.dtype)")],
     "returns the mask"),
    ("nothing done", "ReLU", [("np.maximum(Z, 0)", "Z")], "Negative numbers must become 0"),
    ("minimum", "ReLU", [("maximum", "minimum")], "keeps the negative numbers"),
    ("leaky ReLU", "ReLU", [("np.maximum(Z, 0)", "np.where(Z > 0, Z, Z.dtype.type(0.01) * Z)")],
     "leaky ReLU"),
    ("changes Z in place", "ReLU", "def ReLU(Z):\n    Z[Z < 0] = 0\n    return Z\n", "changed its "
     "input Z"),
    ("keeps only the positive", "ReLU", [("np.maximum(Z, 0)", "Z[Z > 0]")], "Keep the shape of Z"),
    ("plain max", "ReLU", [("np.maximum", "max")], "Plain max.*np.maximum"),
    ("no return", "ReLU", [("return ", "")], "forget the return"),
    ("float16 comes out", "ReLU", [("np.maximum(Z, 0)", "np.maximum(Z, 0).astype(np.float16)")],
     "came out as float16"),
    # softmax
    ("lineage: np.exp overflows, built-in sum", "softmax", LINEAGE_SOFTMAX,
     "scores as large as .* np.exp overflows. Subtract each column's largest"),
    ("largest of the whole array", "softmax", [("Z.max(axis=0, keepdims=True)", "Z.max()")],
     "one column spoils another. Subtract each column's own"),
    ("sum of the whole array", "softmax", [("E.sum(axis=0, keepdims=True)", "E.sum()")],
     "the whole array sums to 1"),
    ("sum along rows", "softmax", [("E.sum(axis=0", "E.sum(axis=1")], "each row sums to 1.*axis=0"),
    ("not divided", "softmax", [(" / E.sum(axis=0, keepdims=True)", "")], "columns do not sum to "
     "1"),
    ("no exp", "softmax", [("np.exp(Z - Z.max(axis=0, keepdims=True))", "Z")], "there is no "
     "np.exp"),
    ("sign", "softmax", [("Z - Z.max(axis=0, keepdims=True)", "Z.min(axis=0) - Z")],
     "largest score got the smallest"),
    ("Z -= in place", "softmax", [("E = np.exp(Z - Z.max(axis=0, keepdims=True))",
     "Z -= Z.max(axis=0)\n    E = np.exp(Z)")], "changed its input Z"),
    ("float16 inside", "softmax", [("np.exp(", "np.exp(np.float16(1) * ("), ("keepdims=True))\n",
     "keepdims=True)).astype(np.float16))\n")], "came out as float16"),
    ("float16 inside, cast back", "softmax", [("Z.max(axis=0, keepdims=True))",
     "Z.max(axis=0, keepdims=True)).astype(np.float16).astype(Z.dtype)")],
     "right digits.*float16"),
    ("float32 inside float64", "softmax", [("np.exp(Z", "np.exp((Z"), ("keepdims=True))\n",
     "keepdims=True)).astype(np.float32)).astype(Z.dtype)\n")], "about [678] right digits"),
    ("sigmoid", "softmax", "def softmax(Z):\n    return 1 / (1 + np.exp(-Z))\n", "sigmoid"),
    ("divides by the largest", "softmax", [("E.sum(axis=0", "E.max(axis=0")], "columns do not sum "
     "to 1"),
    ("guards the overflow with a warning left", "softmax", [("return", "np.exp(Z * 100)\n    "
     "return")],
     "NumPy warns of 'overflow"),
    # forward_prop
    ("no ReLU", "forward_prop", [("ReLU(Z1)", "Z1")], "A1 is the same as Z1"),
    ("b1 forgotten", "forward_prop", [("W1 @ X + b1", "W1 @ X")], "Z1 lacks its bias. Add b1"),
    ("b2 forgotten", "forward_prop", [("W2 @ A1 + b2", "W2 @ A1")], "Z2 lacks its bias. Add b2"),
    ("layer 2 fed Z1", "forward_prop", [("W2 @ A1", "W2 @ Z1")], "Z2 was made from Z1"),
    ("no softmax", "forward_prop", [("softmax(Z2)", "Z2")], "A2 is the same as Z2"),
    ("softmax of A1", "forward_prop", [("softmax(Z2)", "softmax(A1)")], "A2 is the softmax of A1"),
    ("ReLU at the end", "forward_prop", [("softmax(Z2)", "ReLU(Z2)")], "A2 went through ReLU"),
    ("returns in another order", "forward_prop", [("return Z1, A1, Z2, A2", "return A1, Z1, A2, "
     "Z2")],
     "order A1, Z1, A2, Z2. End it with: return Z1, A1, Z2, A2"),
    ("returns A2 alone", "forward_prop", [("return Z1, A1, Z2, A2", "return A2")],
     "instead of 4. End it with: return Z1, A1, Z2, A2"),
    ("factors swapped", "forward_prop", [("W1 @ X", "X @ W1")],
     r"line 2, `Z1 = X @ W1 \+ b1`.*X is \(784, 5\) and W1 is \(3, 784\)"),
    ("W2 transposed: fits only when square", "forward_prop", [("W2 @ A1", "W2.T @ A1")],
     r"W2.T is \(3, 10\) and A1 is \(3, 5\)"),
    ("reads the global X_train", "forward_prop", [("W1 @ X ", "W1 @ X_train ")], "reads X_train"),
    ("reads a name that is nowhere", "forward_prop", [("softmax(Z2)", "soft_max(Z2)")],
     "There is no soft_max: run the cells above"),
    # cross_entropy
    ("summed and not averaged", "cross_entropy", [(".mean()", ".sum()")], "summed, not averaged"),
    ("sign", "cross_entropy", [("-np.log", "np.log")], "the loss is negative"),
    ("log2", "cross_entropy", [("np.log(", "np.log2(")], "log2"),
    ("log10", "cross_entropy", [("np.log(", "np.log10(")], "log10"),
    ("log of zero", "cross_entropy", [("    p = np.maximum(p, np.finfo(p.dtype).tiny)\n", "")],
     "log of zero"),
    ("a guard too small for float32", "cross_entropy", [("np.finfo(p.dtype).tiny",
     "p.dtype.type(1e-300)")],
     "in float32.*log of zero"),
    ("0 * log(0)", "cross_entropy", "def cross_entropy(A2, Y):\n    return float(-(one_hot(Y) * "
     "np.log(A2))"
     ".sum(axis=0).mean())\n", "log of zero"),
    ("mean over all 10 x m entries", "cross_entropy", "def cross_entropy(A2, Y):\n    return float("
     "-(one_hot(Y) * np.log(A2 + 1e-12)).mean())\n", "all 10 x m entries"),
    ("whole rows taken", "cross_entropy", [("A2[Y, np.arange(Y.size)]", "A2[Y]")], "takes whole "
     "rows"),
    ("all ten probabilities", "cross_entropy", [("A2[Y, np.arange(Y.size)]", "A2")],
     "all ten probabilities"),
    ("the largest probability", "cross_entropy", [("A2[Y, np.arange(Y.size)]", "A2.max(axis=0)")],
     "uses the largest probability"),
    ("mean before log", "cross_entropy", [("-np.log(p).mean()", "-np.log(p.mean())")],
     "mean was taken before"),
    ("one loss an example", "cross_entropy", [("float(-np.log(p).mean())", "-np.log(p)")],
     "one number for each example"),
    ("divided by 10", "cross_entropy", [("-np.log(p).mean()", "-np.log(p).sum() / A2.shape[0]")],
     "divides by 10, the classes"),
    ("squared error", "cross_entropy", "def cross_entropy(A2, Y):\n"
     "    return float(((A2 - one_hot(Y)) ** 2).sum(axis=0).mean())\n", "squared error"),
    ("examples with a probability of 0 left out", "cross_entropy", [("    p = np.maximum(p, "
     "np.finfo(p.dtype).tiny)\n", "    p = p[p > 0]\n")], "leave no example out"),
    ("a floor that hides the worst", "cross_entropy", [("np.finfo(p.dtype).tiny", "0.01")],
     "must give a large number"),
    ("labels before probabilities", "cross_entropy", [("A2, Y)", "Y, A2)")], r"take \(A2, Y\) in "
     "this order"),
    # one_hot
    ("Y.max() + 1 classes", "one_hot", [("(10, Y.size)", "(Y.max() + 1, Y.size)")],
     "always 10 classes, also when no 9"),
    ("transposed", "one_hot", [("return columns", "return columns.T")], "Transpose it"),
    ("labels off by one, up", "one_hot", [("columns[Y,", "columns[Y - 1,")], "one row too high"),
    ("labels off by one, down", "one_hot", [("columns[Y,", "columns[(Y + 1) % 10,")], "one row "
     "too low"),
    ("labels off by one, out of the array", "one_hot", [("columns[Y,", "columns[Y + 1,")],
     "labels and rows are counted from 0"),
    ("whole rows set", "one_hot", [("columns[Y, np.arange(Y.size)]", "columns[Y]")], "whole rows "
     "are 1"),
    ("nothing set", "one_hot", [("    columns[Y, np.arange(Y.size)] = 1\n", "")], "all zeros"),
    ("label instead of 1", "one_hot", [("] = 1", "] = Y")], "labels themselves"),
    ("nine classes", "one_hot", "def one_hot(Y):\n    return np.eye(10)[Y][:, 1:].T\n", "9 rows"),
    # ReLU_deriv
    ("ReLU again", "ReLU_deriv", [("(Z > 0).astype(Z.dtype)", "np.maximum(Z, 0)")], "this is ReLU "
     "itself"),
    ("the wrong way round", "ReLU_deriv", [("Z > 0", "Z < 0")], "other way round"),
    ("ones everywhere", "ReLU_deriv", [("(Z > 0).astype(Z.dtype)", "np.ones_like(Z)")],
     "1 everywhere"),
    (">= 0 on ReLU's output is always true", "ReLU_deriv", [("Z > 0", "np.maximum(Z, 0) >= 0")],
     "1 everywhere"),
    ("np.sign", "ReLU_deriv", [("(Z > 0).astype(Z.dtype)", "np.sign(Z)")], "-1 where Z is "
     "negative"),
    ("if on an array", "ReLU_deriv", "def ReLU_deriv(Z):\n    if Z > 0:\n        return 1\n    "
     "return 0\n",
     "cannot compare whole arrays"),
    ("0 / 0", "ReLU_deriv", [("(Z > 0).astype(Z.dtype)", "np.maximum(Z, 0) / Z")], "where Z is 0"),
    # backward_prop
    ("lineage: db2 is one number", "backward_prop", [("db2 = dZ2.sum(axis=1, keepdims=True) / m",
     "db2 = 1 / m * np.sum(dZ2)")],
     "db2 came out as a single number. Sum over the examples only: axis=1, keepdims=True."),
    ("lineage: db1 is one number", "backward_prop", [("db1 = dZ1.sum(axis=1, keepdims=True) / m",
     "db1 = 1 / m * np.sum(dZ1)")],
     "db1 came out as a single number. Sum over the examples only: axis=1, keepdims=True."),
    ("lineage: global m", "backward_prop", [("    m = X.shape[1]\n", "")],
     "reads m from outside. Use only its arguments"),
    ("m that is nowhere", "backward_prop", [("    m = X.shape[1]\n", ""), (" / m", " / m_train")],
     r"There is no m_train.*m = X.shape\[1\]"),
    ("one db2 for all, kept in shape", "backward_prop", [("db2 = dZ2.sum(axis=1, keepdims=True) / "
     "m",
     "db2 = np.full((10, 1), np.sum(dZ2) / m)")], "db2 is the same number for every unit"),
    ("db1 over the wrong axis", "backward_prop", [("db1 = dZ1.sum(axis=1", "db1 = dZ1.sum(axis=0")],
     "db1 was summed over the units. Sum over the examples"),
    ("built-in sum", "backward_prop", [("dZ2.sum(axis=1, keepdims=True)", "sum(dZ2)")],
     "db2 was summed over the units"),
    ("keepdims forgotten", "backward_prop", [("dZ2.sum(axis=1, keepdims=True)", "dZ2.sum(axis=1)")],
     r"db2 has shape \(10,\).*keepdims=True"),
    ("/ m missing everywhere", "backward_prop", [(" / m", "")], "dW2 is m times too large. Divide "
     "by m"),
    ("/ m missing in db1", "backward_prop", [("db1 = dZ1.sum(axis=1, keepdims=True) / m",
     "db1 = dZ1.sum(axis=1, keepdims=True)")], "db1 is m times too large"),
    ("/ m twice", "backward_prop", [("dZ2 = A2 - one_hot(Y)", "dZ2 = (A2 - one_hot(Y)) / m")],
     "dW2 was divided by m twice"),
    ("m counts the pixels", "backward_prop", [("X.shape[1]", "X.shape[0]")], "divided by 784, the "
     "pixels"),
    ("m counts the classes", "backward_prop", [("X.shape[1]", "A2.shape[0]")], "divided by 10, "
     "the classes"),
    ("m counts the hidden units", "backward_prop", [("X.shape[1]", "len(W1)")], "number of hidden "
     "units"),
    ("labels not one-hot", "backward_prop", [("one_hot(Y)", "Y")], "labels themselves were "
     "subtracted"),
    ("labels forgotten", "backward_prop", [(" - one_hot(Y)", "")], "does not know the labels"),
    ("sign: the step climbs", "backward_prop", [("A2 - one_hot(Y)", "one_hot(Y) - A2")],
     "would climb"),
    ("factor 2 of the squared error", "backward_prop", [("A2 - one_hot(Y)", "2 * (A2 - "
     "one_hot(Y))")],
     "twice too large"),
    ("mask missing", "backward_prop", [(" * ReLU_deriv(Z1)", "")], "mask is missing or always "
     "true"),
    ("mask from A1 >= 0", "backward_prop", [("ReLU_deriv(Z1)", "(A1 >= 0)")],
     "mask is missing or always true.*A1 >= 0 holds everywhere"),
    ("mask the wrong way round", "backward_prop", [("ReLU_deriv(Z1)", "(Z1 < 0)")], "wrong way "
     "round"),
    ("ReLU instead of its slope", "backward_prop", [("ReLU_deriv(Z1)", "ReLU(Z1)")], "multiplies "
     "by ReLU"),
    ("mask of the wrong array", "backward_prop", [("ReLU_deriv(Z1)", "ReLU_deriv(W2.T @ dZ2)")],
     r"mask was made from W2.T @ dZ2"),
    ("wrong transposition, silent when square", "backward_prop", [("W2.T @ dZ2", "W2 @ dZ2")],
     r"W2 is \(10, 3\) and dZ2 is \(10, 5\).*\.T"),
    ("dW2 transposed", "backward_prop", [("dZ2 @ A1.T", "A1 @ dZ2.T")], "dW2 .*shape of W2"),
    ("dW1 transposed", "backward_prop", [("dZ1 @ X.T", "X @ dZ1.T")], "dW1 .*shape of W1"),
    ("dW2 from Z1", "backward_prop", [("dZ2 @ A1.T", "dZ2 @ Z1.T")], "dW2 was made from Z1"),
    ("doubled bias gradient", "backward_prop", [("db1 = ", "db1 = 2 * ")], "db1 is .*twice too "
     "large"),
    ("returns in another order", "backward_prop", [("return dW1, db1, dW2, db2", "return dW2, "
     "db2, dW1, db1")],
     "order dW2, db2, dW1, db1"),
    ("reads X_train", "backward_prop", [("X.T", "X_train.T")], "reads X_train"),
    ("changes A2 in place", "backward_prop", [("dZ2 = A2 - one_hot(Y)", "A2[Y, np.arange(m)] -= "
     "1\n    dZ2 = A2")],
     "changed its input A2"),
    ("float64 made on the way", "backward_prop", [("dZ2 = A2", "dZ2 = np.zeros(A2.shape) + A2")],
     "came out as float64 from float32"),
    # update_params
    ("climbs", "update_params", [("- alpha", "+ alpha")], "W1 climbs. Subtract the step"),
    ("no alpha", "update_params", [("alpha * ", "")], "alpha is not used"),
    ("b1 never updated", "update_params", [("    b1 = b1 - alpha * db1\n", "")], "b1 came back as "
     "it was"),
    ("b2 never updated", "update_params", [("    b2 = b2 - alpha * db2\n", "")], "b2 came back as "
     "it was"),
    ("in place", "update_params", [("W1 = W1 - alpha * dW1", "W1 -= alpha * dW1")], "works in "
     "place"),
    ("divided by alpha", "update_params", [("alpha * dW2", "dW2 / alpha")], "W2: the step was "
     "divided"),
    ("step alone", "update_params", [("W1 = W1 - alpha", "W1 = -alpha")], "W1 is the step alone"),
    ("brackets", "update_params", [("W1 - alpha * dW1", "alpha * (W1 - dW1)")], "Mind the "
     "brackets"),
    ("returns in another order", "update_params", [("return W1, b1, W2, b2", "return W1, W2, b1, "
     "b2")],
     "order W1, W2, b1, b2"),
    ("reads a global learning rate", "update_params", [("alpha * d", "learning_rate * d")],
     "reads learning_rate"),
    # get_predictions
    ("along axis 1", "get_predictions", [("axis=0", "axis=1")], "searched along each row"),
    ("no axis", "get_predictions", [("axis=0", "")], "one number for all"),
    ("max instead of argmax", "get_predictions", [("argmax", "max")], "largest probabilities"),
    ("argmin", "get_predictions", [("argmax", "argmin")], "least likely"),
    ("one too high", "get_predictions", [("axis=0)", "axis=0) + 1")], "one too high"),
    ("(1, m)", "get_predictions", [("axis=0", "axis=0, keepdims=True")], r"came out as \(1, m\)"),
    ("rounded", "get_predictions", [("A2.argmax(axis=0)", "A2.round()")], "Return the digit for "
     "each column"),
    # get_accuracy
    ("percent", "get_accuracy", [("float(", "100 * float(")], "percent"),
    ("counted", "get_accuracy", [("np.mean", "np.sum")], "counted the hits"),
    ("share of mistakes", "get_accuracy", [("==", "!=")], "share of mistakes"),
    ("(m,) against (m, 1)", "get_accuracy", [("== Y", "== Y.reshape(-1, 1)")], "m x m table"),
    ("divided by 10", "get_accuracy", [("np.mean(predictions == Y)", "np.sum(predictions == Y) / "
     "10")],
     "divides by 10"),
    ("whole division", "get_accuracy", [("np.mean(predictions == Y)", "np.sum(predictions == Y) "
     "// Y.size")],
     "lost its fraction"),
    ("no mean", "get_accuracy", [("float(np.mean(predictions == Y))", "predictions == Y")],
     "Take the mean"),
    ("printed, not returned", "get_accuracy", [("return float", "print")], "forget the return"),
    # gradient_descent
    ("one step too few", "gradient_descent", [("range(iterations)", "range(1, iterations)")],
     "W1 took one step too few"),
    ("one step too many", "gradient_descent", [("range(iterations)", "range(iterations + 1)")],
     "one step too many"),
    ("returns inside the loop", "gradient_descent", [("\n    return", "\n        return")],
     "one step only. Move return out of the loop"),
    ("fresh weights at each step", "gradient_descent", [("        Z1, A1", "        W1, b1, W2, "
     "b2 = init_params()\n"
     "        Z1, A1")], "fresh weights at each step"),
    ("alpha not used", "gradient_descent", [(", alpha)\n    return", ", 0.1)\n    return")],
     "another alpha gives the same"),
    ("update thrown away", "gradient_descent", [("        W1, b1, W2, b2 = update", "        "
     "update")],
     "did not move"),
    ("climbs", "gradient_descent", [("db2, alpha)", "db2, -alpha)")], "climbed"),
    ("reads X_train and Y_train", "gradient_descent",
     [("b2, X)", "b2, X_train)"), ("W2, X, Y", "W2, X_train, Y_train")],
     "reads X_train and Y_train"),
    ("ignores params", "gradient_descent",
     [("init_params() if params is None else params", "init_params()")],
     "given params and started afresh"),
    ("never starts", "gradient_descent", [("init_params() if params is None else params",
     "(np.ones((3, 784)), np.ones((3, 1)), np.ones((10, 3)), np.ones((10, 1)))")], "never calls "
     "init_params"),
    ("a bias is thrown away", "gradient_descent", [("W1, b1, W2, b2 = update_params", "W1, b1, "
     "W2, _ = update_params")],
     "b2 did not move"),
    ("returns in another order", "gradient_descent", [("return W1, b1, W2, b2", "return W1, W2, "
     "b1, b2")],
     "order W1, W2, b1, b2"),
    ("never records", "gradient_descent", "def record(history, step, *rest):\n    pass\n"
     + RECORDING.replace(" record(", " print("), r"record at the steps \[\], not"),
    ("records before the step", "gradient_descent", "def record(history, step, *rest):\n    pass\n"
     + RECORDING.replace("range(1, iterations + 1)", "range(iterations)"),
     r"record at the steps \[0, 0, 10\], not"),
    ("works in place on the params that it was given", "gradient_descent", RECORDING.replace(
     "        W1, b1, W2, b2 = update_params(W1, b1, W2, b2, dW1, db1, dW2, db2, alpha)",
     "        W1 -= alpha * dW1\n        b1 -= alpha * db1\n        W2 -= alpha * dW2\n        "
     "b2 -= alpha * db2"), "changed the params that it was given"),
    # minibatches
    ("last, smaller batch dropped", "minibatches",
     [("range(0, m, batch_size)", "range(0, m - batch_size + 1, batch_size)")],
     "with m=1000 and batch_size=64, the last 40 are left out. The last batch may be smaller"),
    ("not shuffled", "minibatches", [("rng.permutation(m)", "np.arange(m)")], "come in order"),
    ("its own seeded generator", "minibatches", [("rng.perm", "np.random.default_rng(0).perm")],
     "same order. Use the rng that is handed in"),
    ("its own unseeded generator", "minibatches", [("rng.perm", "np.random.perm")],
     "does not use rng"),
    ("drawn with replacement", "minibatches", [("rng.permutation(m)", "rng.integers(0, m, m)")],
     "some numbers came twice. Draw without putting back"),
    ("each batch drawn by itself", "minibatches",
     [("order[start : start + batch_size]", "rng.permutation(m)[:batch_size]")], "some numbers "
     "came twice"),
    ("a batch given twice", "minibatches", [("        yield order[start : start + batch_size]",
     "        yield order[start : start + batch_size]\n" * 2)],
     "came twice. Move on by batch_size"),
    ("moves on by one", "minibatches", [("range(0, m, batch_size)", "range(m)")],
     "came twice. Move on by batch_size"),
    ("only the batches are shuffled", "minibatches", [("rng.permutation(m)", "np.arange(m)"),
     ("range(0, m, batch_size)", "rng.permutation(range(0, m, batch_size))")],
     "each batch holds neighbours"),
    ("numbers from 1", "minibatches", [("rng.permutation(m)", "rng.permutation(m) + 1")],
     "1000 came out. The numbers run from 0 to m - 1"),
    ("first batch only", "minibatches", [("yield order", "return [order"), ("batch_size]\n",
     "batch_size]]\n")], "only 64 of 1000 numbers"),
    ("batch_size taken as the number of batches", "minibatches", """\
def minibatches(m, batch_size, rng):
    return np.array_split(rng.permutation(m), batch_size)
""", "must hold batch_size"),
    ("not shuffled in place: shuffle returns None", "minibatches",
     [("rng.permutation(m)", "rng.shuffle(np.arange(m))")], "NoneType"),
    ("yields nothing", "minibatches", [("range(0, m, batch_size)", "range(0)")],
     "only 0 of 1000 numbers came out. Yield inside the loop"),
    ("all batches in one more list", "minibatches", """\
def minibatches(m, batch_size, rng):
    return [np.array_split(rng.permutation(m), 3)]
""", "flat array of whole numbers"),
    ("an empty batch at the end", "minibatches", """\
def minibatches(m, batch_size, rng):
    order = rng.permutation(m)
    for i in range(m // batch_size + 1):
        yield order[i * batch_size : (i + 1) * batch_size]
""", "with m=9 and batch_size=3, a batch is empty"),
    # train_epoch
    ("X shuffled and not Y", "train_epoch", [("minibatches(Y.size, batch_size, rng)",
     "range(0, Y.size, batch_size)"), ("    velocity = [", "    X = X[:, rng.permutation(Y.size)]\n"
     "    velocity = ["), ("[:, batch]", "[:, batch : batch + batch_size]"), ("Y[batch]",
     "Y[batch : batch + batch_size]")], "X was shuffled and Y was not"),
    ("last, smaller batch dropped", "train_epoch", [("        X_batch", "        if batch.size < "
     "batch_size:\n            break\n        X_batch")], "the last, smaller batch was left out"),
    ("divided by the whole m", "train_epoch", [("Y[batch])\n", "Y[batch])\n        gradients = "
     "[g * batch.size / Y.size for g in gradients]\n")], "divided by all m examples"),
    ("gradients all taken at the start", "train_epoch", [("    velocity = [", "    start = params\n"
     "    velocity = ["), ("get_gradients(params", "get_gradients(start")], "taken at the start"),
    ("updates thrown away", "train_epoch", [("        params = update", "        update")],
     "nothing moved"),
    ("only the last update kept", "train_epoch", [("        params = update_params(*params",
     "        new = update_params(*params"), ("return params", "return new")],
     "only the last batch counts"),
    ("returns after the first batch", "train_epoch", [("    return params", "        return "
     "params")], "stopped after the first batch. Move return"),
    ("all examples at each step", "train_epoch", [("for batch in minibatches(Y.size, batch_size, "
     "rng)", "for batch in [np.arange(Y.size)]")], "one step with all examples"),
    ("climbs", "train_epoch", [("alpha)\n    return", "-alpha)\n    return")], "it climbed"),
    ("the same order at each pass", "train_epoch", [("batch_size, rng)", "batch_size, "
     "np.random.default_rng(0))")], "each pass takes the same order. Hand on the rng"),
    ("velocity not carried over", "train_epoch", [("momentum(velocity, gradients)",
     "momentum([0] * 4, gradients)")], "velocity is not carried over"),
    ("zeros made inside the loop", "train_epoch", [("        X_batch", "        velocity = "
     "[np.zeros_like(p) for p in params]\n        X_batch")], "zeros once, before the loop"),
    ("momentum ignored", "train_epoch", [("gradients if momentum is None else momentum(velocity, "
     "gradients)", "gradients")], "function in momentum is not called"),
    ("change ignored", "train_epoch", [("X[:, batch] if change is None else change(X[:, batch], "
     "rng)", "X[:, batch]")], "function in change has no effect"),
    ("W1 changed in place", "train_epoch", [("        params = update", "        params[0][:] -= "
     "0.1\n        params = update")], "changed its input params"),
    # update_velocity
    ("wrong sign", "update_velocity", [("+ g", "- g")], "sign is wrong. Add the gradient"),
    ("old velocity subtracted", "update_velocity", [("beta * v + g", "g - beta * v")],
     "old velocity is subtracted"),
    ("beta on the gradient", "update_velocity", [("beta * v + g", "v + beta * g")],
     "beta is on the gradient"),
    ("beta on both", "update_velocity", [("beta * v + g", "beta * (v + g)")], "Mind the brackets"),
    ("running mean", "update_velocity", [("+ g", "+ (1 - beta) * g")], "running mean"),
    ("no beta", "update_velocity", [("beta * v", "v")], "beta is not used"),
    ("always 0.9", "update_velocity", [("beta * v", "0.9 * v")], "another beta changes nothing"),
    ("old velocity forgotten", "update_velocity", [("beta * v + g", "g")],
     "old velocity is not used"),
    ("gradient forgotten", "update_velocity", [("beta * v + g", "v")], "came back as it was"),
    ("in place", "update_velocity", """\
def update_velocity(velocity, gradients, beta=0.9):
    for v, g in zip(velocity, gradients):
        v *= beta
        v += g
    return velocity
""", "changed its input velocity. .*in place"),
    ("one array only", "update_velocity", [("[beta * v + g for v, g in zip(velocity, gradients)]",
     "beta * velocity[0] + gradients[0]")], "list of four arrays"),
    ("beta has no default", "update_velocity", [("beta=0.9", "beta")], "Give beta a default"),
    ("no beta among the arguments", "update_velocity", [(", beta=0.9", ""), ("beta *", "0.9 *")],
     r"must take \(velocity, gradients, beta\)"),
    ("makes the list longer", "update_velocity", [("    return", "    velocity.append(0)\n    "
     "return")], "changed its input velocity"),
    # shift_images
    ("wraps around", "shift_images", "def shift_images(X, down, right):\n    images = X.T.reshape("
     "-1, 28, 28)\n    return np.roll(images, (down, right), (1, 2)).reshape(-1, 784).T\n",
     "with down=2 and right=-3, what leaves comes in on the other side: np.roll"),
    ("the other way", "shift_images", [("    images", "    down, right = -down, -right\n    "
     "images")], "the other way"),
    ("up instead of down", "shift_images", [("    images", "    down = -down\n    images")],
     "up instead of down"),
    ("down and right exchanged", "shift_images", [("    images", "    down, right = right, down\n"
     "    images")], "down and right are exchanged"),
    ("images mixed", "shift_images", [("X.T.reshape(-1, 28, 28)", "X.reshape(-1, 28, 28)")],
     "mixes the images. They are columns"),
    ("images mixed there and back", "shift_images", [("X.T.reshape(-1, 28, 28)",
     "X.reshape(-1, 28, 28)"), ("reshape(-1, 784).T", "reshape(784, -1)")], "mixes the images"),
    ("X changed", "shift_images", [("np.zeros_like(images)", "images"), ("= images[\n", "= "
     "images.copy()[\n")], "changed its input X"),
    ("(28, 28, m) comes back", "shift_images", [("moved.reshape(-1, 784).T",
     "moved.transpose(1, 2, 0)")], r"came out as \(28, 28, m\)"),
    ("(m, 784) comes back", "shift_images", [("784).T", "784)")], r"came out as \(m, 784\)"),
    ("nothing moved", "shift_images", [("moved.reshape", "images.reshape")], "nothing moved"),
    ("float64 comes out", "shift_images", [("np.zeros_like(images)", "np.zeros(images.shape)")],
     "came out as float64 from float32"),
    ("a slice from 0 clears all", "shift_images", """\
def shift_images(X, down, right):
    images = np.roll(X.T.reshape(-1, 28, 28), (down, right), (1, 2))
    images[:, slice(0, down) if down > 0 else slice(down, None)] = 0
    images[:, :, slice(0, right) if right > 0 else slice(right, None)] = 0
    return images.reshape(-1, 784).T
""", "all is 0. With 0, a slice"),
    # any function
    ("not written yet", "softmax", 'def softmax(Z):\n    raise NotImplementedError("write me")\n',
     "softmax is not written yet"),
    ("an earlier function not written yet", "forward_prop", "def softmax(Z):\n    raise "
     "NotImplementedError\n"
     + RIGHT["forward_prop"], "softmax is not written yet"),
    ("other arguments", "softmax", "def softmax(Z, axis):\n    return Z\n", r"must take \(Z\), "
     r"but yours takes"),
    ("a list", "get_predictions", [("A2.argmax(axis=0)", "list(A2.argmax(axis=0))")], "Return a "
     "NumPy array"),
    ("used before it has a value", "ReLU", "def ReLU(Z):\n    A = A + np.maximum(Z, 0)\n    "
     "return A\n",
     "A is used before it has a value"),
    ("shapes that do not broadcast", "softmax", [("axis=0, keepdims=True)\n", "axis=1)\n")],
     r"line 3, .*The shapes \(10,4\) \(10,\) do not fit: is keepdims=True missing"),
    ("the answer instead of the function", "softmax", "softmax = np.ones(3)\n",
     r"hand over the function itself: checks.softmax\(softmax\)"),
    ("error in an earlier function of theirs", "forward_prop", "def softmax(Z):\n    return Z / "
     "np.ones(7)\n"
     + RIGHT["forward_prop"], r"line 2 of softmax, `return Z / np.ones\(7\)`"),
]  # fmt: skip

OTHER_RIGHT = [
    ("init_params without seed, float64, old generator", "init_params", """\
def init_params(n_hidden=10):
    shapes = (n_hidden, 784), (n_hidden, 1), (10, n_hidden), (10, 1)
    return tuple(np.random.rand(*shape) - 0.5 for shape in shapes)
"""),
    ("init_params_scaled with normal(0, s)", "init_params_scaled", """\
def init_params_scaled(hidden=10):
    rng = np.random.default_rng()
    def layer(n_out, n_in):
        return rng.normal(0, (2 / n_in) ** 0.5, size=(n_out, n_in)).astype("float32")
    b1, b2 = np.zeros((hidden, 1), "float32"), np.zeros((10, 1), "float32")
    return [layer(hidden, 784), b1, layer(10, hidden), b2]
"""),
    ("ReLU in place on a copy", "ReLU", """\
def ReLU(Z):
    A = Z.copy()
    A[A < 0] = 0
    return A
"""),
    ("ReLU by product", "ReLU", "ReLU = lambda Z: Z * (Z > 0)\n"),
    ("softmax in a loop over columns", "softmax", """\
def softmax(Z):
    A = np.empty_like(Z)
    for i in range(Z.shape[1]):
        e = np.exp(Z[:, i] - max(Z[:, i]))
        A[:, i] = e / sum(e)
    return A
"""),
    ("softmax by logarithms, with an extra argument", "softmax", """\
def softmax(Z, axis=0):
    Z = Z - Z.max(axis=axis)
    return np.exp(Z - np.log(np.exp(Z).sum(axis=axis)))
"""),
    ("forward_prop with dot and a dict of layers", "forward_prop", """\
def forward_prop(W1, b1, W2, b2, X):
    out = {}
    out["Z1"] = np.dot(W1, X) + b1.reshape(-1, 1)
    out["A1"] = ReLU(out["Z1"])
    out["Z2"] = np.einsum("ij,jk->ik", W2, out["A1"]) + b2
    out["A2"] = softmax(out["Z2"])
    return list(out.values())
"""),
    ("cross_entropy in a loop, with a small constant", "cross_entropy", """\
def cross_entropy(A2, Y):
    total = 0
    for i, y in enumerate(Y):
        total -= np.log(A2[y, i] + 1e-8)
    return total / len(Y)
"""),
    ("cross_entropy by one_hot, clipped", "cross_entropy", """\
def cross_entropy(A2, Y):
    return -np.sum(one_hot(Y) * np.log(np.clip(A2, 1e-12, None))) / Y.size
"""),
    ("one_hot as int64 by comparison", "one_hot", """\
def one_hot(Y):
    return (np.arange(10)[:, None] == Y).astype(np.int64)
"""),
    ("one_hot as booleans in a loop", "one_hot", """\
def one_hot(Y):
    H = np.zeros((10, len(Y)), dtype=bool)
    for i, y in enumerate(Y):
        H[y, i] = True
    return H
"""),
    ("one_hot from a table made outside", "one_hot", "EYE = np.eye(10)\ndef one_hot(Y):\n    "
     "return EYE[:, Y]\n"),
    ("ReLU_deriv as booleans", "ReLU_deriv", "def ReLU_deriv(Z):\n    return Z > 0\n"),
    ("ReLU_deriv as whole numbers, 1 at 0", "ReLU_deriv", "def ReLU_deriv(Z):\n    return "
     "np.where(Z >= 0, 1, 0)\n"),
    ("backward_prop in loops", "backward_prop", """\
def backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y):
    n, m = A1.shape
    dW1, dW2 = np.zeros_like(W1), np.zeros_like(W2)
    db1, db2 = np.zeros((n, 1), X.dtype), np.zeros((10, 1), X.dtype)
    for i in range(m):
        d2 = A2[:, i].copy()
        d2[Y[i]] -= 1
        d1 = np.where(A1[:, i] > 0, W2.T @ d2, 0)
        dW2 += np.outer(d2, A1[:, i]) / m
        dW1 += np.outer(d1, X[:, i]) / m
        db2[:, 0] += d2 / m
        db1[:, 0] += d1 / m
    return dW1, db1, dW2, db2
"""),
    ("backward_prop by einsum and mean, dZ2 divided once, mask from A1 > 0", "backward_prop", """\
def backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y):
    dZ2 = (A2 - one_hot(Y)) / Y.size
    dZ1 = np.einsum("ji,jk->ik", W2, dZ2) * (A1 > 0)
    return (np.einsum("ik,jk->ij", dZ1, X), dZ1.sum(1)[:, None],
            np.einsum("ik,jk->ij", dZ2, A1), dZ2.sum(1)[:, None])
"""),
    ("backward_prop on top of an int64 one_hot", "backward_prop", """\
def one_hot(Y):
    return (np.arange(10)[:, None] == Y).astype(np.int64)
""" + RIGHT["backward_prop"]),
    ("update_params in place on copies", "update_params", """\
def update_params(W1, b1, W2, b2, dW1, db1, dW2, db2, alpha):
    new = [p.copy() for p in (W1, b1, W2, b2)]
    for p, d in zip(new, (dW1, db1, dW2, db2)):
        p -= alpha * d
    return new
"""),
    ("get_predictions in a loop", "get_predictions", """\
def get_predictions(A2):
    return np.array([np.argmax(column) for column in A2.T])
"""),
    ("get_accuracy as the lineage wrote it", "get_accuracy", """\
def get_accuracy(predictions, Y):
    return np.sum(predictions == Y) / Y.size
"""),
    ("get_accuracy with the built-in sum", "get_accuracy", """\
def get_accuracy(predictions, Y):
    return sum(predictions == Y) / len(Y)
"""),
    ("gradient_descent without params, printing, as the lineage wrote it", "gradient_descent", """\
def gradient_descent(X, Y, alpha, iterations):
    W1, b1, W2, b2 = init_params()
    for i in range(iterations):
        Z1, A1, Z2, A2 = forward_prop(W1, b1, W2, b2, X)
        dW1, db1, dW2, db2 = backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y)
        W1, b1, W2, b2 = update_params(W1, b1, W2, b2, dW1, db1, dW2, db2, alpha)
        if i % 10 == 0:
            print("Iteration:", i, get_accuracy(get_predictions(A2), Y))
    return W1, b1, W2, b2
"""),
    ("gradient_descent on params and gradients as lists", "gradient_descent", """\
def gradient_descent(X, Y, alpha, iterations, print_every=5):
    params = init_params_scaled(128)
    while iterations > 0:
        forward = forward_prop(*params, X)
        gradients = backward_prop(*forward, params[0], params[2], X, Y)
        params = update_params(*params, *gradients, alpha)
        iterations -= 1
    return params
"""),
    ("minibatches as a list, shuffled in place", "minibatches", """\
def minibatches(m, batch_size, rng):
    order = np.arange(m)
    rng.shuffle(order)
    return [order[i : i + batch_size] for i in range(0, m, batch_size)]
"""),
    ("minibatches as lists of plain numbers, until none is left", "minibatches", """\
def minibatches(m, batch_size, rng):
    left = rng.choice(m, m, replace=False).tolist()
    while left:
        yield left[:batch_size]
        left = left[batch_size:]
"""),
    ("train_epoch that shuffles by itself, without momentum and change", "train_epoch", """\
def train_epoch(params, X, Y, alpha, batch_size, rng):
    order = rng.permutation(Y.size)
    X, Y = X[:, order], Y[order]
    for i in range(0, Y.size, batch_size):
        gradients = get_gradients(params, X[:, i : i + batch_size], Y[i : i + batch_size])
        params = [p - alpha * g for p, g in zip(params, gradients)]
    return params
"""),
    ("train_epoch with the forward and backward pass written out", "train_epoch", """\
def train_epoch(params, X, Y, alpha, batch_size, rng, momentum=None, change=None):
    W1, b1, W2, b2 = params
    velocity = [np.zeros_like(p) for p in params]
    for batch in minibatches(Y.size, batch_size, rng):
        X_batch, Y_batch = X[:, batch], Y[batch]
        if change:
            X_batch = change(X_batch, rng)
        forward = forward_prop(W1, b1, W2, b2, X_batch)
        step = backward_prop(*forward, W1, W2, X_batch, Y_batch)
        if momentum:
            step = velocity = momentum(velocity, step)
        W1, b1, W2, b2 = update_params(W1, b1, W2, b2, *step, alpha)
    return W1, b1, W2, b2
"""),
    ("update_velocity in a loop", "update_velocity", """\
def update_velocity(velocity, gradients, beta=0.9):
    new = []
    for i in range(len(gradients)):
        new.append(velocity[i] * beta + gradients[i])
    return new
"""),
    ("update_velocity as a tuple, in place on copies", "update_velocity", """\
def update_velocity(velocity, gradients, beta=0.9):
    new = tuple(v.copy() for v in velocity)
    for v, g in zip(new, gradients):
        v *= beta
        v += g
    return new
"""),
    ("shift_images by padding", "shift_images", """\
def shift_images(X, down, right):
    wide = np.pad(X.T.reshape(-1, 28, 28), ((0, 0), (28, 28), (28, 28)))
    return wide[:, 28 - down : 56 - down, 28 - right : 56 - right].reshape(-1, 784).T
"""),
    ("shift_images by rolling, then clearing what came round", "shift_images", """\
def shift_images(X, down, right):
    images = np.roll(X.reshape(28, 28, -1), (down, right), axis=(0, 1))
    if down:
        images[slice(0, down) if down > 0 else slice(down, None)] = 0
    if right:
        images[:, slice(0, right) if right > 0 else slice(right, None)] = 0
    return images.reshape(784, -1)
"""),
]  # fmt: skip


def build(source, **earlier):
    """The functions of `source`, as a notebook's cell makes them: its lines are in linecache."""
    namespace = {"np": np}
    for text in [*RIGHT.values(), GLOBALS]:
        exec(text, namespace)
    namespace.update(earlier)
    for name in ("m_train", "soft_max"):
        namespace.pop(name, None)
    linecache.cache["<cell>"] = len(source), None, source.splitlines(True), "<cell>"
    exec(compile(source, "<cell>", "exec"), namespace)
    return namespace


def wrong_source(name, change):
    """RIGHT[name], changed; every change must find its place."""
    if isinstance(change, str):
        return change
    source = RIGHT[name]
    for old, new in change:
        assert old in source, f"nothing to change: {old}"
        source = source.replace(old, new)
    return source


def ids(rows):
    return [f"{row[1]}: {row[0]}" for row in rows]


@pytest.mark.parametrize(("words", "name", "change", "says"), MISTAKES, ids=ids(MISTAKES))
def test_each_mistake_is_caught_by_its_own_check_with_its_cause(words, name, change, says):
    function = build(wrong_source(name, change))[name]
    with pytest.raises(AssertionError) as caught:
        getattr(checks, name)(function)
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert re.search(says, message), message
    assert len(re.findall(r"[.?!](?=\s+[A-Z])", message)) <= 2 and len(message) < 330, message


def test_the_table_of_mistakes_covers_every_function():
    assert len(MISTAKES) >= 60
    assert {row[1] for row in MISTAKES} == set(RIGHT)
    assert len({(row[0], row[1]) for row in MISTAKES}) == len(MISTAKES)


@pytest.mark.parametrize(("words", "name", "source"), OTHER_RIGHT, ids=ids(OTHER_RIGHT))
def test_a_right_function_passes_however_it_is_written(words, name, source, capsys):
    getattr(checks, name)(build(source)[name])
    assert capsys.readouterr().out.startswith(f"{name}: right. ")


def passes_with_one_line(name, function, capsys):
    """Run a check; nothing but its one line may be left behind."""
    np.random.seed(1)

    def state():
        return np.geterr(), np.get_printoptions(), warnings.filters[:]

    numbers, before = np.random.get_state()[1].copy(), state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inside = warnings.filters[:]
        getattr(checks, name)(function)
        assert warnings.filters == inside
    assert np.array_equal(numbers, np.random.get_state()[1]) and state() == before
    out, err = capsys.readouterr()
    assert err == "" and out.count("\n") == 1
    assert re.fullmatch(rf"{name}: right\. [A-Z].*\.\)?\n", out)
    return out


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_functions_of_this_file_pass(name, capsys):
    passes_with_one_line(name, build("")[name], capsys)


@pytest.mark.parametrize("name", RIGHT)
def test_the_notebooks_own_functions_pass(notebook_functions, name, capsys):
    """Fails when a check and the cell before it in the notebook disagree."""
    out = passes_with_one_line(name, getattr(notebook_functions, name), capsys)
    assert "(As float32" not in out


def test_an_error_in_the_learners_code_is_shown_as_theirs(capsys):
    """The cause is their own error, and its traceback begins in their cell, not in checks.py."""
    function = build(wrong_source("forward_prop", [("W1 @ X", "X @ W1")]))["forward_prop"]
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
        in_checks = [each for each in caught.traceback if each.path.name == "compare.py"]
        assert len(in_checks) == 1


def test_the_reference_agrees_with_central_differences_away_from_the_kink():
    """The checks' own gradients, all of them, in float64 and with non-zero biases."""
    for m in (5, 1):
        params, X, Y = reference.network(m=m)
        assert all(p.shape[0] != p.shape[1] and p.all() for p in params) and m != 10
        Z1 = reference.forward(params, X)[0]
        assert np.abs(Z1).min() > 0.05
        if m == 5:
            assert (Z1 > 0).any(axis=1).all() and (Z1 < 0).any(axis=1).all()
        assert functions._gradient_check(params, X, Y, reference.gradients(params, X, Y)) == 2395


# ---------------------------------------------------------------- a network of the learner's own


def cubes(params):
    return float(sum((theta**3).sum() for theta in params))


def two_arrays():
    rng = np.random.default_rng(5)
    return [rng.normal(size=(3, 2)), rng.normal(size=(3, 1))]


def test_slopes_passes_right_gradients_and_leaves_the_params_alone(capsys):
    params = two_arrays()
    before = [theta.copy() for theta in params]
    checks.slopes(cubes, params, [3 * theta**2 for theta in params])
    assert capsys.readouterr().out.startswith("slopes: right. All 9 gradients agree")
    assert all(np.array_equal(a, b) for a, b in zip(params, before, strict=True))


@pytest.mark.parametrize(("gradients", "says"), [
    (lambda a, b: [3 * a**2], r"2 parameter arrays, but 1 gradients.*in the same order"),
    (lambda a, b: [3 * a**2, (3 * b**2).T], r"gradient 2 of 2 has shape \(1, 3\).*axis=1"),
    (lambda a, b: [3 * a**2, 2 * b**2], r"gradient 2 of 2 is wrong in 3 of 3 entries.*\(0, 0\)"),
    (lambda a, b: [-3 * a**2, 3 * b**2], r"gradient 1 of 2 is wrong in 6 of 6.*Mend its formula"),
    (lambda a, b: [np.full(a.shape, np.nan), 3 * b**2], r"gradient 1 of 2 is wrong.*yours is nan"),
])  # fmt: skip
def test_slopes_names_the_wrong_gradient(gradients, says):
    """Fails if a wrong gradient of a learner's own network would pass, or not be named."""
    params = two_arrays()
    with pytest.raises(AssertionError, match=says):
        checks.slopes(cubes, params, gradients(*params))


def test_slopes_asks_for_float64():
    params = [theta.astype(np.float32) for theta in two_arrays()]
    with pytest.raises(AssertionError, match="Make the params float64"):
        checks.slopes(cubes, params, [3 * theta**2 for theta in params])
