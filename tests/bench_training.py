"""How fast and how well the notebook's own functions train. Run by hand, on a quiet machine:

    python tests/bench_training.py                      every part, about 25 minutes on 2 cores
    python tests/bench_training.py --parts load epoch   some parts
    python tests/bench_training.py --save               keeps the figures in tests/measured.json

The functions are the notebook's: their cells are executed, nothing is copied. PyTorch joins if it
is installed (it is not in requirements.txt). Times are wall-clock medians; whatever is compared
runs in turns, so that a busy spell of the machine meets all, and each library in a process of its
own: loaded together, their threads slow each other. All use float32 and --threads threads.
"""

import argparse
import json
import multiprocessing
import os
import platform
import sys
import time
import warnings
from datetime import date
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import nbformat
import numpy as np
import pandas as pd
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run by hand, the notebook's own modules are not on the path

import run_notebook  # noqa: E402

TORCH = find_spec("torch") is not None  # imported by the processes that need it only

FUNCTIONS = set("""
read_digits to_columns init_params init_params_scaled ReLU softmax forward_prop cross_entropy
one_hot ReLU_deriv backward_prop update_params get_predictions get_accuracy record
gradient_descent minibatches get_gradients train_epoch train update_velocity falling
shift_images random_shift warp_images random_warp random_bend
""".split())

# The notebook's full-batch runs: its first digits, alpha 0.1.
FULL_BATCH = {
    "1 first start": dict(start="init_params", digits=41_000, iterations=500),
    "2 scaled start": dict(start="init_params_scaled", digits=41_000, iterations=250),
}
# The notebook's rungs with its settings, chosen on dev rows. change: a function of the notebook.
RUNGS = {
    "3 mini-batches": dict(hidden=10, batch=32, alpha=0.05, epochs=30),
    "4 width": dict(hidden=128, batch=128, alpha=0.5, epochs=10),
    "5 momentum, falling alpha": dict(
        hidden=128, batch=128, alpha=0.1, epochs=10, falls=True, momentum=True
    ),
    "6 shifts": dict(
        hidden=128, batch=128, alpha=0.1, epochs=8, falls=True, momentum=True,
        change="random_shift",
    ),
    "7 warps": dict(
        hidden=512, batch=128, alpha=0.1, epochs=18, falls=True, momentum=True,
        change="random_warp",
    ),
    "exercise": dict(
        hidden=1024, batch=128, alpha=0.1, epochs=30, falls=True, momentum=True,
        change="random_bend",
    ),
    # Not a rung of its own: what the falling alpha of rung 5 does for the network of rung 3
    "3+5 mini-batches, falling alpha": dict(
        hidden=10, batch=32, alpha=0.1, epochs=30, falls=True
    ),
}
# What the race to 98 % may choose from: (batch, first alpha, epochs), momentum 0.9, falling alpha.
RACE = [(batch, alpha, epochs) for batch in (64, 128) for alpha in (0.05, 0.1, 0.15)
        for epochs in (6, 8, 10)]


# --- what is measured -------------------------------------------------------------------------
def notebook_functions(path):
    """The functions of the notebook at path, from its own cells; nothing else of these runs."""
    namespace = run_notebook.functions(nbformat.read(path, as_version=4))
    missing = sorted(FUNCTIONS - namespace.keys())
    if missing:
        raise SystemExit(f"{path.name} does not define {', '.join(missing)}.")
    return namespace


def read_csv(name):
    return pd.read_csv(ROOT / "data" / name, dtype=np.uint8)


def load_data(f):
    """X, Y of the notebook's split, by its own functions: 59,000 train, 1,000 dev, 10,000 test.

    The memory layout counts: X is the transposed view of rows that lie one after the other.
    """
    pixels, labels = f["read_digits"](ROOT / "data/train.csv.gz")
    rows, rows_dev, Y, Y_dev = train_test_split(pixels, labels, test_size=1000, random_state=42)
    pixels_test, Y_test = f["read_digits"](ROOT / "data/test.csv.gz")
    X, X_dev, X_test = map(f["to_columns"], (rows, rows_dev, pixels_test))
    return X, Y, X_dev, Y_dev, X_test, Y_test


