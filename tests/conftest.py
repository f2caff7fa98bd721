"""What several tests share: the notebook, its functions, and small data in its layout."""

from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest

import run_notebook
from run_notebook import NOTEBOOK
from workshop import student_copy


@pytest.fixture(scope="session")
def notebook():
    """The committed notebook, as it is on disk."""
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="session")
def cells(notebook):
    """The committed cells by id."""
    return {cell.id: cell for cell in notebook.cells}


@pytest.fixture(scope="session")
def notebook_functions(notebook):
    """Every function of the notebook, from its own cells; nothing else of these cells runs."""
    return SimpleNamespace(**run_notebook.functions(notebook))


@pytest.fixture(scope="session")
def hints():
    """workshop/hints.md, as the learners' copy reads it."""
    return student_copy.read_hints(student_copy.HINTS.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def student(notebook, hints):
    """The learners' copy with every function left to write."""
    return student_copy.student_copy(notebook, hints)


@pytest.fixture(scope="session")
def other_data(tmp_path_factory):
    """A made-up set in the same layout, 28 x 28 and ten classes: two files of blurred blocks."""
    folder, rng = tmp_path_factory.mktemp("csv"), np.random.default_rng(0)
    shapes = np.kron(rng.random((10, 7, 7)) < 0.4, np.ones((4, 4))).reshape(10, 784)
    paths = folder / "train.csv", folder / "test.csv"
    for path, m in zip(paths, (3000, 500), strict=True):
        Y = rng.integers(0, 10, m)
        X = 200 * shapes[Y] * rng.random((m, 1)) + 55 * rng.random((m, 784))
        table = pd.DataFrame(X.astype(np.uint8)).add_prefix("pixel")
        table.insert(0, "label", Y)
        table.to_csv(path, index=False)
    return paths


@pytest.fixture(scope="session")
def set_up(cells):
    """A function: paths of the two files (test: None for none) -> {"setup": its cell's source}."""

    def with_files(train, test):
        imports, _, _ = cells["setup"].source.partition("TRAIN_CSV")
        files = f"TRAIN_CSV, TEST_CSV = {str(train)!r}, {test and str(test)!r}"
        return {"setup": f"{imports}{files}\nchecks.setup(TRAIN_CSV, TEST_CSV)"}

    return with_files
