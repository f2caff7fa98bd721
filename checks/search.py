"""Finding the place of a mistake by trying: small edits to the learner's function, one at a time.

An edit after which the function passes its whole check, and the check on a second set of examples,
is a proof: the mistake is at that place. `repair` searches; `Found` says in words what it found;
`place` is both, and names the lines that the check suspects where nothing is proved.
The edits change a syntax tree made from the source, never the learner's function, arrays or lists.
Idea: Singh, Gulwani and Solar-Lezama, "Automated feedback generation for introductory programming
assignments", 2013.
"""

import ast
import builtins
import contextlib
import copy
import functools
import inspect
import io
import itertools
import linecache
import re
import sys
import time
import warnings
from pathlib import Path

import numpy as np

SECONDS, LONGER, CLOCK = 2.0, 3.2, 3.7  # of computing, for slow functions, and by the clock
BYTES = 50e6  # that one array, or all that comes back in a trial, may take
SLOW = ("gradient_descent", "train_epoch")
LINES = 200_000  # that one call in a trial may run
NETWORK = ("ReLU", "softmax", "one_hot", "ReLU_deriv")
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.MatMult)
COMPARISONS = (ast.Gt, ast.GtE, ast.Lt, ast.LtE, ast.Eq, ast.NotEq)
RELATED = [  # names that beginners take for each other
    set(group.split())
    for group in (
        "max maximum argmax amax min minimum argmin",
        "sum mean size std var prod",
        "log log2 log10 log1p exp",
        "exp exp2 expm1 log sqrt square",
        "zeros ones empty full eye identity",
        "zeros_like ones_like empty_like",
        "random rand standard_normal normal uniform randn integers",
        "permutation shuffle choice permuted integers",
        "shape size ndim",
        "append extend",
        "hstack vstack stack concatenate column_stack array",
        "float16 float32 float64 int uint8",
    )
]
REDUCING = set("max min sum mean argmax argmin prod std all any amax".split())
# A function that does more than calculate is not run again and again.
EFFECTS = set(
    "open input exec eval compile __import__ save savez savez_compressed savetxt tofile dump "
    "to_csv to_pickle write write_text write_bytes system run Popen remove unlink rmdir mkdir "
    "display show savefig figure subplots plot imshow urlopen urlretrieve sleep".split()
)


def _large(value):
    """More than any right function makes: a trial must not fill the memory."""
    if isinstance(value, (list, tuple, dict, set)):
        return len(value) > 100_000
    return getattr(value, "nbytes", 0) > BYTES


class Stop(BaseException):
    """A trial ran too long. Not an Exception, so that a learner's `except Exception` lets it by."""


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
        self.text = "".join(linecache.getlines(self.file, self.globals))
        with contextlib.suppress(SyntaxError):
            for node in ast.walk(ast.parse(self.text)):
                first = [node, *getattr(node, "decorator_list", ())][-1:]
                if isinstance(node, ast.FunctionDef) and node.name == self.name:
                    first = min(each.lineno for each in (node, *node.decorator_list))
                    if first == code.co_firstlineno:
                        self.tree = node
        if not hasattr(self, "tree"):
            raise LookupError("no source")
        used = {getattr(n, "id", getattr(n, "attr", None)) for n in ast.walk(self.tree)}
        loops = any(isinstance(n, ast.While) for n in ast.walk(self.tree))
        swallows = any(isinstance(n, ast.ExceptHandler) and not n.type for n in ast.walk(self.tree))
        if safe and (used & EFFECTS or (loops and swallows)):
            raise LookupError("not safe to run many times")
        try:
            cells = [cell.cell_contents for cell in function.__closure__ or ()]
        except ValueError:
            raise LookupError("closure without a value") from None
        self.cells = [_guarded(cell) for cell in cells]
        # An edit may not reach for the notebook's data: an m of 59,000 makes a large np.eye(m).
        used -= set(_names(self.tree))
        self.space = {
            name: _guarded(value)
            for name, value in self.globals.items()
            if name in used or callable(value) or inspect.ismodule(value) or name[:2] == "__"
        }
        self.tree.short = sum(isinstance(n, ast.stmt) for n in ast.walk(self.tree)) <= 3
        self.decorators, self.tree.decorator_list = self.tree.decorator_list, []
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

    def lines(self, pattern):
        """{number: text} of the lines below `def` that match, without comments and docstring."""
        found, doc = {}, ast.get_docstring(self.tree) is not None
        for step in ast.walk(ast.Module(self.tree.body[doc:], [])):
            if isinstance(step, ast.stmt) and _placed(step):
                text = self.text.splitlines()[step.lineno - 1].strip()
                if re.search(pattern, text.split("#")[0]):
                    found[step.lineno] = text
        return dict(sorted(found.items()))

    def behind(self, names, lines=()):
        """Lines of the assignments that these names come from, `lines`, and the heads around."""
        names, found = set(names), set(lines)
        steps = [n for n in ast.walk(self.tree) if isinstance(n, (ast.Assign, ast.AugAssign))]
        for step in steps * len(steps):  # as often as the longest chain may take
            if _writes(step) & names:
                found.add(step.lineno)
                names |= _reads(step)
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
                        sides[good] |= _reads(part)
                    wrong, right = map(self.behind, sides)
                    return wrong - right or wrong
            if isinstance(step, ast.stmt) and step.lineno == mistake.line:
                return self.behind(_reads(step) & set(_names(self.tree)), [step.lineno])
        return set()

    def unused(self):
        """{number: text} of the assignments to names that nobody reads afterwards."""
        found = {}
        for step in ast.walk(self.tree):
            if isinstance(step, ast.Assign) and isinstance(step.targets[0], ast.Name):
                name, lines = step.targets[0].id, set()
                for loop in ast.walk(self.tree):  # it may be read in the next round
                    again = isinstance(loop, ast.While) or (
                        isinstance(loop, ast.For) and name not in _names(loop.target)
                    )
                    if again and step.lineno in _linenos(loop):
                        lines |= _linenos(loop)
                if not any(
                    n.id == name and (n.lineno > step.end_lineno or n.lineno in lines)
                    for n in _loads(self.tree)
                ):
                    found[step.lineno] = self.text.splitlines()[step.lineno - 1].strip()
        return found

    def outside(self):
        """Names of data that the function reads from the notebook."""
        data = (int, float, np.ndarray)
        names = _reads(self.tree) - set(_names(self.tree))
        return sorted(name for name in names if isinstance(self.space.get(name), data))

    def segment(self, node):
        if not _placed(node):
            return ast.unparse(node).split("\n")[0]
        return (ast.get_source_segment(self.text, node) or ast.unparse(node)).split("\n")[0]


