"""What several tests share: the notebook, its functions, and one full run of it."""

from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest

import run_notebook
from run_notebook import NOTEBOOK


@pytest.fixture(scope="session")
def notebook():
    """The committed notebook, as it is on disk."""
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="session")
def cells(notebook):
    """The committed cells by id."""
    return {cell.id: cell for cell in notebook.cells}


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
def notebook_functions(notebook):
    """Every function of the notebook, from its own cells; nothing else of these cells runs."""
    return SimpleNamespace(**run_notebook.functions(notebook))


# Runs in the kernel after the last cell: what the prose claims and only a run can tell
PROBE = """
from pathlib import Path
# The peak, on Linux: ru_maxrss would begin at what the parent had
status, peak_mb = Path("/proc/self/status"), None
if status.exists():
    [peak_mb] = [int(line.split()[1]) * 1024 / 1e6
                 for line in status.read_text().splitlines() if line.startswith("VmHWM")]
def curve(history):
    return [{k: v for k, v in row.items() if k != "params"} for row in history]
def solved(code):
    import contextlib, io
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            exec(code, dict(globals()))
        except Exception as error:
            print(type(error).__name__, error)
    return said.getvalue()
answer = {
    "solutions": {cell: solved(code) for cell, code in SOLUTIONS.items()},
    "rungs": {name: rung[2] for name, rung in rungs.items()},
    "rung_curves": [curve(h) for h in (history_3, history_4, history_5, history_6, history_7)],
    "overfitted": X_20.shape[1], "hidden": {4: params_4[0].shape[0], 7: params_7[0].shape[0]},
    "parameters_4": sum(p.size for p in params_4),
    "cosines": {size: float(np.median(values)) for size, values in at_start.items()},
    "cosine after rung 3": float(after_rung_3),
    "library_accuracy": library_accuracy,
    "drawn": {
        network: {way: get_accuracy(get_predictions(forward_prop(*trained, np.hstack(
            [prepare(ink, fit, centre) for ink in inks]))[3]), drawn_labels)
            for way, (fit, centre) in ways.items()}
        for network, trained in {"rung 5": params_5, "rung 7": params_7}.items()
    },
    "drawings": len(inks), "not_digits": {
        what: float(predict(picture_from_strokes(strokes)).max())
        for what, strokes in NOT_DIGITS.items()
    },
    "full batch": Y_full.size,
    "rows": row_labels.size, "train": X_train.shape[1], "dev": X_dev.shape[1], "test": Y_test.size,
    "parameters": sum(p.size for p in params), "W1": params[0].size,
    "small_parameters": sum(p.size for p in small_params),
    "first_accuracy": float(right.mean()), "first_loss": cross_entropy(A2, Y_dev),
    "errors": {k: float(v) for k, v in errors.items()},
    "broken_errors": {k: float(v) for k, v in broken_errors.items()},
    "history_20": curve(history_20), "first": curve(history_first), "scaled": curve(history),
    "large": curve(history_large),
    "large_is_dead": not forward_prop(*params_large, X_full)[1].any(),
    "ones_in_full_batch": float((Y_full == 1).mean()),
    "border_moved": float(abs(params[0] - history[0]["params"][0])[:, ~X_train.any(axis=1)].max()),
    "dead_pixels": int((~X_train.any(axis=1)).sum()),
    "test_accuracy": test_accuracy, "half_width": float(test_width),
    "predictions": predictions, "Y_dev": Y_dev,
    "zeros_in_train": float((Y_train == 0).mean()), "zeros_in_test": float((Y_test == 0).mean()),
    "ones_in_train": float((Y_train == 1).mean()), "ones_in_test": float((Y_test == 1).mean()),
    "peak_mb": peak_mb,
}
"""


@pytest.fixture(scope="session")
def whole_run(notebook):
    """One execution of the notebook on the real data: a run_notebook.Run with PROBE's answer."""
    solutions = run_notebook.solutions(notebook)
    return run_notebook.run(notebook, probe=f"SOLUTIONS = {solutions!r}\n{PROBE}")
