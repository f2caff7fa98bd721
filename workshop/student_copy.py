"""Make mnist-scratch-student.ipynb: the notebook, with the functions left for the learner to write.

    python workshop/student_copy.py                  all the functions
    python workshop/student_copy.py ReLU softmax     only these, the others stay written
    python workshop/student_copy.py --force          replace a student copy that is there

Works from any folder. In a code cell tagged `write-me` the signature, the decorators and the
docstring stay, and the body becomes a line that raises NotImplementedError. A new cell under it
has the hints of workshop/hints.md, and then the cell as it is in mnist-scratch.ipynb, all folded.
Outputs are cleared. The same notebook and hints give the same bytes each time.
"""

import argparse
import ast
import contextlib
import copy
import html
import os
import re
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell

ROOT = Path(__file__).resolve().parent.parent
HINTS = ROOT / "workshop" / "hints.md"
FULL, STUDENT = "mnist-scratch.ipynb", "mnist-scratch-student.ipynb"
TITLE = (
    "**This is the version to write yourself:** where a function only raises NotImplementedError, "
    "put your own code in place of that line, and compare it with the solution that is folded "
    f"under the cell, or with the same cell of `{FULL}`."
)


# In the copy itself the notebook need not say how to make it
MAKE_COPY = "then compare: `README.md` says how to make a copy with empty functions."
COMPARE = "then compare with the folded solution under it."
# Run All Above would stop at the first function that is not written
CATCH_UP_FULL = "**Behind?** Select this cell, then"
CATCH_UP = f"**Behind?** Go on in `{FULL}`, where all is written: select this cell there, then"


class Wrong(Exception):
    """The notebook or the hints cannot be used. The message is one sentence."""


def read_notebook(path):
    """The notebook in a file; raises Wrong."""
    try:
        return nbformat.read(path, as_version=4)
    except OSError as error:
        raise Wrong(f"{path.name} cannot be read: {error.strerror}.") from None
    except nbformat.reader.NotJSONError:
        raise Wrong(f"{path.name} is not a notebook: its text is not JSON.") from None


def function_in(cell):
    """The one function of a write-me cell, an ast.FunctionDef; raises Wrong."""
    functions = [n for n in ast.parse(cell.source).body if isinstance(n, ast.FunctionDef)]
    if len(functions) != 1 or ast.get_docstring(functions[0]) is None:
        raise Wrong(f"The cell {cell.id} needs one function with a docstring to be left to write.")
    return functions[0]


def write_me(nb):
    """{function's name: its cell} of the code cells tagged write-me, in order; raises Wrong."""
    cells = [cell for cell in nb.cells if "write-me" in cell.metadata.get("tags", [])]
    return {function_in(cell).name: cell for cell in cells if cell.cell_type == "code"}


def stub(cell):
    """The source of a write-me cell with the function's body still to be written."""
    function, lines = function_in(cell), cell.source.splitlines()
    todo = f'    raise NotImplementedError("Write {function.name}, then run this cell again.")'
    return "\n".join([*lines[: function.body[0].end_lineno], todo, *lines[function.end_lineno :]])


def read_hints(text):
    """hints.md -> {function's name: [(question, answer), ...]}; raises Wrong.

    A heading `## name` begins a function; each numbered item is one hint: the question in bold,
    which is seen, then the answer, which is folded.
    """
    hints = {}
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        name, _, body = section.partition("\n")
        items = re.split(r"^\d+\. ", body, flags=re.M)[1:]
        found = [re.fullmatch(r"\*\*(.+?)\*\*\s+(.+)", " ".join(i.split())) for i in items]
        if not all(found):
            raise Wrong(f"A hint of {name.strip()} in hints.md is not '1. **Question?** Answer'.")
        hints[name.strip()] = [match.groups() for match in found]
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
            cell.source = cell.source.replace(CATCH_UP_FULL, CATCH_UP)
            cell.source = cell.source.replace(MAKE_COPY, COMPARE)
            continue
        cell.outputs, cell.execution_count = [], None
        name = names_of.get(cell.id)
        if name and (not names or name in names):
            cells.append(hints_cell(cell, hints[name]))
            cell.source = stub(cell)
    nb.cells = cells
    nbformat.validate(nb)
    return nb


def main(argv=None, folder=ROOT):
    """Run the command line in the notebook's folder; returns the exit code."""
    about, _, more = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="functions to leave unwritten (all)")
    parser.add_argument("--force", action="store_true", help="replace a copy that is there")
    args = parser.parse_args(argv)
    path = folder / STUDENT
    part = path.with_name(path.name + ".part")
    try:
        if path.exists() and not args.force:
            raise Wrong(
                f"{STUDENT} is there already and may hold somebody's work, so it stays as it is: "
                "move it away, or add --force to replace it."
            )
        full = read_notebook(folder / FULL)
        nb = student_copy(full, read_hints(HINTS.read_text(encoding="utf-8")), args.names)
        part.write_text(nbformat.writes(nb).rstrip("\n") + "\n", encoding="utf-8", newline="\n")
        os.replace(part, path)
    except (Wrong, OSError) as error:
        print(f"Nothing was written. {error}", file=sys.stderr)
        return 1
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    left = args.names or list(write_me(full))
    print(f"{STUDENT} is written. Functions to write in it: {len(left)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
