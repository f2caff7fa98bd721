"""One check for each function of the notebook, in its order, and `slopes` for other networks.

To teach a check a new mistake: add a case to tests/mistakes.md, then the pair (what it returns,
what to say) to the list `typical` here.
"""

import contextlib
import copy
import functools
import inspect
import io
import itertools
import types

import numpy as np

from . import reference as ref
from .compare import (
    PARAMS,
    TOLERANCE,
    TYPES,
    Mistake,
    all_close,
    all_same,
    call,
    check,
    same,
)
from .reference import CLASSES, PIXELS


def _types(function, dtype):
    """dtype, and float64 too where the learner's own one_hot or ReLU_deriv gives 64-bit numbers."""
    home, widest = getattr(inspect.unwrap(function), "__globals__", {}), np.dtype(dtype)
    with contextlib.suppress(Exception):
        widest = np.result_type(widest, home["one_hot"](np.array([3, 1])))
        widest = np.result_type(widest, home["ReLU_deriv"](np.ones((1, 2), dtype)))
    return [dtype, widest]


def _type_note(*arrays):
    kinds = {str(each.dtype) for each in arrays} & {"float64", "int64", "uint64"}
    return f" (As float32 instead of {kinds.pop()} the training would be faster.)" if kinds else ""


def _gradient_check(params, X, Y, gradients):
    """Compare every gradient with the measured slopes; returns how many there are."""
    slopes = ref.measured(lambda params: ref.loss(ref.forward(params, X)[3], Y), params)
    for name, slope, got in zip(PARAMS, slopes, gradients, strict=True):
        # Rounding in the loss, about 1e-16, becomes 1e-11 after the division by 2h.
        if abs(slope - got).max() > 1e-8:
            raise Mistake(f"d{name} disagrees with the measured slopes. Mend its formula.")
    return sum(theta.size for theta in params)


def _many_labels():
    """300 labels as int64, then as uint8, as the files hold them; with each, what a fault tells."""
    labels = np.random.default_rng(9).integers(0, CLASSES, 300)
    yield "", labels
    narrow = "Labels of type int64 are right: uint8 numbers end at 255, so take Y.astype(int)."
    yield narrow, labels.astype(np.uint8)


# --- The two starts -------------------------------------------------------------------------------


def _start(function):
    """What both starts must fulfil; returns the arrays for 300 hidden units, and b2 of others."""
    parameters = inspect.signature(function).parameters
    if not parameters:
        raise Mistake("it takes no n_hidden. Write (n_hidden=10), and use it in the shapes.")
    if any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters.values()):
        raise Mistake("it must also run without arguments. Give each a default: (n_hidden=10).")
    others = [call(function, PARAMS)[3]]
    parts = call(function, PARAMS, n_hidden=300)
    shapes = [(300, PIXELS), (300, 1), (CLASSES, 300), (CLASSES, 1)]
    for name, part, right in zip(PARAMS, parts, shapes, strict=True):
        got = np.shape(part)
        if got != right:
            hint = f"Give it the shape {right}."
            if name in ("b1", "b2"):
                hint = "Each unit needs its own bias, as a column: (n_hidden, 1) or (10, 1)."
            elif got == right[::-1]:
                hint = "Rows and columns are swapped: one row for each unit that the layer feeds."
            elif 300 not in got:
                hint = "It does not follow n_hidden: use n_hidden in the shape, not a fixed number."
            what = f"the shape {got}" if got else "a single number"
            raise Mistake(f"with n_hidden=300, {name} came out as {what}, not {right}. {hint}")
        if not isinstance(part, np.ndarray):
            raise Mistake(f"{name} came out as {type(part).__name__}. Make it a NumPy array.")
        if part.dtype not in TYPES:
            raise Mistake(f"{name} came out as {part.dtype}. Make it float32 (or float64).")
        if name in ("W1", "W2") and part[0, 0] == part[-1, -1] and np.ptp(part) == 0:
            raise Mistake(
                f"all of {name} is the same number, so all hidden units would learn the same. "
                "Draw it at random."
            )
    W1, b1, W2, b2 = parts
    if b1.std() > 0 and (np.array_equal(W1.ravel()[:300], b1.ravel()) or W1[0, 0] == W2[0, 0]):
        raise Mistake("the arrays repeat each other's numbers. Make rng once, at the top.")
    if "seed" in parameters:
        starts = [call(function, PARAMS, {"seed": seed}, n_hidden=4) for seed in (1, 1, 2)]
        one, again, two = (each[0] for each in starts)
        others += [starts[0][3], starts[2][3]]
        rng = "rng = np.random.default_rng(seed)"
        if not np.array_equal(one, again):
            raise Mistake(f"seed=1 gave two different W1. Draw all from {rng}.")
        if np.array_equal(one, two):
            raise Mistake(f"seed has no effect. Pass it on: {rng}.")
    return parts, others


@check
def init_params(function):
    parts, others = _start(function)
    # b2 has ten numbers, too few to judge, so those of other starts are judged with them.
    all_b2 = np.unique(np.concatenate([np.ravel(each) for each in (parts[3], *others)]))
    judged = [*parts[:3], all_b2 if np.ptp(parts[3]) else parts[3]]
    for name, part in zip(PARAMS, judged, strict=True):
        low, high = part.min(), part.max()
        if low == high:
            raise Mistake(f"all of {name} is {low:g}. Here biases are random, too: -0.5 to 0.5.")
        # A right b2 that is the same at every start (ten numbers) is above 0 once in a thousand.
        if low >= 0 and (part.size > 10 or high > 0.5):
            raise Mistake(f"{name} has no negative numbers. Subtract 0.5: it lies in -0.5..0.5.")
        # Five standard errors of the mean and spread of uniform numbers
        room = 5 * 0.289 / np.sqrt(part.size)
        near = abs(part.mean()) < room and abs(part.std() - 0.289) < room
        if not near or high > 0.5 or low < -0.5:
            cause = "That looks like normal numbers, N(0, 1)" if high > 2 else "That is too wide"
            raise Mistake(
                f"{name} runs from {low:.2g} to {high:.2g} with spread {part.std():.2g}. "
                f"{cause}: draw evenly from -0.5..0.5, as rng.random(...) - 0.5 does."
            )
    return "Shapes follow n_hidden, and all numbers lie evenly in -0.5..0.5." + _type_note(*parts)