def _guarded(value):
    """The value, so that a trial cannot change it."""
    if isinstance(value, np.ndarray):
        value = value.view()
        value.flags.writeable = False
    elif isinstance(value, (list, dict, set, np.random.Generator)):
        value = (
            copy.copy(value) if not isinstance(value, np.random.Generator) else copy.deepcopy(value)
        )
    return value


class Edit:
    """One change: `fields` are (node, field, new value). cost: how far-fetched it is.

    node: where it is. kind: a key of WORDS. label: what it does, without names, so that the same
    edit in several places can be tried together.
    """

    def __init__(self, cost, node, kind, label, *fields, show=None):
        self.cost, self.node, self.kind, self.label = cost, node, kind, label
        self.fields, self.show = fields, show

    def __enter__(self):
        for _, _, value in self.fields:
            _locate(value, self.node)
        self.old = [getattr(node, field) for node, field, _ in self.fields]
        for node, field, value in self.fields:
            setattr(node, field, value)

    def __exit__(self, *_):
        for (node, field, _), value in zip(self.fields, self.old, strict=True):
            setattr(node, field, value)


# --- The edits ------------------------------------------------------------------------------------


def _placed(node):
    """True for a node of the learner's text."""
    return (getattr(node, "end_col_offset", None) or 0) > 0


def _locate(value, node):
    """Give new nodes, which have none, the place of the node that they replace."""
    for new in value if isinstance(value, list) else [value]:
        if isinstance(new, (ast.expr, ast.stmt, ast.keyword)) and not _placed(new):
            new.lineno = new.end_lineno = getattr(node, "lineno", 1)
            new.col_offset = new.end_col_offset = 0  # no place in the text
            for _, child in ast.iter_fields(new):
                _locate(child, node)
        elif isinstance(new, ast.AST) and not isinstance(new, (ast.expr, ast.stmt, ast.keyword)):
            for _, child in ast.iter_fields(new):
                _locate(child, node)


def _expression(text):
    return ast.parse(text, mode="eval").body


def _call(name, *arguments):
    return ast.Call(_expression(name), list(arguments), [])


def _parents(tree):
    """{id of a node: (its parent, field, place in the field's list or None)}."""
    found = {}
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            for at, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.AST):
                    found[id(child)] = parent, field, at
    return found


def _names(tree):
    """The function's arguments and variables, in order."""
    names = [each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)]
    stored = (n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and _stores(n))
    return list(dict.fromkeys([*names, *stored]))


def _loads(tree):
    """The names that a tree reads, as nodes."""
    return [n for n in ast.walk(tree) if isinstance(n, ast.Name) and not _stores(n)]


def _reads(tree):
    return {n.id for n in _loads(tree)}


def _writes(step):
    """Names that an assignment gives a value to, or changes by an index."""
    targets = step.targets if isinstance(step, ast.Assign) else [step.target]
    parts = [part for target in targets for part in getattr(target, "elts", [target])]
    while any(hasattr(part, "value") for part in parts):  # x for x[0], x.T and *x
        parts = [getattr(part, "value", part) for part in parts]
    return {part.id for part in parts if isinstance(part, ast.Name)}


def _linenos(tree):
    return {n.lineno for n in ast.walk(tree) if hasattr(n, "lineno")}


def _stores(node):
    return isinstance(getattr(node, "ctx", None), ast.Store)


def edits(source, answer, suspects=()):
    """All edits of the tree, the likely ones first: those of the suspected lines."""
    tree = source.tree
    found = [*_expression_edits(tree, answer), *_statement_edits(tree, answer)]
    for edit in found:
        edit.cost -= 0.3 * (getattr(edit.node, "lineno", 0) in suspects)
    for edit in (joint := list(_joint_edits(source))):
        lines = {getattr(part.node, "lineno", 0) for part in getattr(edit, "parts", [edit])}
        edit.cost -= 0.3 * bool(lines & set(suspects))
    found += joint
    groups = {}
    for edit in found:
        if edit.label:
            groups.setdefault(edit.label, []).append(edit)
    for group in groups.values():  # the same mistake made several times
        fields = _merged(group)
        if len(group) > 1 and fields:
            both = Edit(group[0].cost + 0.15, group[-1].node, group[0].kind, None, *fields)
            both.parts = group
            found.append(both)
    return sorted(found, key=lambda edit: edit.cost)


def _merged(group):
    """The fields of several edits as one, or None where they contradict each other."""
    merged = {}
    for node, name, value in (field for edit in group for field in edit.fields):
        key, old = (id(node), name), getattr(node, name)
        before = merged.get(key, (node, name, old))[2]
        if key not in merged:
            merged[key] = node, name, value
        elif isinstance(old, list) and len(old) == len(value) == len(before):
            both = [b if b is not o else v for o, b, v in zip(old, before, value, strict=True)]
            merged[key] = node, name, both
        else:
            return None
    return list(merged.values())


