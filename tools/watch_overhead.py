"""How much longer a training run takes when it is watched, as a ratio. Run by hand.

    python tools/watch_overhead.py [--pairs 5] [--cpu]

Runs the notebook's own functions in a kernel, as the notebook does, so that each redraw is sent:
250 steps on 41,000 digits with W1 drawn, and 3 epochs of 60,000 digits, both with 10 hidden units.
Each pair is one run alone and one watched, in turns. Prints all ratios, smallest first; the last
picture, which is drawn once at the end, is not part of them.
--cpu takes the kernel's computing time in place of the clock's: for a machine that is not quiet.
"""

import argparse

from nbformat.v4 import new_code_cell, new_notebook

import run_notebook

CODE = """
import sys, time
sys.path.insert(0, "tools")
import nbformat, run_notebook
globals().update(run_notebook.functions(nbformat.read(run_notebook.NOTEBOOK, as_version=4)))
pixels, labels = read_digits("data/train.csv.gz")
X, Y = to_columns(pixels), labels
dev = X[:, 50_000:], Y[50_000:]
runs = {
    "full batch": (gradient_descent, (X[:, :41_000], Y[:41_000], 0.1, 250), {"weights": True}),
    "mini-batches": (train, (X, Y, [0.05] * 3, 32, init_params_scaled()), {}),
}
def ratio(trainer, args, more):
    spent = []
    def timed(*args, **kwargs):
        start = time.CLOCK()
        result = trainer(*args, **kwargs)
        spent.append(time.CLOCK() - start)
        return result
    timed(*args, history=[], dev=dev)
    watch(timed, *args, dev=dev, **more)
    return spent[1] / spent[0]
answer = {name: sorted(ratio(*run) for _ in range(PAIRS)) for name, run in runs.items()}
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--cpu", action="store_true")
    args = parser.parse_args()
    code = CODE.replace("PAIRS", str(args.pairs))
    code = code.replace("CLOCK", "process_time" if args.cpu else "perf_counter")
    nb = new_notebook(cells=[new_code_cell(code, id="measure")])
    for name, ratios in run_notebook.run(nb, probe="", timeout=3600).answer.items():
        print(f"{name}: {', '.join(f'{ratio:.3f}' for ratio in ratios)}")
