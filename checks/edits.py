"""Small edits to a function: what a learner may have meant in place of what stands there.

`edits` lists them. Most come from the right versions in answers.py: a part of one stands in for a
part of the learner's function, or is put around it. They change a syntax tree, and put it back.
"""

import ast
import builtins
import contextlib
import copy
import functools
import itertools
import re
from pathlib import Path

import numpy as np

# Kind of an edit: how far-fetched it is, how it is said, and what is said when all is right with it
KINDS = {
    "name": (1.1, "look at {}", "With another name there"),
    "operator": (1.0, "look at the operator in {}", "With another operator there"),
    "axis": (1.0, "look at the axis and keepdims of {}", "With that changed"),
    "sign": (1.2, "look at the sign of {}", "With the other sign"),
    "order": (1.0, "look at the order in {}", "In another order"),
    "brackets": (1.1, "look at the brackets in {}", "With other brackets there"),
    "call": (1.0, "look at {}: it is named, but not called", "With parentheses there"),
    "less": (1.2, "look at {}", "Without it"),
    "more": (1.4, "look at {}: something is missing", "With that"),
    "number": (1.2, "look at {}", "With something else there"),
    "other": (1.2, "look at {}", "With something else there"),
    "in place": (1.0, "it changes an array in place", "With a new array"),
    "yield": (1.0, "look at the first word, return or yield", "With the other one"),
    "return": (1.2, "nothing is handed back there", "With return there"),
    "keep": (1.2, "what comes back there is not kept", "With a name for it"),
    "delete": (1.1, "look whether this line is needed", "Without it"),
    "move": (1.15, "look at where this line stands", "In another place"),
    "def": (1.2, "look at the arguments and their defaults", "With others there"),
    "before": (1.8, "a line is missing before it", "With one more line"),
    "after": (1.8, "a line is missing after it", "With one more line"),
}
ALIKE = [  # what beginners take for each other
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
        "ReLU softmax one_hot ReLU_deriv",
        "forward_prop backward_prop update_params",
    )
]
OPERATORS = [
    (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.MatMult, ast.FloorDiv),
    (ast.Gt, ast.GtE, ast.Lt, ast.LtE, ast.Eq, ast.NotEq, ast.Is, ast.IsNot),
]
REDUCING = set("max min sum mean argmax argmin prod std all any amax exp".split())
KNOWN = {"np", "range", "float", "max", "min", "zip", "record", "len"}


class Edit:
    """One change: nodes of the tree, each with a node or a list of statements to put in its place.

    node: where to look. label: what it does, without names, so that the same edit in several places
    can be tried together: then `parts` are these edits.
    """

    def __init__(self, kind, node, changes, cost=0.0, label=None, at=None):
        self.kind, self.node, self.label = kind, at or node, (kind, label) if label else None
        self.cost, self.parts = KINDS[kind][0] + cost, [self]
        self.changes = [(old.parent, old.field, old, new) for old, new in changes.items()]
        self.step = node
        while not isinstance(self.step, ast.stmt):
            self.step = self.step.parent

    def __enter__(self):
        self.before = []
        for parent, field, old, new in self.changes:
            for part in [each for top in _list(new) for each in ast.walk(top)]:
                if "lineno" in part._attributes and not placed(part):
                    part.lineno = part.end_lineno = getattr(old, "lineno", 1)
                    part.col_offset = part.end_col_offset = 0
            value = getattr(parent, field)
            self.before.append((parent, field, value))
            if isinstance(value, list):
                new = [put for each in value for put in (_list(new) if each is old else [each])]
                new = new or [ast.Pass(lineno=1, col_offset=0)] * (field == "body")
            setattr(parent, field, new)

    def __exit__(self, *_):
        for place in reversed(self.before):
            setattr(*place)


def _list(value):
    return value if isinstance(value, list) else [value]


def placed(node):
    """True for a node of the learner's text."""
    return bool(getattr(node, "end_col_offset", 0))


