"""What the curves of a training run look like, and what to try."""

import numpy as np

from .reference import CLASSES

LN10 = float(np.log(CLASSES))  # loss of a network that gives every digit one tenth
# The thresholds stand between what healthy and broken runs on 3,000 MNIST rows showed (tests).
SAME = 0.02  # nearer to ln 10 than this for half the run, accuracy still: dead runs, 2.299
RISES = 0.1  # rises / net fall: at most 0.08 up to alpha 0.3, at least 0.3 for most above 0.7
BARELY = 0.8  # end / start: at least 0.83 with alpha 0.001, at most 0.6 with 0.01 or more
HIGH = 2.65  # a scaled start gives 2.3 to 2.5, uniform -0.5..0.5 gives 2.7 to 4.1
DEV_RISE = 1.1  # last / lowest mean dev loss of a fifth of the run: at most 1.05 in healthy runs
GAP = 0.08  # train minus dev accuracy: healthy runs on 3,000 digits show up to 0.07
STUCK = 1.0  # 784-10-10 that learned comes below 0.6; one with dead units stayed at 1.27
IMPROVING = 0.08  # share by which the mean loss of the last fifth lies below the fifth before


def diagnose(history):
    """One sentence: what the curves of a training run look like, and what to try.

    history: list of dicts with step, train_loss, train_accuracy and, if measured, dev_loss,
    dev_accuracy and params, a tuple W1, b1, W2, b2. Of several symptoms the most harmful is named.
    """
    loss, accuracy, dev, dev_accuracy = (
        np.array([row.get(key, np.nan) for row in history], dtype=np.float64)
        for key in ("train_loss", "train_accuracy", "dev_loss", "dev_accuracy")
    )
    if not np.isfinite(loss).all():
        at = int(np.argmin(np.isfinite(loss)))
        return (
            f"The loss is no longer a number at step {history[at]['step']}, so every answer is 0 "
            f"(accuracy {100 * accuracy[at]:.1f} %): use a smaller alpha, and check that softmax "
            "subtracts the largest score."
        )
    if len(history) < 3:
        return (
            f"There are {len(history)} measurements, too few to judge: train longer."
            if history
            else "The history is empty: give the run history=[], and call record in its loop."
        )
    if all("params" in row for row in history[-2:]):
        before, now = (row["params"] for row in history[-2:])
        if np.array_equal(before[0], now[0]) and not np.array_equal(before[3], now[3]):
            if np.ptp(now[0]):  # else all weights are the same, and W1 never moved
                return (
                    "W1 no longer moves and only b2 does, so all hidden units are dead and every "
                    f"answer is the same, right for {100 * accuracy[-1]:.1f} %: lower alpha."
                )
    half, fifth = len(loss) // 2, max(1, len(loss) // 5)
    if np.all(np.abs(loss[half:] - LN10) < SAME) and np.ptp(accuracy[half:]) < 0.005:
        return (
            f"The loss stays at {loss[-1]:.2f}, near ln 10, and the accuracy at "
            f"{100 * accuracy[-1]:.1f} %, so it always gives the same answer: use a smaller alpha, "
            "and start from random weights that are not all equal."
        )
    rises, fall = np.diff(loss).clip(0).sum(), loss[0] - loss.min()
    if rises > RISES * max(fall, 0.05 * loss[0]):
        shape = "rises" if loss[-1] > loss[0] else "jumps up and down like a saw"
        return f"The loss {shape}, so alpha is too large: try a third of it."
    if loss[-1] > max(BARELY * loss[0], 1):
        return (
            f"The loss barely falls, from {loss[0]:.2f} to {loss[-1]:.2f}, so alpha is too small "
            "or the run too short: try ten times the alpha."
        )
    measured = np.isfinite(dev).all()
    judged = dev if measured else loss
    # Means over a fifth of the run: from one measurement to the next, mini-batches jump by 20 %.
    means = np.convolve(judged, np.ones(fifth) / fifth, "valid")
    apart = measured and dev[-1] > loss[-1] and dev_accuracy[-1] < accuracy[-1]
    if apart and means[-1] > DEV_RISE * means.min():
        at = history[int(dev.argmin())]["step"]
        return (
            f"The dev loss was lowest at step {at} and rises while the train loss falls, so the "
            "network overfits: stop there, or use more examples or fewer hidden units."
        )
    if measured and accuracy[-1] - dev_accuracy[-1] > GAP:
        return (
            f"Train accuracy is {100 * accuracy[-1]:.1f} % and dev only "
            f"{100 * dev_accuracy[-1]:.1f} %, so the network overfits: use more examples or "
            "fewer hidden units."
        )
    if loss[0] > HIGH and history[0]["step"] == 0:
        return (
            f"The loss falls well but starts at {loss[0]:.2f}, above ln 10 = {LN10:.2f}, so the "
            "first weights are too large: try init_params_scaled."
        )
    if means[-1] < (1 - IMPROVING) * means[-1 - fifth]:
        return (
            f"The loss is still falling, by {100 * (1 - means[-1] / means[-1 - fifth]):.0f} % in "
            "the last fifth of the run: train longer."
        )
    if loss[-1] > STUCK:
        return (
            f"The loss has levelled off at {loss[-1]:.2f}, far from 0, so some hidden units may be "
            "dead: use a smaller alpha or another seed."
        )
    return "The curves look healthy: the loss fell and has levelled off, without overfitting."
