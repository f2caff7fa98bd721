"""Make mnist-scratch-student.ipynb: the notebook, with functions left for the learner to write.

    python workshop/student_copy.py                  all the functions
    python workshop/student_copy.py --path 90        those of the path of 60, 90 or 180 minutes
    python workshop/student_copy.py ReLU softmax     only these, the others stay written
    python workshop/student_copy.py --force          replace a student copy that is there

Works from any folder. In a code cell tagged `write-me` the function's signature, docstring and
check stay, with the lines that workshop/hints.md lets stay; the rest becomes a line that raises
NotImplementedError. A new cell under it has the hints of workshop/hints.md, and then the cell as
it is in mnist-scratch.ipynb, all folded. Each section opens with a folded cell for who is behind.
Outputs are cleared. The same notebook and hints give the same bytes each time.
"""

import argparse
import ast
import copy
import html
import re
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

ROOT = Path(__file__).resolve().parent.parent
HINTS = ROOT / "workshop" / "hints.md"
FULL, STUDENT = "mnist-scratch.ipynb", "mnist-scratch-student.ipynb"
# What each path leaves to the learners; workshop/README.md has the minutes
PATHS = {
    "60": ["ReLU", "softmax", "update_params"],
    "90": ["ReLU", "softmax", "forward_prop", "backward_prop", "update_params"],
    "180": [
        "init_params", "ReLU", "softmax", "forward_prop", "cross_entropy", "one_hot", "ReLU_deriv",
        "backward_prop", "update_params", "gradient_descent", "init_params_scaled", "minibatches",
        "train_epoch", "update_velocity",
    ],
}  # fmt: skip
TITLE = (
    "**This is the version to write yourself.** Where a function raises NotImplementedError, put "
    "your own code in place of that line, and run the cell: its last line checks what you wrote. "
    "Hints and the solution are folded under it."
)
# The copy's own words, in place of the notebook's: it need not say how to make a copy, and Run All
# Above would stop at the first function that is not written
BEHIND = re.compile(r"\*\*Behind\?\*\* Run all above: \d+ s\.")
CATCH_UP = (
    "**Behind?** Open the folded cell below, change its first line to `catch_up = True`, and run "
    "it: you can go on here, and what you wrote stays."
)
OWN_WORDS = {
    r"In a new cell .* where the functions are empty\.": "Hints and my version are folded below.",
    r"\*\*Behind\?\*\* In this notebook.*": (
        "**Behind?** Each section opens with a folded cell that brings you up to it."
    ),
}
CATCH_UP_CELL = """\
catch_up = False  # change to True and run this cell, if you are behind
if catch_up:
    from workshop.catch_up import bring_up_to

    bring_up_to("{}", globals())"""


class Wrong(Exception):
    """The notebook or the hints cannot be used. The message is one sentence."""


def function_in(cell):
    """The function to write of a write-me cell, its last one, an ast.FunctionDef; raises Wrong."""
    functions = [n for n in ast.parse(cell.source).body if isinstance(n, ast.FunctionDef)]
    if not functions or ast.get_docstring(functions[-1]) is None:
        raise Wrong(f"The cell {cell.id} needs a function with a docstring to be left to write.")
    return functions[-1]


def write_me(nb):
    """{function's name: its cell} of the code cells tagged write-me, in order; raises Wrong."""
    cells = [cell for cell in nb.cells if "write-me" in cell.metadata.get("tags", [])]
    return {function_in(cell).name: cell for cell in cells if cell.cell_type == "code"}


def stub(cell, stays=()):
    """The source of a write-me cell with the function's body, or a part, still to be written.

    stays: how the lines of the body begin that are not left out. The first gap raises
    NotImplementedError, a later one is a comment. Raises Wrong if a line to stay is not there.
    """
    function, lines = function_in(cell), cell.source.splitlines()
    begin, end = function.body[0].end_lineno, function.end_lineno
    todo = f'raise NotImplementedError("Write {function.name}, then run this cell again.")'
    body, gap, used = [], False, set()
    for line in lines[begin:end]:
        kept = [start for start in stays if line.strip().startswith(start)]
        used.update(kept)
        if kept:
            body.append(line)
        elif not gap:
            indent = line[: len(line) - len(line.lstrip())]
            body.append(indent + todo)
            todo = "# ... and go on here"
        gap = not kept
    if unused := set(stays) - used:
        raise Wrong(f"No line of {function.name} begins as hints.md says: {', '.join(unused)}.")
    return "\n".join([*lines[:begin], *body, *lines[end:]])


def read_hints(text):
    """hints.md -> {function's name: (lines that stay, [(question, answer), ...])}; raises Wrong.

    A heading `## name` begins a function; each numbered item is one hint: the question in bold,
    which is seen, then the answer, which is folded. `Stays:` begins a list of how those lines
    begin that stay in the stub.
    """
    hints = {}
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        name, _, body = section.partition("\n")
        before, *items = re.split(r"^\d+\. ", body, flags=re.M)
        found = [re.fullmatch(r"\*\*(.+?)\*\*\s+(.+)", " ".join(i.split())) for i in items]
        if not all(found):
            raise Wrong(f"A hint of {name.strip()} in hints.md is not '1. **Question?** Answer'.")
        stays = re.findall(r"`(.+?)`", before.partition("Stays:")[2])
        hints[name.strip()] = stays, [match.groups() for match in found]
    return hints