def together(edits, cost):
    """Several edits as one, if they are several and on different nodes."""
    if len({id(change[2]) for edit in edits for change in edit.changes}) == len(edits) > 1:
        both = copy.copy(edits[-1])
        both.cost, both.parts, both.label = cost, edits, None
        both.changes = [change for edit in edits for change in edit.changes]
        yield both


def edits(tree, answer, suspects=(), outside=()):
    """All edits of the tree, the likely ones first: those of the suspected lines.

    answer: name of the right version. outside: names of data that are read from the notebook.
    """
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            for child in _list(value):
                if isinstance(child, ast.AST):
                    child.parent, child.field = parent, field
    lines = len(tree.body) - (ast.get_docstring(tree) is not None)
    returned = {name for n in ast.walk(tree) if isinstance(n, ast.Return) for name in reads(n)}
    right = Right(answer, tuple(variables(tree)), frozenset(returned), lines <= 2)
    found = [*_steps(tree, right)]
    for node in ast.walk(tree):
        found += [*_operators(node, right), *_orders(node, right)]
        if isinstance(node, ast.expr) and not stores(node):
            for kind in (_names, _numbers, _less, _brackets, _calls, _around, _parts):
                found += kind(node, right)
    groups = {}
    for edit in found:
        groups.setdefault(edit.label or id(edit), []).append(edit)
    for group in groups.values():  # the same mistake made several times
        found += together(group, group[0].cost + 0.15)
    found += _instead(tree, outside)
    for edit in found:
        if any(getattr(part.node, "lineno", 0) in suspects for part in edit.parts):
            edit.cost -= 0.3
    return sorted(found, key=lambda edit: round(edit.cost, 2))  # 1.4 - 0.4 is less than 1.0


# --- Names in a tree ------------------------------------------------------------------------------


def stores(node):
    return isinstance(getattr(node, "ctx", None), ast.Store)


def loads(tree):
    """The names that a tree reads, as nodes."""
    return [n for n in ast.walk(tree) if isinstance(n, ast.Name) and not stores(n)]


def reads(tree):
    return {n.id for n in loads(tree)}


def variables(tree):
    """The function's arguments and variables, in order."""
    names = [each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)]
    stored = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and stores(n)]
    return list(dict.fromkeys(names + stored))


# --- The right versions ---------------------------------------------------------------------------


@functools.cache
def answers():
    """{name: tree} of answers.py."""
    text = Path(__file__).with_name("answers.py").read_text(encoding="utf-8")
    return {n.name: n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)}