@check
def init_params_scaled(function):
    parts, _ = _start(function)
    W1, b1, W2, b2 = parts
    for name, bias in (("b1", b1), ("b2", b2)):
        if bias.any():
            raise Mistake(f"{name} is not zero. Here only the weights are random: use np.zeros.")
    for name, W, n_in in (("W1", W1, PIXELS), ("W2", W2, 300)):
        spread, right, n_out = W.std(), np.sqrt(2 / n_in), W.shape[0]
        # Five standard errors of a spread over W2's 3,000 numbers are 6.5 %; then of the mean.
        if abs(spread / right - 1) < 0.065 and abs(W.mean()) < 5 * right / np.sqrt(W.size):
            if np.abs(W).max() < 2.5 * right:
                raise Mistake(f"{name} has the right spread, but use rng.standard_normal(...).")
            continue
        for wrong, hint in (
            (1, "The weights are not scaled: multiply them by (2 / n_in) ** 0.5."),
            (2 / n_in, "That is 2 / n_in, the variance: multiply by its root, (2 / n_in) ** 0.5."),
            (np.sqrt(1 / n_in), "That is sqrt(1 / n_in), but ReLU silences half: use 2 / n_in."),
            (np.sqrt(2 / n_out), "That is sqrt(2 / n_out): count what comes in, W.shape[1]."),
            (np.sqrt(2 / PIXELS), "That is layer 1's scale: W2 has n_hidden inputs, not 784."),
            (0.289 * right, "Those are even, not normal numbers: use rng.standard_normal(...)."),
            (spread, "Multiply standard normal numbers by (2 / n_in) ** 0.5."),
        ):
            if abs(spread / wrong - 1) < 0.065:
                raise Mistake(f"{name} has spread {spread:.3g}, it must be {right:.3g}. {hint}")
    note = _type_note(*parts)
    return "The weights' spread is the root of 2 / n_in, and the biases are zero." + note


# --- The way forward ------------------------------------------------------------------------------


@check
def ReLU(function):
    for dtype, shape in itertools.product(TYPES, [(3, 5), (4, 1), (1, 3)]):
        Z = (np.arange(np.prod(shape)).reshape(shape) % 7 - 3.0).astype(dtype) * dtype(0.75)
        Z[0, 0], Z[-1, -1] = -1e4, 1e4
        cure = "Return np.maximum(Z, 0), which compares each number with 0."
        typical = [
            (Z, "Z came back as it was. Negative numbers must become 0: np.maximum(Z, 0)."),
            (Z > 0, "it returns the mask (1 where Z > 0). Return Z itself there, and 0 elsewhere."),
            (np.abs(Z), "negative numbers became positive. They must become 0."),
            (np.minimum(Z, 0), "it keeps the negative numbers"),
            (np.where(Z > 0, Z, 0.01 * Z), "this is the leaky ReLU. Use 0, not 0.01 * Z."),
            (Z.max(0), "np.max reduces the array to its largest numbers"),
            (ref.sigmoid(Z), "this is the sigmoid"),
            (Z[Z > 0], "it returns the positive numbers only. Keep the shape of Z, with 0s."),
        ]
        got = call(function, (), {}, cure, Z=Z.copy())
        same(function, "the answer", got, np.maximum(Z, 0), typical, cure, [dtype])
    return "Negative numbers become 0, the others stay, and Z itself is unchanged."


@check
def softmax(function):
    rng = np.random.default_rng(5)
    cure = "Divide np.exp(Z) by each column's sum: E.sum(axis=0)."
    for dtype, m in itertools.product(TYPES, (4, 1)):
        Z = rng.normal(0, 2, (CLASSES, m)).astype(dtype)
        (wide,) = ref.wide(Z)
        E, stable = np.exp(wide), np.exp(wide - wide.max(0))
        typical = [
            (E, "the columns do not sum to 1"),
            (stable, "the columns do not sum to 1"),
            (E / E.max(0), "the columns do not sum to 1"),
            (E / E.sum(), "the whole array sums to 1"),
            (stable / stable.sum(), "the whole array sums to 1"),
            (E / E.sum(1, keepdims=True), "each row sums to 1"),
            (stable / stable.sum(1, keepdims=True), "each row sums to 1"),
            (wide / wide.sum(0), "there is no np.exp"),
            (ref.softmax(-wide), "the largest score got the smallest share. Mind the sign of Z."),
            (ref.sigmoid(wide), "this is the sigmoid, entry by entry"),
        ]
        changed = "Z -= ... works in place: write Z - Z.max(...) in a new array."
        got = call(function, (), {}, changed, Z=Z.copy())
        typical = typical if m > 1 else ()
        same(function, "the answer", got, ref.softmax(wide), typical, cure, [dtype])
    up, down = np.linspace(1, -1, CLASSES)[:, None], np.linspace(-0.999, -1, CLASSES)[:, None]
    cure = "Subtract each column's largest score first: Z - Z.max(axis=0)."
    spoilt = "one column spoils another. Subtract each column's own largest, Z.max(axis=0)."
    parts = (
        (up, f"np.exp overflows. {cure}"),
        (down, f"every np.exp is 0. {cure}"),
        (np.hstack([up, down, up / 2]), spoilt),
    )
    for dtype, scale, (part, cause) in itertools.product(TYPES, (1e3, 1e4), parts):
        Z = (part * scale).astype(dtype)
        got = call(function, Z=Z.copy())
        # By logarithms, exp(Z - log(sum(exp(Z)))), each of ten sums rounds by half a digit of Z.
        room = max(TOLERANCE[np.dtype(dtype)], 4 * scale * np.finfo(dtype).eps)
        if not np.isfinite(got).all() or not np.allclose(np.sum(got, 0), 1, atol=max(room, 1e-3)):
            what = "NaN or infinity" if not np.isfinite(got).all() else "no column sum of 1"
            raise Mistake(f"scores as large as {scale:,.0f} give {what}: {cause}")
        right = ref.softmax(Z.astype(np.float64))
        same(function, "the answer", got, right, types=[dtype], tolerance=room)
    return "Every column sums to 1, and scores of 10,000 do not overflow."


