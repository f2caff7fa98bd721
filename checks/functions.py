"""One check for each function of the notebook, in its order, and `slopes` for other networks.

A check says what came out. Where in the code the mistake is, the search finds (search.py). Only
where a sentence teaches, a pair (what a typical mistake returns, what to say) is in `typical` here.
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
    looking,
    need,
    progress,
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


def _measure(names, loss, params, gradients):
    """Raise Mistake unless the gradients are the measured slopes; returns how many there are."""
    for name, slope, got in zip(names, ref.measured(loss, params), gradients, strict=True):
        # Rounding in the loss, about 1e-16, becomes 1e-11 after the division by 2h.
        wrong = np.argwhere(~np.isclose(got, slope, rtol=1e-5, atol=1e-8))
        if len(wrong):
            at = tuple(map(int, wrong[0]))
            raise Mistake(
                f"{name} is wrong in {len(wrong)} of {got.size} entries. The first is {at}: yours "
                f"is {got[at]:.3g}, measured {slope[at]:.3g}. Mend its formula."
            )
    return sum(theta.size for theta in params)


def _many_labels():
    """300 labels as int64, then as uint8, as the files hold them; with each, what a fault tells."""
    labels = ref.rng(9).integers(0, CLASSES, 300)
    yield "", labels
    narrow = "Labels of type int64 are right: uint8 numbers end at 255, so take Y.astype(int)."
    yield narrow, labels.astype(np.uint8)


# --- The two starts -------------------------------------------------------------------------------


def _start(function):
    """What both starts must fulfil; returns the arrays for 300 hidden units, and b2 of others."""
    parameters = inspect.signature(function).parameters
    need(parameters, "it takes no n_hidden. Write (n_hidden=10), and use it in the shapes.")
    need(
        all(
            p.default is not p.empty or p.kind is not p.POSITIONAL_OR_KEYWORD
            for p in parameters.values()
        ),
        "it must also run without arguments. Give each a default: (n_hidden=10).",
    )
    others = [call(function, PARAMS)[3]]
    parts = call(function, PARAMS, n_hidden=300)
    shapes = [(300, PIXELS), (300, 1), (CLASSES, 300), (CLASSES, 1)]
    for name, part, right in zip(PARAMS, parts, shapes, strict=True):
        with looking(_made(name)):
            _starts_with(name, part, right)
        progress.right += 1
    W1, b1, W2, b2 = parts
    again = b1.std() > 0 and (np.array_equal(W1.ravel()[:300], b1.ravel()) or W1[0, 0] == W2[0, 0])
    text = "the arrays repeat each other's numbers. Make rng once, at the top."
    need(not again, text, r"default_rng|RandomState|seed\(")
    if "seed" in parameters:
        one, same, two = (call(function, PARAMS, {"seed": n}, n_hidden=4) for n in (1, 1, 2))
        others += [one[3], two[3]]
        rng = "rng = np.random.default_rng(seed)"
        for name, first, second in zip(PARAMS, one, same, strict=True):
            twice = f"seed=1 gave two different {name}. Draw all from {rng}."
            drawn = r"random\.(?!default_rng|RandomState)|default_rng\(\)"
            need(np.array_equal(first, second), twice, drawn)
        changed = not np.array_equal(one[0], two[0])
        need(changed, f"seed has no effect. Pass it on: {rng}.", "default_rng|seed")
    return parts, others


def _starts_with(name, part, right):
    """Raise Mistake unless a parameter for n_hidden=300 has the right shape and a useful type."""
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
    kind = getattr(part, "dtype", type(part).__name__)
    need(kind in TYPES, f"{name} came out as {kind}. Make it an array of float32 (or float64).")
    need(
        name in ("b1", "b2") or part[0, 0] != part[-1, -1] or np.ptp(part),
        f"all of {name} is the same number, so all hidden units would learn the same. Draw it at "
        "random.",
    )


def _made(name):
    """Where a parameter is made: a pattern for its assignment, or for a helper's answer."""
    return rf"^[^()]*\b{name}\b\s*(,[^()=]*)?=(?!=)"


@check
def init_params(function):
    parts, others = _start(function)
    # b2 has ten numbers, too few to judge, so those of other starts are judged with them.
    all_b2 = np.unique(np.concatenate([np.ravel(each) for each in (parts[3], *others)]))
    judged = [*parts[:3], all_b2 if np.ptp(parts[3]) else parts[3]]
    for name, part in zip(PARAMS, judged, strict=True):
        with looking(_made(name)):
            _even(name, part)
        progress.right += 1
    return "Shapes follow n_hidden, and all numbers lie evenly in -0.5..0.5." + _type_note(*parts)


