"""How much longer a training run takes when it is watched, as a ratio.

    python tools/watch_overhead.py [PAIRS] [--cpu]

Runs the notebook's own functions in a kernel, as the notebook does, so that each redraw is sent:
250 steps on 41,000 digits with W1 drawn, and 3 epochs of 60,000 digits, both with 10 hidden units.
Each pair is one run alone and one watched, in turns. Prints every ratio and the median, first of
the run until the trainer returns, then with the last picture, which is drawn once at the end.
--cpu takes the kernel's computing time in place of the clock's: for a machine that is not quiet.
"""

import sys
from statistics import median

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from run_notebook import NOTEBOOK

DATA = """import sys
sys.path.insert(0, "tools")
import nbformat
import run_notebook
globals().update(run_notebook.functions(nbformat.read(run_notebook.NOTEBOOK, as_version=4)))
pixels, labels = read_digits("data/train.csv.gz")
X, Y = to_columns(pixels), labels
dev = X[:, 50_000:], Y[50_000:]
runs = {
    "full batch": (gradient_descent, (X[:, :41_000], Y[:41_000], 0.1, 250), {"weights": True}),
    "mini-batches": (train, (X, Y, [0.05] * 3, 32, init_params_scaled()), {}),
}"""
MEASURE = """import functools
from time import CLOCK as clock
def seconds(how, trainer, args, more):
    start, ended = clock(), []
    @functools.wraps(trainer)
    def timed(*args, **kwargs):
        result = trainer(*args, **kwargs)
        ended.append(clock() - start)
        return result
    how(timed, *args, **more, dev=dev)
    return ended[0], clock() - start
def alone(trainer, *args, weights=None, **kwargs):
    trainer(*args, history=[], **kwargs)
def both(name):
    return [seconds(how, *runs[name]) for how in (alone, watch)]"""


def measure(pairs=5, clock="perf_counter"):
    """{name of a run: [(seconds alone, watched until it ended, watched with its picture), ...]}"""
    cells = [DATA, MEASURE.replace("CLOCK", clock)]
    names = "full batch", "mini-batches"
    cells += [f"both({name!r})" for name in names for _ in range(pairs)]
    nb = new_notebook(cells=[new_code_cell(source) for source in cells])
    folder = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(nb, kernel_name="python3", timeout=600, resources=folder).execute()
    results = {name: [] for name in names}
    for i, cell in enumerate(nb.cells[-len(names) * pairs :]):
        (alone, _), (ended, whole) = eval(cell.outputs[-1].data["text/plain"])
        results[names[i // pairs]].append((alone, ended, whole))
    return results


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    clock = "process_time" if "--cpu" in sys.argv else "perf_counter"
    for name, rows in measure(*numbers or [5], clock=clock).items():
        for what, i in (("until the trainer returns", 1), ("with the last picture", 2)):
            ratios = [row[i] / row[0] for row in rows]
            told = ", ".join(f"{ratio:.3f}" for ratio in ratios)
            print(f"{name}, {what}: {median(ratios):.3f} ({told}); alone {rows[0][0]:.1f} s")