@functools.cache
class Right:
    """Parts of the right versions of a function, in the learner's names as far as these are known.

    numbers; parts {text: expression}; around {text with _ for a hole: expression}; steps.
    names, returned: those of the learner's function, and those that it returns. short: it has two
    lines at most. Only then may the whole answer (longer than `most`) stand for what is returned.
    """

    def __init__(self, name, names, returned, short):
        trees = [answers()[n] for n in (name, f"{name}_also") if n in answers()]
        self.name, self.names, self.returned, self.short = name, names, returned, short
        self.args = trees[0].args
        self.values, values, plain = {}, {}, (ast.Name, ast.Tuple)
        for step in trees[0].body:
            if isinstance(step, ast.Assign) and isinstance(step.targets[0], ast.Name):
                values[step.targets[0].id] = fresh(step.value, values)
                if step.targets[0].id not in names:
                    self.values[step.targets[0].id] = fresh(step.value, self.values)
        every = [n for tree in trees for n in ast.walk(tree)]
        numbers = (n.value for n in every if isinstance(n, ast.Constant))
        self.numbers = list(dict.fromkeys(n for n in numbers if type(n) in (int, float)))
        self.kinds = {type(n) for n in every}
        self.words = {getattr(n, "attr", getattr(n, "id", None)) for n in every}
        always = ("_.T", "_.copy()")  # what is forgotten most often
        self.around = {text: ast.parse(text, mode="eval").body for text in always}
        self.parts = {}
        for node in every:
            if isinstance(node, ast.expr) and not stores(node):
                self._add(node)
        back = [n.value for n in every if isinstance(n, ast.Return)]
        back = [fresh(value, values) for value in back if not isinstance(value, plain)]
        self.most = min((0.7 * len(ast.unparse(value)) for value in back), default=120)
        self.steps = [
            fresh(step)
            for step in every
            if isinstance(step, (ast.Assign, ast.Return, ast.Expr))
            and self._known(step)
            and (not isinstance(step, ast.Return) or isinstance(step.value, plain))
        ]

    def _add(self, node):
        """Keep an expression as a part, and as what stands around each of its own parts."""
        attribute = isinstance(node, ast.Attribute) and node.attr not in ("T", "size", "dtype")
        if isinstance(node, (ast.Name, ast.Constant, ast.Slice, ast.Starred)) or attribute:
            return
        if isinstance(node, ast.Tuple) and any(isinstance(e, ast.Slice) for e in node.elts):
            return
        whole = fresh(node, self.values)
        if self._known(whole) and len(text := ast.unparse(whole)) <= 120:
            self.parts.setdefault(text, whole)
        around = (ast.BinOp, ast.UnaryOp, ast.Attribute, ast.Call)
        if not isinstance(node, around) or len(getattr(node, "args", ())) > 2:
            return
        holes = [hole for hole in ast.iter_child_nodes(node) if isinstance(hole, ast.expr)]
        if isinstance(node, ast.Call):
            holes = [getattr(node.func, "value", None), *node.args]
        for hole in filter(None, holes):
            text = re.sub(rf"(?<!\w){re.escape(ast.unparse(hole))}(?!\w)", "_", ast.unparse(node))
            with contextlib.suppress(SyntaxError):
                whole = fresh(ast.parse(text, mode="eval").body, self.values)
                if text != "_" and self._known(whole):
                    self.around[text] = whole

    def _known(self, node):
        """True when the node reads only names that the learner's function has, and functions."""
        bound = {n.id for n in ast.walk(node) if stores(n) and isinstance(n, ast.Name)}
        return reads(node) <= bound | {*self.names, *KNOWN, *answers(), "_"}


def fresh(tree, values=()):
    """A copy without a place in the text, with other nodes for some names ({name: node})."""
    if isinstance(tree, list):
        return [fresh(each, values) for each in tree]
    if not isinstance(tree, ast.AST):
        return tree
    if isinstance(tree, ast.Name) and tree.id in values and not stores(tree):
        return values[tree.id]
    fields = {field: fresh(value, values) for field, value in ast.iter_fields(tree)}
    return type(tree)(**fields, **({"lineno": 1, "col_offset": 0} if tree._attributes else {}))


# --- Edits of expressions -------------------------------------------------------------------------


def _with(node, **fields):
    """A copy of a node with other fields."""
    return type(node)(**{**dict(ast.iter_fields(node)), **fields})


def _name(name, ctx=ast.Load):
    return ast.Name(name, ctx())


def _put(kind, node, new, cost=0.0, label=None, at=None):
    """An edit of one place. new: a node or a list of statements; at: where else to look."""
    return Edit(kind, node, {node: new}, cost, label, at)


def _called(node):
    return isinstance(node.parent, ast.Call) and node.field == "func"


def _valued(node):
    """True for the whole right side of an assignment, or all that is returned."""
    return node.field == "value" and isinstance(node.parent, (ast.stmt, ast.Yield))


def _operators(node, right):
    """Another operator in an operation, a comparison or x -= y."""
    for group in OPERATORS:
        for field in ("op", "ops"):
            was = _list(getattr(node, field, None))[0]
            for op in group if type(was) in group else ():
                if op is not type(was):
                    new = _with(node, **{field: op() if field == "op" else [op(), *node.ops[1:]]})
                    rare = 0.2 * (op not in right.kinds)
                    yield _put("operator", node, new, rare, (type(was), op))