def _even(name, part):
    """Raise Mistake unless the numbers lie evenly in -0.5..0.5."""
    low, high, mean, spread = part.min(), part.max(), part.mean(), part.std()
    need(low < high, f"all of {name} is {low:g}. Here biases are random, too: -0.5 to 0.5.")
    # A right b2 that is the same at every start (ten numbers) is above 0 once in a thousand.
    positive = low >= 0 and (part.size > 10 or high > 0.5)
    need(not positive, f"{name} has no negative numbers. Subtract 0.5: it lies in -0.5..0.5.")
    # Five standard errors of the mean and spread of uniform numbers
    room = 5 * 0.289 / np.sqrt(part.size)
    normal = " That looks like normal numbers, N(0, 1)." * bool(high > 2)
    need(
        abs(mean) < room and abs(spread - 0.289) < room and -0.5 <= low and high <= 0.5,
        f"{name} runs from {low:.2g} to {high:.2g} with mean {mean:.2g} and spread {spread:.2g}; "
        f"even numbers in -0.5..0.5 have mean 0, spread 0.29.{normal}",
    )


@check
def init_params_scaled(function):
    parts, _ = _start(function)
    W1, b1, W2, b2 = parts
    for name, bias in (("b1", b1), ("b2", b2)):
        random = f"{name} is not zero. Here only the weights are random: use np.zeros."
        need(not bias.any(), random, _made(name))
    for name, W, n_in in (("W1", W1, PIXELS), ("W2", W2, 300)):
        with looking(_made(name)):
            _scaled(name, W, n_in)
        progress.right += 1
    note = _type_note(*parts)
    return "The weights' spread is the root of 2 / n, and the biases are zero." + note


def _scaled(name, W, n_in):
    """Raise Mistake unless the numbers are normal with spread sqrt(2 / n_in)."""
    spread, right, n_out = W.std(), np.sqrt(2 / n_in), W.shape[0]
    # Five standard errors of a spread over W2's 3,000 numbers are 6.5 %; then of the mean.
    if abs(spread / right - 1) < 0.065 and abs(W.mean()) < 5 * right / np.sqrt(W.size):
        even = f"{name} has the right spread, but use rng.standard_normal(...)."
        need(np.abs(W).max() >= 2.5 * right, even)
        return
    for wrong, hint in (
        (1, "The weights are not scaled: multiply them by (2 / n_in) ** 0.5."),
        (2 / n_in, "That is 2 / n_in, the variance: multiply by its root, (2 / n_in) ** 0.5."),
        (np.sqrt(1 / n_in), "That is sqrt(1 / n_in), but ReLU silences half: use 2 / n_in."),
        (np.sqrt(2 / n_out), "That is sqrt(2 / n_out): count what comes in, W.shape[1]."),
        (np.sqrt(2 / PIXELS), "That is layer 1's scale: W2 has n_hidden inputs, not 784."),
        (0.289 * right, "Those are even, not normal numbers: use rng.standard_normal(...)."),
        (spread, "Multiply standard normal numbers by (2 / n_in) ** 0.5."),
    ):
        if wrong and abs(spread / wrong - 1) < 0.065:
            raise Mistake(f"{name} has spread {spread:.3g}, it must be {right:.3g}. {hint}")


# --- The way forward ------------------------------------------------------------------------------


@check
def ReLU(function):
    for dtype, shape in itertools.product(TYPES, [(3, 5), (4, 1), (1, 3)]):
        Z = (np.arange(np.prod(shape)).reshape(shape) % 7 - 3.0).astype(dtype) * dtype(0.75)
        Z[0, 0], Z[-1, -1] = -1e4, 1e4
        mask = "it returns the mask (1 where Z > 0). Return Z itself there, and 0 elsewhere."
        got = call(function, Z=Z.copy())
        same(function, "the answer", got, np.maximum(Z, 0), [(Z > 0, mask)], [dtype])
    return "Negative numbers become 0, the others stay, and Z itself is unchanged."