def serve(pipe, make, notebook):
    """In a new process: build a contender with make(f, data), then run it whenever it is asked."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # a few epochs are meant, not forgotten
    f = notebook_functions(notebook)
    run = make(f, load_data(f))
    while True:
        arguments = pipe.recv()
        start = time.perf_counter()
        result = run(*arguments)
        pipe.send((time.perf_counter() - start, result))


class Contender:
    """make(f, data) -> function, in a process of its own. Called, it gives (seconds, result)."""

    def __init__(self, make, args):
        context = multiprocessing.get_context("spawn")  # a fork would inherit BLAS threads
        self.pipe, theirs = context.Pipe()
        options = (theirs, make, args.notebook)
        self.process = context.Process(target=serve, args=options, daemon=True)
        self.process.start()
        theirs.close()  # so that recv fails if the process dies, instead of waiting for ever

    def __call__(self, *arguments):
        self.pipe.send(arguments)
        return self.pipe.recv()


def timed(run):
    """run as a contender of this process."""
    def clocked():
        start = time.perf_counter()
        result = run()
        return time.perf_counter() - start, result
    return clocked


def in_turns(contenders, repeats):
    """Seconds of each contender (dict name -> function that gives (seconds, result)), in turns.

    The pause lets threads that still spin after their last job fall asleep."""
    seconds = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, run in contenders.items():
            time.sleep(0.3)
            seconds[name].append(run()[0])
    return seconds


def ratio(seconds, above, below):
    """Median of the ratios of pairs that ran side by side: steadier than a ratio of medians."""
    return median(a / b for a, b in zip(seconds[above], seconds[below], strict=True))


def summary(seconds):
    return {name: {"median_s": round(median(s), 4), "min_s": round(min(s), 4),
                   "max_s": round(max(s), 4)} for name, s in seconds.items()}


def show(title, rows):
    """Print rows (name, value, ...) under a title, in columns."""
    print(f"\n{title}")
    rows = [[str(value) for value in row] for row in rows]
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
    for first, *rest in rows:
        values = (value.rjust(w) for value, w in zip(rest, widths[1:], strict=False))
        print("  " + first.ljust(widths[0]), *values, sep="  ")


def epoch_products(f, X, m, hidden, batch):
    """An epoch's five matrix products and nothing else: W1 @ X, W2 @ A1, dZ2 @ A1.T, W2.T @ dZ2
    and dZ1 @ X.T of every batch, each on the columns of X as they lie in memory, unshuffled."""
    W1, _, W2, _ = f["init_params_scaled"](hidden)
    for start in range(0, m, batch):
        X_batch = X[:, start:min(start + batch, m)]
        Z1 = W1 @ X_batch
        Z2 = W2 @ Z1
        _ = Z2 @ Z1.T
        _ = W2.T @ Z2
        _ = Z1 @ X_batch.T


# --- the parts --------------------------------------------------------------------------------
def bench_load(f, data, args):
    """pd.read_csv of both files as uint8."""
    files = lambda: [read_csv(name) for name in ("train.csv.gz", "test.csv.gz")]  # noqa: E731
    figures = summary(in_turns({"both files": timed(files)}, args.repeats))
    show("Loading train.csv.gz and test.csv.gz with read_csv, uint8 (wanted: 3 s)",
         [(name, f"{s['median_s']:.2f} s") for name, s in figures.items()])
    return figures


def bench_iteration(f, data, args):
    """One full-batch iteration of 784-10-10 against its two large products alone."""
    X, Y = data[:2]
    params = f["init_params_scaled"](10)
    W1, dZ1 = params[0], np.ones((10, Y.size), dtype=np.float32)
    sk = MLPClassifier((10,), solver="sgd", batch_size=Y.size, alpha=0, momentum=0)
    sk.partial_fit(X.T, Y, classes=np.arange(10))
    seconds = in_turns({
        "ours": timed(lambda: f["gradient_descent"](X, Y, 0.1, 1, params=params)),
        "W1 @ X and dZ1 @ X.T": timed(lambda: (W1 @ X, dZ1 @ X.T)),
        "scikit-learn": timed(lambda: sk.partial_fit(X.T, Y)),
    }, 4 * args.repeats)
    figures = summary(seconds)
    figures["ours / products"] = round(ratio(seconds, "ours", "W1 @ X and dZ1 @ X.T"), 2)
    figures["ours / scikit-learn"] = round(ratio(seconds, "ours", "scikit-learn"), 2)
    show(f"One full-batch iteration, 784-10-10, {Y.size:,} examples (wanted: 1.5 x the products;"
         " scikit-learn: one partial_fit)",
         [(k, f"{v['median_s'] * 1e3:.1f} ms" if isinstance(v, dict) else v)
          for k, v in figures.items()])
    return figures


def torch_network(torch, start):
    """784-n-10 in PyTorch with our start (W1, b1, W2, b2), so that both begin alike."""
    W1, b1, W2, b2 = (torch.tensor(p) for p in start)
    net = torch.nn.Sequential(
        torch.nn.Linear(784, len(W1)), torch.nn.ReLU(), torch.nn.Linear(len(W1), 10)
    )
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), (W1, b1, W2, b2), strict=True):
            parameter.copy_(value.reshape(parameter.shape))
    return net


def torch_epoch(torch, net, optimizer, X, Y, batch):
    """One epoch of the plain PyTorch loop; X (m, 784) and Y (m,) are tensors, loaded before."""
    for chosen in torch.randperm(len(Y)).split(batch):
        loss = torch.nn.functional.cross_entropy(net(X[chosen]), Y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def torch_data(torch, X, Y):
    """Our arrays as tensors: X (m, 784) without a copy, labels int64."""
    return torch.from_numpy(X.T), torch.from_numpy(Y.astype(np.int64))


# One epoch of plain mini-batch descent, 784-128-10: each maker gives a function that runs it.
HIDDEN, BATCH, ALPHA = 128, 128, 0.1


def our_epoch(f, data):
    X, Y, rng, start = *data[:2], np.random.default_rng(0), f["init_params_scaled"](HIDDEN)
    return lambda: f["train_epoch"](start, X, Y, ALPHA, BATCH, rng) and None


def products_epoch(f, data):
    X, Y = data[:2]
    return lambda: epoch_products(f, X, Y.size, HIDDEN, BATCH)


def sklearn_epoch(f, data):
    X, Y = data[:2]
    sk = MLPClassifier((HIDDEN,), solver="sgd", batch_size=BATCH, learning_rate_init=ALPHA,
                       momentum=0, alpha=0, max_iter=1)
    return lambda: sk.fit(X.T, Y) and None


def torch_epochs(f, data, fused=None):
    import torch

    tensors = torch_data(torch, *data[:2])
    net = torch_network(torch, f["init_params_scaled"](HIDDEN))
    optimizer = torch.optim.SGD(net.parameters(), lr=ALPHA, fused=fused)
    return lambda: torch_epoch(torch, net, optimizer, *tensors, BATCH)


def torch_fused_epochs(f, data):
    return torch_epochs(f, data, fused=True)


def bench_epoch(f, data, args):
    """One epoch of plain mini-batch descent at 784-128-10: ours and the others."""
    makers = {"ours": our_epoch, "products alone": products_epoch, "scikit-learn": sklearn_epoch}
    if TORCH:
        makers |= {"PyTorch": torch_epochs, "PyTorch, fused SGD": torch_fused_epochs}
    contenders = {name: Contender(make, args) for name, make in makers.items()}
    for run in contenders.values():
        run()  # once for nothing: the first call pays for threads and memory
    seconds = in_turns(contenders, max(15, args.repeats))
    for contender in contenders.values():
        contender.process.terminate()
    figures = summary(seconds)
    for name in contenders:
        if name != "ours":
            figures[f"ours / {name}"] = round(ratio(seconds, "ours", name), 2)
    show(f"One epoch, 784-{HIDDEN}-10, batch {BATCH}, {len(data[1]):,} examples",
         [(k, f"{v['median_s']:.3f} s" if isinstance(v, dict) else v) for k, v in figures.items()])
    return figures


def seconds_to(goal, epochs, run_epoch, right):
    """Training seconds until right() first reaches goal at the end of an epoch; None if never."""
    spent = 0.0
    for epoch in range(epochs):
        start = time.perf_counter()
        run_epoch(epoch)
        spent += time.perf_counter() - start
        if right() >= goal:
            return spent
    return None


def race_ours(f, data):
    X, Y, _, _, X_test, Y_test = data

    def race(setting, seed):
        batch, alpha, epochs = setting
        alphas, rng = f["falling"](alpha, epochs), np.random.default_rng(seed)
        params = f["init_params_scaled"](HIDDEN, seed=seed)

        def run_epoch(epoch):
            nonlocal params
            params = f["train_epoch"](params, X, Y, float(alphas[epoch]), batch, rng,
                                      momentum=f["update_velocity"])

        return seconds_to(0.98, epochs, run_epoch, lambda: accuracy(f, params, X_test, Y_test))

    return race


def race_torch(f, data):
    import torch

    tensors, (X_test, Y_test) = torch_data(torch, *data[:2]), torch_data(torch, *data[4:])

    def race(setting, seed):
        batch, alpha, epochs = setting
        torch.manual_seed(seed)
        net = torch_network(torch, f["init_params_scaled"](HIDDEN, seed=seed))
        optimizer = torch.optim.SGD(net.parameters(), lr=alpha, momentum=0.9)

        def run_epoch(epoch):
            optimizer.param_groups[0]["lr"] = alpha * (1 - epoch / epochs)
            torch_epoch(torch, net, optimizer, *tensors, batch)

        def right():
            with torch.no_grad():
                return (net(X_test).argmax(dim=1) == Y_test).float().mean().item()

        return seconds_to(0.98, epochs, run_epoch, right)

    return race


def bench_race(f, data, args):
    """Seconds of training to 98 % on test at 784-128-10, each with its best of one small grid."""
    makers = {"ours": race_ours} | ({"PyTorch": race_torch} if TORCH else {})
    contenders = {name: Contender(make, args) for name, make in makers.items()}
    seconds = {name: {setting: [] for setting in RACE} for name in contenders}
    for setting in RACE:
        for seed in range(args.race_seeds):
            for name, run in contenders.items():
                time.sleep(0.3)
                seconds[name][setting].append(run(setting, seed)[1])
    for contender in contenders.values():
        contender.process.terminate()
    figures = {}
    for name, by_setting in seconds.items():
        done = {s: median(t) for s, t in by_setting.items() if None not in t}
        if done:
            best = min(done, key=done.get)
            figures[name] = {"median_s": round(done[best], 2), "batch_alpha_epochs": list(best)}
    if len(figures) == 2:
        times = {name: figures[name]["median_s"] for name in figures}
        figures["PyTorch / ours"] = round(times["PyTorch"] / times["ours"], 2)
    show(f"Training seconds to 98 % on test, 784-128-10, median of {args.race_seeds} seeds, best of"
         f" {len(RACE)} settings (batch, first alpha, epochs; momentum 0.9; reached by every seed)",
         [(k, f"{v['median_s']:.2f} s", v["batch_alpha_epochs"]) if isinstance(v, dict) else (k, v)
          for k, v in figures.items()] or [("nobody", "reached it")])
    return figures


def bench_growth(f, data, args):
    """Epoch time against the number of examples and of hidden units, and the straight-line fit."""
    X, Y = data[:2]
    rng = np.random.default_rng(0)
    sizes = {"rows": (10_000, 20_000, 30_000, 40_000, 50_000, Y.size),
             "hidden": (64, 128, 256, 512, 1024)}

    def epoch(rows=30_000, hidden=128):
        start = f["init_params_scaled"](hidden)
        return timed(lambda: f["train_epoch"](start, X[:, :rows], Y[:rows], ALPHA, BATCH, rng))

    figures, lines = {}, []
    for what, values in sizes.items():
        runs = {value: epoch(**{what: value}) for value in values}
        times = np.array([median(s) for s in in_turns(runs, max(5, args.repeats)).values()])
        # Weights 1/t: the fit is to relative errors, which are what is reported.
        slope, base = np.polyfit(values, times, 1, w=1 / times)
        off = times / (base + slope * np.array(values)) - 1
        figures[what] = {"values": list(values), "median_s": times.round(4).tolist(),
                         "farthest_from_line_percent": round(100 * float(abs(off).max()), 1)}
        lines.append((what, *(f"{v:,}: {t:.3f} s" for v, t in zip(values, times, strict=True))))
        lines.append(("", f"at most {100 * abs(off).max():.0f} % from a straight line"))
    show("Growth of the epoch's time, batch 128 (wanted: within 20 % of a line)", lines)
    return figures


def accuracy(f, params, X, Y):
    return f["get_accuracy"](f["get_predictions"](f["forward_prop"](*params, X)[3]), Y)


def full_batch(f, data, seed, start, digits, iterations):
    """One of the notebook's two full-batch runs."""
    X, Y = data[0][:, :digits], data[1][:digits]
    return f["gradient_descent"](X, Y, 0.1, iterations, params=f[start](seed=seed))


