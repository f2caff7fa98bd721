"""One full run of the notebook on the real data, and runs of it on other people's files."""

import platform
import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import run_notebook
from run_notebook import ROOT


def outputs(cell):
    """A cell's outputs without what may differ: its PNG bytes and execution count."""
    kept = []
    for output in cell.outputs:
        data = {k: v for k, v in output.get("data", {}).items() if k != "image/png"}
        kept.append((output.output_type, output.get("text"), data))
    return kept


def on_the_lock():
    """True if the packages that decide the notebook's bytes are those of .ci/constraints.txt."""
    lock = set(re.findall(r"^[\w.-]+==[^\s;]+", (ROOT / ".ci/constraints.txt").read_text(), re.M))
    names = ["numpy", "pandas", "matplotlib", "scikit-learn", "pillow", "ipython", "ipykernel"]
    return {f"{name}=={version(name)}" for name in names} <= lock


# ---------------------------------------------------------------- the real data


def test_stored_outputs_are_those_of_a_run(notebook, whole_run):
    """Fails if the committed outputs are stale. Values of trained cells may differ by machine."""
    fresh = run_notebook.normalise(whole_run.nb)
    for old, new in zip(notebook.cells, fresh.cells, strict=True):
        if old.cell_type == "markdown" or "timed" in run_notebook.tags(old):
            continue
        if "trained" in run_notebook.tags(old):
            kinds = [[(o.output_type, *sorted(o.get("data", {}))) for o in c.outputs]
                     for c in (old, new)]  # fmt: skip
            assert kinds[0] == kinds[1], old.id
        elif "nbval-ignore-output" not in run_notebook.tags(old):
            assert outputs(new) == outputs(old), old.id


def test_stored_figures_repeat_byte_for_byte_on_the_lock(notebook, whole_run):
    """On Linux and x86-64, where they were drawn: others round and pack in another way."""
    if not on_the_lock() or (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("other versions than those in .ci/constraints.txt draw other bytes")
    fresh = run_notebook.normalise(whole_run.nb)
    skip = {"trained", "timed", "nbval-ignore-output"}
    for old, new in zip(notebook.cells, fresh.cells, strict=True):
        if old.cell_type == "code" and not skip & set(run_notebook.tags(old)):
            assert new.outputs == old.outputs, old.id


# ---------------------------------------------------------------- other files


def constants(cells, train, test):
    """The set-up cell's source with other paths in it."""
    source, train, test = cells["setup"].source, Path(train).as_posix(), test and test.as_posix()
    source, n = re.subn(r'(?m)^TRAIN_CSV = ".+"$', f"TRAIN_CSV = {train!r}", source)
    source, k = re.subn(r'(?m)^TEST_CSV = ".+"$', f"TEST_CSV = {test!r}", source)
    assert n == k == 1
    return {"setup": source}


def test_every_cell_can_be_run_twice_and_any_data_in_the_layout_will_do(
    notebook, cells, other_data
):
    """Fails if a cell's second run breaks or prints something else, or MNIST itself is assumed."""
    run = run_notebook.run(
        notebook, replace=constants(cells, *other_data), twice=True, probe="answer = test_accuracy"
    )
    first, second = run_notebook.normalise(run.nb), run_notebook.normalise(run.again)
    for one, two in zip(first.cells, second.cells, strict=True):
        if one.cell_type == "code" and "timed" not in run_notebook.tags(one):
            assert one.outputs == two.outputs, one.id
    assert run.answer > 0.9


def test_without_a_test_file_ten_thousand_rows_are_held_out(notebook, cells, tmp_path):
    """Fails if a learner with only Kaggle's train.csv cannot run to the end."""
    table = pd.read_csv(ROOT / "data/train.csv.gz", dtype=np.uint8, nrows=13_000)
    path = tmp_path / "train.csv"
    table.to_csv(path, index=False)
    probe = "answer = [X_train.shape[1], X_dev.shape[1], Y_test.size, test_accuracy]"
    run = run_notebook.run(notebook, replace=constants(cells, path, None), probe=probe)
    assert run.answer[:3] == [2000, 1000, 10_000]
    assert run.answer[3] > 0.6


def test_a_wrong_file_is_told_before_any_training(notebook, cells, tmp_path, write_csv):
    """Fails if a bad file is found late, or not in one sentence that names it."""
    path = write_csv(tmp_path / "small.csv", np.zeros((900, 784), np.uint8), np.arange(900) % 10)
    with pytest.raises(run_notebook.Failed) as failed:
        run_notebook.run(notebook, replace=constants(cells, path, ROOT / "data/test.csv.gz"))
    assert failed.value.cell_id == "split"
    assert "900" in failed.value.evalue