@check
def softmax(function):
    rng = ref.rng(5)
    for dtype, m in itertools.product(TYPES, (4, 1)):
        Z = rng.normal(0, 2, (CLASSES, m)).astype(dtype)
        (wide,) = ref.wide(Z)
        E, stable = np.exp(wide), np.exp(wide - wide.max(0))
        typical = [
            (each / each.sum(axis, keepdims=True), text)
            for each in (E, stable)
            for axis, text in (
                (None, "the whole array sums to 1, but each column must."),
                (1, "each row sums to 1, but each column must."),
            )
            if m > 1
        ]
        got = call(function, Z=Z.copy())
        same(function, "the answer", got, ref.softmax(wide), typical, [dtype])
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
    for dtype, m in itertools.product(TYPES, (5, 1)):
        params, X, _ = ref.network(dtype, m)
        right = ref.forward(params, X)
        got = call(function, names, W1=params[0], b1=params[1], W2=params[2], b2=params[3], X=X)
        all_same(function, names, got, right, {}, [dtype])
    return "Z1, A1, Z2 and A2 agree for five examples and for one."


@check
def cross_entropy(function):
    params, X, labels = ref.network()
    probabilities = ref.forward(params, X)[3]
    for dtype, kind, m in itertools.product(TYPES, (np.uint8, np.int64), (5, 1)):
        A2, Y = probabilities[:, :m].astype(dtype), labels[:m].astype(kind)
        wide = A2.astype(np.float64)
        typical = [
            (-np.log(wide[Y]).mean(), "A2[Y] takes whole rows. Take one entry of each column."),
            (-np.log(A2[Y, range(m)].astype(float)), "it returns one number for each example."),
        ]
        got = call(function, A2=A2.copy(), Y=Y.copy())
        # 2e-6: a small constant that guards against log(0) is a right answer, too.
        same(function, "the loss", got, ref.loss(wide, Y), typical, tolerance=2e-6)
    for dtype in TYPES:
        A2 = np.zeros((CLASSES, 3), dtype)
        A2[[4, 1, 1], range(3)] = 1
        for Y, want in ((np.array([4, 1, 1]), "0"), (np.array([4, 1, 2]), "a large number")):
            got = call(function, A2=A2.copy(), Y=Y)
            # 3: with three examples, a floor of 1e-4 or less under the probability gives more
            if not np.isfinite(got) or (abs(got) > 1e-5 if want == "0" else got < 3):
                raise Mistake(
                    f"a probability of 0 gives {got} in {np.dtype(dtype)}, it must give {want}. "
                    "Do not take the log of zero and leave no example out: pick the right digit's "
                    "entry, and keep it above np.finfo(A2.dtype).tiny."
                )
    for hint, Y in _many_labels():
        A2 = ref.softmax(ref.rng(9).normal(0, 0.5, (CLASSES, Y.size)))
        A2 = A2.astype(np.float32)
        got = call(function, A2=A2.copy(), Y=Y.copy())
        right = ref.loss(A2.astype(np.float64), Y)
        same(function, "the loss", got, right, hint=hint, tolerance=2e-5)
    return "It is the mean over the examples, and a probability of 0 does not break it."


# --- The way back ---------------------------------------------------------------------------------


@check
def one_hot(function):
    examples = [3, 0, 9, 3], [5], [2, 0, 1, 2, 1], [0, 0]
    for kind, Y in itertools.product((np.int64, np.uint8), examples):
        Y = np.array(Y, dtype=kind)
        right = ref.labels(Y)
        few = right[: int(Y.max()) + 1]
        rows = np.zeros_like(right)
        rows[Y] = 1
        classes = "it has Y.max() + 1 rows. There are always 10 classes, also when no 9 is there."
        typical = [
            (few, classes, r"max\b"),
            (rows, "whole rows are 1. Each label must set one entry, in its own column."),
        ]
        got = call(function, Y=Y.copy())
        same(function, "the answer", got, right, typical)
    for hint, Y in _many_labels():
        got = call(function, Y=Y.copy())
        same(function, "the answer", got, ref.labels(Y), hint=hint)
    return "Ten rows always, one column and a single 1 for each label." + _type_note(got)


