"""Finding the place of a mistake by trying: small edits to the learner's function, one at a time.

An edit after which the function passes its whole check, and the check on a second set of examples,
is a proof: the mistake is at that place. `repair` searches; `Found` says in words what it found;
`place` is both, and names the lines that the check suspects where nothing is proved. What is tried
stands in edits.py; the learner's function, arrays and lists are never changed.
Idea: Singh, Gulwani and Solar-Lezama, "Automated feedback generation for introductory programming
assignments", 2013.
"""

import ast
import contextlib
import copy
import inspect
import io
import linecache
import re
import sys
import time
import warnings

import numpy as np

from .edits import KINDS, edits, loads, placed, reads, variables

SECONDS, LONGER, CLOCK = 2.0, 3.2, 3.7  # of computing, for slow functions, and by the clock
BYTES = 50e6  # that one array, or all that comes back in a trial, may take
SLOW = ("gradient_descent", "train_epoch")
LINES = 200_000  # that one call in a trial may run
# A function that does more than calculate is not run again and again.
EFFECTS = set(
    "open input exec eval compile __import__ save savez savez_compressed savetxt tofile dump "
    "to_csv to_pickle write write_text write_bytes system run Popen remove unlink rmdir mkdir "
    "display show savefig figure subplots plot imshow urlopen urlretrieve sleep".split()
)


class Stop(BaseException):
    """A trial ran too long. Not an Exception, so that a learner's `except Exception` lets it by."""


# --- The learner's function -----------------------------------------------------------------------


