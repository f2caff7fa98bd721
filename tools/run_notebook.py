"""Re-execute mnist-scratch.ipynb and store its outputs, the same bytes each time.

    python tools/run_notebook.py

Works from any folder. The file is written only when every cell ran and none of them raised or
wrote to stderr; otherwise it stays as it was, and one sentence says which cell failed and how.
README's picture, which the notebook draws, is written beside it. `git diff` shows what changed.

On the same machine and versions a second run gives the same bytes. The tags of cells: `write-me`
holds a function that learners write; what `nbval-ignore-output` prints or draws differs a little
from machine to machine, so the tests compare its kind only.
"""

import argparse
import ast
import base64
import contextlib
import copy
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, CellTimeoutError, DeadKernelError
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "mnist-scratch.ipynb"
# The picture at the top of the notebook and of README.md is the one that this cell draws
PICTURE_CELL, PICTURE = "test-score", ROOT / "workshop/images/finished.png"

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    # without the version, which would change from machine to machine
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}


class Failed(Exception):
    """A notebook did not run cleanly. The message is a sentence: the cell, and `how` it failed.

    cell_id: the cell's id. evalue: the exception's whole text; empty when the cell wrote to
    stderr, ran out of time or lost its kernel.
    """

    def __init__(self, nb, cell, how, evalue=""):
        number = nb.cells.index(cell) + 1
        super().__init__(f"Cell {cell.id} (number {number} of {len(nb.cells)}) {how}")
        self.cell_id, self.evalue = cell.id, evalue


class Run(NamedTuple):
    """What `run` gives back."""

    nb: nbformat.NotebookNode  # executed, not normalised
    again: nbformat.NotebookNode | None  # the outputs of each cell's second run, with twice=True
    answer: Any  # what the probe left in `answer`


# ---------------------------------------------------------------- what is in a notebook


def code_cells(nb):
    """The code cells of `nb`, in order: a list of nodes, not copies."""
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def tags(cell):
    """The tags of a cell: a list of text."""
    return cell.metadata.get("tags", [])


def solutions(nb):
    """{id of an exercise: the Python code of its folded solution}, in order."""
    exercises = [cell for cell in nb.cells if cell.id.startswith("exercise-")]
    code = r"```python\n(.*?)\n```"
    return {cell.id: "\n".join(re.findall(code, cell.source, re.S)) for cell in exercises}


def functions(nb):
    """{name: value} of what the cells and the folded solutions of `nb` define and import.

    Only their imports and functions run, in the order of the cells, and nothing else of them. A
    function whose default is another cell's variable is left out.
    """
    namespace = {}
    sources = {cell.id: cell.source for cell in code_cells(nb)} | solutions(nb)
    for cell_id, source in sources.items():
        body = ast.parse(source).body
        tried = [node for outer in body if isinstance(outer, ast.Try) for node in outer.body]
        for node in tried + body:  # the notebook's imports stand in a try
            if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef):
                code = compile(ast.Module([node], []), f"<cell {cell_id}>", "exec")
                with contextlib.suppress(NameError):
                    exec(code, namespace)
    return {name: value for name, value in namespace.items() if name != "__builtins__"}


def complain(nb):
    """Raise Failed for the first cell of `nb` that holds an error or anything on stderr.

    A cell tagged `raises-exception` counts too: the stored notebook shows no traceback.
    """
    for cell in code_cells(nb):
        for output in cell.outputs:
            if output.output_type == "error":
                what = f"{output.ename}: {output.evalue}".splitlines()[0].rstrip(": .")
                raise Failed(nb, cell, f"raised {what}", output.evalue)
            if output.get("name") == "stderr":
                what = output.text.strip().partition("\n")[0].rstrip(".")
                raise Failed(nb, cell, f"wrote to stderr: {what}")


# ---------------------------------------------------------------- running it