@check
def ReLU_deriv(function):
    for dtype, m in itertools.product(TYPES, (5, 1)):
        Z = np.array([[-2, 3, 0.5, -0.5, 1e4], [0.25, -1e4, 7, 0.75, -3]], dtype)[:, :m]
        got = call(function, Z=Z.copy())
        same(function, "the answer", got, Z > 0)
        with np.errstate(all="ignore"):  # at 0, the slope of either side or their mean is right
            slopes = np.isin(call(function, Z=np.zeros_like(Z)), (0, 0.5, 1))
            need(slopes.all(), "where Z is 0 it is neither 0 nor 1.")
        kind = np.asarray(got).dtype
        wide = kind.kind != "f" or kind.itemsize >= Z.itemsize
        need(wide, f"it came out as {kind} from {Z.dtype}. Use the type of Z.")
    return f"It is 1 where Z is positive and 0 where Z is negative.{_type_note(np.asarray(got))}"


@check
def backward_prop(function):
    names, count = ("dW1", "db1", "dW2", "db2"), 0
    for dtype, m in itertools.product(TYPES, (5, 1)):
        params, X, Y = ref.network(dtype, m)
        *params64, wide = ref.wide(*params, X)
        forward = ref.forward(params, X)
        right = ref.gradients(params64, wide, Y)
        unmasked = ref.gradients(params64, wide, Y, mask=1)
        off = "lacks ReLU's mask: a silent unit (Z1 <= 0) must pass nothing back."
        typical = {"dW2": (), "db2": _biases("db2", right[3])}
        typical |= {"dW1": [(unmasked[0], f"dW1 {off}")], "db1": _biases("db1", right[1])}
        undivided = f"is {m} times what it must be, and there are {m} examples: divide by m."
        if m > 1:
            for name, slope in zip(names, right, strict=True):
                typical[name] = [*typical[name], (m * slope, f"{name} {undivided}")]
        Z1, A1, Z2, A2 = (each.astype(dtype) for each in forward)
        given = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2, "W1": params[0], "W2": params[2]}
        got = call(function, names, **given, X=X, Y=Y)
        all_same(function, names, got, right, typical, _types(function, dtype))
        if dtype is np.float64 and m > 1 and not progress.searching:

            def loss(params, X=wide, Y=Y):
                return ref.loss(ref.forward(params, X)[3], Y)

            count = _measure(names, loss, params64, got)
    return f"All {count:,} slopes agree with the measured ones."


def _biases(name, right):
    """What a sum along another axis, or without keepdims, gives for a bias."""
    shape, column = right.shape, f"must be {right.shape}"
    axis = "axis=1 sums over the examples, and leaves one number for each unit"
    keep = "keepdims=True keeps the column. A flat row would add to b along the wrong axis"
    made = rf"\b{name}\b.*=|\bsum\b|\bmean\b"
    return [
        (right.ravel(), f"{name} has shape {shape[:1]}, it {column}. {keep}.", made),
        (right.sum(), f"{name} is one number, it {column}. {axis}; {keep}.", made),
    ]


@check
def update_params(function):
    for dtype, alpha in itertools.product(TYPES, (0.25, 3.0)):
        params, X, Y = ref.network(dtype)
        wide = ref.wide(*params)
        gradients = ref.gradients(wide, X.astype(np.float64), Y)
        steps = [each.astype(dtype) for each in gradients]
        right = [p - alpha * d for p, d in zip(wide, gradients, strict=True)]
        typical = {
            name: [(p + alpha * d, f"{name} climbs: the step must go downhill.")]
            for name, p, d in zip(PARAMS, wide, gradients, strict=True)
        }
        keys = [*PARAMS, *(f"d{name}" for name in PARAMS)]
        given = dict(zip(keys, [*params, *steps], strict=True), alpha=alpha)
        got = call(function, PARAMS, **given)
        all_same(function, PARAMS, got, right, typical, [dtype])
    return "All four go downhill by alpha times their gradient, in new arrays."


# --- The training ---------------------------------------------------------------------------------


@check
def get_predictions(function):
    params, X, _ = ref.network()
    for dtype, m in itertools.product(TYPES, (5, 1)):
        A2 = np.roll(ref.forward(params, X)[3], [1, 4], axis=[0, 1])[:, :m].astype(dtype)
        got = call(function, A2=A2.copy())
        same(function, "the answer", got, A2.argmax(0))
    many = ref.rng(9).random((CLASSES, 300), dtype=np.float32)
    same(function, "the answer", call(function, A2=many.copy()), many.argmax(0))
    return "One digit for each column: the row of its largest probability."


