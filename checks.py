"""Checks for the functions that you write in mnist-scratch.ipynb, and for the files that it reads.

For a learner: after you have written a function, run its check, for example

    checks.softmax(softmax)

A right function prints one line. A wrong one stops with a message that says what came out, the
likely mistake, and what to do. How you wrote it does not matter, only what it returns. This file
holds the answers in a compact form (see "Reference"), so look there only when you want to.

For a maintainer, the three parts of this file:
1. Function checks. `_check` turns a check into what the learner sees, `_call` runs the learner's
   function safely, `_same` compares one array. Each check gives `_same` a list `typical` of pairs
   (what a typical mistake returns, what to say), so a mistake is recognised by its result. A text
   without a full stop at its end gets the check's `cure` as a second sentence. To teach a check a
   new mistake: add a row to MISTAKES in tests/test_checks.py, then the pair here.
2. Set-up and data: `setup`, `unreadable`, `digits`, `enough_rows`.
3. Training: `diagnose` reads a training history.
"""

import bz2
import contextlib
import copy
import dis
import functools
import gzip
import inspect
import io
import itertools
import linecache
import lzma
import re
import sys
import warnings
import zlib
from importlib import metadata
from pathlib import Path

import numpy as np

PIXELS, CLASSES = 784, 10

# === 1. Function checks ===========================================================================

TYPES = (np.float64, np.float32)
# Largest difference that counts as rounding, as a share of the array's largest entry. Rounding in
# these small networks stays below 1e-6 (float32) and 1e-14 (float64); float16 inside gives 2e-4.
TOLERANCE = {np.dtype(np.float32): 5e-5, np.dtype(np.float64): 1e-9}
PARAMS = ("W1", "b1", "W2", "b2")


class _Mistake(Exception):
    """What to tell the learner; `cause` is their own error, if there was one."""

    def __init__(self, text, cause=None):
        super().__init__(text)
        self.cause = cause


def _check(check):
    """Make `check(function) -> sentence` into one that prints a line or raises AssertionError."""

    @functools.wraps(check)
    def run(function):
        sentence, mistake = _outcome(check, function)
        if mistake:
            raise AssertionError(f"{check.__name__}: {mistake}") from mistake.cause
        print(f"{check.__name__}: right. {sentence}")

    return run


def _outcome(check, function):
    """(sentence, None) or (None, _Mistake).

    NumPy's error state, print options, random state and the warning filters stay as they were.
    """
    if not callable(function):
        name = check.__name__
        return None, _Mistake(f"hand over the function itself: checks.{name}({name}).")
    state, quiet = np.random.get_state(), (np.errstate(all="ignore"), np.printoptions())
    with quiet[0], quiet[1], warnings.catch_warnings(record=True) as noise:
        warnings.simplefilter("always")
        try:
            sentence = check(function)
        except _Mistake as mistake:
            return None, mistake
        finally:
            np.random.set_state(state)
    noise = [str(each.message) for each in noise if issubclass(each.category, RuntimeWarning)]
    if noise:
        return None, _Mistake(
            f"the numbers are right, but NumPy warns of {noise[0]!r}. "
            "Find the step that overflows or divides by zero, and avoid it."
        )
    return sentence, None


def _call(function, _returns=(), _keywords=None, _changed=None, **arguments):
    """Call the learner's function with the values of `arguments`, in order, and return its answer.

    `_returns` names what must come back, such as ("W1", "b1"); then a list comes back. Raises
    _Mistake for an error inside, a missing return, a wrong number of values, and a changed input
    (`_changed`: what to say then, with {} for its name).
    """
    keywords = _keywords or {}
    with contextlib.suppress(ValueError):  # built-in functions have no signature
        signature = inspect.signature(function)
        try:
            signature.bind(*arguments.values(), **keywords)
        except TypeError:
            wanted = ", ".join([*arguments, *keywords])
            more = [p.name for p in signature.parameters.values() if p.default is p.empty]
            more = [name for name in more if name not in (*arguments, *keywords)]
            hint = f"Give {more[-1]} a default." if more else "Mend the def line."
            raise _Mistake(
                f"it must take ({wanted}), but yours takes {signature}. {hint}"
            ) from None
        taken = list(signature.parameters)[: len(arguments)]
        if taken != list(arguments) and set(taken) == set(arguments):
            wanted = ", ".join(arguments)
            raise _Mistake(f"it must take ({wanted}) in this order. Mend the def line.")
    before = copy.deepcopy(arguments)
    try:
        with np.errstate(over="warn", divide="warn", invalid="warn"):
            answer = function(*arguments.values(), **keywords)
    except Exception as error:
        raise _their_error(function, error) from None
    cure = _changed or "Make a new array: {0} = {0} - ... instead of {0} -= ..., or {0}.copy()."
    for name, value in arguments.items():
        pairs, grown = [(value, before[name])], False
        if isinstance(value, (tuple, list)):
            pairs, grown = zip(value, before[name], strict=False), len(value) != len(before[name])
        if grown or any(isinstance(b, np.ndarray) and not _close(a, b, 1e-9) for a, b in pairs):
            raise _Mistake(f"it changed its input {name}. {cure.format(name)}")
    if answer is None:
        raise _Mistake("it returned nothing (None). Did you forget the return line?")
    if not _returns:
        return answer
    count = len(answer) if isinstance(answer, (tuple, list)) else 1
    if count != len(_returns):
        raise _Mistake(
            f"it returned {count} value{'s' * (count != 1)} instead of {len(_returns)}. "
            f"End it with: return {', '.join(_returns)}"
        )
    return list(answer)


