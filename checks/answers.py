"""One right version of each function of the notebook: look here only when you want the answers.

The search for the edit that makes a wrong function right (search.py) takes its replacements from
here. A second version has `_also` behind its name.
"""

import numpy as np


def init_params(n_hidden=10, seed=42):
    rng = np.random.default_rng(seed)
    W1 = rng.random((n_hidden, 784), dtype=np.float32) - 0.5
    b1 = rng.random((n_hidden, 1), dtype=np.float32) - 0.5
    W2 = rng.random((10, n_hidden), dtype=np.float32) - 0.5
    b2 = rng.random((10, 1), dtype=np.float32) - 0.5
    return W1, b1, W2, b2


def init_params_scaled(n_hidden=10, seed=42):
    rng = np.random.default_rng(seed)
    W1 = rng.standard_normal((n_hidden, 784), dtype=np.float32) * np.sqrt(2 / 784)
    b1 = np.zeros((n_hidden, 1), dtype=np.float32)
    W2 = rng.standard_normal((10, n_hidden), dtype=np.float32) * np.sqrt(2 / n_hidden)
    b2 = np.zeros((10, 1), dtype=np.float32)
    return W1, b1, W2, b2


def ReLU(Z):
    return np.maximum(Z, 0)


def ReLU_also(Z):
    return np.where(Z > 0, Z, 0)


def softmax(Z):
    Z = Z - Z.max(axis=0, keepdims=True)
    E = np.exp(Z)
    return E / E.sum(axis=0, keepdims=True)


def forward_prop(W1, b1, W2, b2, X):
    Z1 = W1 @ X + b1
    A1 = ReLU(Z1)
    Z2 = W2 @ A1 + b2
    A2 = softmax(Z2)
    return Z1, A1, Z2, A2


def cross_entropy(A2, Y):
    p = A2[Y, np.arange(Y.size)]
    p = np.maximum(p, np.finfo(p.dtype).tiny)
    return float(-np.log(p).mean())


def one_hot(Y):
    columns = np.zeros((10, Y.size), dtype=np.float32)
    columns[Y, np.arange(Y.size)] = 1
    return columns


def one_hot_also(Y):
    return np.eye(10, dtype=np.float32)[Y].T


def ReLU_deriv(Z):
    return (Z > 0).astype(Z.dtype)


def ReLU_deriv_also(Z):
    return np.where(Z > 0, 1, 0)


def backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y):
    m = X.shape[1]
    dZ2 = A2 - one_hot(Y)
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * ReLU_deriv(Z1)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    return dW1, db1, dW2, db2


def update_params(W1, b1, W2, b2, dW1, db1, dW2, db2, alpha):
    W1 = W1 - alpha * dW1
    b1 = b1 - alpha * db1
    W2 = W2 - alpha * dW2
    b2 = b2 - alpha * db2
    return W1, b1, W2, b2


def get_predictions(A2):
    return A2.argmax(axis=0)


def get_accuracy(predictions, Y):
    return float(np.mean(predictions == Y))


def get_accuracy_also(predictions, Y):
    return (predictions == Y).sum() / Y.size


def gradient_descent(X, Y, alpha, iterations, params=None, history=None, dev=None):
    W1, b1, W2, b2 = init_params() if params is None else params
    record(history, 0, (W1, b1, W2, b2), X, Y, dev)  # noqa: F821, the notebook's
    for i in range(1, iterations + 1):
        Z1, A1, Z2, A2 = forward_prop(W1, b1, W2, b2, X)
        dW1, db1, dW2, db2 = backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y)
        W1, b1, W2, b2 = update_params(W1, b1, W2, b2, dW1, db1, dW2, db2, alpha)
        if i % 10 == 0:
            record(history, i, (W1, b1, W2, b2), X, Y, dev)  # noqa: F821
    return W1, b1, W2, b2


def minibatches(m, batch_size, rng):
    order = rng.permutation(m)
    for start in range(0, m, batch_size):
        yield order[start : start + batch_size]


def minibatches_also(m, batch_size, rng):
    order = rng.permutation(m)
    for i in range(-(-m // batch_size)):  # rounded up
        yield order[i * batch_size : (i + 1) * batch_size]


def train_epoch(params, X, Y, alpha, batch_size, rng, momentum=None, change=None):
    velocity = [np.zeros_like(p) for p in params]
    for batch in minibatches(Y.size, batch_size, rng):
        X_batch = X[:, batch] if change is None else change(X[:, batch], rng)
        Y_batch = Y[batch]
        W1, b1, W2, b2 = params
        Z1, A1, Z2, A2 = forward_prop(W1, b1, W2, b2, X_batch)
        gradients = backward_prop(Z1, A1, Z2, A2, W1, W2, X_batch, Y_batch)
        velocity = gradients if momentum is None else momentum(velocity, gradients)
        params = update_params(*params, *velocity, alpha)
    return params


def update_velocity(velocity, gradients, beta=0.9):
    return [beta * v + g for v, g in zip(velocity, gradients, strict=True)]


def shift_images(X, down, right):
    images = X.T.reshape(-1, 28, 28)
    moved = np.zeros_like(images)
    top, bottom = max(down, 0), 28 + min(down, 0)
    left, end = max(right, 0), 28 + min(right, 0)
    moved[:, top:bottom, left:end] = images[
        :, top - down : bottom - down, left - right : end - right
    ]
    return moved.reshape(-1, 784).T