@check
def get_accuracy(function):
    Y = np.array([3, 0, 8, 3, 7, 1, 9])
    guesses = np.array([3, 1, 8, 3, 9, 2, 9])  # 4 of 7
    parts = slice(7), slice(1), slice(1, 2), slice(2, 4)
    for kind, part in itertools.product((np.int64, np.uint8), parts):
        predictions, labels = guesses[part].astype(kind), Y[part].astype(np.uint8)
        hits = predictions == labels
        got = call(function, predictions=predictions.copy(), Y=labels.copy())
        typical = [
            (hits.mean() * 100, "it came out in percent. Return a share, 0 to 1."),
            ((predictions[:, None] == labels).mean(), "every prediction met every label."),
        ]
        typical = typical if hits.size > 2 else ()
        same(function, "the answer", got, hits.mean(), typical, tolerance=1e-6)
    for hint, Y in _many_labels():
        predictions = np.where(np.arange(Y.size) % 10 < 9, Y, (Y + 1) % 10).astype(np.int64)
        for guesses in (predictions, predictions.astype(Y.dtype)):
            got = call(function, predictions=guesses, Y=Y.copy())
            same(function, "the answer", got, 0.9, hint=hint, tolerance=1e-6)
    return "It is the share of right answers, from 0 to 1."


@check
def gradient_descent(function):
    parameters = inspect.signature(function).parameters
    whole = (slice(None), slice(None))  # every step takes all examples

    def end(params, X, Y, alpha, steps):
        return ref.train(params, X, Y, alpha, [whole] * steps)

    def compare(got, params, X, Y, alpha, k, dtype):
        right, ends = end(params, X, Y, alpha, k), []
        if not progress.searching and not all_close(got, right, TOLERANCE[np.dtype(dtype)]):
            ends = [
                (alpha, 0, "did not move.", r"^return\b|update_params"),
                (-alpha, k, "climbed.", "update_params"),
                (alpha, 1, f"took one step only, not {k}.", r"^return\b|update_params"),
                (alpha, k - 1, "took one step too few.", r"^(for|while)\b"),
                (alpha, k + 1, "took one step too many.", r"^(for|while)\b"),
            ]
        ends = [(end(params, X, Y, step, n), *text) for step, n, *text in ends]
        typical = {
            name: [(end[i], f"{name} {text}", look) for end, text, look in ends]
            for i, name in enumerate(PARAMS)
        }
        all_same(function, PARAMS, got, right, typical, _types(function, dtype))

    small, path = ref.network(), _path(ref.examples())
    params, X, Y = ref.network(np.float32)

    def steps():
        ends = []
        for alpha in (0.01, 0.02):
            got, seen = _descend(function, *small, alpha, 4)
            need(seen.starts, "it never calls init_params.")
            need(seen.starts == 1, "it starts from fresh weights at each step.", "init_params")
            ends.append(got)
        moved = not np.array_equal(ends[0][0], small[0][0])
        alike = moved and all(map(np.array_equal, *ends))
        need(not alike, "another alpha gives the same result.", r"\balpha\b|update_params")
        if not all_close(ends[0], path[4], TOLERANCE[np.dtype(np.float64)]):
            compare(ends[0], *small, 0.01, 4, np.float64)
        compare(ends[1], *small, 0.02, 4, np.float64)
        got, _ = _descend(function, params, X, Y, 0.01, 2)
        compare(got, params, X, Y, 0.01, 2, np.float32)

    def given():
        other = tuple(each * 0.5 for each in params)
        kept = copy.deepcopy(other)
        got, seen = _descend(function, params, X, Y, 0.01, 2, params=other)
        changed = "it changed the params that it was given. Write W1 = W1 - ..., not -=."
        need(all(map(np.array_equal, other, kept)), changed, r"[-+*/]=|\]\s*=(?!=)")
        afresh = "it was given params and started afresh. Use them if they are not None."
        need(not seen.starts, afresh, "init_params")
        compare(got, other, X, Y, 0.01, 2, np.float32)

    def records():
        _records(function, *small[1:], path)

    def stops():
        _stops(function, *small[1:], path, {"history", "dev"} & parameters.keys())

    parts = [steps]
    parts += [given] * ("params" in parameters) + [records] * ("history" in parameters) + [stops]
    progress.stages(*parts)
    return "It takes as many steps as asked, each downhill, from one start."