def _their_error(function, error):
    """The _Mistake for an error inside the learner's code: where, which line, and a hint."""
    home = getattr(inspect.unwrap(function), "__globals__", None)
    first = last = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals is home:
            first, last = first or trace, trace
        trace = trace.tb_next
    said = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".")
    if last is None:
        return _Mistake(f"it stops with {said}.", error)
    frame, number = last.tb_frame, last.tb_lineno
    inside = frame.f_code.co_name
    line = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
    if isinstance(error, NotImplementedError):
        return _Mistake(f"{inside} is not written yet. Write it in its cell, and run that cell.")
    where = f"your code stops at line {number}" + f" of {inside}" * (inside != function.__name__)
    where += f", `{line}`" * bool(line)
    arrays = {}
    for name in re.findall(r"[A-Za-z_]\w*(?:\.T\b)?", line):
        value = frame.f_locals.get(name.removesuffix(".T"))
        near = "@" not in line or re.search(rf"@ *{name}\b|\b{name} *@", line)
        if isinstance(value, np.ndarray) and near:
            arrays[name] = value.T.shape if name.endswith(".T") else value.shape
    broadcast = re.search(r"broadcast together with shapes (.*\))", str(error))
    quoted = re.search(r"'(\w+)'", str(error))
    quoted = quoted.group(1) if quoted else "such name"
    outside = _outside(function)
    if isinstance(error, UnboundLocalError):
        hint = f"{quoted} is used before it has a value."
    elif isinstance(error, NameError):
        hint = (
            f"There is no {quoted}: run the cells above first, mind the spelling, "
            "and make helpers such as m inside the function (m = X.shape[1])."
        )
    elif outside and re.search(rf"\b({outside.replace(' and ', '|')})\b", line):
        hint = f"It reads {outside} from outside: use only its arguments."
    elif "truth value of an array" in str(error):
        hint = "Plain max, min, if and `and` cannot compare whole arrays: use np.maximum."
    elif broadcast:
        shapes = broadcast.group(1)
        hint = f"The shapes {shapes} do not fit: is keepdims=True missing, or the axis wrong?"
    elif re.search("matmul|not aligned", str(error)) and arrays:
        shapes = " and ".join(f"{name} is {shape}" for name, shape in arrays.items())
        hint = f"There {shapes}, which do not fit: a .T missing, or the order wrong?"
    elif outside:
        hint = f"It reads {outside} from outside: use only its arguments."
    elif isinstance(error, IndexError) and "size 10" in str(error):
        hint = f"It says: {error}; labels and rows are counted from 0 to 9."
    else:
        hint = f"It says: {said}."
    return _Mistake(f"{where}. {hint}", error.with_traceback(first))


def _outside(function):
    """Data that the function reads from the notebook instead of its arguments: "X_train and m"."""
    function = inspect.unwrap(function)
    home = getattr(function, "__globals__", {})
    code = dis.get_instructions(function) if home else ()
    names = dict.fromkeys(each.argval for each in code if each.opname == "LOAD_GLOBAL")
    return " and ".join(
        name
        for name in names
        if (hasattr(home.get(name), "shape") and not inspect.ismodule(home.get(name)))
        or (isinstance(home.get(name), (int, float)) and not name.isupper())
    )


def _close(got, right, tolerance):
    """True when shapes are equal and no entry differs by more than `tolerance` of the largest."""
    got, right = np.asarray(got), np.asarray(right)
    if got.shape != right.shape or got.dtype.kind not in "biuf":
        return False
    largest = np.abs(right).max(initial=0) if np.isfinite(right).all() else 0
    return bool(np.all(np.abs(got - right.astype(np.float64)) <= tolerance * max(largest, 1e-6)))


def _all_close(got, right, tolerance):
    return all(_close(a, b, tolerance) for a, b in zip(got, right, strict=True))


def _typical(got, typical, cure, tolerance):
    for wrong, text in typical:
        if _close(got, wrong, tolerance):
            raise _Mistake(text if text.endswith(".") else f"{text}. {cure}")


def _same(function, name, got, right, typical=(), cure="", types=(), tolerance=None):
    """Raise _Mistake unless `got` is `right` (given in float64) and of one of the `types`.

    typical: pairs (what a typical mistake returns, what to say); cure: second sentence for texts
    without a full stop. types: allowed dtypes, the first sets the tolerance; empty allows all.
    """
    wanted = np.dtype(types[0]) if types else np.dtype(np.float64)
    tolerance = tolerance or TOLERANCE[wanted]
    right = np.asarray(right, dtype=np.float64)
    numeric = isinstance(got, (np.ndarray, np.generic, int, float))
    if not numeric or np.asarray(got).dtype.kind not in "biuf":
        kind = "a NumPy array" if right.ndim else "one number"
        raise _Mistake(f"{name} came out as {type(got).__name__}. Return {kind}.")
    got = np.asarray(got)
    lost = types and got.dtype.kind == "f" and got.dtype not in map(np.dtype, types)
    if lost and got.shape == right.shape:
        raise _Mistake(
            f"{name} came out as {got.dtype} from {wanted}. "
            "Leave out astype, and give np.zeros and the like a dtype, such as dtype=X.dtype."
        )
    if _close(got, right, tolerance):
        return
    _typical(got, typical, cure, tolerance)
    outside = _outside(function)
    if outside:
        raise _Mistake(
            f"{name} is wrong, and your function reads {outside} from outside. "
            "Use only its arguments."
        )
    if got.shape != right.shape:
        what = "a single number" if got.ndim == 0 else f"shape {got.shape}"
        hint = "Look at which axis you sum or search over, and at keepdims=True."
        if got.shape == right.shape[::-1]:
            hint = "Rows and columns are swapped: transpose it (.T), or swap the factors."
        want = right.shape or "one number"
        raise _Mistake(f"{name} came out as {what}, it must be {want}. {hint}")
    if not np.isfinite(got).all():
        raise _Mistake(
            f"{name} holds NaN or infinity. Look for an overflow, a log of 0 or a division by 0."
        )
    at = np.unravel_index(np.argmax(np.abs(got - right)), got.shape)
    place = f"[{', '.join(map(str, at))}]" if at else ""
    if _close(got, right, 5e-3) and np.abs(right).max() > 0:
        digits = int(-np.log10(np.abs(got - right).max() / np.abs(right).max()))
        raise _Mistake(
            f"{name} has only about {digits} right digits: {name}{place} is {got[at]:.9g}, it must "
            f"be {right[at]:.9g}. Either a factor is a little off, or a smaller type (float16, "
            f"float32), a round(...) or an added constant is inside: stay in {wanted}."
        )
    raise _Mistake(
        f"{name}{place} is {got[at]:.6g}, it must be {right[at]:.6g}. "
        + (cure or f"Compare the line that makes {name} with its formula.")
    )