def folded(summary, body):
    """A folded block of Markdown. JupyterLab renders the body only between blank lines."""
    summary = re.sub(r"`(.+?)`", r"<code>\1</code>", html.escape(summary, quote=False))
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def hints_cell(cell, hints):
    """The Markdown cell that goes under a stub: its hints, then its solution."""
    blocks = [folded(f"Hint {n}: {ask}", tell) for n, (ask, tell) in enumerate(hints, start=1)]
    blocks.append(folded("Solution", f"```python\n{cell.source}\n```"))
    return new_markdown_cell("\n\n".join(blocks), id=f"{cell.id}-hints")


def catch_up_cell(section):
    """The folded code cell that opens the section with this id; it does nothing until changed."""
    source, hidden = CATCH_UP_CELL.format(section), {"jupyter": {"source_hidden": True}}
    return new_code_cell(source, id=f"{section}-catch-up", metadata=hidden)


def student_copy(nb, hints, names=()):
    """The student's version of the notebook `nb`, which is not changed; raises Wrong.

    hints: as read_hints gives them. names: the functions to leave unwritten; all if empty.
    """
    nb = copy.deepcopy(nb)
    functions = write_me(nb)
    for name in names or functions:
        if name not in functions:
            raise Wrong(f"No cell has {name} to write; there are: {', '.join(functions)}.")
        if name not in hints:
            raise Wrong(f"There are no hints for {name} in hints.md.")
    cells = []
    names_of = {cell.id: name for name, cell in functions.items()}
    for cell in nb.cells:
        cells.append(cell)
        if cell.id == "title":
            heading, _, rest = cell.source.partition("\n\n")
            cell.source = f"{heading}\n\n{TITLE}\n\n{rest}"
        if cell.cell_type != "code":
            for words, own in OWN_WORDS.items():
                cell.source = re.sub(words, own, cell.source)
            above, *below = BEHIND.split(cell.source)
            if below:
                cell.source = above + CATCH_UP
                cells.append(catch_up_cell(cell.id))
                cells.append(new_markdown_cell(below[0].strip(), id=f"{cell.id}-text"))
            continue
        cell.outputs, cell.execution_count = [], None
        name = names_of.get(cell.id)
        if name and (not names or name in names):
            stays, items = hints[name]
            cells.append(hints_cell(cell, items))
            cell.source = stub(cell, stays)
    nb.cells = cells
    nbformat.validate(nb)
    return nb


def put_minutes(nb, guide, path):
    """Put a path's minutes, as the table of the guide has them, into its copy `nb`."""
    contents = next(cell for cell in nb.cells if cell.id == "contents")
    told = f"{path} minutes with the room. The exercises, and what has no minutes, are for home."
    contents.source = re.sub(r"Three hours .+", told, contents.source)
    for title, *row in re.findall(r"^\| (\d+\. .+?)" + r" \| (\d+)" * 3, guide, re.M):
        minutes = row[list(PATHS).index(path)]
        minutes = "at home" if minutes == "0" else minutes
        line = re.compile(rf"(\[{re.escape(title)}\].* \| )\d+")
        contents.source = line.sub(rf"\g<1>{minutes}", contents.source)
        for cell in nb.cells:
            if cell.source.startswith(f"## {title}\n"):
                cell.source = re.sub(r"(Minutes:\*\*) \d+", rf"\1 {minutes}", cell.source)


def main(argv=None, folder=ROOT):
    """Run the command line in the notebook's folder; returns the exit code."""
    about, _, more = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="functions to leave unwritten (all)")
    parser.add_argument("--path", choices=PATHS, help="leave those of this path, in minutes")
    parser.add_argument("--force", action="store_true", help="replace a copy that is there")
    args = parser.parse_args(argv)
    if args.path and args.names:
        parser.error("give --path or names of functions, not both.")
    names = PATHS[args.path] if args.path else args.names
    path = folder / STUDENT
    part = path.with_name(path.name + ".part")
    try:
        if path.exists() and not args.force:
            raise Wrong(
                f"{STUDENT} is there already and may hold somebody's work, so it stays as it is: "
                "move it away, or add --force to replace it."
            )
        full = nbformat.read(folder / FULL, as_version=4)
        nb = student_copy(full, read_hints(HINTS.read_text(encoding="utf-8")), names)
        if args.path:
            put_minutes(
                nb, (ROOT / "workshop" / "README.md").read_text(encoding="utf-8"), args.path
            )
        part.write_text(nbformat.writes(nb).rstrip("\n") + "\n", encoding="utf-8", newline="\n")
        part.replace(path)  # whole or not at all
    except (Wrong, OSError, nbformat.reader.NotJSONError) as error:
        print(f"Nothing was written. {error}", file=sys.stderr)
        return 1
    print(f"{STUDENT} is written. Functions to write in it: {len(names or write_me(full))}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