@check
def forward_prop(function):
    names = ("Z1", "A1", "Z2", "A2")
    cures = {
        "Z1": "Add b1: W1 @ X + b1.",
        "A1": "Pass Z1 through ReLU: A1 = ReLU(Z1).",
        "Z2": "Layer 2 is fed what layer 1 puts out: W2 @ A1 + b2.",
        "A2": "Turn the scores into probabilities: A2 = softmax(Z2).",
    }
    for dtype, m in itertools.product(TYPES, (5, 1)):
        params, X, _ = ref.network(dtype, m)
        W1, b1, W2, b2, wide = ref.wide(*params, X)
        Z1, A1, Z2, A2 = right = ref.forward(params, X)
        typical = {
            "Z1": [(W1 @ wide, "Z1 lacks its bias")],
            "A1": [(Z1, "A1 is the same as Z1")],
            "Z2": [
                (W2 @ A1, "Z2 lacks its bias. Add b2: W2 @ A1 + b2."),
                (W2 @ Z1 + b2, "Z2 was made from Z1"),
            ],
            "A2": [
                (Z2, "A2 is the same as Z2"),
                (np.maximum(Z2, 0), "A2 went through ReLU"),
                (ref.softmax(A1), "A2 is the softmax of A1"),
            ],
        }
        got = call(function, names, W1=params[0], b1=params[1], W2=params[2], b2=params[3], X=X)
        all_same(function, names, got, right, typical, cures, [dtype])
    return "Z1, A1, Z2 and A2 agree for five examples and for one."


@check
def cross_entropy(function):
    params, X, labels = ref.network()
    probabilities = ref.forward(params, X)[3]
    cure = "Average -np.log(A2[Y, np.arange(m)]) over the m examples."
    changed = "Put a floor under the probabilities in a new array: p = np.maximum(p, tiny)."
    for dtype, kind, m in itertools.product(TYPES, (np.uint8, np.int64), (5, 1)):
        A2, Y = probabilities[:, :m].astype(dtype), labels[:m].astype(kind)
        p, L = A2[Y, range(m)].astype(np.float64), ref.labels(Y)
        right, logs = ref.loss(A2.astype(np.float64), Y), np.log(A2.astype(np.float64))
        typical = [
            (-np.log(p).sum(), "the loss was summed, not averaged"),
            (-right, "the loss is negative. Logarithms of probabilities are: add a minus sign."),
            (right / np.log(2), "this is log2. Use the natural logarithm, np.log."),
            (right / np.log(10), "this is log10. Use the natural logarithm, np.log."),
            (right / CLASSES, "the mean ran over all 10 x m entries"),
            (right * m / CLASSES, "it divides by 10, the classes"),
            (-np.log(p), "it returns one number for each example"),
            (-logs.mean(), "it uses all ten probabilities"),
            (-logs.sum(0).mean(), "it uses all ten probabilities"),
            (-logs[Y].mean(), "A2[Y] takes whole rows"),
            (-np.log(A2.max(0)).mean(), "it uses the largest probability, not the right digit's"),
            (-np.log(p.mean()), "the mean was taken before the logarithm"),
            (((A2 - L) ** 2).sum(0).mean(), "this is the squared error"),
        ]
        got = call(function, (), {}, changed, A2=A2.copy(), Y=Y.copy())
        # 2e-6: a small constant that guards against log(0) is a right answer, too.
        same(function, "the loss", got, right, typical, cure, tolerance=2e-6)
    for dtype in TYPES:
        A2 = np.zeros((CLASSES, 3), dtype)
        A2[[4, 1, 1], range(3)] = 1
        for Y, want in ((np.array([4, 1, 1]), "0"), (np.array([4, 1, 2]), "a large number")):
            got = call(function, (), {}, changed, A2=A2.copy(), Y=Y)
            # 3: with three examples, a floor of 1e-4 or less under the probability gives more
            if not np.isfinite(got) or (abs(got) > 1e-5 if want == "0" else got < 3):
                raise Mistake(
                    f"a probability of 0 gives {got} in {np.dtype(dtype)}, it must give {want}. "
                    "Do not take the log of zero and leave no example out: pick the right digit's "
                    "entry, and keep it above np.finfo(A2.dtype).tiny."
                )
    for hint, Y in _many_labels():
        A2 = ref.softmax(np.random.default_rng(9).normal(0, 0.5, (CLASSES, Y.size)))
        A2 = A2.astype(np.float32)
        got = call(function, (), {}, changed, A2=A2.copy(), Y=Y.copy())
        right = ref.loss(A2.astype(np.float64), Y)
        same(function, "the loss", got, right, (), hint or cure, tolerance=2e-5)
    return "It is the mean over the examples, and a probability of 0 does not break it."


# --- The way back ---------------------------------------------------------------------------------


@check
def one_hot(function):
    examples = [3, 0, 9, 3], [5], [2, 0, 1, 2, 1], [0, 0]
    cure = "In a (10, m) array of zeros set one entry a column: [Y, np.arange(Y.size)] = 1."
    for kind, Y in itertools.product((np.int64, np.uint8), examples):
        Y = np.array(Y, dtype=kind)
        right, signed = ref.labels(Y), Y.astype(int)
        few = right[: signed.max() + 1]
        rows = np.zeros_like(right)
        rows[Y] = 1
        typical = [
            (right.T, "it came out as (m, 10), one row a label. Transpose it: one column each."),
            (ref.labels(signed - 1), "the ones are one row too high. Use Y, not Y - 1."),
            (ref.labels((signed + 1) % 10), "the ones are one row too low. Use Y, not Y + 1."),
            (few, "it has Y.max() + 1 rows. There are always 10 classes, also when no 9 is there."),
            (rows, "whole rows are 1"),
            (right[1:], "it has 9 rows. There are 10 digits, 0 to 9."),
            (np.zeros_like(right), "it is all zeros"),
            (right * Y, "it holds the labels themselves. Put a 1 there, not the label."),
        ]
        got = call(function, Y=Y.copy())
        same(function, "the answer", got, right, typical, cure)
    for hint, Y in _many_labels():
        got = call(function, Y=Y.copy())
        same(function, "the answer", got, ref.labels(Y), (), hint or cure)
    return "Ten rows always, one column and a single 1 for each label." + _type_note(got)


