"""Make what a learner who is behind needs in order to go on at a section of the notebook.

The student's copy calls `bring_up_to` in the folded cell that opens each section. It reads
mnist-scratch.ipynb, in the folder above this one, and runs from its earlier cells only the
functions and the arrays that are missing. What the learner wrote is never replaced.
"""

import ast
import contextlib
import dis
import io
import json
import time
from pathlib import Path

NOTEBOOK = Path(__file__).resolve().parent.parent / "mnist-scratch.ipynb"
# {a network that takes long to train: (what is trained in its place, what to say of it)}
SHORT = {
    "params_6": (
        "params_6 = train(X_train, Y_train, falling(0.1, 3), 128, init_params_scaled(128),"
        " momentum=update_velocity)",
        "params_6 is a small stand-in for the last network, trained now: 128 units, 3 epochs. "
        "Its accuracy is about one point lower than the text says.",
    )
}
TRAINERS = {"watch", "train"}


class Statement:
    """One statement of a cell, at the top level: the names that it makes, reads and deletes.

    What a statement puts into a list or dict made before is not followed, so no section may read
    one that an earlier section fills step by step.
    cell: its cell's id. body: the ast node. certain: False if it may leave its names as they are.
    """

    def __init__(self, cell, body):
        self.cell, self.reads, self.makes, self.deletes = cell, set(), set(), set()
        self.function = isinstance(body, ast.FunctionDef)
        self.certain = isinstance(body, ast.Assign | ast.FunctionDef | ast.Try)
        where = f"<mnist-scratch.ipynb, cell {cell}>"
        self.code = compile(ast.Module([body], []), where, "exec")
        codes = [self.code]
        for code in codes:  # grows: the bodies of functions are code in code
            codes += [inner for inner in code.co_consts if hasattr(inner, "co_code")]
            for step in dis.get_instructions(code):
                if step.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
                    self.reads.add(step.argval)
                elif step.opname == "STORE_NAME":
                    self.makes.add(step.argval)
                elif step.opname == "DELETE_NAME":
                    self.deletes.add(step.argval)
        if not self.certain and not isinstance(body, ast.AugAssign):
            self.reads -= self.makes  # a loop's own variables
        self.trains = not self.function and bool(TRAINERS & self.reads)


def read_sections(path=NOTEBOOK):
    """The notebook's code by section: {id of the section's heading: [Statement, ...]}, in order.

    FileNotFoundError, with a sentence, if the file is not there.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise FileNotFoundError(
            f"{path.name} is not in this folder, and what is missing comes from it: "
            "copy it here from the workshop's folder."
        ) from None
    sections = {}
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and source.startswith("## "):
            sections[cell["id"]] = []
        elif cell["cell_type"] == "code":
            sections[next(reversed(sections))] += [
                Statement(cell["id"], node) for node in ast.parse(source).body
            ]
    return sections


def is_missing(name, namespace):
    """True if the namespace has no such name, or a function that still says "write me"."""
    code = getattr(namespace.get(name), "__code__", None)
    return name not in namespace or "NotImplementedError" in getattr(code, "co_names", ())


def plan(statements, wanted, namespace):
    """The positions of the statements to run so that the names in `wanted` come to be: a set."""
    chosen = set()

    def need(name, before):
        if not is_missing(name, namespace):
            return
        for position in reversed(range(before)):
            statement = statements[position]
            if name in statement.makes:
                if position not in chosen:
                    chosen.add(position)
                    read_by = statement.reads
                    if name in SHORT:
                        read_by = compile(SHORT[name][0], name, "exec").co_names
                    for read in read_by:
                        need(read, len(statements) if statement.function else position)
                if statement.certain:
                    return

    for name in sorted(wanted):
        need(name, len(statements))
    return chosen


def reads(statements):
    """The names that statements, run in this order, read and do not make themselves: a set."""
    found, made = set(), set()
    own = {name for statement in statements for name in statement.makes}
    for statement in statements:
        # A function is called later, when all of its names may be there
        found |= statement.reads - (own if statement.function else made)
        made |= statement.makes
    return found


def to_run(section, namespace, sections):
    """What to run for a section, in order: a list of Statement.

    What this section reads from earlier ones, and the earlier functions that need no data. What
    only later sections read is made too, unless a network has to be trained for it.
    """
    names = list(sections)
    here = names.index(section)
    earlier = [s for name in names[:here] for s in sections[name]]
    onwards = [s for name in names[here:] for s in sections[name]]
    chosen = plan(earlier, reads(sections[section]), namespace)
    for name in reads(onwards):
        more = plan(earlier, {name}, namespace)
        if not any(earlier[position].trains for position in more - chosen):
            chosen |= more
    for name in {name for s in earlier if s.function for name in s.makes}:
        more = plan(earlier, {name}, namespace)
        if all(earlier[position].function for position in more - chosen):
            chosen |= more
    made = {name for position in chosen for name in earlier[position].makes}
    chosen |= {p for p, s in enumerate(earlier) if s.deletes and s.deletes <= made}
    return [earlier[position] for position in sorted(chosen)]


def complaints(namespace, names):
    """What the checks say against the learner's own functions of these names: a list."""
    found = []
    for name in names:
        check = getattr(namespace.get("checks"), name, None)
        if callable(check) and callable(namespace[name]):
            with contextlib.redirect_stdout(io.StringIO()):
                try:
                    check(namespace[name])
                except AssertionError as mistake:
                    found.append(str(mistake))
    return found


def bring_up_to(section, namespace, path=NOTEBOOK):
    """Define in `namespace`, the notebook's globals(), what `section` needs, and say what it was.

    section: the id of the section's heading cell. Functions and arrays that are there stay.
    """
    began = time.perf_counter()
    sections = read_sections(path)
    own = {name: value for name, value in namespace.items() if not is_missing(name, namespace)}
    statements = to_run(section, namespace, sections)
    try:
        for statement in statements:
            _run(statement, namespace)
            namespace.update(own)
    finally:
        for sentence in complaints(namespace, own):
            print(f"Your own function stays, but its check says: {sentence}")
    new = {name for s in statements for name in s.makes if name not in own and name in namespace}
    functions = {name for s in statements if s.function for name in s.makes}
    made = {name for name in new - functions if not callable(namespace[name])}
    print(f"Functions from the finished notebook: {', '.join(sorted(functions)) or 'none'}.")
    print(f"Made: {', '.join(sorted(made)) or 'nothing'}. {time.perf_counter() - began:.0f} s.")


def _run(statement, namespace):
    """Run one statement, or its short form; say it when a network is trained."""
    for name, (code, said) in SHORT.items():
        if name in statement.makes:
            print(said)
            exec(code, namespace)
            return
    if statement.trains:
        print(f"Training {' and '.join(sorted(statement.makes))} as the notebook does ...")
    exec(statement.code, namespace)
