"""tools/run_notebook.py stores what a notebook really prints, or leaves the file alone."""

import json
import os
import re
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

import run_notebook

SHOW = "from PIL import Image\nImage.new('L', (1, 1))"


def notebook(*sources, **tags):
    """A notebook of code cells with the ids a, b, c, ...; tags: {cell id: a tag}."""
    cells = [new_code_cell(s, id=i) for s, i in zip(sources, "abcdefgh", strict=False)]
    for cell in cells:
        if cell.id in tags:
            cell.metadata.tags = [tags[cell.id]]
    return new_notebook(cells=cells)


def printed(nb):
    return ["".join(o.get("text", "") for o in cell.outputs) for cell in nb.cells]


def write(nb, folder):
    """Write a notebook to a file in the folder; returns its path."""
    nbformat.write(nb, folder / "small.ipynb")
    return folder / "small.ipynb"


def test_the_kernel_is_this_python_and_run_twice_replace_and_probe(tmp_path, monkeypatch):
    """If this fails, the tests may run the notebook in an environment that is not under test, or
    those that build on these options test something else than they say."""
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    spec = {"argv": ["no-such-program"], "display_name": "Other", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    monkeypatch.setenv("MPLBACKEND", "pdf")
    nb = notebook("n = 1", "n = n + 1\nprint(n)", "import os, sys\nprint(sys.prefix)")
    probe = "import numpy as np\nanswer = {'n': n, 'x': np.float32(0.5), 'v': np.arange(2)}"
    probe += "\nanswer |= {'cwd': os.getcwd(), 'backend': os.environ['MPLBACKEND']}"
    ran = run_notebook.run(nb, twice=True, replace={"a": "n = 10"}, probe=probe, folder=tmp_path)
    *first, prefix = printed(ran.nb)
    assert first == ["", "11\n"] and printed(ran.again)[:2] == ["", "12\n"]
    # pytest may have been started as ../venv/bin/python: the same folder, in other words
    assert os.path.samefile(prefix.strip(), sys.prefix)
    assert os.path.samefile(ran.answer.pop("cwd"), tmp_path)
    assert ran.answer.pop("backend") != "pdf"
    assert ran.answer == {"n": 12, "x": 0.5, "v": [0, 1]}
    assert [cell.id for cell in ran.nb.cells] == ["a", "b", "c"]
    assert printed(nb) == ["", "", ""]  # the notebook that was given is not changed
    with pytest.raises(KeyError, match="no such cell: z"):
        run_notebook.run(nb, replace={"z": "n = 10"})


@pytest.mark.parametrize("source, says", [
    ("1 / 0", r"Cell b \(number 2 of 3\) raised ZeroDivisionError: division by zero\. "),
    ("import sys\nprint('ah!', file=sys.stderr)", "Cell b .* wrote to stderr: ah!"),
    ("import os\nos._exit(1)", "Cell b .* killed its kernel"),
    ("import time\ntime.sleep(60)", "Cell b .* was not done within 2 s"),
])  # fmt: skip
def test_a_cell_that_fails_is_named_and_the_file_kept(source, says, tmp_path, capsys):
    """If this fails, a broken notebook could be stored, or an error go unnoticed."""
    # even where the cell says that it expects its error
    path = write(notebook("print(1)", source, "print(3)", b="raises-exception"), tmp_path)
    before = path.read_bytes()
    assert run_notebook.main([str(path), "--timeout", "2"]) == 1
    said = capsys.readouterr().err
    assert re.search(says, said) and said.endswith("small.ipynb is as it was.\n")
    assert said.count("\n") == 1
    assert path.read_bytes() == before


def test_a_second_run_stores_the_same_bytes_and_the_workshops_picture(tmp_path, monkeypatch):
    """If this fails, a regeneration changes bytes for no reason, or a stale output stays; or
    README's picture is replaced by another notebook's, or a deleted one does not come back."""
    nb = notebook("n = 1\nn", "print(n)\nprint(n)", SHOW)
    nb.cells[2].id = run_notebook.PICTURE_CELL
    path = write(nb, tmp_path)
    monkeypatch.setattr(run_notebook, "PICTURE", tmp_path / "finished.png")
    assert run_notebook.main([str(path)]) == 0
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    first = path.read_bytes()
    nb = nbformat.read(path, as_version=4)
    assert printed(nb)[1] == "1\n1\n" and first.endswith(b"}\n") and b"\r" not in first
    monkeypatch.setattr(run_notebook, "NOTEBOOK", path)  # now it is the workshop's own
    assert run_notebook.main([str(path)]) == 0 and path.read_bytes() == first
    assert run_notebook.PICTURE.read_bytes() == run_notebook.picture(nb)
    nb.cells[1].source = "print(n + 1)"
    assert run_notebook.main([str(write(nb, tmp_path))]) == 0
    assert printed(nbformat.read(path, as_version=4))[1] == "2\n"


def test_stored_form():
    """If this fails, the stored notebook changes with the editor and machine that saved it."""
    nb = notebook("1", "2")
    nb.metadata = {"widgets": {}, "language_info": {"name": "python", "version": "3.99"}}
    a, b = nb.cells
    a.metadata = {"tags": ["write-me"], "ExecuteTime": {}, "jupyter": {"outputs_hidden": True}}
    texts = [("stdout", "x"), ("stdout", "y\n"), ("stderr", "z"), ("stdout", "w")]
    a.outputs = [new_output("stream", name=name, text=text) for name, text in texts]
    still = {"text/plain": "a pad", "image/png": "AAAA"}
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "0f3c"}}
    b.outputs = [new_output("execute_result", {**still, **view}, execution_count=17)]
    new = run_notebook.normalise(nb)
    assert new.metadata == run_notebook.METADATA and (new.nbformat, new.nbformat_minor) == (4, 5)
    assert [cell.metadata for cell in new.cells] == [{"tags": ["write-me"]}, {}]
    joined = [(output.name, output.text) for output in new.cells[0].outputs]
    assert joined == [("stdout", "xy\n"), ("stderr", "z"), ("stdout", "w")]
    # the widget itself lives as long as its kernel
    assert new.cells[1].outputs == [new_output("execute_result", still, execution_count=2)]
    assert a.metadata["ExecuteTime"] == {}  # the notebook that was given is not changed