def run(nb, *, replace=None, twice=False, probe=None, timeout=300, folder=ROOT):
    """Execute a copy of `nb` in a new kernel of this Python; returns a Run. `nb` is not changed.

    replace: {cell id: source} to run in place of those cells' own sources. KeyError if one of
        the ids is not there.
    twice: run every code cell two times in a row.
    probe: Python code to run at the end in the same kernel. It leaves a value that JSON can hold
        (NumPy arrays and numbers too) in a variable named `answer`.
    timeout: seconds for each cell. folder: the kernel's working folder.
    Raises Failed when a cell raises, writes to stderr, runs out of time or kills the kernel.
    """
    nb, replace = copy.deepcopy(nb), dict(replace or {})
    for cell in nb.cells:
        cell.source = replace.pop(cell.id, cell.source)
    if replace:
        raise KeyError(f"no such cell: {', '.join(replace)}")
    for cell in code_cells(nb):
        cell.outputs, cell.execution_count = [], None
    again = copy.deepcopy(nb) if twice else None
    whole = new_notebook(cells=list(nb.cells))
    if twice:
        whole.cells = [cell for pair in zip(nb.cells, again.cells, strict=True) for cell in pair]
    if probe is None:
        _execute(whole, timeout, folder)
        return Run(nb, again, None)
    tell = "__import__('json').dumps(answer, default=lambda value: value.tolist())"
    asked = new_code_cell(f"{probe}\nprint({tell})", id="probe")
    whole.cells.append(asked)
    _execute(whole, timeout, folder)
    said = "".join(output.get("text", "") for output in asked.outputs)  # it may show figures
    return Run(nb, again, json.loads(said.splitlines()[-1]))


def _execute(nb, timeout, folder):
    """Execute `nb` in place; raises Failed."""
    # The first import after an installation may print "building the font cache" on stderr:
    # let it happen here and not in a cell
    import matplotlib.font_manager  # noqa: F401

    # Without folders to look in, the kernel is that of this Python, whatever else is installed
    specs = KernelSpecManager(kernel_dirs=[])
    reached = {}
    client = NotebookClient(
        nb,
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs),
        timeout=timeout,
        startup_timeout=120,
        record_timing=False,
        store_widget_state=False,
        on_cell_execute=reached.update,  # called with cell and cell_index
        resources={"metadata": {"path": str(folder)}},
    )
    # The user's own settings of Python, IPython and matplotlib's backend stay outside
    unwanted = {"MPLBACKEND", "PYTHONWARNINGS", "PYTHONSTARTUP"}
    env = {key: value for key, value in os.environ.items() if key not in unwanted}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as empty:
        try:
            client.execute(cleanup_kc=True, env={**env, "IPYTHONDIR": empty})
        except CellTimeoutError:
            raise Failed(nb, reached["cell"], f"was not done within {timeout} s") from None
        except DeadKernelError:
            raise Failed(nb, reached["cell"], "killed its kernel") from None
        except CellControlSignal:
            pass  # a cell raised, which its outputs say
    complain(nb)


# ---------------------------------------------------------------- storing it


def normalise(nb):
    """A copy of `nb` in the one form in which it is stored.

    nbformat 4.5; the metadata in METADATA and nothing else; of a cell's metadata only its tags;
    execution counts 1, 2, 3, ...; consecutive prints joined into one.
    """
    nb = copy.deepcopy(nb)
    nb.nbformat, nb.nbformat_minor = 4, 5
    nb.metadata = nbformat.from_dict(METADATA)
    for cell in nb.cells:
        cell.metadata = nbformat.from_dict({"tags": tags(cell)} if tags(cell) else {})
    for count, cell in enumerate(code_cells(nb), start=1):
        CoalesceStreamsPreprocessor().preprocess_cell(cell, {}, count)
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
            # A widget lives only as long as its kernel: its picture and text are what is stored
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    return nb


def picture(nb):
    """The PNG bytes of the picture at the top, from the cell that draws it, or None."""
    for cell in code_cells(nb):
        for output in cell.outputs if cell.id == PICTURE_CELL else []:
            if "image/png" in output.get("data", {}):
                return base64.b64decode(output.data["image/png"])
    return None


def as_text(nb):
    """The text of the .ipynb file: sorted keys, one line end at the end."""
    nbformat.validate(nb)
    return nbformat.writes(nb).rstrip("\n") + "\n"


def main(argv=None):
    """Run the command line; returns the exit code."""
    about, _, more = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("notebook", nargs="?", type=Path, default=NOTEBOOK, help="another notebook")
    parser.add_argument("--timeout", type=int, default=300, help="seconds for each cell (300)")
    args = parser.parse_args(argv)
    path = args.notebook.resolve()
    stored = nbformat.read(path, as_version=4)
    start = time.monotonic()
    try:
        nb = normalise(run(stored, timeout=args.timeout, folder=path.parent).nb)
    except Failed as failed:
        print(f"{failed}. {path.name} is as it was.", file=sys.stderr)
        return 1
    path.write_bytes(as_text(nb).encode("utf-8"))
    # Another notebook may have a cell of that name: README's picture is not its to replace
    if path == NOTEBOOK and picture(nb):
        PICTURE.write_bytes(picture(nb))
    print(f"{path.name}: {len(code_cells(nb))} code cells in {time.monotonic() - start:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
