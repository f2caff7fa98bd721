"""Running a check, calling the learner's function, comparing arrays and saying what came out.

`check` turns a check into what the learner sees, `call` runs the learner's function safely, `same`
compares one array and `all_same` several. What they say are facts. Both get a list `typical` of
pairs (what a typical mistake returns, what to say). The place of a mistake comes from search.py.
"""

import contextlib
import dis
import functools
import inspect
import itertools
import linecache
import re
import warnings

import numpy as np

from . import reference as ref

TYPES = (np.float64, np.float32)
# Largest difference that counts as rounding, as a share of the array's largest entry. Rounding in
# these small networks stays below 1e-6 (float32) and 1e-14 (float64); float16 inside gives 2e-4.
TOLERANCE = {np.dtype(np.float32): 5e-5, np.dtype(np.float64): 1e-9}
PARAMS = ("W1", "b1", "W2", "b2")


class Mistake(Exception):
    """What to tell the learner.

    cause: their own error, if there was one; line: its line. look: a regular expression for the
    lines where a mistake of this kind stands, tried first by the search, and named if it ends
    without a proof. own: whether an error came from the function itself, not from one that it
    calls. good: for each array that came back, whether it was right.
    """

    good = ()

    def __init__(self, text, cause=None, line=0, look=None, own=False):
        super().__init__(text)
        self.cause, self.line, self.look, self.own = cause, line, look, own


def need(condition, text, look=None):
    """Raise Mistake unless the condition holds."""
    if not condition:
        raise Mistake(text, look=look)


@contextlib.contextmanager
def looking(pattern):
    """For mistakes found inside, suspect the lines that match (`look` of Mistake)."""
    try:
        yield
    except Mistake as mistake:
        mistake.look = mistake.look or pattern
        raise


class NotWritten(Mistake):
    """A function that only says so: there is no place to look for."""


class progress:
    """How far a function came in its check; compared by the search."""

    right = 0  # comparisons that it passed
    step = 0  # in the last call: 0 an error, 1 ran, 2 left its inputs as they were, 3 all came back
    searching = False  # then nothing is said, only counted
    stage = first = None  # names of the part of the check that runs, and of that to begin with

    @classmethod
    def stages(cls, *parts):
        """Run the parts of a check; the search begins with that in which the function failed."""
        for part in sorted(parts, key=lambda part: part.__name__ != cls.first):
            cls.stage = part.__name__
            part()


def check(body):
    """Make `body(function) -> sentence` into one that prints a line or raises AssertionError."""

    @functools.wraps(body)
    def run(function, show=False):
        sentence, mistake = outcome(body, function)
        if isinstance(mistake, NotWritten):
            raise AssertionError(f"{body.__name__}: {mistake}") from None
        if mistake:
            from . import search  # only now, so that a passing check stays as fast

            place, progress.searching, progress.first = "", True, progress.stage
            try:
                again = functools.partial(trial, body)
                place = search.place(function, again, body.__name__, mistake, show)
            except Exception:
                pass  # what came out is worth more to the learner than an error of the search
            finally:  # also when they press stop
                progress.searching, progress.first = False, None
            said = f"{body.__name__}: {mistake} {place}".rstrip()
            raise AssertionError(said) from mistake.cause
        print(f"{body.__name__}: right. {sentence}")

    return run


def trial(body, function):
    """(passes, score): whether a function passes its check with two sets of examples.

    score grows with what is right: (comparisons passed, step of the last call, line
    of the error that came then).
    """
    progress.right = 0
    try:
        body(function)
        with ref.other_examples():
            body(function)
    except Mistake as mistake:
        return False, (progress.right, progress.step, mistake.line)
    except Exception:  # an answer that the check itself cannot handle
        return False, None
    return True, None