def _expression_edits(tree, answer):
    parents, names = _parents(tree), _names(tree)
    inside = [n for part in (tree.args, *tree.body) for n in ast.walk(part)]
    donors, numbers = _donors(tree, answer)
    tokens, own = {text: set(re.findall(r"\w+|\W", text)) for text in donors}, {}
    for node in inside:
        if isinstance(node, (ast.BinOp, ast.Call, ast.Tuple, ast.Subscript)) and not _stores(node):
            own[ast.unparse(node)] = node
    usual = set(re.findall(r"\w+|\W", ast.unparse(_answer(answer))))

    def rare(word):
        return 0.15 * (word not in usual)

    m = [t for t in ("m", "X.shape[1]", "Y.size", "predictions.size") if t.split(".")[0] in names]

    def put(node, new, cost, kind, label=None, at=None):
        parent, field, place = parents[id(node)]
        if kind in ("more", "other") and isinstance(parents.get(id(parent), (0,))[0], ast.Return):
            cost += 0.3  # what is returned is made elsewhere
        if place is not None:
            new = [new if k == place else each for k, each in enumerate(getattr(parent, field))]
        return Edit(cost, at or node, kind, label, (parent, field, new))

    def change(node, field, new, cost, kind, label=None, at=None):
        return Edit(cost, at or node, kind, label, (node, field, new))

    for node in inside:
        if not isinstance(node, ast.expr) or _stores(node) or id(node) not in parents:
            if isinstance(node, ast.Tuple):
                yield from _orders(node)
            continue
        parent, field, _ = parents[id(node)]
        called = isinstance(parent, ast.Call) and field == "func"
        valued = field == "value" and isinstance(
            parent, (ast.Assign, ast.Return, ast.AugAssign, ast.Yield)
        )
        said = ast.unparse(node)
        lengthy, words = 0.02 * len(said), set(re.findall(r"\w+|\W", said))
        if isinstance(node, ast.Name) and not called:
            for name in names:
                if name != node.id:
                    alike = len(name) == len(node.id) and any(map(str.__eq__, name, node.id))
                    label = ("name", node.id, name)
                    if name.lower() == node.id.lower():
                        alike, label = True, "capitals"
                    cost = 1 if alike else 1.2 + 0.01 * len(names)
                    yield change(node, "id", name, cost, "name", label)
        if isinstance(node, ast.Name) and called:
            for name in (*NETWORK, "forward_prop", "backward_prop", "update_params"):
                if name not in (node.id, answer):  # a function that calls itself may not end
                    yield change(node, "id", name, 1.2, "name", ("name", node.id, name))
        if isinstance(node, ast.Name) and isinstance(parent, (ast.Call, ast.Tuple)) and not called:
            for value in dict.fromkeys(numbers):
                yield put(node, ast.Constant(value), 1.3, "number", (node.id, value))
        if isinstance(node, ast.Name) and called:
            for name in sorted(set().union(*(g for g in RELATED if node.id in g)) - {node.id}):
                if name in dir(builtins):
                    yield change(node, "id", name, 1.1, "name", (node.id, name))
        if isinstance(node, ast.Name) and called and node.id not in names:
            for name in (f"np.{node.id}", f"np.{node.id}imum"):
                if hasattr(np, name[3:]):
                    yield put(node, _expression(name), 1, "name", ("np", name))
        if isinstance(node, ast.Attribute):
            maker = getattr(parent, "attr", None) in ("default_rng", "RandomState")
            if node.attr == "random" and isinstance(node.value, ast.Name) and not maker:
                for name in names:
                    yield put(node, ast.Name(name, ast.Load()), 1.2, "name", ("random", name))
            if node.attr == "T":
                yield put(node, node.value, 1, "part", ".T off")
            for name in sorted(set().union(*(g for g in RELATED if node.attr in g)) - {node.attr}):
                yield change(node, "attr", name, 1.1 + rare(name), "name", (node.attr, name))
            if not called and node.attr in REDUCING | {"copy"}:
                yield put(node, ast.Call(node, [], []), 1, "call", "()")
                if node.attr in REDUCING:
                    across = [ast.keyword("axis", ast.Constant(0))]
                    across += [ast.keyword("keepdims", ast.Constant(True))]
                    yield put(node, ast.Call(node, [], across), 1.2, "call", "()")
        if not called and not isinstance(node, (ast.Constant, ast.Tuple, ast.Slice, ast.Lambda)):
            if not (isinstance(parent, ast.Attribute) and parent.attr == "T"):
                t = ast.Attribute(node, "T", ast.Load())
                yield put(
                    node, t, 1 + 0.15 * (not isinstance(node, ast.Name)) + rare("T"), "more", ".T"
                )
            if isinstance(node, (ast.Name, ast.Call, ast.Subscript)) or valued:
                for name in sorted({*NETWORK} - {answer}):
                    yield put(node, _call(name, node), 1.4 + rare(name), "more", name)
                for name in ("np.exp", "np.log", "np.sqrt", "list", "len", "float", "np.array"):
                    yield put(
                        node, _call(name, node), 1.4 + rare(name.removeprefix("np.")), "more", name
                    )
                for text in ("copy()", "astype(int)", "mean()", "size", "argmax(axis=0)"):
                    tail = _expression(f"_.{text}")
                    (tail.func if isinstance(tail, ast.Call) else tail).value = node
                    yield put(node, tail, 1.4 + rare(text.split("(")[0]), "more", text)
            if valued or isinstance(node, (ast.Name, ast.Call, ast.BinOp)):
                yield put(node, ast.UnaryOp(ast.USub(), node), 1.2 + rare("-"), "sign", "-")
                if valued or isinstance(parent, (ast.BinOp, ast.Call, ast.UnaryOp)):
                    if "-" in usual:
                        one = ast.BinOp(ast.Constant(1), ast.Sub(), node)
                        yield put(node, one, 1.5, "more", "1 -")
                    inside_call = isinstance(parent, ast.Call) and field == "args"
                    for text, op in itertools.product(m, (ast.Div, ast.Mult)):
                        if inside_call and op is ast.Mult:
                            continue  # a size that does not fit the memory
                        new = ast.BinOp(node, op(), _expression(text))
                        cost = 1.2 + rare("/" if op is ast.Div else "*")
                        # not at several places at once: m * m * m numbers may not fit the memory
                        label = (op, text) if op is ast.Div else None
                        yield put(node, new, cost, "more", label)
                if valued and isinstance(node, (ast.Call, ast.BinOp, ast.Name)):
                    what = getattr(getattr(node, "func", node), "attr", None)
                    for value, op in itertools.product(dict.fromkeys(numbers), OPERATORS[:3]):
                        new = ast.BinOp(node, op(), ast.Constant(value))
                        cost = 1.4 + rare("+-*"[OPERATORS.index(op)])
                        yield put(node, new, cost, "more", (op, value, what) if what else None)
                if valued:  # a factor or a term that the right version has
                    for text, op in itertools.product(donors, OPERATORS[:3]):
                        if text.split("(")[0] in NETWORK:
                            new = ast.BinOp(node, op(), donors[text])
                            yield put(node, new, 1.25, "more")
                if valued and isinstance(node, (ast.Call, ast.Name)):
                    for name in names:
                        new = ast.Subscript(ast.Name(name, ast.Load()), node, ast.Load())
                        yield put(node, new, 1.4, "more")
                if valued:
                    for name, op in itertools.product(names, (ast.Add, ast.Sub, ast.Mult)):
                        new = ast.BinOp(node, op(), ast.Name(name, ast.Load()))
                        yield put(node, new, 1.4 + rare("+-*"[OPERATORS.index(op)]), "more")
        if isinstance(node, ast.BinOp):
            for op in OPERATORS:
                if type(node.op) is not op:
                    label = ("op", type(node.op), op)
                    cost = 1 + rare("+-*/@"[OPERATORS.index(op)])
                    yield change(node, "op", op(), cost, "operator", label)
            for keep, drop in ((node.left, node.right), (node.right, node.left)):
                yield put(node, keep, 1.3, "less", ("drop", type(node.op), ast.unparse(drop)), drop)
            if not isinstance(node.op, (ast.Add, ast.Mult)):
                fields = (node, "left", node.right), (node, "right", node.left)
                yield Edit(1, node, "order", ("swap", type(node.op)), *fields)
            for inner, outer in (("left", "right"), ("right", "left")):
                part, other = getattr(node, inner), getattr(node, outer)
                if isinstance(part, ast.BinOp):  # (a + b) / c for a + b / c, and back
                    new = ast.BinOp(part.left, node.op, other), part.op, part.right
                    if inner == "left":
                        new = part.left, part.op, ast.BinOp(part.right, node.op, other)
                    else:
                        new = ast.BinOp(other, node.op, part.left), part.op, part.right
                    yield put(node, ast.BinOp(*new), 1.1, "brackets", ("brackets", inner))
                if isinstance(other, (ast.Call, ast.UnaryOp)) and not isinstance(
                    node.op, ast.MatMult
                ):
                    pass
        if isinstance(node, ast.Call):
            yield from _call_edits(node, names, put, change)
            yield from _brackets(node, parent, put)
        if isinstance(node, ast.Compare):
            for op in COMPARISONS:
                if type(node.ops[0]) is not op:
                    label = ("compare", type(node.ops[0]), op)
                    yield change(node, "ops", [op(), *node.ops[1:]], 1, "comparison", label)
            new = {ast.Is: ast.IsNot, ast.IsNot: ast.Is}.get(type(node.ops[0]))
            if new:
                yield change(node, "ops", [new()], 1, "comparison")
        if isinstance(node, ast.UnaryOp):
            yield put(node, node.operand, 1, "sign", "no sign")
        if isinstance(node, ast.IfExp):
            fields = (node, "body", node.orelse), (node, "orelse", node.body)
            yield Edit(1, node, "order", None, *fields)
            yield put(node, node.body, 1.3, "less")
            yield put(node, node.orelse, 1.3, "less")
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            near = [node.value + 1, node.value - 1, -node.value, 0, 1]
            for value in dict.fromkeys([*numbers, *near]):
                if value != node.value or type(value) is not type(node.value):
                    cost = 1.2 if value in numbers else 1.4
                    label = ("number", node.value, value)
                    yield change(node, "value", value, cost, "number", label)
            for name in names:
                cost = 1.1 + 0.2 * (node.value in numbers)
                yield put(node, ast.Name(name, ast.Load()), cost, "number", (node.value, name))
        if isinstance(node, ast.Constant) and node.value is None and parent is not tree.args:
            if not isinstance(parent, ast.Compare):
                for name in names:
                    yield put(node, ast.Name(name, ast.Load()), 1.2, "number", (None, name))
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield change(node, "value", not node.value, 1, "name", ("bool", node.value))
        if isinstance(node, ast.Tuple):
            yield from _orders(node)
        if isinstance(node, ast.Subscript):
            every = ast.Slice()
            if isinstance(node.slice, ast.Tuple):
                for part in node.slice.elts:
                    yield change(node, "slice", part, 1.2, "part", "index less")
            else:
                for pair in ([every, node.slice], [node.slice, every]):
                    new = ast.Tuple(pair, ast.Load())
                    yield change(node, "slice", new, 1.1, "index", "index more")
            yield put(node, node.value, 1.3, "less", "no index", node.slice)
        if field != "ctx" and not called and not isinstance(node, ast.Slice):
            for text, donor in donors.items():
                if text != said:
                    both = tokens[text] & words
                    share = 1 if said in text else len(both) / len(tokens[text] | words)
                    cost = 1.6 + lengthy + 0.01 * len(text) if share < 0.4 else 1.8 - 0.6 * share
                    if isinstance(node, ast.Call) and text.startswith(ast.unparse(node.func) + "("):
                        cost = min(cost, 1.15)
                    kind = "whole" if valued else "other"
                    if isinstance(node, ast.Attribute) and text.startswith(f"{said}("):
                        kind = "call"
                    yield put(node, donor, cost, kind, ("donor", text))
            if not isinstance(node, ast.Constant):
                for text, donor in own.items():
                    if donor is not node and said not in text:
                        cost = 1.1 if isinstance(donor, ast.Tuple) else 2 + lengthy
                        cost += 0.01 * len(text)
                        yield put(node, donor, cost, "other", ("own", said, text))