def _all_same(function, names, got, right, typical, cures, types):
    """`_same` for several arrays; sees a wrong order.

    typical: {name: pairs}, in the order in which to look; cures: {name: cure} or one for all.
    """
    tolerance = TOLERANCE[np.dtype(types[0])]
    for order in itertools.permutations(range(len(names))):
        mixed = _all_close(got, [right[i] for i in order], tolerance)
        if mixed and not _all_close(got, right, tolerance):
            raise _Mistake(
                f"the arrays are right but come back in the order "
                f"{', '.join(names[i] for i in order)}. End it with: return {', '.join(names)}"
            )
    for compare in (True, False):  # first look for a typical mistake in any of them
        for name, pairs in typical.items():
            one, want = got[names.index(name)], right[names.index(name)]
            cure = cures.get(name, "") if isinstance(cures, dict) else cures
            if not compare:
                _same(function, name, one, want, pairs, cure, types)
            elif not _close(one, want, tolerance):
                _typical(one, pairs, cure, tolerance)


# --- Reference: the right answers, compact --------------------------------------------------------


def _network(dtype=np.float64, m=5):
    """A small network and m examples: weights 3 x 784 and 10 x 3, non-zero biases, Y as uint8.

    No size is 10 examples or square, so nothing fits by chance. Each hidden unit is on for some of
    five examples and off for others, and none is within 0.05 of ReLU's kink (tested).
    """
    rng = np.random.default_rng(52)
    W1, W2 = rng.normal(0, 0.1, (3, PIXELS)), rng.normal(0, 0.7, (CLASSES, 3))
    b1, b2 = rng.uniform(0.2, 0.6, (3, 1)), rng.uniform(-0.6, 0.6, (CLASSES, 1))
    X = rng.random((5, PIXELS)).T[:, :m]
    params = tuple(each.astype(dtype) for each in (W1, b1, W2, b2))
    return params, X.astype(dtype), np.array([3, 0, 8, 3, 7], dtype=np.uint8)[:m]


def _wide(*arrays):
    return [np.asarray(each, dtype=np.float64) for each in arrays]


def _softmax(Z):
    E = np.exp(Z - Z.max(0))
    return E / E.sum(0)


def _sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def _forward(params, X):
    W1, b1, W2, b2, X = _wide(*params, X)
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    return Z1, A1, Z2, _softmax(Z2)


def _labels(Y):
    return np.eye(CLASSES)[Y].T


def _loss(A2, Y):
    return -np.log(A2[Y, range(Y.size)]).mean()


def _gradients(params, X, Y, dZ2=None, mask=None, m=None):
    """dW1, db1, dW2, db2; the last three arguments stand for what a mistake puts in their place."""
    Z1, A1, _, A2 = _forward(params, X)
    dZ2 = A2 - _labels(Y) if dZ2 is None else dZ2
    dZ1 = params[2].T @ dZ2 * ((Z1 > 0) if mask is None else mask)
    both = (dZ1 @ X.T, dZ1.sum(1, keepdims=True), dZ2 @ A1.T, dZ2.sum(1, keepdims=True))
    return [each / (m or Y.size) for each in both]


def _measured(loss, params, h=1e-5):
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


def _gradient_check(params, X, Y, gradients):
    """Compare every gradient with the measured slopes; returns how many there are."""
    slopes = _measured(lambda params: _loss(_forward(params, X)[3], Y), params)
    for name, slope, got in zip(PARAMS, slopes, gradients, strict=True):
        # Rounding in the loss, about 1e-16, becomes 1e-11 after the division by 2h.
        if abs(slope - got).max() > 1e-8:
            raise _Mistake(f"d{name} disagrees with the measured slopes. Mend its formula.")
    return sum(theta.size for theta in params)


def _train(params, X, Y, alpha, batches, beta=0.0, m=None, frozen=False):
    """Parameters after one step for each pair (columns of X, entries of Y) of batches.

    beta: momentum. m, a wrong divisor, and frozen, gradients all taken at the start: mistakes.
    """
    params = start = _wide(*params)
    velocity = [0, 0, 0, 0]
    for columns, labels in batches:
        at = start if frozen else params
        gradients = _gradients(at, X[:, columns], Y[labels], m=m)
        velocity = [beta * v + g for v, g in zip(velocity, gradients, strict=True)]
        params = [p - alpha * v for p, v in zip(params, velocity, strict=True)]
    return params


def _shifted(images, down, right):
    """images (m, 28, 28), each moved; 0 enters."""
    wide = np.pad(images, [(0, 0), (28, 28), (28, 28)])
    return wide[:, 28 - down : 56 - down, 28 - right : 56 - right]


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


# --- The two starts -------------------------------------------------------------------------------


def _start(function):
    """What both starts must fulfil; returns the arrays for 300 hidden units."""
    parameters = inspect.signature(function).parameters
    if not parameters:
        raise _Mistake("it takes no n_hidden. Write (n_hidden=10), and use it in the shapes.")
    if any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters.values()):
        raise _Mistake("it must also run without arguments. Give each a default: (n_hidden=10).")
    _call(function, PARAMS)
    parts = _call(function, PARAMS, n_hidden=300)
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
            raise _Mistake(f"with n_hidden=300, {name} came out as {what}, not {right}. {hint}")
        if not isinstance(part, np.ndarray):
            raise _Mistake(f"{name} came out as {type(part).__name__}. Make it a NumPy array.")
        if part.dtype not in TYPES:
            raise _Mistake(f"{name} came out as {part.dtype}. Make it float32 (or float64).")
        if name in ("W1", "W2") and np.ptp(part) == 0:
            raise _Mistake(
                f"all of {name} is the same number, so all hidden units would learn the same. "
                "Draw it at random."
            )
    W1, b1, W2, b2 = parts
    if b1.std() > 0 and (np.array_equal(W1.ravel()[:300], b1.ravel()) or W1[0, 0] == W2[0, 0]):
        raise _Mistake("the arrays repeat each other's numbers. Make rng once, at the top.")
    if "seed" in parameters:
        one, again, two = (
            _call(function, PARAMS, {"seed": seed}, n_hidden=4)[0] for seed in (1, 1, 2)
        )
        rng = "rng = np.random.default_rng(seed)"
        if not np.array_equal(one, again):
            raise _Mistake(f"seed=1 gave two different W1. Draw all from {rng}.")
        if np.array_equal(one, two):
            raise _Mistake(f"seed has no effect. Pass it on: {rng}.")
    return parts