def train_rung(f, data, seed, hidden, batch, alpha, epochs, falls=False, momentum=False,
               change=None):
    """Train one rung with its start and its shuffling from seed."""
    alphas = f["falling"](alpha, epochs) if falls else [alpha] * epochs
    return f["train"](
        *data[:2], alphas, batch, params=f["init_params_scaled"](hidden, seed=seed), seed=seed,
        momentum=f["update_velocity"] if momentum else None, change=f[change] if change else None,
    )


def sklearn_like_rung_5(data, seed):
    """scikit-learn's network with the settings of rung 5, but for the falling alpha."""
    rung = RUNGS["5 momentum, falling alpha"]
    sk = MLPClassifier((rung["hidden"],), solver="sgd", batch_size=rung["batch"], alpha=0,
                       learning_rate_init=rung["alpha"], momentum=0.9, nesterovs_momentum=False,
                       max_iter=rung["epochs"], random_state=seed)
    return sk.fit(data[0].T, data[1])


def bench_rungs(f, data, args):
    """Accuracy and seconds of each rung over seeds; the test rows choose nothing."""
    X, Y, X_dev, Y_dev, X_test, Y_test = data
    runs = {name: partial(full_batch, f, data, **run) for name, run in FULL_BATCH.items()}
    runs |= {name: partial(train_rung, f, data, **rung) for name, rung in RUNGS.items()}
    runs["scikit-learn as rung 5"] = partial(sklearn_like_rung_5, data)
    chosen = {n: run for n, run in runs.items() if not args.rungs or n.split()[0] in args.rungs}
    found = {name: [] for name in chosen}
    for seed in range(args.seeds):
        for name, run in chosen.items():
            start = time.perf_counter()
            result = run(seed=seed)
            seconds = time.perf_counter() - start
            if isinstance(result, MLPClassifier):
                dev, test = result.score(X_dev.T, Y_dev), result.score(X_test.T, Y_test)
            else:
                dev, test = accuracy(f, result, X_dev, Y_dev), accuracy(f, result, X_test, Y_test)
            found[name].append((100 * test, 100 * dev, seconds))
            print(f"  seed {seed}, {name}: test {test:.2%}, {seconds:.1f} s", flush=True)
    figures, lines = {}, [("", "test %", "sd", "range", "dev %", "sd", "seconds")]
    for name, values in found.items():
        test, dev, seconds = np.array(values).T
        spread = dict(ddof=1) if len(values) > 1 else {}
        figures[name] = {
            "seeds": len(values), **(FULL_BATCH | RUNGS).get(name, {}),
            "test_mean": round(test.mean(), 2), "test_sd": round(test.std(**spread), 2),
            "test_min": round(test.min(), 2), "test_max": round(test.max(), 2),
            "dev_mean": round(dev.mean(), 2), "dev_sd": round(dev.std(**spread), 2),
            "median_s": round(median(seconds), 2),
        }
        lines.append((name, f"{test.mean():.2f}", f"{test.std(**spread):.2f}",
                      f"{test.min():.2f} to {test.max():.2f}", f"{dev.mean():.2f}",
                      f"{dev.std(**spread):.2f}", f"{median(seconds):.1f}"))
    show(f"Each rung, {args.seeds} seeds: 10,000 test rows, 1,000 dev rows, training only", lines)
    return figures