def _joint_edits(source):
    """Edits that are one mistake in several places."""
    tree, names, loads = source.tree, _names(source.tree), _loads(source.tree)
    steps = [n for n in ast.walk(tree) if isinstance(n, ast.Assign)]
    # Data of the notebook, read in place of the arguments
    alike = {old: [n for n in names if old.startswith(n)] for old in source.outside()}
    yield from _joint(0.9, [_other(tree, n, alike[n.id][0]) for n in loads if alike.get(n.id)])
    # What a line makes from a value is not used, the value itself is, in the lines after it
    unused = []
    for step in steps:
        target, value, together = step.targets[0], step.value, []
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=False))
        for made, value in pairs:
            if not isinstance(made, ast.Name) and not isinstance(value, ast.Name):
                continue
            olds = [n.id for n in ast.walk(value) if isinstance(n, ast.Name) and n.id in names]
            for old in dict.fromkeys(olds):
                later = [n for n in loads if n.id == old and n.lineno > step.end_lineno]
                parts = [_other(tree, n, made) for n in later if ast.unparse(made) != old]
                yield from _joint(1.0, parts)
                if old == olds[0]:
                    together += parts
                    if isinstance(made, ast.Name) and made.id not in _reads(tree):
                        unused += parts
        yield from _joint(1.0, together if len(pairs) > 1 else [])
    yield from _joint(0.9, unused)
    # All that is returned, divided by m
    back = set().union(*(_reads(n) for n in ast.walk(tree) if isinstance(n, ast.Return)))
    for m in [m for m in ("m", "X.shape[1]") if m.split(".")[0] in names]:
        new = [(s, ast.BinOp(s.value, ast.Div(), _expression(m))) for s in steps]
        parts = [
            Edit(1.1, step.value, "more", None, (step, "value", value))
            for step, value in new
            if getattr(step.targets[0], "id", None) in back
        ]
        yield from _joint(1.1, parts if len(parts) > 1 else [])