@_check
def init_params(function):
    parts = _start(function)
    for name, part in zip(PARAMS, parts, strict=True):
        low, high = part.min(), part.max()
        if np.ptp(part) == 0:
            raise _Mistake(f"all of {name} is {low:g}. Here biases are random, too: -0.5 to 0.5.")
        if low >= 0:
            raise _Mistake(f"{name} has no negative numbers. Subtract 0.5: it lies in -0.5..0.5.")
        near = high <= 0.5 and low >= -0.5
        if name != "b2":  # has ten numbers, too few to say more than their range
            # Five standard errors of the mean and spread of uniform numbers, n = 300 or more.
            room = 5 * 0.289 / np.sqrt(part.size)
            near = near and abs(part.mean()) < room and abs(part.std() - 0.289) < room
        if not near:
            cause = "That looks like normal numbers, N(0, 1)" if high > 2 else "That is too wide"
            raise _Mistake(
                f"{name} runs from {low:.2g} to {high:.2g} with spread {part.std():.2g}. "
                f"{cause}: draw evenly from -0.5..0.5, as rng.random(...) - 0.5 does."
            )
    return "Shapes follow n_hidden, and all numbers lie evenly in -0.5..0.5." + _type_note(*parts)


@_check
def init_params_scaled(function):
    W1, b1, W2, b2 = parts = _start(function)
    for name, bias in (("b1", b1), ("b2", b2)):
        if bias.any():
            raise _Mistake(f"{name} is not zero. Here only the weights are random: use np.zeros.")
    for name, W, n_in in (("W1", W1, PIXELS), ("W2", W2, 300)):
        spread, right, n_out = W.std(), np.sqrt(2 / n_in), W.shape[0]
        # Five standard errors of a spread over W2's 3,000 numbers are 6.5 %.
        if abs(spread / right - 1) < 0.065 and abs(W.mean()) < 0.065 * right:
            if np.abs(W).max() < 2.5 * right:
                raise _Mistake(f"{name} has the right spread, but use rng.standard_normal(...).")
            continue
        for wrong, hint in (
            (1, "The weights are not scaled: multiply them by np.sqrt(2 / n_in)."),
            (2 / n_in, "That is 2 / n_in, the variance: multiply by its root, np.sqrt(2 / n_in)."),
            (np.sqrt(1 / n_in), "That is sqrt(1 / n_in), but ReLU silences half: use 2 / n_in."),
            (np.sqrt(2 / n_out), "That is sqrt(2 / n_out): count what comes in, W.shape[1]."),
            (np.sqrt(2 / PIXELS), "That is layer 1's scale: W2 has n_hidden inputs, not 784."),
            (0.289 * right, "Those are even, not normal numbers: use rng.standard_normal(...)."),
            (spread, "Multiply standard normal numbers by np.sqrt(2 / n_in)."),
        ):
            if abs(spread / wrong - 1) < 0.065:
                raise _Mistake(f"{name} has spread {spread:.3g}, it must be {right:.3g}. {hint}")
    note = _type_note(*parts)
    return "The weights' spread is the root of 2 / n_in, and the biases are zero." + note


# --- The way forward ------------------------------------------------------------------------------


@_check
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
            (_sigmoid(Z), "this is the sigmoid"),
            (Z[Z > 0], "it returns the positive numbers only. Keep the shape of Z, with 0s."),
        ]
        got = _call(function, (), {}, cure, Z=Z.copy())
        _same(function, "the answer", got, np.maximum(Z, 0), typical, cure, [dtype])
    return "Negative numbers become 0, the others stay, and Z itself is unchanged."


@_check
def softmax(function):
    rng = np.random.default_rng(5)
    cure = "Divide np.exp(Z) by each column's sum: E.sum(axis=0)."
    for dtype, m in itertools.product(TYPES, (4, 1)):
        Z = rng.normal(0, 2, (CLASSES, m)).astype(dtype)
        (wide,) = _wide(Z)
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
            (_softmax(-wide), "the largest score got the smallest share. Mind the sign of Z."),
            (_sigmoid(wide), "this is the sigmoid, entry by entry"),
        ]
        changed = "Z -= ... works in place: write Z - Z.max(...) in a new array."
        got = _call(function, (), {}, changed, Z=Z.copy())
        typical = typical if m > 1 else ()
        _same(function, "the answer", got, _softmax(wide), typical, cure, [dtype])
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
        got = _call(function, Z=Z.copy())
        if not np.isfinite(got).all() or not np.allclose(np.sum(got, 0), 1, atol=1e-3):
            what = "NaN or infinity" if not np.isfinite(got).all() else "no column sum of 1"
            raise _Mistake(f"scores as large as {scale:,.0f} give {what}: {cause}")
        _same(function, "the answer", got, _softmax(Z.astype(np.float64)), types=[dtype])
    return "Every column sums to 1, and scores of 10,000 do not overflow."


@_check
def forward_prop(function):
    names = ("Z1", "A1", "Z2", "A2")
    cures = {
        "Z1": "Add b1: W1 @ X + b1.",
        "A1": "Pass Z1 through ReLU: A1 = ReLU(Z1).",
        "Z2": "Layer 2 is fed what layer 1 puts out: W2 @ A1 + b2.",
        "A2": "Turn the scores into probabilities: A2 = softmax(Z2).",
    }
    for dtype, m in itertools.product(TYPES, (5, 1)):
        params, X, _ = _network(dtype, m)
        W1, b1, W2, b2, wide = _wide(*params, X)
        Z1, A1, Z2, A2 = right = _forward(params, X)
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
                (_softmax(A1), "A2 is the softmax of A1"),
            ],
        }
        got = _call(function, names, W1=params[0], b1=params[1], W2=params[2], b2=params[3], X=X)
        _all_same(function, names, got, right, typical, cures, [dtype])
    return "Z1, A1, Z2 and A2 agree for five examples and for one."


