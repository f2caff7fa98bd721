"""Checks for the functions that you write in mnist-scratch.ipynb, and for the files that it reads.

After you have written a function, run its check, for example

    checks.softmax(softmax)

A right function prints one line. A wrong one stops with a message that says what came out, and
often the line and the part of it to look at: with that changed, the check has seen it pass. How you
wrote it does not matter, only what it returns. Whoever wants the line as it would be right asks:

    checks.softmax(softmax, show=True)

The files answers.py and reference.py hold the answers, so look there only when you want to.

Whoever takes this over reads functions.py first: it decides what is right, with compare.py. data.py
and curves.py stand alone. search.py and edits.py come last: they only find the line to look at, and
without them each check still says what came out.
"""

# ruff: noqa: F401 (these names are what the package offers)
from .curves import diagnose
from .data import digits, enough_rows, setup, unreadable
from .functions import (
    ReLU,
    ReLU_deriv,
    backward_prop,
    cross_entropy,
    forward_prop,
    get_accuracy,
    get_predictions,
    gradient_descent,
    init_params,
    init_params_scaled,
    minibatches,
    one_hot,
    shift_images,
    slopes,
    softmax,
    train_epoch,
    update_params,
    update_velocity,
)