@check
def ReLU_deriv(function):
    cure = "It must be 1 where Z > 0, and 0 elsewhere."
    for dtype, m in itertools.product(TYPES, (5, 1)):
        Z = np.array([[-2, 3, 0.5, -0.5, 1e4], [0.25, -1e4, 7, 0.75, -3]], dtype)[:, :m]
        typical = [
            (np.maximum(Z, 0), "this is ReLU itself, not its slope"),
            (Z < 0, "it is the other way round"),
            (np.ones_like(Z), "it is 1 everywhere"),
            (np.sign(Z), "it is -1 where Z is negative"),
        ]
        got = call(function, Z=Z.copy())
        same(function, "the answer", got, Z > 0, typical, cure)
        with np.errstate(all="ignore"):  # at 0, the slope of either side or their mean is right
            if not np.isin(call(function, Z=np.zeros_like(Z)), (0, 0.5, 1)).all():
                raise Mistake(f"where Z is 0 it is neither 0 nor 1. {cure}")
        kind = np.asarray(got).dtype
        if kind.kind == "f" and kind.itemsize < Z.itemsize:
            raise Mistake(f"it came out as {kind} from {Z.dtype}. Use the type of Z.")
    return f"It is 1 where Z is positive and 0 where Z is negative.{_type_note(np.asarray(got))}"


@check
def backward_prop(function):
    names = ("dW1", "db1", "dW2", "db2")
    use_m = "Divide by m = X.shape[1], the number of examples, once."
    use_dZ2 = "dZ2 is A2 - one_hot(Y)."
    use_mask = "Multiply W2.T @ dZ2 by ReLU_deriv(Z1), which is 1 where Z1 > 0."
    no_mask = "Multiply W2.T @ dZ2 by ReLU_deriv(Z1); A1 >= 0 holds everywhere."
    cures = {
        "dW1": "It needs the shape of W1: dZ1 @ X.T / m.",
        "dW2": "It needs the shape of W2: dZ2 @ A1.T / m.",
        "db1": "Sum over the examples only: axis=1, keepdims=True.",
        "db2": "Sum over the examples only: axis=1, keepdims=True.",
    }
    for dtype, m in itertools.product(TYPES, (5, 1)):
        params, X, Y = ref.network(dtype, m)
        *params64, wide = ref.wide(*params, X)
        Z1, A1, Z2, A2 = forward = ref.forward(params, X)
        L, back = ref.labels(Y), params64[2].T @ (A2 - ref.labels(Y))
        right = ref.gradients(params64, wide, Y)
        scenes = [
            ({"dZ2": L - A2}, f"has the wrong sign, so each step would climb. {use_dZ2}"),
            ({"m": 1}, f"is m times too large. {use_m}"),
            ({"m": m * m}, f"was divided by m twice. {use_m}"),
            ({"m": Z1.shape[0]}, f"was divided by the number of hidden units. {use_m}"),
            ({"m": CLASSES}, f"was divided by 10, the classes. {use_m}"),
            ({"m": PIXELS}, f"was divided by 784, the pixels. {use_m}"),
            ({"dZ2": A2 - Y}, f"is wrong: the labels themselves were subtracted. {use_dZ2}"),
            ({"dZ2": A2}, f"does not know the labels. {use_dZ2}"),
            ({"dZ2": 2 * (A2 - L)}, f"is twice too large. {use_dZ2}"),
            ({"mask": 1}, f"is wrong: the mask is missing or always true. {no_mask}"),
            ({"mask": Z1 < 0}, f"is wrong: the mask is the wrong way round. {use_mask}"),
            ({"mask": A1}, f"is wrong: it multiplies by ReLU(Z1). {use_mask}"),
            ({"mask": back > 0}, f"is wrong: the mask was made from W2.T @ dZ2. {use_mask}"),
        ]
        wrong = [(ref.gradients(params64, wide, Y, **scene), text) for scene, text in scenes]
        typical = {
            names[i]: [(each[i], f"{names[i]} {text}") for each, text in wrong]
            for i in (2, 3, 0, 1)
        }
        dZ2, dZ1 = (A2 - L) / m, back * (Z1 > 0) / m
        typical["dW2"] += [(dZ2 @ Z1.T, "dW2 was made from Z1"), (right[2].T, "dW2 is transposed")]
        typical["dW1"] += [(right[0].T, "dW1 is transposed")]
        for name, d, i in (("db1", dZ1, 1), ("db2", dZ2, 3)):
            flat = f"{name} has shape {right[i][:, 0].shape}, it must be {right[i].shape}"
            for scale in (1, m):  # with and without / m
                typical[name] += [
                    (d.sum() * scale, f"{name} came out as a single number"),
                    (right[i] * 0 + d.sum() * scale, f"{name} is the same number for every unit"),
                    (d.sum(0) * scale, f"{name} was summed over the units"),
                    (d.sum(0)[None] * scale, f"{name} was summed over the units"),
                    (right[i][:, 0] * scale, flat),
                ]
        Z1, A1, Z2, A2 = (each.astype(dtype) for each in forward)
        given = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2, "W1": params[0], "W2": params[2]}
        got = call(function, names, **given, X=X, Y=Y)
        all_same(function, names, got, right, typical, cures, _types(function, dtype))
        if dtype is np.float64 and m > 1:
            count = _gradient_check(params64, wide, Y, got)
    return f"All {count:,} gradients agree with the measured slopes."


@check
def update_params(function):
    for dtype, alpha in itertools.product(TYPES, (0.25, 3.0)):
        params, X, Y = ref.network(dtype)
        wide = ref.wide(*params)
        gradients = ref.gradients(wide, X.astype(np.float64), Y)
        steps = [each.astype(dtype) for each in gradients]
        right = [p - alpha * d for p, d in zip(wide, gradients, strict=True)]
        typical = {
            name: [
                (p, f"{name} came back as it was"),
                (p + alpha * d, f"{name} climbs. Subtract the step: {name} - alpha * d{name}."),
                (p - d, f"{name}: alpha is not used"),
                (p - d / alpha, f"{name}: the step was divided by alpha"),
                (-alpha * d, f"{name} is the step alone"),
                (alpha * d, f"{name} is the step alone"),
                (alpha * (p - d), f"{name}: alpha multiplies all. Mind the brackets."),
            ]
            for name, p, d in zip(PARAMS, wide, gradients, strict=True)
        }
        cures = {name: f"It must be {name} - alpha * d{name}." for name in PARAMS}
        keys = [*PARAMS, *(f"d{name}" for name in PARAMS)]
        given = dict(zip(keys, [*params, *steps], strict=True), alpha=alpha)
        changed = "W1 -= ... works in place: write W1 = W1 - alpha * dW1, which makes a new array."
        got = call(function, PARAMS, {}, changed, **given)
        all_same(function, PARAMS, got, right, typical, cures, [dtype])
    return "All four go downhill by alpha times their gradient, in new arrays."