@_check
def cross_entropy(function):
    params, X, labels = _network()
    probabilities = _forward(params, X)[3]
    cure = "Average -np.log(A2[Y, np.arange(m)]) over the m examples."
    for dtype, kind, m in itertools.product(TYPES, (np.uint8, np.int64), (5, 1)):
        A2, Y = probabilities[:, :m].astype(dtype), labels[:m].astype(kind)
        p, L = A2[Y, range(m)].astype(np.float64), _labels(Y)
        right, logs = _loss(A2.astype(np.float64), Y), np.log(A2.astype(np.float64))
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
        got = _call(function, A2=A2.copy(), Y=Y.copy())
        # 2e-6: a small constant that guards against log(0) is a right answer, too.
        _same(function, "the loss", got, right, typical, cure, tolerance=2e-6)
    for dtype in TYPES:
        A2 = np.zeros((CLASSES, 3), dtype)
        A2[[4, 1, 1], range(3)] = 1
        for Y, want in ((np.array([4, 1, 1]), "0"), (np.array([4, 1, 2]), "a large number")):
            got = _call(function, A2=A2.copy(), Y=Y)
            # 3: with three examples, a floor of 1e-4 or less under the probability gives more
            if not np.isfinite(got) or (abs(got) > 1e-5 if want == "0" else got < 3):
                raise _Mistake(
                    f"a probability of 0 gives {got} in {np.dtype(dtype)}, it must give {want}. "
                    "Do not take the log of zero and leave no example out: pick the right digit's "
                    "entry, and keep it above np.finfo(A2.dtype).tiny."
                )
    return "It is the mean over the examples, and a probability of 0 does not break it."


# --- The way back ---------------------------------------------------------------------------------


@_check
def one_hot(function):
    examples = [3, 0, 9, 3], [5], [2, 0, 1, 2, 1], [0, 0]
    cure = "In a (10, m) array of zeros set one entry a column: [Y, np.arange(Y.size)] = 1."
    for kind, Y in itertools.product((np.int64, np.uint8), examples):
        Y = np.array(Y, dtype=kind)
        right, signed = _labels(Y), Y.astype(int)
        few = right[: signed.max() + 1]
        rows = np.zeros_like(right)
        rows[Y] = 1
        typical = [
            (right.T, "it came out as (m, 10), one row a label. Transpose it: one column each."),
            (_labels(signed - 1), "the ones are one row too high. Use Y, not Y - 1."),
            (_labels((signed + 1) % 10), "the ones are one row too low. Use Y, not Y + 1."),
            (few, "it has Y.max() + 1 rows. There are always 10 classes, also when no 9 is there."),
            (rows, "whole rows are 1"),
            (right[1:], "it has 9 rows. There are 10 digits, 0 to 9."),
            (np.zeros_like(right), "it is all zeros"),
            (right * Y, "it holds the labels themselves. Put a 1 there, not the label."),
        ]
        got = _call(function, Y=Y.copy())
        _same(function, "the answer", got, right, typical, cure)
    return "Ten rows always, one column and a single 1 for each label." + _type_note(got)


@_check
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
        got = _call(function, Z=Z.copy())
        _same(function, "the answer", got, Z > 0, typical, cure)
        with np.errstate(all="ignore"):  # at 0, the slope of either side or their mean is right
            if not np.isin(_call(function, Z=np.zeros_like(Z)), (0, 0.5, 1)).all():
                raise _Mistake(f"where Z is 0 it is neither 0 nor 1. {cure}")
        kind = np.asarray(got).dtype
        if kind.kind == "f" and kind.itemsize < Z.itemsize:
            raise _Mistake(f"it came out as {kind} from {Z.dtype}. Use the type of Z.")
    return f"It is 1 where Z is positive and 0 where Z is negative.{_type_note(np.asarray(got))}"


@_check
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
        params, X, Y = _network(dtype, m)
        *params64, wide = _wide(*params, X)
        Z1, A1, Z2, A2 = forward = _forward(params, X)
        L, back = _labels(Y), params64[2].T @ (A2 - _labels(Y))
        right = _gradients(params64, wide, Y)
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
        wrong = [(_gradients(params64, wide, Y, **scene), text) for scene, text in scenes]
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
        got = _call(function, names, **given, X=X, Y=Y)
        _all_same(function, names, got, right, typical, cures, _types(function, dtype))
        if dtype is np.float64 and m > 1:
            count = _gradient_check(params64, wide, Y, got)
    return f"All {count:,} gradients agree with the measured slopes."


@_check
def update_params(function):
    for dtype, alpha in itertools.product(TYPES, (0.25, 3.0)):
        params, X, Y = _network(dtype)
        wide = _wide(*params)
        gradients = _gradients(wide, X.astype(np.float64), Y)
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
        got = _call(function, PARAMS, {}, changed, **given)
        _all_same(function, PARAMS, got, right, typical, cures, [dtype])
    return "All four go downhill by alpha times their gradient, in new arrays."


# --- The training ---------------------------------------------------------------------------------


@_check
def get_predictions(function):
    params, X, _ = _network()
    cure = "Return the digit for each column: A2.argmax(axis=0)."
    for dtype, m in itertools.product(TYPES, (5, 1)):
        A2 = np.roll(_forward(params, X)[3], [1, 4], axis=[0, 1])[:, :m].astype(dtype)
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
        got = _call(function, A2=A2.copy())
        _same(function, "the answer", got, right, typical, cure)
    return "One digit for each column: the row of its largest probability."


@_check
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
        got = _call(function, predictions=predictions.copy(), Y=labels.copy())
        typical = typical if hits.size > 2 else ()
        _same(function, "the answer", got, hits.mean(), typical, cure, tolerance=1e-6)
    return "It is the share of right answers, from 0 to 1."


