"""Runs of the notebook on other people's files; a run on small data answers several questions."""

import re

import numpy as np
import pandas as pd
import pytest

import run_notebook
from run_notebook import ROOT
from workshop import student_copy


def first_rows(m, folder):
    """A train file with the first m rows of MNIST; returns its path."""
    table = pd.read_csv(ROOT / "data/train.csv.gz", dtype=np.uint8, nrows=m)
    table.to_csv(folder / "train.csv", index=False)
    return folder / "train.csv"


@pytest.mark.full
def test_every_cell_can_be_run_twice_on_any_data_and_the_take_home_after_it(
    notebook, set_up, other_data
):
    """Fails if a cell's second run breaks or prints something else, if MNIST itself is assumed, or
    if a take-home solution needs a name that the notebook no longer has, or is wrong."""
    take_home = (ROOT / "workshop/take-home.md").read_text(encoding="utf-8")
    code = re.findall(r"^```python\n(.*?)\n```$", take_home, re.M | re.S)
    assert len(code) == 5
    quick = "\n".join(code).replace("falling(0.1, 30)", "falling(0.1, 3)")
    ends = "[test_accuracy, history_record[-1]['dev_accuracy'], A3_dev.shape[0]]"
    run = run_notebook.run(
        notebook, replace=set_up(*other_data), twice=True, probe=f"{quick}\nanswer = {ends}"
    )
    first, second = run_notebook.normalise(run.nb), run_notebook.normalise(run.again)
    for one, two in zip(first.cells, second.cells, strict=True):
        if one.cell_type == "code":
            assert one.outputs == two.outputs, one.id
    assert run.answer[0] > 0.9 and run.answer[1] > 0.5 and run.answer[2] == 10


@pytest.mark.full
def test_without_a_test_file_each_stub_is_caught_and_each_solution_runs(
    notebook, student, set_up, tmp_path
):
    """Fails if a learner with only Kaggle's train.csv cannot run to the end, if a check does not
    name its stub, or if the filled-in copy does not run.

    In one run, cell by cell: the stub, its check, then the folded solution.
    """
    cells = {cell.id: cell for cell in student.cells}
    filled = set_up(first_rows(13_000, tmp_path), None)
    for name, full in student_copy.write_me(notebook).items():
        folded = cells[f"{full.id}-hints"].source
        [solution] = re.findall(r"^```python\n(.*?)\n```$", folded, re.M | re.S)
        stub = cells[full.id].source.replace(f"\nchecks.{name}({name})", "")
        filled[full.id] = "\n".join([
            stub,
            "try:",
            f"    checks.{name}({name})",
            "except AssertionError as mistake:",
            f'    assert "{name}: it is not written yet" in str(mistake), mistake',
            "else:",
            '    raise RuntimeError("the check takes the stub for right")',
            solution,
        ])  # fmt: skip
    probe = "answer = [X_train.shape[1], X_dev.shape[1], Y_test.size, test_accuracy]"
    run = run_notebook.run(student, replace=filled, probe=probe)
    assert run.answer[:3] == [2000, 1000, 10_000]
    assert run.answer[3] > 0.6


def test_a_wrong_file_is_told_before_any_training(cells, set_up, tmp_path, monkeypatch):
    """Fails if too small a file is found late, or not in one sentence that says its rows."""
    monkeypatch.chdir(ROOT)
    sources = {name: cells[name].source for name in ("setup", "read-digits", "to-columns")}
    sources |= set_up(first_rows(900, tmp_path), "data/test.csv.gz")
    namespace = {}
    for source in sources.values():
        exec(source, namespace)
    with pytest.raises(ValueError, match=r"^The train file has only 900 rows, [^.]*\.$"):
        exec(cells["split"].source, namespace)
    with pytest.raises(
        ValueError, match="10,000 test rows aside: use a file with more than 11,000"
    ):
        namespace["checks"].enough_rows(11_000, held_out=10_000)