def outcome(body, function):
    """(sentence, None) or (None, Mistake).

    NumPy's error state, print options, random state and the warning filters stay as they were.
    """
    if not callable(function):
        name = body.__name__
        return None, Mistake(f"hand over the function itself: checks.{name}({name}).")
    progress.right, progress.stage = 0, None
    state, quiet = np.random.get_state(), (np.errstate(all="ignore"), np.printoptions())
    with quiet[0], quiet[1], warnings.catch_warnings(record=True) as noise:
        warnings.simplefilter("always")
        try:
            sentence = body(function)
        except Mistake as mistake:
            return None, mistake
        finally:
            np.random.set_state(state)
    noise = [str(each.message) for each in noise if issubclass(each.category, RuntimeWarning)]
    if noise:
        return None, Mistake(
            f"the numbers are right, but NumPy warns of {noise[0]!r}. "
            "Find the step that overflows or divides by zero, and avoid it."
        )
    return sentence, None


def call(function, _returns=(), _keywords=None, **arguments):
    """Call the learner's function with the values of `arguments`, in order, and return its answer.

    `_returns` names what must come back, such as ("W1", "b1"); then a list comes back. Raises
    Mistake for an error inside, a missing return, a wrong number of values, and a changed input.
    """
    keywords = _keywords or {}
    code = getattr(function, "__code__", None)
    same_names = code and code.co_varnames[: code.co_argcount] == tuple(arguments)
    if keywords or not same_names or code.co_kwonlyargcount:
        _signature_fits(function, arguments, keywords)
    progress.step = 0
    before = {name: _kept(value) for name, value in arguments.items()}
    try:
        with np.errstate(over="warn", divide="warn", invalid="warn"):
            answer = function(*arguments.values(), **keywords)
    except Exception as error:
        raise their_error(function, error) from None
    progress.step = 1
    for name, value in arguments.items():
        need(
            not _changed(value, before[name]),
            f"it changed its input {name}. Make a new array: -= and [...] = do not.",
            r"[-+*/@]=|\]\s*=(?!=)|\bout=|\.(sort|fill|append|pop)\(|^\w+ = \w+$",
        )
    progress.step = 2
    need(answer is not None, "it returned nothing (None). It must end with a return line.")
    progress.step = 3
    if not _returns:
        return answer
    count = len(answer) if isinstance(answer, (tuple, list)) else 1
    if count != len(_returns):
        progress.step = 2
        raise Mistake(
            f"it returned {count} value{'s' * (count != 1)} instead of {len(_returns)}. "
            f"End it with: return {', '.join(_returns)}.",
            look=r"^return\b",
        )
    return list(answer)


def _signature_fits(function, arguments, keywords):
    """Raise Mistake unless the learner's function takes these arguments, in this order."""
    with contextlib.suppress(ValueError):  # built-in functions have no signature
        signature = inspect.signature(function)
        try:
            signature.bind(*arguments.values(), **keywords)
        except TypeError:
            wanted = ", ".join([*arguments, *keywords])
            more = [p.name for p in signature.parameters.values() if p.default is p.empty]
            more = [name for name in more if name not in (*arguments, *keywords)]
            hint = f"Give {more[-1]} a default." if more else "Mend the def line."
            raise Mistake(f"it must take ({wanted}), but yours takes {signature}. {hint}") from None
        taken = list(signature.parameters)[: len(arguments)]
        if taken != list(arguments) and set(taken) == set(arguments):
            wanted = ", ".join(arguments)
            raise Mistake(f"it must take ({wanted}) in this order. Mend the def line.")


def _kept(value):
    """A copy of an array, or of the arrays in a list or tuple, to see whether it is changed."""
    if isinstance(value, (tuple, list)):
        return [_kept(each) for each in value]
    return value.copy(order="K") if isinstance(value, np.ndarray) else value


def _changed(value, before):
    if isinstance(before, list):
        return len(value) != len(before) or any(map(_changed, value, before))
    return isinstance(before, np.ndarray) and not np.array_equal(value, before)


