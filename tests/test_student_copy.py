"""The learners' copy, which workshop/student_copy.py makes, and its cells for who is behind."""

import builtins
import re

import nbformat
import pytest

import run_notebook
from run_notebook import NOTEBOOK
from workshop import catch_up, student_copy

BEHIND = ["look", "prepare", "build", "gradients", "training", "inside", "climb", "score", "draw"]


@pytest.fixture(scope="module")
def functions(notebook):
    """{name: its cell in the full notebook}."""
    return student_copy.write_me(notebook)


# ---------------------------------------------------------------- what is in it


def test_every_function_has_two_hints_in_the_notebooks_own_names(notebook, functions, hints):
    """Fails if a function came or went and hints.md did not follow, or if a hint speaks of a
    variable that the learner never meets."""
    assert list(hints) == list(functions)
    text = "\n".join(cell.source for cell in notebook.cells)
    for name, (_, found) in hints.items():
        assert len(found) >= 2, name
        for word in re.findall(r"[A-Za-z_]\w*", " ".join(re.findall(r"`(.+?)`", str(found)))):
            assert re.search(rf"\b{word}\b", text), f"{name}: {word}"


def test_stubs_keep_all_but_the_body_and_fold_hints_and_solution_below(functions, hints, student):
    """Fails if a body shows, a solution is not what the notebook runs, or it would not fold."""
    ids = [cell.id for cell in student.cells]
    for name, full in functions.items():
        stub, folded = student.cells[ids.index(full.id) :][:2]
        lines, left = full.source.splitlines(), stub.source.splitlines()
        todo = f'raise NotImplementedError("Write {name}, then run this cell again.")'
        allowed = (todo, "# ... and go on here", *hints[name][0])
        begin = student_copy.function_in(full).body[0].end_lineno
        assert left[:begin] == lines[:begin] and todo in stub.source
        assert all(line.strip().startswith(allowed) for line in left[begin:-3]), name
        assert left[-1] == lines[-1] == f"checks.{name}({name})"
        assert folded.id == f"{full.id}-hints" and folded.cell_type == "markdown"
        block = r"<details><summary>([^\n]+)</summary>\n\n(.+?)\n\n</details>"
        *asked, solution = re.findall(block, folded.source, re.S)
        assert len(asked) + 1 == folded.source.count("<details>") >= 3
        assert solution == ("Solution", f"```python\n{full.source}\n```")
        assert not any("```" in body or "`" in head for head, body in asked)


def test_all_else_is_as_in_the_notebook_but_the_words_for_the_copy(notebook, functions, student):
    """Fails if the copy drops, adds or changes another cell, keeps an output, or still tells who
    is behind to Run All Above, which stops at a stub."""
    nbformat.validate(student)
    assert student.metadata == notebook.metadata
    written = {cell.id for cell in functions.values()}
    cells = {cell.id: cell for cell in student.cells}
    for name in written:
        del cells[f"{name}-hints"]
    for old in notebook.cells:
        new = cells.pop(old.id)
        assert new.cell_type == old.cell_type
        assert new.metadata.get("tags") == old.metadata.get("tags")
        assert not new.get("outputs") and not new.get("execution_count")
        if old.id in BEHIND:
            catch_up, text = cells.pop(f"{old.id}-catch-up"), cells.pop(f"{old.id}-text")
            source = student_copy.BEHIND.sub(student_copy.CATCH_UP, old.source)
            assert f"{new.source}\n\n{text.source}" == source != old.source
            assert catch_up.metadata.jupyter.source_hidden and f'"{old.id}"' in catch_up.source
            exec(catch_up.source, {})  # a Run All is safe: it neither imports nor makes anything
        elif old.id not in written | {"title", "start"}:
            assert new.source == old.source
    assert not cells
    text = "\n".join(cell.source for cell in student.cells)
    for words in (student_copy.TITLE, *student_copy.OWN_WORDS.values()):
        assert text.count(words) == 1


@pytest.mark.parametrize("path", student_copy.PATHS)
def test_only_the_named_functions_are_left_to_write(notebook, functions, hints, path):
    names = student_copy.PATHS[path]
    some = student_copy.student_copy(notebook, hints, names)
    todo = [cell.id for cell in some.cells if "NotImplementedError(" in cell.source]
    assert todo == [functions[name].id for name in names]
    folded = [cell.id for cell in some.cells if cell.id.endswith("-hints")]
    assert folded == [f"{cell_id}-hints" for cell_id in todo]


