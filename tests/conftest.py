"""What several tests share: the notebook, its functions, and small data in its layout."""

import re
from pathlib import Path
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
def code(notebook):
    """The committed code cells."""
    return run_notebook.code_cells(notebook)


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
def write_csv():
    """A function that writes X (m, 784) and Y (m,) to a path in the layout of the data files."""

    def write(path, X, Y):
        table = pd.DataFrame(X, columns=[f"pixel{p}" for p in range(784)])
        table.insert(0, "label", Y)
        table.to_csv(path, index=False)
        return path

    return write


@pytest.fixture(scope="session")
def other_data(tmp_path_factory, write_csv):
    """A made-up set in the same layout, 28 x 28 and ten classes: two files of blurred blocks."""
    folder, rng = tmp_path_factory.mktemp("csv"), np.random.default_rng(0)
    shapes = np.kron(rng.random((10, 7, 7)) < 0.4, np.ones((4, 4))).reshape(10, 784)
    paths = []
    for name, m in [("train.csv", 3000), ("test.csv", 500)]:
        Y = rng.integers(0, 10, m)
        X = 200 * shapes[Y] * rng.random((m, 1)) + 55 * rng.random((m, 784))
        paths.append(write_csv(folder / name, X.astype(np.uint8), Y))
    return paths


@pytest.fixture(scope="session")
def set_up(cells):
    """A function: paths of the two files (test: None for none) -> {"setup": its cell's source}."""

    def with_files(train, test):
        source = cells["setup"].source
        for name, path in [("TRAIN_CSV", train), ("TEST_CSV", test)]:
            line = f"{name} = {path and Path(path).as_posix()!r}"
            source, count = re.subn(rf'(?m)^{name} = ".+?".*$', line, source)
            assert count == 1, f"the set-up cell has no line {name} = ..."
        return {"setup": source}

    return with_files