@_check
def gradient_descent(function):
    home = getattr(inspect.unwrap(function), "__globals__", {})
    starts = {"init_params", "init_params_scaled"} & home.keys()
    own = {name: home[name] for name in starts | ({"record"} & home.keys())}
    calls, steps = [], []
    full = (slice(None), slice(None))  # every step takes all examples

    def run(params, X, Y, alpha, iterations, keywords=None):
        # The learner's start is random: here their init_params hands out known numbers instead.
        # record only notes when it is called, and what they print on the way is not shown.
        start = functools.partial(lambda *_, **__: calls.append(1) or copy.deepcopy(params))
        home.update(dict.fromkeys(starts, start))
        if "record" in own:
            home["record"] = lambda history, step, *_, **__: steps.append(step)
        calls.clear()
        steps.clear()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                given = {"X": X, "Y": Y, "alpha": alpha, "iterations": iterations}
                return _call(function, PARAMS, keywords, **given)
        finally:
            home.update(own)

    def compare(got, params, X, Y, alpha, k, dtype):
        ends = [
            (alpha, 0, "did not move. Keep what update_params returns: W1, b1, W2, b2 = ..."),
            (-alpha, k, "climbed. update_params must subtract alpha times the gradient."),
            (alpha, 1, "took one step only. Move return out of the loop, to the left."),
            (alpha, k - 1, "took one step too few. Loop over range(iterations)."),
            (alpha, k + 1, "took one step too many. Loop over range(iterations)."),
        ]
        ends = [(_train(params, X, Y, step, [full] * n), text) for step, n, text in ends]
        typical = {
            name: [(end[i], f"{name} {text}") for end, text in ends]
            for i, name in enumerate(PARAMS)
        }
        right = _train(params, X, Y, alpha, [full] * k)
        _all_same(function, PARAMS, got, right, typical, "", _types(function, dtype))

    ends = []
    for alpha in (0.01, 0.02):
        ends.append(run(*_network(), alpha, 4))
        if len(calls) > 1:
            raise _Mistake("it starts from fresh weights at each step. Call init_params only once.")
        if not calls:
            raise _Mistake("it never calls init_params. Start with W1, b1, W2, b2 = init_params().")
    if not np.array_equal(ends[0][0], _network()[0][0]) and all(map(np.array_equal, *ends)):
        raise _Mistake("another alpha gives the same result. Hand alpha on to update_params.")
    for end, alpha in zip(ends, (0.01, 0.02), strict=True):
        compare(end, *_network(), alpha, 4, np.float64)
    params, X, Y = _network(np.float32)
    compare(run(params, X, Y, 0.01, 4), params, X, Y, 0.01, 4, np.float32)
    if "params" in inspect.signature(function).parameters:
        given = tuple(each * 0.5 for each in params)
        kept = copy.deepcopy(given)
        got = run(params, X, Y, 0.01, 2, {"params": given})
        if not all(map(np.array_equal, given, kept)):
            raise _Mistake("it changed the params that it was given. Write W1 = W1 - ..., not -=.")
        if calls:
            raise _Mistake("it was given params and started afresh. Use them if they are not None.")
        compare(got, given, X, Y, 0.01, 2, np.float32)
    if "record" in own and "history" in inspect.signature(function).parameters:
        run(params, X, Y, 0.01, 20, {"history": [], "dev": (X, Y)})
        if steps != [0, 10, 20]:
            raise _Mistake(
                f"in 20 steps it called record at the steps {steps}, not at [0, 10, 20]. Call it "
                "before the loop with 0, and in the loop, after the update, if i % 10 == 0."
            )
    return "It takes as many steps as asked, each downhill, from one start."


# --- The ladder: mini-batches, momentum, moved images ---------------------------------------------


@_check
def minibatches(function):
    starts = "Let start run over range(0, m, batch_size)."

    @functools.wraps(function)
    def batches_of(*arguments):
        answer = function(*arguments)
        return None if answer is None else list(answer)  # a generator starts its work only here

    def run(m, batch_size, rng):
        batches = _call(batches_of, m=m, batch_size=batch_size, rng=rng)
        with contextlib.suppress(ValueError):  # lists of unequal length
            batches = [np.asarray(each) for each in batches]
            if any(each.size == 0 for each in batches):
                empty = f"with m={m} and batch_size={batch_size}, a batch is empty. {starts}"
                raise _Mistake(empty)
            if all(each.ndim == 1 and each.dtype.kind in "iu" for each in batches):
                return batches
        raise _Mistake("each batch must be a flat array of whole numbers. Slice the order.")

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
                raise _Mistake(f"with m={m} and batch_size={size}, {text}")
    if np.array_equal(*(run(1000, 64, rng)[0] for _ in range(2))):
        raise _Mistake("each call gives the same order. Use the rng that is handed in.")
    if not np.array_equal(*(run(1000, 64, np.random.default_rng(8))[0] for _ in range(2))):
        raise _Mistake("it does not use rng. Shuffle with rng.permutation(m), not np.random.")
    return "Each number comes once in each pass, in random order, the last few included."


@_check
def train_epoch(function):
    # Five examples, two a batch: 30 orders give different results, and each of them is right. So
    # it does not matter how the order is drawn.
    alpha, beta, exact = 0.002, 0.5, TOLERANCE[np.dtype(np.float64)]
    every = [list(order) for order in itertools.permutations(range(5))]
    orders = [o for o in every if o[0] < o[1] and o[2] < o[3]]
    pairs = [[(o[:2], o[:2]), (o[2:4], o[2:4]), (o[4:], o[4:])] for o in orders]
    crossed = [[(o[:2], [0, 1]), (o[2:4], [2, 3]), (o[4:], [4])] for o in every]
    whole = [[(every[0], every[0])]]
    params, X, Y = _network()

    def ends(orders=pairs, factor=1.0, step=alpha, **mistake):
        return (_train(params, X * factor, Y, step, batches, **mistake) for batches in orders)

    def near(got, ends):
        return any(_all_close(got, end, exact) for end in ends)

    def run(dtype=np.float64, size=2, rng=None, **keywords):
        small, X, Y = _network(dtype)
        given = {"params": small, "X": X, "Y": Y, "alpha": alpha, "batch_size": size}
        return _call(function, PARAMS, keywords, **given, rng=rng or np.random.default_rng(4))

    def compare(got, right, dtype):
        nothing = dict.fromkeys(PARAMS, ())
        _all_same(function, PARAMS, got, right, nothing, "", _types(function, dtype))

    both = "X[:, batch] and Y[batch]"
    got, right = run(), list(ends())
    if not near(got, right):
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
                raise _Mistake(text)
        # With one batch of all five there is no order to guess, so the wrong array can be named.
        compare(run(size=5), next(ends(whole)), np.float64)
        raise _Mistake(f"no order of the examples gives these weights. For each batch take {both}.")
    rng = np.random.default_rng(4)
    if all(near(run(rng=rng), [got]) for _ in range(5)):
        raise _Mistake("each pass takes the same order. Hand on the rng that is handed in.")
    got = run(np.float32)
    compare(got, min(right, key=lambda end: np.abs(end[0] - got[0]).max()), np.float32)
    called = []

    def momentum(velocity, gradients):
        called.append(1)
        return [beta * v + g for v, g in zip(velocity, gradients, strict=True)]

    parameters = inspect.signature(function).parameters
    if "momentum" in parameters and not near(got := run(momentum=momentum), ends(beta=beta)):
        if not called:
            raise _Mistake("the function in momentum is not called. Call it for each batch.")
        if near(got, right):
            keep = "Keep what momentum returns, and make the zeros once, before the loop."
            raise _Mistake(f"the velocity is not carried over. {keep}")
        raise _Mistake("with momentum, the weights are wrong. Update with what it returns.")
    if "change" in parameters and not near(run(change=lambda X, rng: X / 2), ends(factor=0.5)):
        raise _Mistake("the function in change has no effect. Use change(X[:, batch], rng).")
    return "One step for each batch, each from where the last one ended."