def their_error(function, error):
    """The Mistake for an error inside the learner's code: where, which line, and a hint."""
    home = getattr(inspect.unwrap(function), "__globals__", None)
    traces = [each for each in _traces(error) if each.tb_frame.f_globals is home]
    if progress.searching:
        return Mistake("", error, traces[-1].tb_lineno if traces else 0)
    said = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".")
    if not traces:
        return Mistake(f"it stops with {said}.", error)
    first, last = traces[0], traces[-1]
    inside, line = last.tb_frame.f_code.co_name, _line(last)
    own = inside == function.__name__ or inside.startswith("<")  # <listcomp>, before Python 3.12
    if isinstance(error, NotImplementedError):
        what = "it" if own else inside
        return NotWritten(f"{what} is not written yet. Write it in its cell, and run that cell.")
    where = f"your code stops at line {last.tb_lineno}" + f" of {inside}" * (not own)
    where += f", `{line}`" * bool(line)
    if not own and _line(first):
        where += f", called by line {first.tb_lineno}, `{_line(first)}`"
    arrays = {}
    for name in re.findall(r"[A-Za-z_]\w*(?:\.T\b)?", line):
        value = last.tb_frame.f_locals.get(name.removesuffix(".T"))
        near = "@" not in line or re.search(rf"@ *{name}\b|\b{name} *@", line)
        if isinstance(value, np.ndarray) and near:
            arrays[name] = value.T.shape if name.endswith(".T") else value.shape
    broadcast = re.search(r"broadcast together with shapes (.*\))", str(error))
    quoted = (re.findall(r"'(\w+)'", str(error)) or ["such name"])[0]
    outside = reads_outside(function)
    if isinstance(error, UnboundLocalError):
        hint = f"{quoted} is used before it has a value."
    elif isinstance(error, NameError):
        hint = (
            f"There is no {quoted}: run the cells above first, mind the spelling, "
            "and make helpers such as m inside the function (m = X.shape[1])."
        )
    elif outside:
        hint = f"It reads {outside} from outside: use only its arguments."
    elif "truth value of an array" in str(error):
        hint = "Plain max, min, if and `and` cannot compare whole arrays: use np.maximum."
    elif broadcast:
        hint = f"The shapes {broadcast.group(1)} do not fit."
    elif re.search("matmul|not aligned", str(error)) and arrays:
        shapes = " and ".join(f"{name} is {shape}" for name, shape in arrays.items())
        hint = f"There {shapes}, which do not fit."
    elif "out of bounds for uint8" in str(error):
        hint = "uint8 numbers end at 255: take Y.astype(int) before you calculate with labels."
    elif isinstance(error, IndexError) and "size 10" in str(error):
        hint = f"It says: {error}; labels and rows are counted from 0 to 9."
    else:
        hint = f"It says: {said}."
    return Mistake(f"{where}. {hint}", error.with_traceback(first), first.tb_lineno, own=own)


def _traces(error):
    """The parts of an error's traceback, from the outermost call inwards."""
    trace = error.__traceback__
    while trace:
        yield trace
        trace = trace.tb_next


def _line(trace):
    code = trace.tb_frame.f_code
    return linecache.getline(code.co_filename, trace.tb_lineno, trace.tb_frame.f_globals).strip()


def reads_outside(function):
    """Data that the function reads from the notebook instead of its arguments: "X_train and m"."""
    function = inspect.unwrap(function)
    home, names = getattr(function, "__globals__", {}), {}
    codes = [function.__code__] if home else []
    for code in codes:  # grows: comprehensions, lambdas and functions inside have their own code
        codes += [each for each in code.co_consts if inspect.iscode(each)]
        found = (each.argval for each in dis.get_instructions(code) if each.opname == "LOAD_GLOBAL")
        names.update(dict.fromkeys(found))
    return " and ".join(
        name
        for name in names
        if (hasattr(home.get(name), "shape") and not inspect.ismodule(home.get(name)))
        or (isinstance(home.get(name), (int, float)) and not name.isupper())
    )


def close(got, right, tolerance):
    """True when shapes are equal and no entry differs by more than `tolerance` of the largest."""
    got, right = np.asarray(got), np.asarray(right)
    if got.shape != right.shape or got.dtype.kind not in "biuf":
        return False
    largest = np.abs(right).max(initial=0) if np.isfinite(right).all() else 0
    return bool(np.all(np.abs(got - right.astype(np.float64)) <= tolerance * max(largest, 1e-6)))


def all_close(got, right, tolerance):
    return all(close(a, b, tolerance) for a, b in zip(got, right, strict=True))


def foreseen(got, typical, tolerance):
    for wrong, text, *look in typical:
        if close(got, wrong, tolerance):
            raise Mistake(text, look=look[0] if look else None)