def _other(tree, node, new):
    """In place of a name, another one, or the names of a tuple."""
    if isinstance(new, ast.Tuple):
        names = [ast.Name(each.id, ast.Load()) for each in new.elts if isinstance(each, ast.Name)]
        parent, field, at = _parents(tree)[id(node)]
        new = ast.Tuple(names, ast.Load())
        if at is not None:
            new = [new if k == at else each for k, each in enumerate(getattr(parent, field))]
        return Edit(1, node, "other", None, (parent, field, new))
    return Edit(1, node, "name", None, (node, "id", getattr(new, "id", new)))


def _joint(cost, parts):
    """One edit of several, if they do not contradict each other."""
    fields = _merged(parts)
    if fields:
        both = Edit(cost, parts[-1].node, parts[0].kind, None, *fields)
        both.parts = parts
        yield both


def _brackets(node, parent, put):
    """f(a) - b for f(a - b) and back, for functions of one argument and for methods."""

    def around(part):
        if node.args:
            return ast.Call(node.func, [part, *node.args[1:]], node.keywords)
        return ast.Call(ast.Attribute(part, node.func.attr, ast.Load()), [], node.keywords)

    method = not node.args and isinstance(node.func, ast.Attribute)
    inner = node.args[0] if node.args else node.func.value if method else None
    if inner is None:
        return
    if isinstance(inner, ast.BinOp):
        left, right = inner.left, inner.right
        yield put(node, ast.BinOp(around(left), inner.op, right), 1.1, "brackets", "out left")
        yield put(node, ast.BinOp(left, inner.op, around(right)), 1.1, "brackets", "out")
    if isinstance(parent, ast.BinOp):
        if parent.left is node:
            new = around(ast.BinOp(inner, parent.op, parent.right))
            yield put(parent, new, 1.1, "brackets", ("in", type(parent.op)))
            right = parent.right
            if isinstance(right, ast.BinOp):
                part = around(ast.BinOp(inner, parent.op, right.left))
                yield put(parent, ast.BinOp(part, right.op, right.right), 1.15, "brackets")
        elif parent.right is node:
            yield put(parent, around(ast.BinOp(parent.left, parent.op, inner)), 1.1, "brackets")


def _orders(node):
    for order in list(itertools.permutations(node.elts))[1:] if len(node.elts) <= 4 else ():
        moved = sum(a is not b for a, b in zip(order, node.elts, strict=True))
        yield Edit(1 + 0.1 * (moved - 2), node, "order", None, (node, "elts", list(order)))


def _call_edits(node, names, put, change):
    words = {each.arg: each for each in node.keywords}
    func = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    others = [each for each in node.keywords if each.arg not in ("axis", "keepdims")]

    def across(axis, keep):
        new = [ast.keyword("axis", ast.Constant(axis))] if axis is not None else []
        return others + new + ([ast.keyword("keepdims", ast.Constant(True))] if keep else [])

    if func in REDUCING | {"exp"} or "axis" in words:
        was = words["axis"].value if "axis" in words else None
        was = getattr(was, "value", None), "keepdims" in words
        takes = [node.args[:1] if ast.unparse(node.func).startswith("np.") else []]
        for axis, keep in itertools.product((0, 1, None), (False, True)):
            if (axis, keep) != was:
                kind = "axis" if axis != was[0] else "keepdims"
                cost = 1 + 0.1 * (axis != was[0] and keep != was[1])
                label = ("axis", was, axis, keep)
                fields = [(node, "keywords", across(axis, keep))]
                if len(node.args) > len(takes[0]):
                    fields.append((node, "args", takes[0]))
                yield Edit(cost, node, kind, label, *fields)
        if func in ("max", "min") and len(node.args) == 2:
            yield change(node, "func", _expression(f"np.{func}imum"), 1, "name", at=node.func)
    for at, each in enumerate(node.args):
        less = node.args[:at] + node.args[at + 1 :]
        if len(node.args) == 1 and not node.keywords:
            yield put(node, each, 1.3, "less", ("unwrap", func), node.func)
        else:
            yield change(node, "args", less, 1.3, "less", at=each)
        if isinstance(each, (ast.Name, ast.Constant)):  # a column: (n, 1) for n
            pair = ast.Tuple([each, ast.Constant(1)], ast.Load())
            new = [pair if e is each else e for e in node.args]
            yield change(node, "args", new, 1.3, "more", "column", at=each)
            if at == len(node.args) - 1:
                new = [*node.args, ast.Constant(1)]
                yield change(node, "args", new, 1.3, "more", "column 1", at=each)
        if isinstance(each, ast.Tuple):
            new = node.args[:at] + each.elts + node.args[at + 1 :]
            yield change(node, "args", new, 1.1, "brackets", "unpack", at=each)
        if not isinstance(each, ast.Starred):
            new = [ast.Starred(e, ast.Load()) if e is each else e for e in node.args]
            yield change(node, "args", new, 1.3, "other", at=each)
        for width in (2, 4):  # np.zeros(10, m) for np.zeros((10, m)); four arrays as one tuple
            group = node.args[at : at + width]
            if len(group) == width:
                new = [*node.args[:at], ast.Tuple(group, ast.Load()), *node.args[at + width :]]
                yield change(node, "args", new, 1.1, "brackets", "tuple")
    for name in names if not node.args else ():
        yield change(node, "args", [ast.Name(name, ast.Load())], 1.1, "more", at=node)
    for word in node.keywords:
        new = [each for each in node.keywords if each is not word]
        yield change(node, "keywords", new, 1.2, "less", ("no", word.arg), at=word.value)
    for a, b in itertools.combinations(range(len(node.args)), 2):
        new = list(node.args)
        new[a], new[b] = new[b], new[a]
        cost = 1.1 if len(new) < 5 else 1.3
        yield change(node, "args", new, cost, "order", ("swap", func, a, b))
    if isinstance(node.func, ast.Attribute):
        yield put(node, node.func.value, 1.3, "less", ("unmethod", func))