PARTS = {"load": bench_load, "iteration": bench_iteration, "epoch": bench_epoch,
         "race": bench_race, "growth": bench_growth, "rungs": bench_rungs}


# --- the chart --------------------------------------------------------------------------------
def chart(measured, path):
    """Bars of one epoch's seconds, and each rung's errors on the test rows -> PNG at path."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator, NullLocator

    plt.rcParams.update({"font.size": 12, "axes.spines.top": False, "axes.spines.right": False})
    fig, (left, right) = plt.subplots(1, 2, figsize=(12, 7))
    epoch = {k: v for k, v in measured.get("epoch", {}).items()
             if isinstance(v, dict) and "median_s" in v and k != "PyTorch, fused SGD"}
    names = sorted(epoch, key=lambda name: epoch[name]["median_s"], reverse=True)
    times = [epoch[name]["median_s"] for name in names]
    labels = [{"ours": "this notebook", "products alone": "matrix products\nalone"}.get(n, n)
              for n in names]
    colors = ["#D55E00" if name == "ours" else "#0072B2" for name in names]
    bars = left.barh(labels, times, color=colors)
    for bar, name, seconds in zip(bars, names, times, strict=True):
        bar.set(hatch="//" if name == "ours" else None, edgecolor="white")
        left.text(seconds, bar.get_y() + bar.get_height() / 2, f" {seconds:.2f} s", va="center")
    left.set(title="One epoch of 784-128-10, batch 128", xlabel="seconds (2 threads, float32)",
             xlim=(0, 1.2 * max(times, default=1)))
    rungs = [(k, v) for k, v in measured.get("rungs", {}).items()
             if "test_mean" in v and not k.startswith("3+5")]
    rungs.sort(key=lambda rung: rung[1]["test_mean"])
    for row, (name, v) in enumerate(rungs):
        wrong, theirs = 100 - v["test_mean"], name.startswith("scikit")
        color, marker = ("#0072B2", "s") if theirs else ("#D55E00", "o")
        reach = [[v["test_max"] - v["test_mean"]], [v["test_mean"] - v["test_min"]]]
        right.errorbar(wrong, row, xerr=reach, fmt=marker, ms=8, capsize=4, color=color)
        right.annotate(f"{v['test_mean']:.1f} % right, {v['median_s']:.1f} s", (wrong, row),
                       xytext=(0, 9), textcoords="offset points", ha="center")
    right.set(xscale="log", title="Each rung: test digits, mean and range",
              xlabel="wrong, % (log scale)", yticks=range(len(rungs)),
              yticklabels=[name for name, _ in rungs], ylim=(-0.5, len(rungs)))
    right.xaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), minor_locator=NullLocator(),
                    major_formatter="{x:g}")
    right.margins(x=0.4)
    fig.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(fig)
    print(f"\nChart: {path}")


def stamp(threads):
    """When and with what a part was measured; nothing that names the machine."""
    versions = {"python": platform.python_version(), "numpy": np.__version__,
                "pandas": pd.__version__, "scikit-learn": sklearn.__version__}
    if TORCH:
        versions["torch"] = version("torch")
    return {"date": date.today().isoformat(), "threads": threads, "versions": versions}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rungs", nargs="+", metavar="WORD", default=[],
                        help="only the rungs with this first word: 1 to 7, exercise, scikit-learn")
    parser.add_argument("--repeats", type=int, default=7, help="turns of each timing, default 7")
    parser.add_argument("--seeds", type=int, default=5, help="seeds of each rung, default 5")
    parser.add_argument("--race-seeds", type=int, default=3, help="seeds of the race, default 3")
    parser.add_argument("--threads", type=int, default=2, help="for everybody, default 2")
    parser.add_argument("--notebook", type=Path, default=ROOT / "mnist-scratch.ipynb")
    parser.add_argument("--chart", type=Path, default=ROOT / "workshop/images/benchmark.png")
    parser.add_argument("--json", type=Path, default=ROOT / "tests/measured.json",
                        help="where --save keeps the figures; parts not run keep their old ones")
    parser.add_argument("--save", action="store_true", help="write --json")
    args = parser.parse_args()
    for name in ("repeats", "seeds", "race_seeds", "threads"):
        if getattr(args, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    # A few epochs are meant, not forgotten
    warnings.simplefilter("ignore", ConvergenceWarning)
    threadpool_limits(args.threads)  # the BLAS of NumPy and the OpenMP of scikit-learn, here
    for library in ("OPENBLAS", "OMP", "MKL"):  # and in the processes of the contenders
        os.environ[f"{library}_NUM_THREADS"] = str(args.threads)
    f = notebook_functions(args.notebook)
    data = load_data(f)
    if not TORCH:
        print("PyTorch is not installed: its rows are left out.")
    measured = json.loads(args.json.read_text()) if args.json.exists() else {}
    for part in args.parts:
        new = PARTS[part](f, data, args)
        if part == "rungs":
            new = measured.get("rungs", {}) | new
        measured[part] = new | {"measured": stamp(args.threads)}
        if args.save:
            args.json.write_text(json.dumps(measured, indent=1) + "\n")
            print(f"\nFigures: {args.json}")
    if {"epoch", "rungs"} & set(args.parts):
        chart(measured, args.chart)


if __name__ == "__main__":
    main()
