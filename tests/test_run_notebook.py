"""tests/run_notebook.py stores what a notebook really prints, or leaves the file alone."""

import json
import re
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import run_notebook


def notebook(*sources, **tags):
    """A notebook of code cells with the ids a, b, c, ...; tags: {cell id: a tag}."""
    ids = "abcdefgh"
    cells = [new_code_cell(s, id=i) for s, i in zip(sources, ids, strict=False)]
    for cell in cells:
        if cell.id in tags:
            cell.metadata.tags = [tags[cell.id]]
    return new_notebook(cells=cells)


def printed(nb):
    return [
        "".join(o.get("text", "") for o in cell.outputs) for cell in run_notebook.code_cells(nb)
    ]


@pytest.fixture
def stored(tmp_path):
    """A function that writes a notebook to a file and returns the path."""

    def write(nb):
        path = tmp_path / "small.ipynb"
        nbformat.write(nb, path)
        return path

    return write


def test_the_kernel_is_this_python_whatever_the_machine_has(tmp_path, monkeypatch):
    """If this fails, the tests may run the notebook in an environment that is not under test."""
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    spec = {"argv": ["no-such-program"], "display_name": "Other", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    monkeypatch.setenv("MPLBACKEND", "pdf")
    nb = notebook("import sys\nprint(sys.executable)", "import os\nprint(os.getcwd())")
    nb.cells.append(new_code_cell("print(os.environ['MPLBACKEND'] == 'pdf')", id="c"))
    ran = run_notebook.execute(nb, folder=tmp_path)
    assert printed(ran) == [f"{sys.executable}\n", f"{tmp_path.resolve()}\n", "False\n"]
    assert printed(nb) == ["", "", ""]  # the notebook that was given is not changed


def test_run_twice_replace_and_probe():
    """If this fails, the tests that build on these options test something else than they say."""
    nb = notebook("n = 1", "n = n + 1\nprint(n)")
    nb.cells.insert(0, new_markdown_cell("# Title", id="title"))
    probe = "import numpy as np\nanswer = {'n': n, 'x': np.float32(0.5), 'v': np.arange(2)}"
    ran = run_notebook.run(nb, twice=True, replace={"a": "n = 10"}, probe=probe)
    assert printed(ran.nb) == ["", "11\n"] and printed(ran.again) == ["", "12\n"]
    assert ran.answer == {"n": 12, "x": 0.5, "v": [0, 1]}
    assert [cell.id for cell in ran.nb.cells] == ["title", "a", "b"]
    with pytest.raises(KeyError, match="no such cell: z"):
        run_notebook.run(nb, replace={"z": "n = 10"})


@pytest.mark.parametrize(
    "source, says",
    [
        ("1 / 0", r"Cell b \(number 2 of 3\) raised ZeroDivisionError: division by zero\. "),
        ("import sys\nprint('ah!', file=sys.stderr)", "Cell b .* wrote to stderr: ah!"),
        ("import os\nos._exit(1)", "Cell b .* killed its kernel"),
        ("import time\ntime.sleep(60)", "Cell b .* was not done within 2 s"),
    ],
)
def test_a_cell_that_fails_is_named_and_the_file_kept(source, says, stored, capsys):
    """If this fails, a broken notebook could be stored, or an error go unnoticed."""
    path = stored(notebook("print(1)", source, "print(3)"))
    before = path.read_bytes()
    assert run_notebook.main([str(path), "--timeout", "2"]) == 1
    said = capsys.readouterr().err
    assert re.search(says, said) and said.endswith("small.ipynb is as it was.\n")
    assert said.count("\n") == 1
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == [path.name]


def test_an_error_that_the_cell_expects_is_an_error_too():
    """If this fails, a traceback can be stored, or a test cannot ask which exception it was."""
    nb = notebook("pass", "f()", b="raises-exception")
    nb.cells[1].outputs = [new_output("error", ename="NotImplementedError", evalue="write me")]
    with pytest.raises(run_notebook.Failed, match=r"Cell b .* NotImplementedError: write me$") as e:
        run_notebook.complain(nb)
    found = e.value.cell_id, e.value.ename, e.value.evalue
    assert found == ("b", "NotImplementedError", "write me")


def test_write_check_and_fresh(stored, capsys):
    """If this fails, a regeneration changes bytes for no reason, or a stale output stays."""
    clock = "import time\nprint(time.perf_counter_ns())"
    path = stored(notebook("n = 1\nn", "print(n)\nprint(n)", clock, c="timed"))
    assert run_notebook.main([str(path)]) == 0
    first = path.read_bytes()
    nb = nbformat.read(path, as_version=4)
    assert printed(nb)[1] == "1\n1\n" and first.endswith(b"}\n") and b"\r" not in first
    # nothing changed: the same bytes, the measured time too
    assert run_notebook.main([str(path)]) == 0 and path.read_bytes() == first
    # a cell before the timed one changed: the check names it and writes nothing
    nb.cells[1].source = "print(n + 1)"
    edited = stored(nb).read_bytes()
    assert run_notebook.main([str(path), "--check"]) == 1
    assert "changes cell b (number 2 of 3) first" in capsys.readouterr().err
    assert path.read_bytes() == edited
    # and the time is measured anew, as it is when asked for
    assert run_notebook.main([str(path)]) == 0
    second = nbformat.read(path, as_version=4)
    assert printed(second)[1] == "2\n" and printed(second)[2] != printed(nb)[2]
    assert run_notebook.main([str(path), "--fresh"]) == 0
    assert printed(nbformat.read(path, as_version=4))[2] != printed(second)[2]


def test_normalise():
    """If this fails, the stored notebook changes with the editor and machine that saved it."""
    nb = notebook("1", "2", "3")
    nb.metadata = {"widgets": {}, "language_info": {"name": "python", "version": "3.99"}}
    a, b, c = nb.cells
    a.metadata = {"tags": ["timed"], "ExecuteTime": {}, "jupyter": {"outputs_hidden": True}}
    b.metadata = {"tags": [], "jupyter": {"source_hidden": True}, "collapsed": False}
    c.execution_count = 17
    texts = [("stdout", "x"), ("stdout", "y\n"), ("stderr", "z"), ("stdout", "w")]
    a.outputs = [new_output("stream", name=name, text=text) for name, text in texts]
    c.outputs = [new_output("execute_result", {"text/plain": "3"}, execution_count=17)]
    new = run_notebook.normalise(nb)
    nbformat.validate(new)
    assert new.metadata == run_notebook.METADATA and (new.nbformat, new.nbformat_minor) == (4, 5)
    assert "version" not in new.metadata.language_info
    assert [cell.metadata for cell in new.cells] == [
        {"tags": ["timed"]},
        {},
        {},
    ]
    assert [cell.execution_count for cell in new.cells] == [1, 2, 3]
    assert new.cells[2].outputs[0].execution_count == 3
    joined = [(output.name, output.text) for output in new.cells[0].outputs]
    assert joined == [("stdout", "xy\n"), ("stderr", "z"), ("stdout", "w")]
    assert run_notebook.as_text(run_notebook.normalise(new)) == run_notebook.as_text(new)
    assert a.metadata["ExecuteTime"] == {}  # the notebook that was given is not changed


def test_a_file_that_is_no_notebook_is_named(tmp_path, capsys):
    """If this fails, a wrong path ends in a traceback."""
    assert run_notebook.main([str(tmp_path / "none.ipynb")]) == 1
    assert "none.ipynb cannot be read: No such file" in capsys.readouterr().err
    (tmp_path / "text.ipynb").write_text("hello")
    assert run_notebook.main([str(tmp_path / "text.ipynb")]) == 1
    assert "text.ipynb is not a notebook" in capsys.readouterr().err


def test_live_widget_is_stored_as_its_text_and_picture():
    """Fails if a random model id gets into the file, or the still picture does not."""
    data = {"text/plain": "a pad", "image/png": "AAAA"}
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "0f3c"}}
    nb = notebook("pad")
    nb.cells[-1].outputs = [new_output("execute_result", {**data, **view}, execution_count=1)]
    assert run_notebook.normalise(nb).cells[-1].outputs[0].data == data