def _statement_edits(tree, answer):
    names = _names(tree)
    blocks = [
        (node, field, getattr(node, field))
        for node in ast.walk(tree)
        for field in ("body", "orelse", "finalbody")
        if isinstance(getattr(node, field, None), list)
    ]
    steps = [
        step
        for step in ast.walk(_answer(answer))
        if isinstance(step, (ast.Assign, ast.Return, ast.Expr))
    ]
    steps = [_bare(copy.deepcopy(step)) for step in steps if _known(step, names)]
    if not tree.short:
        plain = (ast.Name, ast.Tuple)
        steps = [s for s in steps if not isinstance(s, ast.Return) or isinstance(s.value, plain)]
    for node, field, block in blocks:
        for at, step in enumerate(block):
            rest = block[:at] + block[at + 1 :]
            if isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant):
                continue
            value = getattr(step, "value", None)

            def put(
                new, cost, kind, label=None, at=at, block=block, node=node, field=field, step=step
            ):
                new = new if isinstance(new, list) else [new]
                return Edit(
                    cost, step, kind, label, (node, field, block[:at] + new + block[at + 1 :])
                )

            if rest and not isinstance(step, ast.Return):
                yield put([], 1.1, "delete")
            for to in range(len(block)):
                if to != at:
                    moved = rest[:to] + [step] + rest[to:]
                    yield Edit(1.15 + 0.01 * abs(to - at), step, "move", None, (node, field, moved))
            for other, where, inner in blocks:  # out of its block, or into a block of its own
                if other is not node and not any(each is other for each in ast.walk(step)):
                    for to in (
                        {0, len(inner)} | {inner.index(node)} | {inner.index(node) + 1}
                        if node in inner
                        else {0, len(inner)}
                    ):
                        new = inner[:to] + [step] + inner[to:]
                        left = rest or [ast.Pass()]
                        yield Edit(
                            1.15, step, "move", None, (node, field, left), (other, where, new)
                        )
            if isinstance(step, ast.AugAssign):
                load = copy.deepcopy(step.target)
                for each in ast.walk(load):
                    if hasattr(each, "ctx"):
                        each.ctx = ast.Load()
                new = ast.Assign([step.target], ast.BinOp(load, step.op, step.value))
                yield put(new, 1, "in place", "in place")
                yield put(ast.Assign([step.target], step.value), 1.2, "operator")
                for op in OPERATORS:
                    if type(step.op) is not op:
                        yield Edit(1, step, "operator", ("op=", op), (step, "op", op()))
            if isinstance(step, ast.Assign) and len(step.targets) == 1:
                target = step.targets[0]
                if isinstance(target, (ast.Name, ast.Subscript)):
                    yield put(ast.AugAssign(target, ast.Add(), step.value), 1.3, "operator", "+=")
                if isinstance(target, ast.Name):
                    for name in names:
                        if name != target.id:
                            new = ast.Name(name, ast.Store())
                            yield Edit(1.3, target, "target", None, (step, "targets", [new]))
            if isinstance(step, ast.Return) and value is not None and answer == "minibatches":
                yield put(ast.Expr(ast.Yield(value)), 1, "yield")
            if isinstance(step, ast.Expr):
                if isinstance(value, ast.YieldFrom):
                    yield put(ast.Expr(ast.Yield(value.value)), 1, "other")
                if isinstance(value, ast.Yield) and value.value:
                    yield put(ast.Return(value.value), 1, "yield")
                else:
                    yield put(ast.Return(value), 1.2, "return")
                for name in names:
                    new = ast.Assign([ast.Name(name, ast.Store())], value)
                    yield put(new, 1.2, "keep")
                if isinstance(value, ast.Compare) and isinstance(value.ops[0], ast.Eq):
                    left = copy.deepcopy(value.left)
                    left.ctx = ast.Store()
                    yield put(ast.Assign([left], value.comparators[0]), 0.9, "comparison")
                if isinstance(value, ast.Call) and value.args:
                    yield put(ast.Return(value.args[0]), 1.2, "return")
                if isinstance(value, ast.Call):
                    four = ast.Tuple(
                        [ast.Name(n, ast.Store()) for n in ("W1", "b1", "W2", "b2")], ast.Store()
                    )
                    yield put(ast.Assign([four], value), 1.2, "keep")
            if isinstance(step, (ast.For, ast.If, ast.While, ast.With, ast.Try)):
                yield put(step.body, 1.4, "delete")  # without its head
                if isinstance(step, ast.If) and step.orelse:
                    yield put(step.orelse, 1.4, "delete")
            for new in steps:
                if isinstance(new, ast.Assign) and not isinstance(step, (ast.Return, ast.For)):
                    yield put(new, 2 + 0.01 * len(ast.unparse(new)), "whole")
                elif isinstance(new, ast.Return) and isinstance(step, ast.Return):
                    yield put(new, 2, "whole")
                if not isinstance(new, ast.Return):
                    yield put([new, step], 1.8, "before")
        if block and not isinstance(block[-1], ast.Return):
            last = block[-1]
            for new in steps:
                cost = 1.2 if isinstance(new, ast.Return) and node is tree else 1.8
                yield Edit(cost, last, "after", None, (node, field, [*block, new]))
            if node is tree:
                for name in names:
                    new = ast.Return(ast.Name(name, ast.Load()))
                    yield Edit(1.2, last, "after", None, (node, field, [*block, new]))
    args = _answers()[answer].args
    if ast.dump(args) != ast.dump(tree.args):
        yield Edit(1.2, tree, "def", None, (tree, "args", args))
    first = tree.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        first = tree.body[1] if len(tree.body) > 1 else first
    at = tree.body.index(first)
    for each in tree.args.args:
        new = ast.parse(f"{each.arg} = {each.arg}.copy()").body
        yield Edit(
            1.4, first, "before", None, (tree, "body", tree.body[:at] + new + tree.body[at:])
        )


@functools.cache
def _answers():
    text = Path(__file__).with_name("answers.py").read_text(encoding="utf-8")
    return {n.name: n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)}