# --- The training ---------------------------------------------------------------------------------


@check
def get_predictions(function):
    params, X, _ = ref.network()
    cure = "Return the digit for each column: A2.argmax(axis=0)."
    for dtype, m in itertools.product(TYPES, (5, 1)):
        A2 = np.roll(ref.forward(params, X)[3], [1, 4], axis=[0, 1])[:, :m].astype(dtype)
        right = A2.argmax(0)
        typical = [
            (A2.argmax(1), "it searched along each row"),
            (A2.argmax(), "it returned one number for all"),
            (A2.max(0), "it returned the largest probabilities, not where they are"),
            (A2.argmin(0), "it chose the least likely digit"),
            (right + 1, "each answer is one too high. Row 0 is digit 0: do not add 1."),
            (np.round(A2), "it rounded the probabilities"),
            (right[None], "it came out as (1, m). Return one flat array: leave out keepdims=True."),
        ]
        got = call(function, A2=A2.copy())
        same(function, "the answer", got, right, typical, cure)
    many = np.random.default_rng(9).random((CLASSES, 300), dtype=np.float32)
    same(function, "the answer", call(function, A2=many.copy()), many.argmax(0), (), cure)
    return "One digit for each column: the row of its largest probability."


@check
def get_accuracy(function):
    Y = np.array([3, 0, 8, 3, 7, 1, 9])
    guesses = np.array([3, 1, 8, 3, 9, 2, 9])  # 4 of 7
    cure = "Take the mean of predictions == Y."
    parts = slice(7), slice(1), slice(1, 2), slice(2, 4)
    for kind, part in itertools.product((np.int64, np.uint8), parts):
        predictions, labels = guesses[part].astype(kind), Y[part].astype(np.uint8)
        hits = predictions == labels
        table = (
            "every prediction was compared with every label. "
            "Both must have the shape (m,): a column (m, 1) makes an m x m table."
        )
        typical = [
            (hits.mean() * 100, "it came out in percent. Return a share, 0 to 1."),
            (hits.sum(), "it counted the hits. Divide by their number, Y.size."),
            (1 - hits.mean(), "it is the share of mistakes"),
            (hits, "it returned one answer for each example"),
            ((predictions[:, None] == labels).mean(), table),
            (hits.mean() // 1, "the division lost its fraction. Use / and not //."),
            (hits.sum() / CLASSES, "it divides by 10. Divide by the number of examples, Y.size."),
        ]
        got = call(function, predictions=predictions.copy(), Y=labels.copy())
        typical = typical if hits.size > 2 else ()
        same(function, "the answer", got, hits.mean(), typical, cure, tolerance=1e-6)
    for hint, Y in _many_labels():
        predictions = np.where(np.arange(Y.size) % 10 < 9, Y, (Y + 1) % 10).astype(np.int64)
        for guesses in (predictions, predictions.astype(Y.dtype)):
            got = call(function, predictions=guesses, Y=Y.copy())
            same(function, "the answer", got, 0.9, (), hint or cure, tolerance=1e-6)
    return "It is the share of right answers, from 0 to 1."


@check
def gradient_descent(function):
    parameters = inspect.signature(function).parameters
    whole = (slice(None), slice(None))  # every step takes all examples

    def end(params, X, Y, alpha, steps):
        return ref.train(params, X, Y, alpha, [whole] * steps)

    def compare(got, params, X, Y, alpha, k, dtype):
        right, ends = end(params, X, Y, alpha, k), []
        if not all_close(got, right, TOLERANCE[np.dtype(dtype)]):
            ends = [
                (alpha, 0, "did not move. Keep what update_params returns: W1, b1, W2, b2 = ..."),
                (-alpha, k, "climbed. update_params must subtract alpha times the gradient."),
                (alpha, 1, "took one step only. Move return out of the loop, to the left."),
                (alpha, k - 1, "took one step too few. Loop over range(iterations)."),
                (alpha, k + 1, "took one step too many. Loop over range(iterations)."),
            ]
        ends = [(end(params, X, Y, step, n), text) for step, n, text in ends]
        typical = {
            name: [(end[i], f"{name} {text}") for end, text in ends]
            for i, name in enumerate(PARAMS)
        }
        all_same(function, PARAMS, got, right, typical, "", _types(function, dtype))

    small, ends = ref.network(), []
    for alpha in (0.01, 0.02):
        got, seen = _descend(function, *small, alpha, 4)
        if seen.starts > 1:
            raise Mistake("it starts from fresh weights at each step. Call init_params only once.")
        if not seen.starts:
            raise Mistake("it never calls init_params. Start with W1, b1, W2, b2 = init_params().")
        ends.append(got)
    if not np.array_equal(ends[0][0], small[0][0]) and all(map(np.array_equal, *ends)):
        raise Mistake("another alpha gives the same result. Hand alpha on to update_params.")
    path = [small[0]]  # the right parameters after 0, 1, 2, ... steps
    for _ in range(20):
        path.append(end(path[-1], *small[1:], 0.01, 1))
    if not all_close(ends[0], path[4], TOLERANCE[np.dtype(np.float64)]):
        compare(ends[0], *small, 0.01, 4, np.float64)
    compare(ends[1], *small, 0.02, 4, np.float64)
    params, X, Y = ref.network(np.float32)
    got, _ = _descend(function, params, X, Y, 0.01, 2)
    compare(got, params, X, Y, 0.01, 2, np.float32)
    if "params" in parameters:
        given = tuple(each * 0.5 for each in params)
        kept = copy.deepcopy(given)
        got, seen = _descend(function, params, X, Y, 0.01, 2, params=given)
        if not all(map(np.array_equal, given, kept)):
            raise Mistake("it changed the params that it was given. Write W1 = W1 - ..., not -=.")
        if seen.starts:
            raise Mistake("it was given params and started afresh. Use them if they are not None.")
        compare(got, given, X, Y, 0.01, 2, np.float32)
    if "history" in parameters:
        _records(function, *small[1:], path)
    _stops(function, *small[1:], path, {"history", "dev"} & parameters.keys())
    return "It takes as many steps as asked, each downhill, from one start."


# What a row of a training history holds besides its step and params
MEASURED = ("seconds", "train_loss", "train_accuracy", "dev_loss", "dev_accuracy")


def _descend(function, start, X, Y, alpha, iterations, stop=None, at=None, **keywords):
    """Run gradient_descent -> (what it returned, what was seen on the way).

    The learner's start is random: here their init_params hands out `start` instead. record only
    notes what it is handed, and what they print is not shown. stop: an exception to raise, out of
    record at step `at` or, with at=("backward_prop", n), out of the nth backward_prop.
    seen: starts, the calls of init_params; rows, what each record got; stopped, if stop was raised.
    """
    home = getattr(inspect.unwrap(function), "__globals__", {})
    names = {"init_params", "init_params_scaled", "record", "backward_prop"} & home.keys()
    own = {name: home[name] for name in names}
    seen = types.SimpleNamespace(starts=0, rows=[], stopped=False, steps=0)

    def init_params(*_, **__):
        seen.starts += 1
        return copy.deepcopy(start)

    def record(*values, **named):
        with contextlib.suppress(ValueError):
            inspect.signature(own["record"]).bind(*values, **named)
        order = ("history", "step", "params", "X", "Y", "dev")
        row = dict(zip(order, values, strict=False), **named)
        if row.get("history") is None:
            return
        row["params"] = copy.deepcopy(row.get("params"))
        seen.rows.append(row)
        if isinstance(row["history"], list):
            measured = dict.fromkeys(MEASURED, 0.5)
            row["history"].append(measured | {"step": row.get("step"), "params": row["params"]})
        if row.get("step") == at:
            halt()

    def backward_prop(*values, **named):
        seen.steps += 1
        if at == ("backward_prop", seen.steps):
            halt()
        return own["backward_prop"](*values, **named)

    def halt():
        seen.stopped = True
        raise stop

    fakes = {"init_params": init_params, "init_params_scaled": init_params}
    fakes |= {"record": record, "backward_prop": backward_prop}
    home.update({name: fakes[name] for name in names})
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            given = {"X": X, "Y": Y, "alpha": alpha, "iterations": iterations}
            return call(function, PARAMS, keywords, **given), seen
    except (KeyboardInterrupt, Mistake) as error:
        cause = getattr(error, "cause", error)
        if not seen.stopped or not isinstance(cause, type(stop)):
            raise
        return None, seen  # let through to whoever called
    finally:
        home.update(own)


def _records(function, X, Y, path):
    """record must get the steps 0, 10, 20, and the arguments that gradient_descent was handed."""
    if "record" not in getattr(inspect.unwrap(function), "__globals__", {}):
        return
    params = path[0]
    history, dev = [], (X[:, 1:4], Y[1:4])
    _, seen = _descend(function, params, X, Y, 0.01, 20, history=history, dev=dev)
    steps = [row.get("step") for row in seen.rows]
    if steps != [0, 10, 20]:
        raise Mistake(
            f"in 20 steps it called record at the steps {steps}, not at [0, 10, 20]. Call it "
            "before the loop with 0, and in the loop, after the update, if i % 10 == 0."
        )
    for step, row in zip(steps, seen.rows, strict=True):
        got, at = row["params"], f"at step {step}, record gets"
        if not isinstance(got, (tuple, list)) or list(map(np.shape, got)) != [
            each.shape for each in params
        ]:
            raise Mistake(f"{at} other params. Hand them on as one tuple: (W1, b1, W2, b2).")
        if not all_close(got, path[step], TOLERANCE[np.dtype(np.float64)]):
            late = "" if step else "Call it before the loop. "
            raise Mistake(
                f"{at} params that are not those after {step} steps. {late}Hand on the newest "
                "(W1, b1, W2, b2), in this order, after the update."
            )
        if row["history"] is not history:
            raise Mistake(f"{at} another list as history. Hand on history itself.")
        for name, want in (("X", X), ("Y", Y)):
            if not np.array_equal(row.get(name), want):
                raise Mistake(f"{at} the wrong {name}. Hand on {name}, the training examples.")
        given = row.get("dev")
        if not isinstance(given, (tuple, list)) or len(given) != 2:
            raise Mistake(f"{at} no pair as dev. Hand on dev as it came in.")
        if not all(map(np.array_equal, given, dev)):
            raise Mistake(f"{at} the wrong examples as dev. Hand on dev as it came in.")


def _stops(function, X, Y, path, names):
    """Stop and a loss that is no number end the training and keep the network.

    A function may catch both itself and return the network, or let them through to its caller.
    """
    button = "pressing the stop button (KeyboardInterrupt)"
    nan = "a loss that is not a number (FloatingPointError out of record)"
    for stop, at, what, done in (
        (KeyboardInterrupt(), ("backward_prop", 12), button, 11),
        (KeyboardInterrupt(), 10, button, 10),
        (FloatingPointError("not a number"), 10, nan, 10),
    ):
        keywords = {name: {"history": [], "dev": (X, Y)}[name] for name in names}
        try:
            got, seen = _descend(function, path[0], X, Y, 0.01, 13, stop, at, **keywords)
        except Mistake as mistake:
            raise Mistake(f"after {what}: {mistake}", mistake.cause) from None
        if got is None or not seen.stopped:
            continue
        # Either the network as it is, or the one that record got last.
        exact = TOLERANCE[np.dtype(np.float64)]
        if not any(all_close(got, path[k], exact) for k in {done, 10}):
            raise Mistake(
                f"{what} must end the training and keep the network of that moment. Leave try out, "
                "or put the whole loop in it and return W1, b1, W2, b2 after it."
            )


# --- The ladder: mini-batches, momentum, moved images ---------------------------------------------


@check
def minibatches(function):
    starts = "Let start run over range(0, m, batch_size)."

    @functools.wraps(function)
    def batches_of(*arguments):
        answer = function(*arguments)
        return None if answer is None else list(answer)  # a generator starts its work only here

    def run(m, batch_size, rng):
        batches = call(batches_of, m=m, batch_size=batch_size, rng=rng)
        with contextlib.suppress(ValueError):  # lists of unequal length
            batches = [np.asarray(each) for each in batches]
            if any(each.size == 0 for each in batches):
                empty = f"with m={m} and batch_size={batch_size}, a batch is empty. {starts}"
                raise Mistake(empty)
            if all(each.ndim == 1 and each.dtype.kind in "iu" for each in batches):
                return batches
        raise Mistake("each batch must be a flat array of whole numbers. Slice the order.")

    cut = "Each but the last must hold batch_size: order[start : start + batch_size]."
    dropped = f"The last batch may be smaller. {starts}"
    replaced = "Draw without putting back: order = rng.permutation(m), once, before the loop."
    together = "the same examples always stay together. Shuffle all m numbers, then cut them up."
    rng = np.random.default_rng(3)
    for m, size in ((1000, 64), (9, 3), (5, 8), (1, 4)):
        batches = run(m, size, rng)
        sizes = [each.size for each in batches]
        flat = np.concatenate([*batches, np.zeros(0, int)])
        top, seen, left = flat.max(initial=0), np.unique(flat).size, m - flat.size
        ordered = m == 1000 and np.array_equal(flat, np.arange(m))
        neighbours = m == 1000 and all(np.ptp(each) == each.size - 1 for each in batches)
        uneven = max(sizes, default=0) > size or min(sizes[:-1], default=size) < size
        for wrong, text in (
            (flat.size == seen == m // size * size < m, f"the last {left} are left out. {dropped}"),
            (top >= m, f"{top} came out. The numbers run from 0 to m - 1: rng.permutation(m)."),
            (flat.size > max(m, seen), "some numbers came twice. Move on by batch_size each time."),
            (flat.size > seen, f"some numbers came twice. {replaced}"),
            (left, f"only {flat.size} of {m} numbers came out. Yield inside the loop."),
            (ordered, "the numbers come in order. Shuffle them: order = rng.permutation(m)."),
            (neighbours, f"each batch holds neighbours, so {together}"),
            (uneven, f"a batch holds {max(sizes, default=0)} numbers. {cut}"),
        ):
            if wrong:
                raise Mistake(f"with m={m} and batch_size={size}, {text}")
    if np.array_equal(*(run(1000, 64, rng)[0] for _ in range(2))):
        raise Mistake("each call gives the same order. Use the rng that is handed in.")
    if not np.array_equal(*(run(1000, 64, np.random.default_rng(8))[0] for _ in range(2))):
        raise Mistake("it does not use rng. Shuffle with rng.permutation(m), not np.random.")
    return "Each number comes once in each pass, in random order, the last few included."


@check
def train_epoch(function):
    # Five examples, two a batch: 30 orders give different results, and each of them is right. So
    # it does not matter how the order is drawn.
    alpha, beta, exact = 0.002, 0.5, TOLERANCE[np.dtype(np.float64)]
    every = [list(order) for order in itertools.permutations(range(5))]
    orders = [o for o in every if o[0] < o[1] and o[2] < o[3]]
    pairs = [[(o[:2], o[:2]), (o[2:4], o[2:4]), (o[4:], o[4:])] for o in orders]
    crossed = [[(o[:2], [0, 1]), (o[2:4], [2, 3]), (o[4:], [4])] for o in every]
    whole = [[(every[0], every[0])]]
    params, X, Y = ref.network()

    def ends(orders=pairs, step=alpha, **other):
        return (ref.train(params, X, Y, step, batches, **other) for batches in orders)

    def near(got, ends):
        return any(all_close(got, end, exact) for end in ends)

    def run(dtype=np.float64, size=2, rng=None, **keywords):
        small, X, Y = ref.network(dtype)
        given = {"params": small, "X": X, "Y": Y, "alpha": alpha, "batch_size": size}
        return call(function, PARAMS, keywords, **given, rng=rng or np.random.default_rng(4))

    def compare(got, right, dtype):
        nothing = dict.fromkeys(PARAMS, ())
        all_same(function, PARAMS, got, right, nothing, "", _types(function, dtype))

    both = "X[:, batch] and Y[batch]"
    got = run()
    for found, right in enumerate(ends()):
        if near(got, [right]):
            pairs.insert(0, pairs.pop(found))  # most likely the order of the next runs, too
            break
    else:
        for wrong, text in (
            ([params], "nothing moved. Keep what update_params returns: params = ..."),
            (ends([p[:1] for p in pairs]), "it stopped after the first batch. Move return left."),
            (ends([p[:2] for p in pairs]), "the last, smaller batch was left out. Use all."),
            (ends([p[2:] for p in pairs]), "only the last batch counts. Write params = ..."),
            (ends(frozen=True), "all gradients were taken at the start. Take each at new params."),
            (ends(m=5), "the gradients were divided by all m examples. Divide by the batch's."),
            (ends(whole), f"it made one step with all examples. For each batch take {both}."),
            (ends(step=-alpha), "it climbed. update_params must subtract the step."),
            (ends(crossed), f"X was shuffled and Y was not. Take {both}."),
        ):
            if near(got, wrong):
                raise Mistake(text)
        # With one batch of all five there is no order to guess, so the wrong array can be named.
        compare(run(size=5), next(ends(whole)), np.float64)
        raise Mistake(f"no order of the examples gives these weights. For each batch take {both}.")
    rng = np.random.default_rng(4)
    if all(near(run(rng=rng), [got]) for _ in range(5)):
        raise Mistake("each pass takes the same order. Hand on the rng that is handed in.")
    got = run(np.float32)
    if not all_close(got, right, TOLERANCE[np.dtype(np.float32)]):  # took another order
        right = min(ends(), key=lambda end: np.abs(end[0] - got[0]).max())
    compare(got, right, np.float32)
    called = []

    def momentum(velocity, gradients):
        called.append(1)
        return [beta * v + g for v, g in zip(velocity, gradients, strict=True)]

    parameters = inspect.signature(function).parameters
    if "momentum" in parameters and not near(got := run(momentum=momentum), ends(beta=beta)):
        if not called:
            raise Mistake("the function in momentum is not called. Call it for each batch.")
        if near(got, ends()):
            keep = "Keep what momentum returns, and make the zeros once, before the loop."
            raise Mistake(f"the velocity is not carried over. {keep}")
        raise Mistake("with momentum, the weights are wrong. Update with what it returns.")
    if "change" in parameters:
        _changes(run, near, ends)
    return "One step for each batch, each from where the last one ended."


def _changes(run, near, ends):
    """change must be applied to each batch anew, with the rng that train_epoch was handed."""
    factors, shapes, handed = (0.5, 0.25, 0.75), [], []

    def change(X, rng):
        shapes.append(np.shape(X))
        handed.append(rng)
        return X * factors[(len(shapes) - 1) % 3]  # another change for each batch

    use = "Use X_batch = change(X[:, batch], rng) in the loop."
    rng = np.random.default_rng(4)
    got = run(rng=rng, change=change)
    if any(each is not rng for each in handed):
        raise Mistake("change gets another rng. Hand on the rng that is handed in.")
    if near(got, ends(factors=factors)):
        return
    if not shapes or near(got, ends()):
        raise Mistake(f"the function in change has no effect. {use}")
    if len(shapes) == 1:
        raise Mistake(f"change was called once, with {shapes[0]}, not for each batch. {use}")
    raise Mistake(f"with change, the weights are wrong. {use}")


@check
def update_velocity(function):
    rng = np.random.default_rng(6)
    cure = "It must be beta * v + g."
    for dtype, keywords in itertools.product(TYPES, ({}, {"beta": 0.5})):
        beta, shapes = keywords.get("beta", 0.9), [p.shape for p in ref.network()[0]]
        old, new = ([rng.normal(0, 1, each).astype(dtype) for each in shapes] for _ in range(2))
        changed = "*= and += work in place: make new arrays, beta * v + g."
        got = call(function, (), keywords, changed, velocity=old, gradients=new)
        if not isinstance(got, (list, tuple)) or len(got) != len(new):
            raise Mistake("it must return a list of four arrays, one for each gradient. Use zip.")
        for name, one, v, g in zip(PARAMS, got, ref.wide(*old), ref.wide(*new), strict=True):
            typical = [
                (v, "the velocity came back as it was. Add the gradient: beta * v + g."),
                (g, "the old velocity is not used"),
                (beta * v - g, "the sign is wrong. Add the gradient; update_params subtracts."),
                (g - beta * v, "the old velocity is subtracted"),
                (v + beta * g, "beta is on the gradient"),
                (beta * (v + g), "beta multiplies both. Mind the brackets: beta * v + g."),
                (beta * v + (1 - beta) * g, "this is a running mean. Leave 1 - beta out."),
                (v + g, "beta is not used"),
                (0.9 * v + g, "another beta changes nothing. Use beta, not 0.9."),
            ]
            what = f"the velocity of {name}"
            same(function, what, one, beta * v + g, typical, cure, [dtype])
    return "Each velocity is beta times the old one plus the gradient, in new arrays."


@check
def shift_images(function):
    rng = np.random.default_rng(7)
    moves = (2, -3), (-1, 4), (3, 0), (0, 2), (0, -2), (-3, 0), (0, 0)
    shape = "Give it the shape of X: (784, m), one column an image."
    mixed = "X.reshape(-1, 28, 28) mixes the images. They are columns: X.reshape(28, 28, -1)."
    wraps = "what leaves comes in on the other side: np.roll wraps around. Fill with 0."
    empty = "all is 0. With 0, a slice such as [0:] or [:-0] is everything or nothing."
    way = "Pixel (i, j) goes to (i + down, j + right)."
    for dtype, m, (down, right) in itertools.product(TYPES, (3, 1), moves):
        X = rng.uniform(0.1, 1, (m, PIXELS)).astype(dtype).T
        images, mix = X.T.reshape(m, 28, 28), ref.shifted(X.reshape(m, 28, 28), down, right)
        moved, rolled = ref.shifted(images, down, right), np.roll(images, (down, right), (1, 2))
        case = f"with down={down} and right={right}, "
        typical = [
            (moved, f"it came out as (m, 28, 28). {shape}"),
            (moved.transpose(1, 2, 0), f"it came out as (28, 28, m). {shape}"),
            (moved.reshape(m, PIXELS), f"it came out as (m, 784). {shape}"),
            (X, f"{case}nothing moved. Return the moved images."),
            (rolled.reshape(m, PIXELS).T, f"{case}{wraps}"),
            (mix.reshape(m, PIXELS).T, mixed),
            (mix.reshape(PIXELS, m), mixed),
            (X * 0, f"{case}{empty}"),
        ]
        for other, text in (
            ((-down, -right), "it moved the other way"),
            ((right, down), "down and right are exchanged"),
            ((-down, right), "it moved up instead of down"),
            ((down, -right), "it moved left instead of right"),
        ):
            typical.append((ref.shifted(images, *other).reshape(m, PIXELS).T, f"{case}{text}"))
        changed = "Write into a new array: np.zeros_like(X)."
        got = call(function, (), {}, changed, X=X, down=down, right=right)
        want = moved.reshape(m, PIXELS).T
        same(function, f"{case}the answer", got, want, typical, way, [dtype])
    return "The images move by whole pixels, 0 enters, and X itself is unchanged."


# --- A network of the learner's own ---------------------------------------------------------------


def slopes(loss, params, gradients):
    """Check gradients of a network with any layers: one for each array of params.

    loss(params) -> float, the mean loss. params: list of float64 arrays; they are not changed.
    Prints one line, or raises AssertionError with the first entry that is not the slope measured
    by central differences.
    """
    params, gradients = [np.array(p) for p in params], [np.asarray(g) for g in gradients]
    if len(gradients) != len(params):
        raise AssertionError(
            f"slopes: there are {len(params)} parameter arrays, but {len(gradients)} gradients. "
            "Return one gradient for each, in the same order."
        )
    if any(p.dtype != np.float64 for p in params):
        raise AssertionError("slopes: a tiny step needs all digits. Make the params float64.")
    names = [f"gradient {n} of {len(params)}" for n in range(1, len(params) + 1)]
    for name, theta, got in zip(names, params, gradients, strict=True):
        if got.shape != theta.shape:
            raise AssertionError(
                f"slopes: {name} has shape {got.shape}, but its parameter has {theta.shape}. "
                "Look for a missing .T, or a sum without axis=1, keepdims=True."
            )
    for name, slope, got in zip(names, ref.measured(loss, params), gradients, strict=True):
        wrong = ~np.isclose(got, slope, rtol=1e-5, atol=1e-8)
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise AssertionError(
                f"slopes: {name} is wrong in {wrong.sum()} of {wrong.size} entries. The first is "
                f"{at}: yours is {got[at]:.3g}, measured {slope[at]:.3g}. Mend its formula."
            )
    count = sum(theta.size for theta in params)
    print(f"slopes: right. All {count:,} gradients agree with the measured slopes.")
