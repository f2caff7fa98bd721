"""The right answers, compact: a small network, its forward and backward pass, and its training.

Look here only when you want to see the answers.
"""

import contextlib
import functools

import numpy as np

PIXELS, CLASSES = 784, 10
_set = 0


@contextlib.contextmanager
def other_examples():
    """Inside, the made-up examples are others, of other sizes."""
    global _set
    _set = 1
    try:
        yield
    finally:
        _set = 0


def examples():
    """0, or 1 for the other set."""
    return _set


def rng(seed):
    return np.random.default_rng(seed + 100 * _set)


def network(dtype=np.float64, m=5):
    """A small network and m examples: weights 3 x 784 and 10 x 3, non-zero biases, Y as uint8.

    No size is 10 examples or square, so nothing fits by chance. Each hidden unit is on for some of
    five examples and off for others, and none is within 0.05 of ReLU's kink. The other
    set has 4 hidden units.
    """
    params, X, labels = _network(_set)
    params = tuple(each.astype(dtype) for each in params)
    return params, X.T[:, :m].astype(dtype), labels[:m].copy()


@functools.cache
def _network(which):
    rng, n = np.random.default_rng((52, 16)[which]), (3, 4)[which]
    W1, W2 = rng.normal(0, 0.1, (n, PIXELS)), rng.normal(0, 0.7, (CLASSES, n))
    b1, b2 = rng.uniform(0.2, 0.6, (n, 1)), rng.uniform(-0.6, 0.6, (CLASSES, 1))
    labels = ([3, 0, 8, 3, 7], [9, 2, 5, 0, 2])[which]
    return (W1, b1, W2, b2), rng.random((5, PIXELS)), np.array(labels, dtype=np.uint8)


def wide(*arrays):
    return [np.asarray(each, dtype=np.float64) for each in arrays]


def softmax(Z):
    E = np.exp(Z - Z.max(0))
    return E / E.sum(0)


def forward(params, X):
    W1, b1, W2, b2, X = wide(*params, X)
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    return Z1, A1, Z2, softmax(Z2)


def labels(Y):
    return np.eye(CLASSES)[Y].T


def loss(A2, Y):
    return -np.log(A2[Y, range(Y.size)]).mean()


def gradients(params, X, Y, dZ2=None, mask=None, m=None):
    """dW1, db1, dW2, db2; the last three arguments stand for what a mistake puts in their place."""
    Z1, A1, _, A2 = forward(params, X)
    dZ2 = A2 - labels(Y) if dZ2 is None else dZ2
    dZ1 = params[2].T @ dZ2 * ((Z1 > 0) if mask is None else mask)
    both = (dZ1 @ X.T, dZ1.sum(1, keepdims=True), dZ2 @ A1.T, dZ2.sum(1, keepdims=True))
    return [each / (m or Y.size) for each in both]


def measured(loss, params, h=1e-5):
    """Slope of loss(params) along each entry: (loss(+h) - loss(-h)) / 2h; params is put back."""
    slopes = [np.zeros(theta.shape) for theta in params]
    for theta, slope in zip(params, slopes, strict=True):
        for at in np.ndindex(theta.shape):
            keep, losses = theta[at], []
            for step in (h, -h):
                theta[at] = keep + step
                losses.append(loss(params))
            theta[at] = keep
            slope[at] = (losses[0] - losses[1]) / (2 * h)
    return slopes


def train(params, X, Y, alpha, batches, beta=0.0, factors=None, m=None, frozen=False):
    """Parameters after one step for each pair (columns of X, entries of Y) of batches.

    beta: momentum. factors: what the X of each batch is multiplied by. m, a wrong divisor, and
    frozen, gradients all taken at the start: mistakes.
    """
    params = start = wide(*params)
    velocity = [0, 0, 0, 0]
    for number, (columns, entries) in enumerate(batches):
        at, X_batch = start if frozen else params, X[:, columns]
        if factors:
            X_batch = X_batch * factors[number]
        slopes = gradients(at, X_batch, Y[entries], m=m)
        velocity = [beta * v + g for v, g in zip(velocity, slopes, strict=True)]
        params = [p - alpha * v for p, v in zip(params, velocity, strict=True)]
    return params


def shifted(images, down, right):
    """images (m, 28, 28), each moved; 0 enters."""
    wide = np.pad(images, [(0, 0), (28, 28), (28, 28)])
    return wide[:, 28 - down : 56 - down, 28 - right : 56 - right]