def _answer(name):
    """The right versions of a function, as one tree."""
    return ast.Module([_answers()[n] for n in (name, f"{name}_also") if n in _answers()], [])


def _bare(tree):
    """The tree without places, which are those of another text."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.expr, ast.stmt, ast.keyword)):
            node.lineno = node.end_lineno = 1
            node.col_offset = node.end_col_offset = 0
    return tree


def _known(node, names):
    """True when the node reads only names that the learner's function has, and functions."""
    read = _reads(node)
    bound = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and _stores(n)}
    return read - bound <= set(names) | {
        "np",
        "range",
        "float",
        "max",
        "min",
        "zip",
        "record",
        "len",
    } | set(_answers())


def _donors(tree, answer):
    """({text: expression of the right version}, its numbers), as far as the names are known."""
    right, names = _answer(answer), _names(tree)
    found, numbers, values = {}, [], {}
    for step in right.body[0].body:
        if isinstance(step, ast.Assign) and isinstance(step.targets[0], ast.Name):
            values.setdefault(step.targets[0].id, step.value)

    class Inline(ast.NodeTransformer):
        def visit_Name(self, node):
            if node.id in values and node.id not in names and not _stores(node):
                return self.visit(copy.deepcopy(values[node.id]))
            return node

    for node in ast.walk(right):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            numbers.append(node.value)
        if not isinstance(node, ast.expr) or _stores(node):
            continue
        if isinstance(node, (ast.Name, ast.Constant, ast.Slice, ast.Starred)):
            continue
        if isinstance(node, ast.BoolOp) or (
            isinstance(node, ast.Attribute) and node.attr not in ("T", "size", "dtype")
        ):
            continue
        if isinstance(node, ast.Tuple) and any(isinstance(e, ast.Slice) for e in node.elts):
            continue
        with contextlib.suppress(RecursionError):
            node = _bare(Inline().visit(copy.deepcopy(node)))
            if _known(node, names):
                found.setdefault(ast.unparse(node), node)
    if not tree.short:  # not the whole answer at once
        for step in ast.walk(right):
            if isinstance(step, ast.Return) and not isinstance(step.value, ast.Tuple):
                whole = len(ast.unparse(Inline().visit(copy.deepcopy(step.value))))
                found = {text: node for text, node in found.items() if len(text) < 0.7 * whole}
    return found, numbers


# --- The search -----------------------------------------------------------------------------------


class Found:
    """Edits that were found; proved if all is right with them, else it is nearer to right.

    lines: for each edit (number, text of the line, kind, the part to look at, the line made right),
    in the order of the lines.
    """

    def __init__(self, source, chain, proved):
        self.proved = proved
        parents = _parents(source.tree)
        parts = [part for edit in chain for part in getattr(edit, "parts", [edit])]
        places = [_place(source, parents, edit) for edit in parts]
        with contextlib.ExitStack() as stack:
            for edit in chain:
                stack.enter_context(edit)
            self.lines = [
                (number, text, edit.kind, part, _shown(edit, step))
                for edit, (number, text, part, step) in zip(parts, places, strict=True)
            ]
        self.lines.sort(key=lambda line: line[0])

    def said(self, show=False, named=0):
        """One or two sentences: where to look, and what is proved. named: a line just quoted."""
        said = []
        for number, text in dict.fromkeys(line[:2] for line in self.lines):
            kinds = {}
            for _, _, kind, part, _ in (line for line in self.lines if line[0] == number):
                kinds.setdefault(kind, {})[f"`{part}`"] = True
            looks = [WORDS[kind][0].format(_and(parts)) for kind, parts in kinds.items()]
            where = "there" if number == named else f"line {number}, `{text}`"
            said.append(f"{where}: {_and(looks)}")
        if not self.proved:
            places = _lines(dict(line[:2] for line in self.lines))
            return f"Look at {places}. With a change there more is right, but not yet all."
        with_ = WORDS[self.lines[0][2]][1] if len(self.lines) == 1 else "With all this changed"
        text = "; ".join(said)
        text = f"{text[0].upper()}{text[1:]}. {with_}, everything is right."
        for number, *_, new in dict.fromkeys(self.lines) if show else ():
            text += f" Line {number} would be right as: `{new}`." if new else ""
        return text


def _lines(places):
    """{number: text} in words; more than two without their texts."""
    if len(places) > 2:
        return f"lines {_and([str(number) for number in places])}"
    return _and([f"line {number}, `{text}`" for number, text in places.items()])


def _and(words):
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _place(source, parents, edit):
    """(number of the line, its text, the part of it, its statement) that an edit changes."""
    step = edit.node
    while not isinstance(step, ast.stmt) and id(step) in parents:
        step = parents[id(step)][0]
    number = getattr(edit.node, "lineno", getattr(step, "lineno", 0))
    lines = source.text.splitlines()
    text = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return number, text, source.segment(edit.node), step


def _shown(edit, step):
    """The line as it would be right, None where it goes."""
    node, _, new = edit.fields[0]
    if isinstance(edit.node, ast.stmt) and isinstance(new, list):
        old = set(map(id, edit.old[0])) if hasattr(edit, "old") else set()
        new = [each for each in new if id(each) not in old]
        if edit.kind == "delete":
            return None
        step = new[0] if new else step
    return ast.unparse(ast.fix_missing_locations(step)).split("\n")[0]


WORDS = {
    "name": ("look at {}", "With another name there"),
    "operator": ("look at the operator in {}", "With another operator there"),
    "comparison": ("look at the comparison in {}", "With another comparison there"),
    "axis": ("look at the axis of {}", "With another axis there"),
    "keepdims": ("look at keepdims in {}", "With that changed"),
    "part": ("look at {}", "With less there"),
    "less": ("look at {}", "Without it"),
    "more": ("look at {}: something is missing", "With that"),
    "call": ("look at {}: it is named, but not called", "With parentheses there"),
    "sign": ("look at the sign of {}", "With the other sign"),
    "order": ("look at the order in {}", "In another order"),
    "brackets": ("look at the brackets in {}", "With other brackets there"),
    "number": ("look at {}", "With something else there"),
    "index": ("look at what {} picks", "With another index there"),
    "whole": ("look at {}", "With something else there"),
    "other": ("look at {}", "With something else there"),
    "target": ("look at the name {} that is given the value", "With another name there"),
    "in place": ("it changes an array in place", "With a new array"),
    "yield": ("look at the first word, return or yield", "With the other one"),
    "return": ("nothing is handed back there", "With return there"),
    "keep": ("what comes back there is not kept", "With a name for it"),
    "delete": ("look whether this line is needed", "Without it"),
    "move": ("look at where this line stands", "In another place"),
    "def": ("look at the arguments and their defaults", "With others there"),
    "before": ("a line is missing before it", "With one more line"),
    "after": ("a line is missing after it", "With one more line"),
}


