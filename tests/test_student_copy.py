"""The learner's copy of the notebook, which workshop/student_copy.py makes."""

import re
import shutil
import subprocess
import sys

import nbformat
import pytest

import run_notebook
from run_notebook import NOTEBOOK, ROOT
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


# ---------------------------------------------------------------- what is in it


def test_every_function_has_two_hints_in_the_notebooks_own_names(notebook, functions, hints):
    """Fails if a function came or went and hints.md did not follow, or if a hint speaks of a
    variable that the learner never meets."""
    assert list(hints) == list(functions)
    text = "\n".join(cell.source for cell in notebook.cells) + " try except"
    for name, found in hints.items():
        assert len(found) >= 2, name
        for word in re.findall(r"[A-Za-z_]\w*", " ".join(re.findall(r"`(.+?)`", str(found)))):
            assert re.search(rf"\b{word}\b", text), f"{name}: {word}"


def test_stubs_keep_all_but_the_body_and_fold_hints_and_solution_below(functions, student):
    """Fails if a body shows, a solution is not what the notebook runs, or it would not fold."""
    cells = {cell.id: cell for cell in student.cells}
    ids = list(cells)
    for name, full in functions.items():
        todo = f'    raise NotImplementedError("Write {name}, then run this cell again.")'
        kept, after = cells[full.id].source.split(f"\n{todo}")
        assert full.source.startswith(kept + "\n") and full.source.endswith(after)
        assert f"def {name}(" in kept and kept.count('"""') == 2 and kept.endswith('"""')
        below = cells[f"{full.id}-hints"]
        assert ids.index(below.id) == ids.index(full.id) + 1 and below.cell_type == "markdown"
        blocks = re.findall(
            r"<details><summary>([^\n]+)</summary>\n\n(.+?)\n\n</details>", below.source, re.S
        )
        assert len(blocks) == below.source.count("<details>") >= 3
        assert blocks[-1] == ("Solution", f"```python\n{full.source}\n```")
        assert not any("```" in body or "`" in head for head, body in blocks[:-1])


def test_all_else_is_as_in_the_notebook(notebook, functions, student):
    """Fails if the copy drops, adds or changes another cell, or keeps an output."""
    nbformat.validate(student)
    assert student.metadata == notebook.metadata
    written = {cell.id for cell in functions.values()}
    rest = [cell for cell in student.cells if cell.id not in {f"{name}-hints" for name in written}]
    for old, new in zip(notebook.cells, rest, strict=True):
        assert (new.id, new.cell_type) == (old.id, old.cell_type)
        assert new.metadata.get("tags") == old.metadata.get("tags")
        assert not new.get("outputs") and not new.get("execution_count")
        if new.id not in written:
            source = new.source.replace(student_copy.TITLE + "\n\n", "", 1)
            source = source.replace(student_copy.CATCH_UP, student_copy.CATCH_UP_FULL)
            assert source.replace(student_copy.COMPARE, student_copy.MAKE_COPY) == old.source


def test_the_copys_own_words_are_in_it(notebook, student):
    """Fails if the notebook no longer has the words that the copy replaces: who is behind would
    be told to Run All Above, which stops at a stub."""
    full, copy = ("\n".join(cell.source for cell in nb.cells) for nb in (notebook, student))
    swapped = [(student_copy.CATCH_UP_FULL, student_copy.CATCH_UP),
               (student_copy.MAKE_COPY, student_copy.COMPARE)]  # fmt: skip
    for old, new in swapped:
        assert full.count(old) == copy.count(new) > 0 == copy.count(old)
    assert student_copy.TITLE in copy


def test_only_the_named_functions_can_be_left_to_write(notebook, hints):
    some = student_copy.student_copy(notebook, hints, ["ReLU", "softmax"])
    todo = [cell.id for cell in some.cells if "NotImplementedError(" in cell.source]
    assert todo == ["relu", "softmax"]
    assert [c.id for c in some.cells if c.id.endswith("-hints")] == ["relu-hints", "softmax-hints"]


# ---------------------------------------------------------------- running it


def test_untouched_copy_stops_at_the_first_stub(student, functions, set_up, other_data):
    """Fails if a learner who runs on without writing is not told what to do, and where."""
    first = next(iter(functions))
    with pytest.raises(run_notebook.Failed) as failed:
        run_notebook.run(student, replace=set_up(*other_data))
    assert failed.value.cell_id.removeprefix("check-") == functions[first].id
    assert f"{first} is not written yet. Write it in its cell" in failed.value.evalue


# ---------------------------------------------------------------- the command


@pytest.fixture
def folder(notebook, tmp_path):
    """An empty folder with the notebook in it."""
    nbformat.write(notebook, tmp_path / NOTEBOOK.name)
    return tmp_path


def test_command_writes_the_copy_and_keeps_one_that_is_there(folder, student, capsys):
    """Fails if a learner's work could be lost, or a second run gives other bytes."""
    assert student_copy.main([], folder) == 0
    path = folder / student_copy.STUDENT
    first = path.read_bytes()
    assert nbformat.reads(first.decode(), as_version=4) == student
    path.write_text("two hours of work")
    assert student_copy.main([], folder) == 1
    assert path.read_text() == "two hours of work"
    said = capsys.readouterr().err
    assert "is there already" in said and "--force" in said and said.count("\n") == 1
    assert student_copy.main(["--force"], folder) == 0
    assert path.read_bytes() == first
    assert sorted(p.name for p in folder.iterdir()) == sorted([NOTEBOOK.name, path.name])


@pytest.mark.parametrize("text, names, sentence", [
    (None, ["relu"], r"No cell has relu to write; there are: init_params, ReLU, "),
    ("not JSON", [], r"mnist-scratch.ipynb is not a notebook"),
    ("gone", [], r"mnist-scratch.ipynb cannot be read: No such file"),
])  # fmt: skip
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


def test_command_line_works_from_any_folder(tmp_path):
    """Fails if `python workshop/student_copy.py` needs the tests or the right working folder."""
    command = [sys.executable, str(ROOT / "workshop/student_copy.py"), "--help"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0 and "hints.md" in run.stdout