def _names(node, right):
    """Another variable, or what is easily taken for the function or the attribute."""
    called, word = _called(node), getattr(node, "attr", getattr(node, "id", None))
    for other in sorted(set().union(*(group for group in ALIKE if word in group)) - {word}):
        rare = 0.2 * (other not in right.words)
        if isinstance(node, ast.Attribute):
            yield _put("name", node, _with(node, attr=other), rare, (word, other))
        elif called and other in {*dir(builtins), *answers()} - {right.name}:
            yield _put("name", node, _name(other), rare, (word, other))
        elif called and hasattr(np, other) and word not in right.names:
            yield _put("name", node, ast.parse(f"np.{other}", mode="eval").body, rare)
    if isinstance(node, ast.Name) and not called and word != "np":
        for name in right.names:
            if name != word:
                alike = len(name) == len(word) and any(map(str.__eq__, name, word))
                label = "capitals" if name.lower() == word.lower() else (word, name)
                yield _put("name", node, _name(name), 0 if alike else 0.2, label)


def _numbers(node, right):
    """Another number, a variable for a number, and back."""
    within = isinstance(node.parent, (ast.Call, ast.Tuple)) and not _called(node)
    if isinstance(node, ast.Name) and within:
        for value in right.numbers:
            yield _put("number", node, ast.Constant(value), 0.1, (node.id, value))
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        near = node.value + 1, node.value - 1, -node.value
        for value in dict.fromkeys((*right.numbers, *near)):
            if value != node.value:
                rare = 0.2 * (value not in right.numbers)
                yield _put("number", node, ast.Constant(value), rare, (node.value, value))
        for name in right.names:
            yield _put("number", node, _name(name), 0, (node.value, name))


def _less(node, right):
    """A part of an expression in place of the whole, an argument or a keyword left out."""
    parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
    if isinstance(node, ast.Call):
        method = isinstance(node.func, ast.Attribute)
        parts = [node.func.value, *node.args] if method else node.args
        for field in ("args", "keywords"):
            for each in getattr(node, field):
                new = [other for other in getattr(node, field) if other is not each]
                label = getattr(each, "arg", None)
                yield _put("less", node, _with(node, **{field: new}), 0, label, each)
    around = (ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Subscript, ast.Attribute, ast.Call)
    for part in parts if isinstance(node, around) and not _called(node) else ():
        if not isinstance(part, ast.Slice):
            dropped = ([each for each in parts if each is not part] or [node])[-1]
            label = type(node), ast.unparse(dropped)
            yield _put("less", node, part, 0.1 * (len(parts) > 1), label, dropped)


def _orders(node, right):
    """Values, arguments or the two sides of an operation in another order."""
    if isinstance(node, ast.BinOp) and not isinstance(node.op, (ast.Add, ast.Mult)):
        new = _with(node, left=node.right, right=node.left)
        yield _put("order", node, new, 0, type(node.op))
    field = "elts" if isinstance(node, ast.Tuple) else "args" if isinstance(node, ast.Call) else ""
    parts = getattr(node, field, [])
    if len(parts) <= 4:
        orders = list(itertools.permutations(range(len(parts))))[1:]
    else:
        swaps = itertools.combinations(range(len(parts)), 2)
        orders = [[{a: b, b: a}.get(k, k) for k in range(len(parts))] for a, b in swaps]
    for order in orders:
        moved = sum(a != b for a, b in enumerate(order))
        cost = 0.1 * (moved - 2) + 0.1 * (field == "args")
        label = field == "args" and (ast.unparse(node.func), tuple(order))
        yield _put("order", node, _with(node, **{field: [parts[k] for k in order]}), cost, label)


def _brackets(node, right):
    """(a + b) / c for a + b / c, and back."""
    if isinstance(getattr(node, "left", None), ast.BinOp) and isinstance(node, ast.BinOp):
        new = _with(node.left, right=_with(node, left=node.left.right))
        yield _put("brackets", node, new, 0, "left")
    if isinstance(getattr(node, "right", None), ast.BinOp):
        new = _with(node.right, left=_with(node, right=node.right.left))
        yield _put("brackets", node, new, 0, "right")


