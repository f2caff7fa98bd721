"""The learner's copy of the notebook, which workshop/student_copy.py makes."""

import re
import shutil
import subprocess
import sys

import nbformat
import pytest

import run_notebook
from run_notebook import NOTEBOOK, ROOT
from test_whole_run import constants
from workshop import student_copy


@pytest.fixture(scope="module")
def hints():
    return student_copy.read_hints(student_copy.HINTS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def student(notebook, hints):
    return student_copy.student_copy(notebook, hints)


@pytest.fixture(scope="module")
def functions(notebook):
    """{name: its cell in the full notebook}."""
    return student_copy.write_me(notebook)


@pytest.fixture(scope="module")
def setup(cells, other_data):
    """{"setup": the set-up cell's source with small made-up files}."""
    return constants(cells, *other_data)


def under(nb, cell_id):
    """The cell right under the cell with this id."""
    ids = [cell.id for cell in nb.cells]
    return nb.cells[ids.index(cell_id) + 1]


def solution(student, cell_id):
    """The code in the folded solution under a stub."""
    [code] = re.findall(r"^```python\n(.*?)\n```$", under(student, cell_id).source, re.M | re.S)
    return code


# ---------------------------------------------------------------- what is in it


def test_every_function_to_write_has_two_hints_and_every_hint_a_function(functions, hints):
    """Fails if a function was added, renamed or dropped and hints.md was not."""
    assert list(hints) == list(functions)
    for name, found in hints.items():
        assert len(found) >= 2, name


def test_the_first_hint_says_what_comes_out(hints):
    for name, found in hints.items():
        assert re.search(r"come(s)? out\?$", found[0][0]), name


def test_names_in_hints_are_names_of_the_notebook(notebook, hints):
    """Fails if a hint speaks of a variable that the learner never meets."""
    text = "\n".join(cell.source for cell in notebook.cells) + " try except"
    for name, found in hints.items():
        for word in re.findall(r"[A-Za-z_]\w*", " ".join(re.findall(r"`(.+?)`", str(found)))):
            assert re.search(rf"\b{word}\b", text), f"{name}: {word}"


def test_stubs_keep_signature_decorator_and_docstring_and_nothing_else(functions, student):
    """Fails if a body shows, or if anything above it changed."""
    cells = {cell.id: cell for cell in student.cells}
    for name, full in functions.items():
        kept, _, todo = cells[full.id].source.rpartition("\n")
        assert todo == f'    raise NotImplementedError("Write {name}, then run this cell again.")'
        assert full.source.startswith(kept + "\n")
        assert kept.count('"""') == 2 and kept.endswith('"""')
        assert f"def {name}(" in kept
    assert "@np.errstate" in cells["gradient-descent"].source


def test_hints_and_solution_are_folded_under_each_stub_and_equal_the_source(functions, student):
    """Fails if a solution is not what the notebook runs, or would not fold in JupyterLab."""
    for name, full in functions.items():
        cell = under(student, full.id)
        assert (cell.id, cell.cell_type) == (f"{full.id}-hints", "markdown")
        blocks = re.findall(
            r"<details><summary>([^\n]+)</summary>\n\n(.+?)\n\n</details>", cell.source, re.S
        )
        assert len(blocks) == cell.source.count("<details>") >= 3
        assert [b.split(":")[0] for b, _ in blocks[:-1]] == [
            f"Hint {n}" for n in range(1, len(blocks))
        ]
        assert blocks[-1] == ("Solution", f"```python\n{full.source}\n```"), name
        assert not any("```" in body or "`" in head for head, body in blocks[:-1])


def test_all_else_is_as_in_the_notebook(notebook, functions, student):
    """Fails if the copy drops, adds or changes another cell, or keeps an output."""
    nbformat.validate(student)
    assert student.metadata == notebook.metadata
    written = {cell.id for cell in functions.values()}
    rest = [c for c in student.cells if c.id not in {f"{name}-hints" for name in written}]
    assert len(rest) == len(notebook.cells) == len(student.cells) - len(written)
    for old, new in zip(notebook.cells, rest, strict=True):
        assert (new.id, new.cell_type) == (old.id, old.cell_type)
        assert new.metadata.get("tags") == old.metadata.get("tags")
        if new.cell_type == "code":
            assert (new.outputs, new.execution_count) == ([], None)
        if new.id == "title":
            assert new.source.replace(student_copy.TITLE + "\n\n", "", 1) == old.source
            assert new.source != old.source
        elif new.id not in written:
            source = new.source.replace(student_copy.CATCH_UP, student_copy.CATCH_UP_FULL)
            source = source.replace(student_copy.COMPARE, student_copy.MAKE_COPY)
            assert source == old.source


def test_who_is_behind_is_sent_to_the_full_notebook(student, notebook):
    """Fails if Run All Above, which stops at a stub, is still what the copy advises."""
    assert str(notebook.cells).count(student_copy.CATCH_UP_FULL) == 10
    assert str(student.cells).count(student_copy.CATCH_UP) == 10
    assert student_copy.CATCH_UP_FULL not in str(student.cells)
    assert student_copy.MAKE_COPY in str(notebook.cells)


def test_only_the_named_functions_can_be_left_to_write(notebook, hints):
    some = student_copy.student_copy(notebook, hints, ["ReLU", "softmax"])
    todo = [cell.id for cell in some.cells if "NotImplementedError(" in cell.source]
    assert todo == ["relu", "softmax"]
    assert [c.id for c in some.cells if c.id.endswith("-hints")] == ["relu-hints", "softmax-hints"]


# ---------------------------------------------------------------- running it


def test_untouched_copy_stops_under_the_first_stub(student, functions, setup):
    """Fails if a learner who runs on without writing is not told what to do, and where."""
    first = next(iter(functions))
    with pytest.raises(run_notebook.Failed) as failed:
        run_notebook.run(student, replace=setup)
    assert failed.value.cell_id == f"check-{functions[first].id}"
    assert f"{first} is not written yet. Write it in its cell" in failed.value.evalue


def test_each_stub_is_caught_and_each_solution_runs(student, functions, setup):
    """Fails if a check does not name its stub, or if the filled-in notebook does not run.

    In one run, cell by cell: the stub, its check, the folded solution, then the check's own cell.
    """
    filled = dict(setup)
    cells = {cell.id: cell for cell in student.cells}
    for name, full in functions.items():
        filled[full.id] = "\n".join([
            cells[full.id].source,
            "try:",
            f"    checks.{name}({name})",
            "except AssertionError as mistake:",
            f'    assert "{name} is not written yet" in str(mistake), mistake',
            "else:",
            '    raise RuntimeError("the check takes the stub for right")',
            solution(student, full.id),
        ])  # fmt: skip
    run = run_notebook.run(student, replace=filled, probe="answer = test_accuracy")
    assert run.answer > 0.8
    for full in functions.values():
        [said] = [c.outputs[0].text for c in run.nb.cells if c.id == f"check-{full.id}"]
        assert ": right." in said


# ---------------------------------------------------------------- the command


@pytest.fixture
def folder(notebook, tmp_path):
    """An empty folder with the notebook in it."""
    nbformat.write(notebook, tmp_path / NOTEBOOK.name)
    return tmp_path


def test_command_writes_the_copy_beside_the_notebook(folder, student, capsys):
    """Fails if the file is not what the tests above saw, or a second run gives other bytes."""
    assert student_copy.main([], folder) == 0
    path = folder / student_copy.STUDENT
    first = path.read_bytes()
    assert nbformat.reads(first.decode(), as_version=4) == student
    assert student_copy.main(["--force"], folder) == 0
    assert path.read_bytes() == first
    assert sorted(p.name for p in folder.iterdir()) == sorted([NOTEBOOK.name, path.name])


def test_a_copy_that_is_there_stays(folder, capsys):
    """Fails if a learner's work could be lost."""
    path = folder / student_copy.STUDENT
    path.write_text("two hours of work")
    assert student_copy.main([], folder) == 1
    assert path.read_text() == "two hours of work"
    said = capsys.readouterr().err
    assert "is there already" in said and "--force" in said and said.count("\n") == 1


@pytest.mark.parametrize(
    "text, names, sentence",
    [
        (None, ["relu"], r"No cell has relu to write; there are: init_params, ReLU, "),
        ("not JSON", [], r"mnist-scratch.ipynb is not a notebook"),
        ("gone", [], r"mnist-scratch.ipynb cannot be read: No such file"),
    ],
)
def test_what_cannot_be_done_is_said(folder, capsys, text, names, sentence):
    if text == "gone":
        (folder / NOTEBOOK.name).unlink()
    elif text is not None:
        (folder / NOTEBOOK.name).write_text(text)
    assert student_copy.main(names, folder) == 1
    said = capsys.readouterr().err
    assert re.search(sentence, said) and said.startswith("Nothing was written.")
    assert not (folder / student_copy.STUDENT).exists()


def test_hints_in_another_form_are_said():
    with pytest.raises(student_copy.Wrong, match="A hint of ReLU in hints.md is not"):
        student_copy.read_hints("# Hints\n\n## ReLU\n\n1. What comes out?\n")


def test_student_copy_is_never_committed():
    """Fails if git would take a learner's copy along."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a clone")
    asked = ["git", "check-ignore", student_copy.STUDENT, student_copy.STUDENT + ".part"]
    ignored = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    if ignored.returncode == 128:  # another user's folder, for example in a container
        pytest.skip(ignored.stderr.strip())
    assert ignored.stdout.split() == asked[2:]
    tracked = ["git", "ls-files", student_copy.STUDENT]
    assert not subprocess.run(tracked, cwd=ROOT, capture_output=True, text=True).stdout


def test_command_line_works_from_any_folder(tmp_path):
    """Fails if `python workshop/student_copy.py` needs the tests or the right working folder."""
    run = subprocess.run(
        [sys.executable, str(ROOT / "workshop/student_copy.py"), "--help"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0 and "hints.md" in run.stdout