@functools.cache
def _path(examples):
    """The right parameters after 0, 1, 2, ... 20 steps of 0.01 on all examples."""
    params, X, Y = ref.network()
    path = [params]
    for _ in range(20):
        path.append(ref.train(path[-1], X, Y, 0.01, [(slice(None), slice(None))]))
    return path


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
    need(
        steps == [0, 10, 20],
        f"in 20 steps it called record at the steps {steps}, not at [0, 10, 20]. Call it before "
        "the loop with 0, and in the loop, after the update, if i % 10 == 0.",
        r"\brecord\(|%|^(for|while)\b",
    )
    with looking(r"\brecord\("):
        for step, row in zip(steps, seen.rows, strict=True):
            got, given, at = row["params"], row.get("dev"), f"at step {step}, record gets"
            need(
                isinstance(got, (tuple, list))
                and list(map(np.shape, got)) == [each.shape for each in params],
                f"{at} other params. Hand them on as one tuple: (W1, b1, W2, b2).",
            )
            need(
                all_close(got, path[step], TOLERANCE[np.dtype(np.float64)]),
                f"{at} params that are not those after {step} steps. "
                f"{'' if step else 'Call it before the loop. '}Hand on the newest "
                "(W1, b1, W2, b2), in this order, after the update.",
            )
            text = f"{at} another list as history. Hand on history itself."
            need(row["history"] is history, text, r"\brecord\(|\bhistory\s*=(?!=)")
            for name, want in (("X", X), ("Y", Y)):
                text = f"{at} the wrong {name}. Hand on {name}, the training examples."
                need(np.array_equal(row.get(name), want), text)
            pair = isinstance(given, (tuple, list)) and len(given) == 2
            need(pair, f"{at} no pair as dev. Hand on dev as it came in.")
            text = f"{at} the wrong examples as dev. Hand on dev as it came in."
            need(all(map(np.array_equal, given, dev)), text)


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
            raise Mistake(f"after {what}: {mistake}", mistake.cause, look=mistake.look) from None
        if got is None or not seen.stopped:
            continue
        # Either the network as it is, or the one that record got last.
        exact = TOLERANCE[np.dtype(np.float64)]
        need(
            any(all_close(got, path[k], exact) for k in {done, 10}),
            f"{what} must end the training and keep the network of that moment. Leave try out, "
            "or put the whole loop in it and return W1, b1, W2, b2 after it.",
            r"^(try|except)\b",
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
        if progress.searching and not all(isinstance(each, np.ndarray) for each in batches[:99]):
            raise Mistake("")  # lists of arrays, as an edit may give, take too long to look at
        with contextlib.suppress(ValueError):  # lists of unequal length
            batches = [np.asarray(each) for each in batches]
            empty = f"with m={m} and batch_size={batch_size}, a batch is empty. {starts}"
            need(all(each.size for each in batches), empty, r"^(for|while)\b")
            if all(each.ndim == 1 and each.dtype.kind in "iu" for each in batches):
                return batches
        flat = "each batch must be a flat array of whole numbers. Slice the order."
        ended = not inspect.isgeneratorfunction(function)
        if ended and batches and getattr(batches[0], "ndim", 1) == 0:
            flat = "it stops at the first batch: return ends a function, yield lets it go on."
        raise Mistake(flat, look=r"\byield\b|^return\b")

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
            drawn = r"\b(permutation|shuffle|choice|arange|integers|yield|range)\b"
            need(not wrong, f"with m={m} and batch_size={size}, {text}", drawn)
    alike = np.array_equal(*(run(1000, 64, rng)[0] for _ in range(2)))
    text = "each call gives the same order. Use the rng that is handed in."
    need(not alike, text, "rng|random")
    alike = np.array_equal(*(run(1000, 64, np.random.default_rng(8))[0] for _ in range(2)))
    text = "it does not use rng. Shuffle with rng.permutation(m), not np.random."
    need(alike, text, "random|rng|shuffle|permutation")
    return "Each number comes once in each pass, in random order, the last few included."


@check
def train_epoch(function):
    # Five examples, two a batch: 30 orders give different results, and each of them is right. So
    # it does not matter how the order is drawn.
    alpha, beta, exact = 0.002, 0.5, TOLERANCE[np.dtype(np.float64)]
    every = list(itertools.permutations(range(5)))
    orders = [o for o in every if o[0] < o[1] and o[2] < o[3]]
    pairs = [((o[:2], o[:2]), (o[2:4], o[2:4]), (o[4:], o[4:])) for o in orders]
    crossed = [((o[:2], (0, 1)), (o[2:4], (2, 3)), (o[4:], (4,))) for o in every]
    first, full, last = ([p[part] for p in pairs] for part in (slice(1), slice(2), slice(2, 3)))
    at_once = [((every[0], every[0]),)]
    params, parameters = ref.network()[0], inspect.signature(function).parameters

    def ends(orders=pairs, step=alpha, **other):
        return (_trained(ref.examples(), batches, step, **other) for batches in orders)

    def near(got, ends):
        return any(all_close(got, end, exact) for end in ends)

    def run(dtype=np.float64, size=2, rng=None, **keywords):
        small, X, Y = ref.network(dtype)
        given = {"params": small, "X": X, "Y": Y, "alpha": alpha, "batch_size": size}
        return call(function, PARAMS, keywords, **given, rng=rng or np.random.default_rng(4))

    def compare(got, right, dtype):
        all_same(function, PARAMS, got, right, {}, _types(function, dtype))

    def steps():
        got = run()
        for number, right in enumerate(ends()):
            if near(got, [right]):
                pairs.insert(0, pairs.pop(number))  # most likely the order of the next runs, too
                break
        else:
            cut = "minibatches|range"
            typical = (
                ([params], "nothing moved.", r"^return\b|update_params"),
                (ends(first), "it stopped after the first batch.", rf"^(return|break)\b|{cut}"),
                (ends(full), "the last, smaller batch was left out.", cut),
                (ends(last), "only the last batch counts.", r"\bparams\b"),
                (ends(frozen=True), "all gradients were taken at the start.", "forward_prop"),
                (ends(m=5), "the gradients were divided by all m examples.", "backward_prop|/"),
                (ends(at_once), "it made one step with all examples.", cut),
                (ends(step=-alpha), "it climbed.", "update_params"),
                (ends(crossed), "X was shuffled and Y was not.", r"\b[XY]\w*\[|minibatches"),
            )
            for wrong, text, look in () if progress.searching else typical:
                need(not near(got, wrong), text, look)
            # With one batch of all five there is no order to guess, so the array can be named.
            compare(run(size=5), next(ends(at_once)), np.float64)
            raise Mistake("no order of the examples gives these weights.", look=r"\b[XY]\w*\b")
        progress.right += 1
        rng = np.random.default_rng(4)
        others = [run(rng=rng) for _ in range(3)]
        right_each = all(near(each, ends()) for each in others)
        need(right_each, "with some orders of the examples, the weights are wrong.")
        text = "each pass takes the same order. Hand on the rng that is handed in."
        need(not all(near(each, [got]) for each in others), text, "minibatches|rng|random")
        got = run(np.float32)
        if not all_close(got, right, TOLERANCE[np.dtype(np.float32)]):  # took another order
            right = min(ends(), key=lambda end: np.abs(end[0] - got[0]).max())
        compare(got, right, np.float32)

    def with_momentum():
        called = []

        def momentum(velocity, gradients):
            called.append(1)
            return [beta * v + g for v, g in zip(velocity, gradients, strict=True)]

        got = run(momentum=momentum)
        if not near(got, ends(beta=beta)):
            need(called, "the function in momentum is not called.", "momentum")
            kept = "the velocity is not carried over from one batch to the next."
            need(not near(got, ends()), kept, r"\bmomentum\(")
            text = "with momentum, the weights are wrong."
            raise Mistake(text, look="momentum|velocity|zeros")
        progress.right += 1

    def with_change():
        _changes(run, near, ends)
        progress.right += 1

    parts = [with_momentum] * ("momentum" in parameters) + [with_change] * ("change" in parameters)
    progress.stages(steps, *parts)
    return "One step for each batch, each from where the last one ended."


@functools.cache
def _trained(examples, batches, step, **other):
    """ref.train on the network of these examples."""
    params, X, Y = ref.network()
    batches = [(list(columns), list(entries)) for columns, entries in batches]
    return ref.train(params, X, Y, step, batches, **other)


def _changes(run, near, ends):
    """change must be applied to each batch anew, with the rng that train_epoch was handed."""
    factors, shapes, handed, called = (0.5, 0.25, 0.75), [], [], r"\bchange\("

    def change(X, rng):
        shapes.append(np.shape(X))
        handed.append(rng)
        return X * factors[(len(shapes) - 1) % 3]  # another change for each batch

    rng = np.random.default_rng(4)
    got = run(rng=rng, change=change)
    text = "change gets another rng. Hand on the rng that is handed in."
    need(all(each is rng for each in handed), text, called)
    if near(got, ends(factors=factors)):
        return
    effect = shapes and not near(got, ends())
    need(effect, "the function in change has no effect.", r"\bchange\b")
    once = f"change was called once, with {shapes[0]}, not for each batch."
    need(len(shapes) > 1, once, called)
    raise Mistake("with change, the weights are wrong.", look=rf"{called}|_prop\(")


@check
def update_velocity(function):
    rng = ref.rng(6)
    for dtype, keywords in itertools.product(TYPES, ({}, {"beta": 0.5})):
        beta, shapes = keywords.get("beta", 0.9), [p.shape for p in ref.network()[0]]
        old, new = ([rng.normal(0, 1, each).astype(dtype) for each in shapes] for _ in range(2))
        got = call(function, (), keywords, velocity=old, gradients=new)
        four = "it must return a list of four arrays, one for each gradient. Use zip."
        need(isinstance(got, (list, tuple)) and len(got) == 4, four, r"^return\b")
        for name, one, v, g in zip(PARAMS, got, ref.wide(*old), ref.wide(*new), strict=True):
            what = f"the velocity of {name}"
            same(function, what, one, beta * v + g, types=[dtype])
    return "Each velocity is beta times the old one plus the gradient, in new arrays."


@check
def shift_images(function):
    rng = ref.rng(7)
    moves = (2, -3), (-1, 4), (3, 0), (0, 2), (0, -2), (-3, 0), (0, 0)
    wraps = "what leaves comes in on the other side: np.roll wraps around. Fill with 0."
    for dtype, m, (down, right) in itertools.product(TYPES, (3, 1), moves):
        X = rng.uniform(0.1, 1, (m, PIXELS)).astype(dtype).T
        images = X.T.reshape(m, 28, 28)
        moved, rolled = ref.shifted(images, down, right), np.roll(images, (down, right), (1, 2))
        case = f"with down={down} and right={right}, "
        typical = [(rolled.reshape(m, PIXELS).T, f"{case}{wraps}", "roll|%")]
        for other, text in (
            ((0, 0), "nothing moved."),
            ((-down, -right), "it moved the other way."),
            ((right, down), "down and right are exchanged."),
            ((-down, right), "it moved up instead of down."),
            ((down, -right), "it moved left instead of right."),
        ):
            moved_so = ref.shifted(images, *other).reshape(m, PIXELS).T
            typical.append((moved_so, f"{case}{text}", r"\b(down|right)\b"))
        mixed = "reshape(-1, 28, 28) cuts rows of X. A column is an image: X.T.reshape(-1, 28, 28)."
        wrong = ref.shifted(X.reshape(m, 28, 28), down, right).reshape(PIXELS, m)
        flat = "the flat columns were rolled, so rows run into each other. Make 28 x 28 images."
        rows = np.roll(X, 28 * down + right, axis=0)
        typical += [(wrong, f"{case}{mixed}", "reshape"), (rows, f"{case}{flat}", "roll")] * (m > 1)
        got = call(function, X=X, down=down, right=right)
        want = moved.reshape(m, PIXELS).T
        same(function, f"{case}the answer", got, want, typical, [dtype])
    return "The images move by whole pixels, 0 enters, and X itself is unchanged."


# --- A network of the learner's own ---------------------------------------------------------------


def slopes(loss, params, gradients):
    """Check gradients of a network with any layers: one for each array of params.

    loss(params) -> float, the mean loss. params: list of float64 arrays; they are not changed.
    Prints one line, or raises AssertionError with the first entry that is not the slope measured
    by central differences.
    """
    params, gradients = [np.array(p) for p in params], [np.asarray(g) for g in gradients]
    names = [f"gradient {n} of {len(params)}" for n in range(1, len(params) + 1)]
    try:
        need(
            len(gradients) == len(params),
            f"there are {len(params)} parameter arrays, but {len(gradients)} gradients. Return "
            "one gradient for each, in the same order.",
        )
        digits = all(p.dtype == np.float64 for p in params)
        need(digits, "a tiny step needs all digits. Make the params float64.")
        for name, theta, got in zip(names, params, gradients, strict=True):
            need(
                got.shape == theta.shape,
                f"{name} has shape {got.shape}, but its parameter has {theta.shape}. Look for a "
                "missing .T, or a sum without axis=1, keepdims=True.",
            )
        count = _measure(names, loss, params, gradients)
    except Mistake as mistake:
        raise AssertionError(f"slopes: {mistake}") from None
    print(f"slopes: right. All {count:,} slopes agree with the measured ones.")