class Source:
    """The tree of a function, and functions made from that tree after edits.

    Raises LookupError where there is no source, or where it is not safe to run it many times.
    """

    def __init__(self, function, safe=True):
        function = inspect.unwrap(function)
        code = getattr(function, "__code__", None)
        if code is None:
            raise LookupError("not a Python function")
        self.file, self.name, self.globals = code.co_filename, code.co_name, function.__globals__
        text = "".join(linecache.getlines(self.file, self.globals))
        self.text = text.splitlines()
        functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef)]
        for node in functions:
            first = min(each.lineno for each in (node, *node.decorator_list))
            if (node.name, first) == (self.name, code.co_firstlineno):
                self.tree = node
        if not hasattr(self, "tree"):
            raise LookupError("no source")
        nodes = list(ast.walk(self.tree))
        used = {getattr(n, "id", getattr(n, "attr", None)) for n in nodes}
        loops = any(isinstance(n, ast.While) for n in nodes)
        swallows = any(isinstance(n, ast.ExceptHandler) and not n.type for n in nodes)
        if safe and (used & EFFECTS or (loops and swallows)):
            raise LookupError("not safe to run many times")
        try:
            self.cells = [_guarded(cell.cell_contents) for cell in function.__closure__ or ()]
        except ValueError:
            raise LookupError("closure without a value") from None
        # An edit may not reach for the notebook's data: an m of 59,000 makes a large np.eye(m).
        used -= set(variables(self.tree))
        self.space = {
            name: _guarded(value)
            for name, value in self.globals.items()
            if name in used or callable(value) or inspect.ismodule(value) or name[:2] == "__"
        }
        data = (int, float, np.ndarray)
        self.outside = {name for name in used if isinstance(self.space.get(name), data)}
        self.tree.decorator_list = []
        free = [ast.arg(name) for name in code.co_freevars]
        body = [self.tree, ast.Return(ast.Name(self.name, ast.Load()))]
        if self.name not in code.co_freevars:
            body.insert(0, ast.Global([self.name]))
        maker = ast.FunctionDef("_make", ast.arguments([], free, None, [], [], None, []), body, [])
        maker.type_params = []  # Python 3.12 and later ask for it
        self.module = ast.fix_missing_locations(ast.Module([maker], []))
        built = self.build().__code__
        if (built.co_varnames, set(built.co_names)) != (code.co_varnames, set(code.co_names)):
            raise LookupError("the source has changed since")

    def build(self):
        """The function that the tree says now."""
        space = dict(self.space)
        exec(compile(self.module, self.file, "exec"), space)
        return space["_make"](*self.cells)

    def line(self, number):
        return self.text[number - 1].strip() if 0 < number <= len(self.text) else ""

    def lines(self, pattern):
        """{number: text} of the lines below `def` that match, without comments and docstring."""
        doc = ast.get_docstring(self.tree) is not None
        steps = [n for step in self.tree.body[doc:] for n in ast.walk(step)]
        numbers = sorted({n.lineno for n in steps if isinstance(n, ast.stmt)})
        found = {number: self.line(number) for number in numbers}
        return {n: text for n, text in found.items() if re.search(pattern, text.split("#")[0])}

    def segment(self, node):
        """The text of a node, or its first line."""
        said = placed(node) and ast.get_source_segment("\n".join(self.text), node)
        return (said or ast.unparse(node)).split("\n")[0]

    def unique(self, node):
        """The text of a node; with what stands around it where the line has that text twice."""
        said = self.segment(node)
        if placed(node) and self.line(node.lineno).count(said) > 1:
            for parent in ast.walk(self.tree):
                if isinstance(parent, ast.expr) and node in ast.iter_child_nodes(parent):
                    return f"{said}` in `{self.segment(parent)}"
        return said

    def behind(self, names, lines=()):
        """Lines of the assignments that these names come from, `lines`, and the heads around."""
        names, found = set(names), set(lines)
        steps = [n for n in ast.walk(self.tree) if isinstance(n, (ast.Assign, ast.AugAssign))]
        for step in steps * len(steps):  # as often as the longest chain may take
            if _writes(step) & names:
                found.add(step.lineno)
                names |= reads(step)
        for step in ast.walk(self.tree):
            if isinstance(step, (ast.For, ast.While, ast.If)) and found & _linenos(step):
                found.add(step.lineno)
        return found

    def suspects(self, mistake):
        """Lines to try first: those that the check suspects, or that only wrong arrays need."""
        if mistake.look:
            return self.lines(mistake.look)
        for step in ast.walk(self.tree):
            if isinstance(step, ast.Return) and isinstance(step.value, ast.Tuple):
                parts = step.value.elts
                if mistake.good and len(mistake.good) == len(parts):
                    sides = [set(), set()]  # names that wrong arrays come from, and right ones
                    for part, good in zip(parts, mistake.good, strict=True):
                        sides[good] |= reads(part)
                    wrong, right = map(self.behind, sides)
                    return wrong - right or wrong
            if isinstance(step, ast.stmt) and step.lineno == mistake.line:
                return self.behind(reads(step) & set(variables(self.tree)), [step.lineno])
        return set()

    def unused(self):
        """{number: text} of the assignments to names that nobody reads afterwards."""
        found, loops = {}, [n for n in ast.walk(self.tree) if isinstance(n, (ast.For, ast.While))]
        for step in ast.walk(self.tree):
            if isinstance(step, ast.Assign) and isinstance(step.targets[0], ast.Name):
                name, lines = step.targets[0].id, set()
                for loop in loops:  # it may be read in the next round
                    if step.lineno in _linenos(loop):
                        given = isinstance(loop, ast.For) and name in variables(loop.target)
                        lines |= set() if given else _linenos(loop)
                uses = [n.lineno for n in loads(self.tree) if n.id == name]
                if not any(n > step.end_lineno or n in lines for n in uses):
                    found[step.lineno] = self.line(step.lineno)
        return found


def _writes(step):
    """Names that an assignment gives a value to, or changes by an index."""
    targets = step.targets if isinstance(step, ast.Assign) else [step.target]
    return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def _linenos(tree):
    return {n.lineno for n in ast.walk(tree) if hasattr(n, "lineno")}


def _guarded(value):
    """The value, so that a trial cannot change it."""
    if isinstance(value, np.ndarray):
        value = value.view()
        value.flags.writeable = False
    elif isinstance(value, np.random.Generator):
        value = copy.deepcopy(value)
    elif isinstance(value, (list, dict, set)):
        value = copy.copy(value)
    return value


# --- What is said ---------------------------------------------------------------------------------