def _calls(node, right):
    """Another axis, arguments as one tuple, another index."""
    words = {each.arg: each.value for each in getattr(node, "keywords", ())}
    func = getattr(node, "func", None)
    if "axis" in words or getattr(func, "attr", getattr(func, "id", "")) in REDUCING:
        was = getattr(words.get("axis"), "value", None), "keepdims" in words
        args = node.args[:1] if ast.unparse(func).startswith("np.") else []
        others = [each for each in node.keywords if each.arg not in ("axis", "keepdims")]
        for axis, keep in itertools.product((0, 1, None), (False, True)):
            new = [("axis", axis)] * (axis is not None) + [("keepdims", True)] * keep
            new = others + [ast.keyword(name, ast.Constant(value)) for name, value in new]
            new = _with(node, args=args, keywords=new)
            cost = 0.1 * (axis != was[0] and keep != was[1])
            if (axis, keep) != was:
                yield _put("axis", node, new, cost, (was, axis, keep))
    given = node.args if isinstance(node, ast.Call) else ()
    for at, width in itertools.product(range(len(given)), (2, 4)):
        if at + width <= len(given):  # np.zeros((10, m)) for np.zeros(10, m)
            group = ast.Tuple(given[at : at + width], ast.Load())
            new = _with(node, args=[*given[:at], group, *given[at + width :]])
            yield _put("brackets", node, new, 0, "tuple")
    if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Tuple):
        for pair in ([ast.Slice(), node.slice], [node.slice, ast.Slice()]):
            new = _with(node, slice=ast.Tuple(pair, ast.Load()))
            yield _put("other", node, new, 0, "index")


def _around(node, right):
    """What the right version puts around something: - 0.5, np.exp(...), ReLU_deriv(...) times."""
    made = {n.id for n in ast.walk(node.parent) if isinstance(n, ast.Name) and stores(n)}
    back = 0.3 * isinstance(getattr(node.parent, "parent", 0), ast.Return)  # it is made elsewhere
    if _called(node) or isinstance(node, (ast.Slice, ast.Lambda, ast.Constant, ast.Tuple)):
        return
    for text, around in right.around.items():
        if text == "_.copy()" and not isinstance(node, ast.Name):
            continue
        new = fresh(around, {"_": node})
        cost = back - 0.4 * (text == "_.T")
        label = text if _valued(node) and made & right.returned else (text, ast.unparse(node))
        yield _put("sign" if text == "-_" else "more", node, new, cost, label)


def _parts(node, right):
    """A part of the right version, the likelier the more it has in common with what is there."""
    if _called(node) or isinstance(node, (ast.Slice, ast.Lambda)):
        return
    said, returns = ast.unparse(node), isinstance(node.parent, ast.Return)
    back = 0.3 * isinstance(getattr(node.parent, "parent", 0), ast.Return)  # it is made elsewhere
    words = set(re.findall(r"\w+|\W", said))
    for text, part in right.parts.items():
        whole = len(text) > right.most
        if text == said or (whole and not (right.short and returns)):
            continue
        theirs = set(re.findall(r"\w+|\W", text))
        share = 1 if said in text else len(theirs & words) / len(theirs | words)
        cost = 0.6 - 0.6 * share if share >= 0.4 else 0.4 + 0.02 * len(said) + 0.01 * len(text)
        kind = "call" if text.startswith(f"{said}(") else "other"
        if _valued(node) or node.field == "slice" or share >= 0.3:
            yield _put(kind, node, fresh(part), cost + back + 0.8 * whole, text)


# --- Edits of statements --------------------------------------------------------------------------