# ---------------------------------------------------------------- who is behind


@pytest.mark.parametrize("section", BEHIND)
def test_each_section_can_begin_in_a_new_kernel(section, other_data, capsys):
    """Fails if a section reads a name that its catch-up cell does not make."""
    train, test = map(str, other_data)
    namespace = {"TRAIN_CSV": train, "TEST_CSV": test}
    catch_up.bring_up_to(section, namespace)
    read = catch_up.reads(catch_up.read_sections()[section])
    assert not read - set(namespace) - set(dir(builtins)) - {"display"}
    assert namespace["TRAIN_CSV"] == train
    said = capsys.readouterr().out
    assert ("Training " in said) == (section in ("inside", "climb", "draw"))
    assert ("stand-in" in said) == (section in ("score", "draw"))


def test_what_the_learner_wrote_stays_and_its_mistake_is_said(other_data, capsys):
    """Fails if a stub stays, or if a function or an array of the learner's is replaced."""
    train, test = map(str, other_data)
    namespace = {"TRAIN_CSV": train, "TEST_CSV": test}
    exec("import numpy as np\nX_dev = np.zeros((784, 5), dtype=np.float32)", namespace)
    exec("def ReLU(Z):\n    return np.abs(Z)", namespace)
    exec("def softmax(Z):\n    raise NotImplementedError('Write softmax')", namespace)
    mine = namespace["ReLU"], namespace["X_dev"]
    catch_up.bring_up_to("build", namespace)
    assert (namespace["ReLU"], namespace["X_dev"]) == mine and namespace["X_train"].size
    catch_up.bring_up_to("gradients", namespace)
    assert (namespace["ReLU"], namespace["X_dev"]) == mine
    assert namespace["softmax"](mine[1][:10]).sum() == pytest.approx(5)
    said = capsys.readouterr().out
    assert re.search(r"Your own function stays, but its check says: ReLU: \w", said)
    assert "softmax" in said.partition("Functions from the finished notebook: ")[2]


@pytest.mark.full
@pytest.mark.parametrize("first", [0, 1])
def test_with_every_second_function_written_the_rest_is_caught_up(
    student, functions, first, set_up, other_data
):
    """Fails if a learner who writes one function, leaves the next, jumps to the next section and
    catches up there cannot come to the end, or loses what they wrote.

    In two runs, so that each function is once written and once left."""
    mine = list(functions)[first::2]
    names, sources, behind = {c.id: n for n, c in functions.items()}, set_up(*other_data), False
    for cell in run_notebook.code_cells(student):
        name = names.get(cell.id)
        if cell.id.endswith("-catch-up"):
            sources[cell.id], behind = cell.source.replace("False", "True", 1), False
        elif name:
            source = functions[name].source if name in mine else cell.source
            define = source.replace(f"\nchecks.{name}({name})", "")
            sources[cell.id] = f"{define}\n{name}.mine = {name in mine}"
            behind = behind or name not in mine
        elif behind:
            sources[cell.id] = ""
    kept = f"[n for n in {list(functions)} if getattr(eval(n), 'mine', False)]"
    run = run_notebook.run(student, replace=sources, probe=f"answer = [test_accuracy, {kept}]")
    assert run.answer[0] > 0.8
    assert run.answer[1] == mine


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


def test_what_cannot_be_done_is_said_in_one_line(folder, functions, capsys):
    assert student_copy.main(["relu"], folder) == 1
    (folder / NOTEBOOK.name).write_text("not JSON")
    assert student_copy.main([], folder) == 1
    (folder / NOTEBOOK.name).unlink()
    assert student_copy.main([], folder) == 1
    words = ["No cell has relu to write; there are: init_params, ReLU, ", "JSON", "No such file"]
    for line, word in zip(capsys.readouterr().err.splitlines(), words, strict=True):
        assert line.startswith("Nothing was written. ") and word in line
    assert not any(folder.iterdir())
    with pytest.raises(student_copy.Wrong, match="A hint of ReLU in hints.md is not"):
        student_copy.read_hints("# Hints\n\n## ReLU\n\n1. What comes out?\n")
    with pytest.raises(student_copy.Wrong, match="No line of ReLU begins as .*: Z ="):
        student_copy.stub(functions["ReLU"], ["Z ="])