def same(function, name, got, right, typical=(), types=(), tolerance=None, hint=""):
    """Raise Mistake unless `got` is `right` (given in float64) and of one of the `types`.

    typical: pairs (what a typical mistake returns, what to say). types: allowed dtypes, the first
    sets the tolerance; empty allows all. hint: a second sentence, where the examples tell a cause.
    """
    wanted = np.dtype(types[0]) if types else np.dtype(np.float64)
    tolerance = tolerance or TOLERANCE[wanted]
    right = np.asarray(right, dtype=np.float64)
    numeric = isinstance(got, (np.ndarray, np.generic, int, float))
    if not numeric or np.asarray(got).dtype.kind not in "biuf":
        kind = "a NumPy array" if right.ndim else "one number"
        raise Mistake(f"{name} came out as {type(got).__name__}. Return {kind}.")
    got = np.asarray(got)
    lost = types and got.dtype.kind == "f" and got.dtype not in map(np.dtype, types)
    if lost and got.shape == right.shape:
        raise Mistake(
            f"{name} came out as {got.dtype} from {wanted}. It must keep the type.",
            look=r"np\.(zeros|ones|empty|full|eye|array|arange)\(|astype|float64|dtype",
        )
    if close(got, right, tolerance):
        progress.right += 1
        return
    if progress.searching:
        raise Mistake("")
    foreseen(got, typical, tolerance)
    look, outside = None, reads_outside(function)
    if outside:
        hint = f"It reads {outside} from outside: use only its arguments."
        look = rf"\b({outside.replace(' and ', '|')})\b"
    raise Mistake(f"{_difference(name, got, right, tolerance)} {hint}".strip(), look=look)


def _difference(name, got, right, tolerance):
    """How `got` differs from `right`: facts, and no cause."""
    if got.shape != right.shape:
        what = "a single number" if got.ndim == 0 else f"shape {got.shape}"
        text = f"{name} came out as {what}, it must be {right.shape or 'one number'}."
        if got.ndim == 2 and close(got.T, right, tolerance):
            text += " The numbers are right, but rows and columns are exchanged."
        return text
    if not np.isfinite(got).all():
        return f"{name} holds NaN or infinity."
    got = got.astype(np.float64)
    at = np.unravel_index(np.argmax(np.abs(got - right)), got.shape)
    place = f"[{', '.join(map(str, at))}]" if at else ""
    if right[at] and np.isfinite(factor := got[at] / right[at]) and factor:
        if close(got, right * factor, tolerance):
            if abs(factor + 1) < tolerance:
                return f"{name} has the wrong sign."
            if got.size > 1 or min(factor % 1, 1 / factor % 1) < 1e-6:
                return f"{name} is {factor:.4g} times what it must be."
    share = f" ({(~np.isclose(got, right)).sum()} of {got.size} numbers are wrong)" * (got.size > 1)
    size = np.abs(right).max()
    digits = 9 if size and np.abs(got - right).max() < 5e-3 * size else 5
    return f"{name}{place} is {got[at]:.{digits}g}, it must be {right[at]:.{digits}g}{share}."


def all_same(function, names, got, right, typical, types):
    """`same` for several arrays; sees a wrong order. typical: {name: pairs}, looked at first."""
    tolerance = TOLERANCE[np.dtype(types[0])]
    if not all_close(got, right, tolerance):
        progress.right += sum(map(close, got, right, [tolerance] * len(names)))
        if progress.searching:
            raise Mistake("")
        for order in itertools.permutations(range(len(names))):
            if all_close(got, [right[i] for i in order], tolerance):
                came = ", ".join(names[i] for i in order)
                raise Mistake(
                    f"the arrays are right but come back in the order {came}. "
                    f"End it with: return {', '.join(names)}.",
                    look=r"^return\b",
                )
    for name in dict.fromkeys([*typical, *names]):
        at = names.index(name)
        try:
            same(function, name, got[at], right[at], typical.get(name, ()), types)
        except Mistake as mistake:
            mistake.good = [close(a, b, tolerance) for a, b in zip(got, right, strict=True)]
            raise