def _steps(tree, right):
    """A line left out, moved, added or put in another's place; other arguments of the function."""
    steps = [n for n in ast.walk(tree) if isinstance(n, ast.stmt) and n is not tree]
    for step in steps:
        block, value = getattr(step.parent, step.field), getattr(step, "value", None)
        back, last = isinstance(step, ast.Return), step is block[-1]
        if isinstance(step, ast.Expr) and isinstance(value, ast.Constant):
            continue  # a docstring
        if len(block) > 1 and not back:
            yield _put("delete", step, [])
        inside = set(ast.walk(step))
        for other in steps:
            if other not in inside:
                yield Edit("move", step, {step: [], other: [step, other]})
                if other is getattr(other.parent, other.field)[-1]:
                    yield Edit("move", step, {step: [], other: [other, step]})
        if isinstance(step, ast.AugAssign):
            load = ast.parse(ast.unparse(step.target), mode="eval").body
            new = ast.Assign([step.target], ast.BinOp(fresh(load), step.op, value))
            yield _put("in place", step, new, 0, "in place")
        if isinstance(step, ast.Assign) and isinstance(step.targets[0], (ast.Name, ast.Subscript)):
            yield _put(
                "operator", step, ast.AugAssign(step.targets[0], ast.Add(), value), 0.3, "+="
            )
        if back and value and ast.Yield in right.kinds:
            yield _put("yield", step, ast.Expr(ast.Yield(value)))
        if isinstance(step, ast.Expr):
            yield from _kept(step, right)
        for new in map(fresh, right.steps):  # anew, lest a part be put into itself
            if isinstance(new, ast.Return) == back and not hasattr(step, "body"):
                yield _put("other", step, new, 0.8 + 0.01 * len(ast.unparse(new)))
            if not isinstance(new, ast.Return):
                yield _put("before", step, [new, step])
            if last and not back:
                end = isinstance(new, ast.Return) and step.parent is tree
                yield _put("after", step, [step, new], -0.6 * end)
    if ast.dump(right.args) != ast.dump(tree.args):
        yield Edit("def", tree, {tree.args: fresh(right.args)})


def _kept(step, right):
    """For a line that only calculates: its value handed back, or kept under a name."""
    value = step.value
    if isinstance(value, ast.YieldFrom):
        yield _put("yield", step, ast.Expr(ast.Yield(value.value)))
    if isinstance(value, ast.Yield):
        yield _put("yield", step, ast.Return(value.value))
    yield _put("return", step, ast.Return(value))
    if isinstance(value, ast.Compare):  # x == 1
        target = ast.parse(f"{ast.unparse(value.left)} = 0").body[0].targets
        yield _put("operator", step, ast.Assign(fresh(target), value.comparators[0]))
    if isinstance(value, ast.Call):
        if value.args:
            yield _put("return", step, ast.Return(value.args[0]))
        four = [_name(each, ast.Store) for each in ("W1", "b1", "W2", "b2")]
        for target in [ast.Tuple(four, ast.Store()), *(_name(n, ast.Store) for n in right.names)]:
            yield _put("keep", step, ast.Assign([target], value))


def _instead(tree, outside):
    """Other names in several places: one mistake."""
    names, unused = variables(tree), []

    def joint(cost, pairs):
        return together([Edit("name", n, {n: _name(new)}) for n, new in pairs], cost)

    # Data of the notebook, read in place of the arguments
    data = [n for n in loads(tree) if n.id in outside]
    alike = [(n, name) for n in data for name in names[::-1] if n.id.startswith(name)]
    yield from joint(0.9, alike)
    # What a line makes from a value is not used: the value itself is, in the lines after it
    for step in [n for n in ast.walk(tree) if isinstance(n, ast.Assign)]:
        target, value, every = step.targets[0], step.value, []
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = zip(target.elts, value.elts, strict=False)
        for target, value in pairs:
            used = [n.id for n in loads(value) if n.id in names]
            for old in dict.fromkeys(used) if isinstance(target, ast.Name) else ():
                later = [n for n in loads(tree) if n.id == old and n.lineno > step.end_lineno]
                later = [(n, target.id) for n in later]
                yield from joint(1.0, later)
                if old == used[0]:
                    every += later
                    unused += later if target.id not in reads(tree) else []
        yield from joint(1.0, every)
    yield from joint(0.9, unused)