def place(function, trial, answer, mistake, show=False):
    """A sentence that says where to look: proved, or the one to four lines that are suspected.

    mistake: the Mistake that the check raised. "" where there is no place. The other arguments are
    those of `repair` and `Found.said`.
    """
    found = repair(function, trial, answer, mistake)
    if found and found.proved and not (mistake.look and found.lines[0][2] == "before"):
        return found.said(show, mistake.line if mistake.own else 0)
    suspects = unused = {}
    with _quiet(), contextlib.suppress(LookupError, RecursionError, SyntaxError):
        source = Source(function, safe=False)
        every = source.lines("")
        suspects = source.lines(mistake.look) if mistake.look else {}
        if not mistake.own:
            unused = source.unused()
            suspects = suspects or (every if len(every) == 1 else {})  # where else
    if 0 < len(suspects) <= 4:
        return f"Look at {_lines(suspects)}."
    if unused:
        return f"Look at {_lines(unused)}: nobody uses what is made there."
    return found.said(show) if found and not mistake.own else ""


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
        code = candidate.__code__
        key = _key(code), candidate.__defaults__
        with contextlib.suppress(TypeError):
            if key in self.seen:
                return self.seen[key]
        left, home, most = self.lines, self.source.globals.get("__name__"), 0
        handed = 0  # bytes of what came back, which a check may keep

        def far(frame, event, argument):
            """For lines of NumPy, too: a loop may be in there."""
            nonlocal left, most
            left -= 1
            most = max(most, self.lines - left)
            if left < 0 or (left % 256 == 0 and self.left() < 0):
                raise Stop
            return far

        def near(frame, event, argument):
            nonlocal handed
            far(frame, event, argument)
            if event == "return":  # or yield
                handed += getattr(argument, "nbytes", 100)
            if handed > BYTES or any(_large(value) for value in frame.f_locals.values()):
                raise Stop
            return near

        def top(frame, event, argument):
            nonlocal left
            from_check = str(frame.f_back.f_globals.get("__name__")).startswith("checks.")
            if from_check and not frame.f_code.co_flags & inspect.CO_GENERATOR:
                left = self.lines  # a new call; a generator is one call, however often it goes on
            name = frame.f_globals.get("__name__")
            if name == home:
                return near(frame, event, argument)
            return far if str(name).startswith("numpy") else None

        sys.settrace(top)
        try:
            result = self.trial(candidate)
        except Stop:
            result = False, None
        finally:
            sys.settrace(None)
        if not self.seen:  # of the function as it is: no edit may take much longer
            self.lines = min(LINES, 10_000 + 20 * most)
        with contextlib.suppress(TypeError):
            self.seen[key] = result
        return result

    def run(self):
        passes, start = self.test()
        if passes and self.source.decorators:
            edit = Edit(1, self.source.decorators[0], "delete", None)
            return Found(self.source, [edit], True)
        if passes or start is None:
            return None
        chain, better = self.level([], start, self.left() * 0.7)
        if chain:
            return Found(self.source, chain, True)
        # Two edits and more: from the edits after which more is right than before.
        nearest, depth = (start, None), 0  # what is nearer to right, beyond that it runs at all
        while better and depth < 4 and self.left() > 0:
            following = []
            for score, chain in better[: 3 if depth == 0 else 1]:
                if chain[-1].kind == "other":
                    pass  # a whole right array may stand anywhere on its way
                elif score[0] > nearest[0][0] or score[:2] > nearest[0][:2] and nearest[0][1]:
                    nearest = score, chain
                with contextlib.ExitStack() as stack:
                    for edit in chain:
                        stack.enter_context(edit)
                    whole, more = self.level(chain, score, self.left() * 0.7)
                if whole:
                    return Found(self.source, whole, True)
                following += more
            better, depth = sorted(following, key=_order), depth + 1
        chain = None if nearest[1] else self.pairs()
        if chain or nearest[1]:
            return Found(self.source, chain or nearest[1], bool(chain))
        return None

    def level(self, chain, start, seconds):
        """(chain and one more edit that passes or None, [(score, chain) that come nearer])."""
        end = max(self.left() - seconds, 0)
        passed, nearer, cost = [], [], 9
        for edit in edits(self.source, self.answer, self.suspects):
            if self.left() < end or edit.cost > cost + 0.05:
                break
            with edit:
                passes, score = self.test()
            if passes:
                passed.append(edit)
                cost = min(cost, edit.cost)
            elif score is not None and score > start:
                nearer.append((score, [*chain, edit]))
        if passed:
            best = min(passed, key=lambda edit: (edit.cost, -getattr(edit.node, "lineno", 0)))
            return [*chain, best], []
        return None, sorted(nearer, key=_order)

    def pairs(self):
        """Two edits that only together make a difference: likely ones, on different nodes."""
        every = edits(self.source, self.answer, self.suspects)
        likely = [edit for edit in every if edit.cost <= 1.3]
        likely = sorted(likely, key=lambda e: e.cost)[:150]
        for total in range(1, 2 * len(likely)):
            for a in range(max(0, total - len(likely) + 1), (total + 1) // 2):
                one, two = likely[a], likely[total - a]
                if self.left() <= 0:
                    return None
                if {(id(n), f) for n, f, _ in one.fields} & {(id(n), f) for n, f, _ in two.fields}:
                    continue
                with one, two:
                    passes, _ = self.test()
                if passes:
                    return [one, two]
        return None


def _order(found):
    score, chain = found
    last = getattr(chain[-1].node, "lineno", 0)
    return tuple(-x for x in score), sum(edit.cost for edit in chain), -last


def _key(code):
    """What makes two pieces of code the same."""
    inner = tuple(_key(c) if inspect.iscode(c) else (type(c), repr(c)) for c in code.co_consts)
    return code.co_code, inner, code.co_names, code.co_varnames