class Found:
    """Edits that were found; proved if all is right with them, else it is nearer to right.

    lines: for each edit (number, text of the line, kind, the part to look at, the line made right),
    in the order of the lines.
    """

    def __init__(self, source, chain, proved):
        self.proved, self.lines = proved, []
        parts = [part for edit in chain for part in edit.parts]
        texts = [source.unique(part.node) for part in parts]
        with contextlib.ExitStack() as stack:
            for edit in chain:
                stack.enter_context(edit)
            for part, text in zip(parts, texts, strict=True):
                number = getattr(part.node, "lineno", part.step.lineno)
                line = number, source.line(number), part.kind, text, _shown(part)
                self.lines.append(line)
        self.lines.sort(key=lambda line: line[0])

    def said(self, show=False, named=0):
        """One or two sentences: where to look, and what is proved. named: a line just quoted."""
        if not self.proved:
            places = _lines(dict(line[:2] for line in self.lines))
            return f"Look at {places}. With a change there more is right, but not yet all."
        said = []
        for number, text in dict.fromkeys(line[:2] for line in self.lines):
            kinds = {}
            for _, _, kind, part, _ in (line for line in self.lines if line[0] == number):
                kinds.setdefault(kind, {})[f"`{part}`"] = True
            looks = [KINDS[kind][1].format(_and(parts)) for kind, parts in kinds.items()]
            where = "there" if number == named else f"line {number}, `{text}`"
            said.append(f"{where}: {_and(looks)}")
        text = "; ".join(said)
        changed = KINDS[self.lines[0][2]][2] if len(self.lines) == 1 else "With all this changed"
        text = f"{text[0].upper()}{text[1:]}. {changed}, everything is right."
        for number, *_, new in dict.fromkeys(self.lines) if show else ():
            text += f" Line {number} would be right as: `{new}`." if new else ""
        return text


def _shown(edit):
    """The line as it would be right, None where it goes or moves."""
    new, step = edit.changes[0][3], edit.step
    if isinstance(edit.node, ast.stmt):
        new = new if isinstance(new, list) else [new]
        step = next((each for each in new if each is not step), None)
    return step and ast.unparse(ast.fix_missing_locations(step)).split("\n")[0]


def _lines(places):
    """{number: text} in words; more than two without their texts."""
    if len(places) > 2:
        return f"lines {_and([str(number) for number in places])}"
    return _and([f"line {number}, `{text}`" for number, text in places.items()])


def _and(words):
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def place(function, trial, answer, mistake, show=False):
    """A sentence that says where to look: proved, or the one to four lines that are suspected.

    mistake: the Mistake that the check raised. "" where there is no place. The other arguments are
    those of `repair` and `Found.said`.
    """
    found = repair(function, trial, answer, mistake)
    if found and found.proved:
        return found.said(show, mistake.line if mistake.own else 0)
    suspects = unused = {}
    with _quiet(), contextlib.suppress(LookupError, RecursionError, SyntaxError):
        source = Source(function, safe=False)
        suspects = source.lines(mistake.look) if mistake.look else {}
        if not mistake.own:
            unused = source.unused()
            if not suspects and len(source.lines("")) == 1:
                suspects = source.lines("")  # where else
    if 0 < len(suspects) <= 4:
        return f"Look at {_lines(suspects)}."
    if unused:
        return f"Look at {_lines(unused)}: nobody uses what is made there."
    return found.said(show) if found and not mistake.own else ""


# --- The search -----------------------------------------------------------------------------------


def repair(function, trial, answer, mistake=None):
    """The Found edits that make a wrong function right, or None.

    trial(candidate) -> (True, score) when the candidate passes; a larger score is nearer to right.
    answer: name of the function in answers.py. mistake: what the check raised; it says which lines
    to try first.
    """
    with _quiet():
        try:
            source = Source(function)
        except (LookupError, RecursionError, SyntaxError):
            return None
        seconds = LONGER if answer in SLOW else SECONDS
        suspects = source.suspects(mistake) if mistake else ()
        return _Search(source, trial, answer, seconds, suspects).run()