@_check
def update_velocity(function):
    rng = np.random.default_rng(6)
    cure = "It must be beta * v + g."
    for dtype, keywords in itertools.product(TYPES, ({}, {"beta": 0.5})):
        beta, shapes = keywords.get("beta", 0.9), [p.shape for p in _network()[0]]
        old, new = ([rng.normal(0, 1, each).astype(dtype) for each in shapes] for _ in range(2))
        changed = "*= and += work in place: make new arrays, beta * v + g."
        got = _call(function, (), keywords, changed, velocity=old, gradients=new)
        if not isinstance(got, (list, tuple)) or len(got) != len(new):
            raise _Mistake("it must return a list of four arrays, one for each gradient. Use zip.")
        for name, one, v, g in zip(PARAMS, got, _wide(*old), _wide(*new), strict=True):
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
            _same(function, what, one, beta * v + g, typical, cure, [dtype])
    return "Each velocity is beta times the old one plus the gradient, in new arrays."


@_check
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
        images, mix = X.T.reshape(m, 28, 28), _shifted(X.reshape(m, 28, 28), down, right)
        moved, rolled = _shifted(images, down, right), np.roll(images, (down, right), (1, 2))
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
            typical.append((_shifted(images, *other).reshape(m, PIXELS).T, f"{case}{text}"))
        changed = "Write into a new array: np.zeros_like(X)."
        got = _call(function, (), {}, changed, X=X, down=down, right=right)
        want = moved.reshape(m, PIXELS).T
        _same(function, f"{case}the answer", got, want, typical, way, [dtype])
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
    for name, slope, got in zip(names, _measured(loss, params), gradients, strict=True):
        wrong = ~np.isclose(got, slope, rtol=1e-5, atol=1e-8)
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise AssertionError(
                f"slopes: {name} is wrong in {wrong.sum()} of {wrong.size} entries. The first is "
                f"{at}: yours is {got[at]:.3g}, measured {slope[at]:.3g}. Mend its formula."
            )
    count = sum(theta.size for theta in params)
    print(f"slopes: right. All {count:,} gradients agree with the measured slopes.")


# === 2. Set-up and data ===========================================================================

FLOORS = {"numpy": "2.0", "pandas": "2.2.2", "matplotlib": "3.9", "scikit-learn": "1.5"}
PYTHON_FLOOR = (3, 10)


def setup(train_csv, test_csv):
    """Check Python, packages, working folder and the headers of both files; prints one line.

    test_csv may be None. Only the first line of a file is read. Raises RuntimeError,
    FileNotFoundError or ValueError with one sentence on what to do.
    """
    if sys.version_info < PYTHON_FLOOR:
        raise RuntimeError(
            f"This is Python {sys.version.split()[0]}, too old: install Python "
            f"{'.'.join(map(str, PYTHON_FLOOR))} or later, and set up again as README.md says."
        )
    for package, floor in FLOORS.items():
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            version = "missing"
        if version == "missing" or _numbers(version) < _numbers(floor):
            raise RuntimeError(
                f"{package} is {version} but must be {floor} or later: "
                "run pip install -r requirements.txt, then restart the kernel."
            )
    if not (Path("helpers.py").is_file() and Path("data").is_dir()):
        raise FileNotFoundError(
            "helpers.py and data/ are not in the working folder: "
            "open mnist-scratch.ipynb from the folder in which it came, beside them."
        )
    for path in filter(None, (train_csv, test_csv)):
        problem = _file_problem(path) or _header_problem(_first_line(path).split(","), path)
        if problem:
            raise (ValueError if Path(path).exists() else FileNotFoundError)(problem)
    held_out = "" if test_csv else " No test file is named: 10,000 rows will be held out instead."
    print("Ready: Python, the packages, the folder and the data files are in place." + held_out)


def _numbers(version):
    return tuple(int(n) for n in re.findall(r"\d+", version)[:3])


# --- The data -------------------------------------------------------------------------------------

COLUMNS = ["label"] + [f"pixel{i}" for i in range(PIXELS)]
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[0-9][0-9]?)"
_GOOD_LINE = re.compile(rf"[0-9](?:,{_BYTE}){{{PIXELS}}}\s*")