@contextlib.contextmanager
def _quiet():
    """Nothing printed, no warning, and a debugger's trace function put back."""
    before, state = sys.gettrace(), np.random.get_state()
    with (
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        np.printoptions(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", RuntimeWarning)  # an edit that warns is not right
        try:
            yield
        finally:
            sys.settrace(before)
            np.random.set_state(state)


class _Search:
    def __init__(self, source, trial, answer, seconds, suspects=()):
        self.suspects = suspects
        self.source, self.trial, self.answer, self.seen = source, trial, answer, {}
        self.lines = LINES
        self.ends = time.thread_time() + seconds, time.perf_counter() + CLOCK

    def left(self):
        """Seconds."""
        return min(self.ends[0] - time.thread_time(), self.ends[1] - time.perf_counter())

    def test(self):
        """(passes, score) of what the tree says now."""
        try:
            candidate = self.source.build()
        except (SyntaxError, ValueError, TypeError, NameError, AttributeError, RecursionError):
            return False, None
        key = _key(candidate.__code__), repr(candidate.__defaults__)
        if key in self.seen:
            return self.seen[key]
        home, left, most, handed = str(self.source.globals.get("__name__")), self.lines, 0, 0

        def watch(frame, event, argument):
            """Stop what runs or grows without an end, in lines of NumPy, too."""
            nonlocal left, most, handed
            module = str(frame.f_globals.get("__name__"))
            if event == "call":
                from_check = str(frame.f_back.f_globals.get("__name__")).startswith("checks.")
                if from_check and not frame.f_code.co_flags & inspect.CO_GENERATOR:
                    left = self.lines  # a generator is one call, however often it goes on
                if module != home and not module.startswith("numpy"):
                    return None
            left, most = left - 1, max(most, self.lines - left)
            if module == home:
                if event == "return":  # or yield: bytes that came back, which a check may keep
                    handed += getattr(argument, "nbytes", 100)
                if handed > BYTES or any(map(_large, frame.f_locals.values())):
                    raise Stop
            if left < 0 or (left % 256 == 0 and self.left() < 0):
                raise Stop
            return watch

        sys.settrace(watch)
        try:
            result = self.trial(candidate)
        except Stop:
            result = False, None
        finally:
            sys.settrace(None)
        if not self.seen:  # of the function as it is: no edit may take much longer
            self.lines = min(LINES, 10_000 + 20 * most)
        self.seen[key] = result
        return result

    def run(self):
        passes, start = self.test()
        if passes or start is None:
            return None
        proved, nearer = self.level([], start, 0.6)
        nearest = start, None  # what is nearer to right, beyond that it runs at all
        for score, chain in nearer[:3]:
            if proved or self.left() <= 0:
                break
            if chain[0].kind != "other":  # a whole right array may stand anywhere on its way
                if score[0] > nearest[0][0] or (score[:2] > nearest[0][:2] and nearest[1]):
                    nearest = score, chain
            with chain[0]:
                proved, _ = self.level(chain, score)
        proved = proved or (None if nearest[1] else self.pairs())
        if proved or nearest[1]:
            return Found(self.source, proved or nearest[1], bool(proved))
        return None

    def level(self, chain, start, part=0.3):
        """(chain and one more edit that passes or None, [(score, chain) that come nearer])."""
        end = max(self.left() * (1 - part), 0)
        passed, nearer = None, []
        for edit in self.edits():
            if self.left() < end or (passed and edit.cost > passed.cost + 0.05):
                break
            with edit:
                passes, score = self.test()
            if passes:
                passed = max(passed or edit, edit, key=lambda e: (-round(e.cost, 2), e.step.lineno))
            elif score is not None and score > start:
                nearer.append((score, [*chain, edit]))
        if passed:
            return [*chain, passed], []
        return None, sorted(nearer, key=lambda found: (*(-x for x in found[0]), found[1][-1].cost))

    def edits(self):
        source = self.source
        return edits(source.tree, self.answer, self.suspects, source.outside)

    def pairs(self):
        """Two edits that only together make a difference: likely ones, on different nodes."""
        likely = self.edits()[:150]
        for total in range(1, 2 * len(likely)):
            for a in range(max(0, total - len(likely) + 1), (total + 1) // 2):
                one, two = likely[a], likely[total - a]
                if self.left() <= 0:
                    return None
                if {id(change[2]) for change in one.changes} & {id(c[2]) for c in two.changes}:
                    continue
                with one, two:
                    if self.test()[0]:
                        return [one, two]
        return None


def _large(value):
    """More than any right function makes: a trial must not fill the memory."""
    if isinstance(value, (list, tuple, dict, set)):
        return len(value) > 100_000
    return getattr(value, "nbytes", 0) > BYTES


def _key(code):
    """What makes two pieces of code the same."""
    inner = tuple(_key(c) if inspect.iscode(c) else (type(c), repr(c)) for c in code.co_consts)
    return code.co_code, inner, code.co_names, code.co_varnames