def unreadable(path, error):
    """An exception with one sentence: why pandas could not read `path`, and what to do.

    error is what pandas raised. Looks into the file again, so it also finds the line. Returns
    FileNotFoundError when there is no such file, ValueError for all else.
    """
    kind = ValueError if Path(path).exists() else FileNotFoundError
    with contextlib.suppress(OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
        problem = _file_problem(path)
        if not problem:
            problem = _header_problem(_first_line(path).split(","), path) or _line_problem(path)
        if problem:
            return kind(problem)
    said = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(". ").replace(". ", ", ")
    return kind(f"{path} cannot be read as a table of digits ({said}): get the file again.")


def digits(table, path):
    """Check a table that pd.read_csv(path, dtype=np.uint8) gave: columns, rows, labels.

    Raises ValueError with one sentence. Takes milliseconds, unless something is wrong or an older
    pandas makes it go through the file itself.
    """
    problem = _header_problem([str(name) for name in table.columns], path)
    if not problem and len(table) == 0:
        problem = f"{path} has a header but no rows: get the file again, or name another one."
    if not problem and (type(table.index).__name__ != "RangeIndex" or table["label"].max() > 9):
        problem = _line_problem(path) or f"{path} does not fit its header: get the file again."
    if not problem and _wraps_silently() and Path(path).exists():
        problem = _line_problem(path)
    if problem:
        raise ValueError(problem)


def _wraps_silently():
    """True for older pandas (measured: 2.2.2), which reads 256 as 0 without an error."""
    import pandas  # here, so that setup can say that it is missing

    try:
        return len(pandas.read_csv(io.StringIO("a\n256\n"), dtype=np.uint8)) == 1
    except ValueError:
        return False


def enough_rows(m, held_out, dev=1000):
    """Check that m rows are enough to take out held_out test rows and dev rows, and train on more.

    Raises ValueError with one sentence.
    """
    if m <= held_out + dev:
        parts = f"{dev:,} dev rows" + f" and {held_out:,} test rows" * bool(held_out)
        raise ValueError(
            f"The train file has only {m:,} rows, too few to set {parts} aside: "
            f"use a file with more than {held_out + dev:,} rows."
        )


def _open(path, errors="strict"):
    """The file as text, unpacked as pandas would do it by its ending."""
    opener = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(Path(path).suffix, open)
    return opener(path, "rt", encoding="utf-8-sig", errors=errors)


def _first_line(path):
    with _open(path) as file:
        return file.readline(20_000).strip()


def _file_problem(path):
    """One sentence on what keeps the first line of a file from being read, or None."""
    if not Path(path).exists():
        return f"There is no file {path}: put it there, or mend the path where it is set."
    if Path(path).is_dir():
        return f"{path} is a folder: name the CSV file in it."
    if Path(path).stat().st_size == 0:
        return f"{path} is empty: get the file again."
    try:
        with open(path, "rb") as file:
            start = file.read(4)
    except PermissionError:
        return f"{path} may not be read: change its permissions, or copy it."
    if start[:2] == b"PK":
        return f"{path} is a zip archive: unpack it, and name the CSV file that was in it."
    if start[:2] == b"\x1f\x8b" and Path(path).suffix != ".gz":
        return f"{path} is compressed with gzip: add .gz to its name, here and in the folder."
    if start[:2] != b"\x1f\x8b" and Path(path).suffix == ".gz":
        return f"{path} is named .gz but is not compressed with gzip: take .gz off its name."
    try:
        if not _first_line(path):
            return f"{path} has an empty first line: it must be label,pixel0,...,pixel783."
    except UnicodeDecodeError:
        return f"{path} is not text: save it as CSV in UTF-8, or name another file."
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return f"{path} is damaged or cut short: download or copy it again."
    return None


def _header_problem(names, path):
    """One sentence on what is wrong with the column names, or None."""
    names = [name.strip().strip('"') for name in names]
    if names == COLUMNS:
        return None
    mend = "the first line must be label,pixel0,...,pixel783"
    if names == COLUMNS[1:]:
        return (
            f"{path} has no labels, like Kaggle's test.csv: name a labelled file, "
            "or set TEST_CSV = None to hold rows of the train file out."
        )
    if len(names) == 1 and ";" in names[0]:
        return f"{path} is separated by semicolons: save it with commas."
    if len(names) == 1 and "\t" in names[0]:
        return f"{path} is separated by tabs: save it with commas."
    if re.fullmatch(r"[0-9.]+", names[0]):
        return f"{path} has no header, its first line is already a digit: add a first line, {mend}."
    if names == ["label"] + [f"pixel{i + 1}" for i in range(PIXELS)]:
        return f"{path} counts its pixels from 1: rename pixel1...pixel784, {mend}."
    missing = [name for name in COLUMNS if name not in names]
    extra = [name for name in names if name not in COLUMNS]
    if missing and extra:
        return f"{path} has a column {extra[0]!r} but no {missing[0]}: rename it, {mend}."
    if missing:
        more = f" and {len(missing) - 1} more" * (len(missing) > 1)
        return f"{path} lacks the column {missing[0]}{more}: get the whole file, {mend}."
    if extra or len(names) > len(COLUMNS):
        name = extra[0] if extra else next(name for name in names if names.count(name) > 1)
        return f"{path} has a column too many, {name!r}: delete it, {mend}."
    return f"{path} has its columns in another order: sort them, {mend}."


def _line_problem(path):
    """One sentence on the first bad line of the file, counted as an editor does, or None."""
    count = 0
    try:
        with _open(path, errors="replace") as file:
            for number, line in enumerate(file, start=1):
                if number == 1 or not line.strip():
                    continue
                count += 1
                if "\ufffd" in line:
                    return f"{path}, line {number}: it is not text: save the file as CSV in UTF-8."
                if not _GOOD_LINE.fullmatch(line):
                    problem = _values_problem(line.rstrip("\n").split(","))
                    if problem:
                        what, cure = problem
                        return f"{path}, line {number}: {what}: {cure}."
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return f"{path} is damaged or cut short after line {count + 1}: download or copy it again."
    return None if count else f"{path} has a header but no rows: get the file again."


def _values_problem(values):
    """What is wrong with one line, and the cure; None when pandas reads it as it should."""
    if len(values) != len(COLUMNS):
        return f"it has {len(values)} values instead of {len(COLUMNS)}", "mend or delete that line"
    for name, text in zip(COLUMNS, values, strict=True):
        text = text.strip().strip('"')
        top = 9 if name == "label" else 255
        cure = f"a {name.rstrip('0123456789')} is a whole number from 0 to {top}, so mend that line"
        if text == "" or text.lower() in ("na", "nan", "null", "none", "n/a"):
            return f"the value of {name} is missing", cure
        try:
            value = float(text)
        except ValueError:
            return f"{name} holds the text {text[:20]!r}", cure
        if not 0 <= value <= top or value != int(value):
            return f"{name} holds {text[:20]}", cure
    return None


# === 3. Training ==================================================================================

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

    history: list of dicts with step, train_loss, train_accuracy and, if measured, dev_loss and
    dev_accuracy. Of several symptoms the most harmful is named.
    """
    loss, accuracy, dev, dev_accuracy = (
        np.array([row.get(key, np.nan) for row in history], dtype=np.float64)
        for key in ("train_loss", "train_accuracy", "dev_loss", "dev_accuracy")
    )
    if not np.isfinite(loss).all():
        at = history[int(np.argmin(np.isfinite(loss)))]["step"]
        return (
            f"The loss is no longer a number at step {at}, so every answer is 0 (accuracy near "
            "9.9 %): use a smaller alpha, and check that softmax subtracts the largest score."
        )
    if len(history) < 3:
        return (
            f"There are {len(history)} measurements, too few to judge: train longer."
            if history
            else "The history is empty: give the run history=[], and call record in its loop."
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
        at = history[int(means.argmin()) + fifth - 1]["step"]
        return (
            f"The dev loss rises since about step {at} while the train loss falls, so the network "
            "overfits: stop there, or use more examples or fewer hidden units."
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
