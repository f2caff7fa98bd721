"""How fast and how well the notebook's own functions train. Run by hand, on a quiet machine:

    python tools/bench_training.py                      every part, about an hour on 2 cores
    python tools/bench_training.py --parts epoch race   some parts
    python tools/bench_training.py --save               keeps the figures in tools/measured.json

The functions are the notebook's: their cells are executed, nothing is copied. PyTorch joins if it
is installed (it is not in requirements.txt). Times are wall-clock medians; whatever is compared
runs in turns, so that a busy spell of the machine meets all, and each library in a process of its
own: loaded together, their threads slow each other. All use float32 and --threads threads.
"""

import argparse
import json
import math
import multiprocessing
import os
import platform
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import matplotlib
import nbformat
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run by hand, the notebook's own modules are not on the path

import run_notebook  # noqa: E402

MEASURED, CHART = ROOT / "tools/measured.json", ROOT / "workshop/images/benchmark.png"
TORCH = find_spec("torch") is not None  # imported by the processes that need it only

# The two runs of section 6 and the rungs of section 8, with the notebook's settings, which were
# chosen on held-out training digits. change: a function of the notebook.
FULL_BATCH = {
    "first start": dict(start="init_params", digits=41_000, alpha=0.1, iterations=500),
    "scaled start": dict(start="init_params_scaled", digits=41_000, alpha=0.1, iterations=250),
}
SMALL = dict(hidden=10, batch=128, alpha=0.1, epochs=10)
LARGE = SMALL | dict(hidden=128)
STEADY = LARGE | dict(momentum=True, falls=True)
RUNGS = {
    "1 mini-batches": SMALL,
    "2 128 units": LARGE,
    "3 momentum": LARGE | dict(momentum=True),
    "4 falling alpha": STEADY,
    "5 new pictures": STEADY | dict(change="random_warp"),
    "6 more units and epochs": STEADY | dict(change="random_warp", hidden=512, epochs=18),
    "take-home": STEADY | dict(change="random_warp", hidden=1024, epochs=30),
    # No rungs: the long steps of momentum without it, and one of the two changes of rung 6 alone
    "2 128 units, alpha 1": LARGE | dict(alpha=1.0),
    "6 more epochs only": STEADY | dict(change="random_warp", epochs=18),
    "6 more units only": STEADY | dict(change="random_warp", hidden=512),
}
LIBRARY = "4 falling alpha"  # the rung with which scikit-learn is compared

# One epoch of plain mini-batch descent, for the comparison of speeds: 784-128-10
HIDDEN, BATCH, ALPHA = 128, 128, 0.1
# What the race to 98 % may choose from: (batch, first alpha, epochs), momentum 0.9, falling alpha
RACE = [(b, a, e) for b in (64, 128) for a in (0.05, 0.1, 0.15) for e in (6, 8, 10)]


def load():
    """The notebook's functions by name, from its own cells, and X, Y of its split: f, data.

    data: 59,000 digits to train, 1,000 dev and 10,000 test, X and Y of each in turn. The memory
    layout counts: X is the transposed view of rows that lie one after the other.
    """
    f = run_notebook.functions(nbformat.read(run_notebook.NOTEBOOK, as_version=4))
    pixels, labels = f["read_digits"](ROOT / "data/train.csv.gz")
    rows, rows_dev, Y, Y_dev = train_test_split(pixels, labels, test_size=1000, random_state=42)
    pixels_test, Y_test = f["read_digits"](ROOT / "data/test.csv.gz")
    X, X_dev, X_test = map(f["to_columns"], (rows, rows_dev, pixels_test))
    return f, (X, Y, X_dev, Y_dev, X_test, Y_test)


def accuracy(f, params, X, Y):
    """Share of right answers, 0 to 1, of a network with these parameters."""
    return f["get_accuracy"](f["get_predictions"](f["forward_prop"](*params, X)[3]), Y)


def classifier(hidden, batch, alpha, epochs, **more):
    """scikit-learn's network, with the plain steps of ours."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # a few epochs are meant, not forgotten
    more |= {"batch_size": batch, "learning_rate_init": alpha, "max_iter": epochs}
    return MLPClassifier((hidden,), solver="sgd", alpha=0, **more)


# ---------------------------------------------------------------- who is compared


class Contender:
    """Who is compared, in a process of its own, with the notebook's functions and data as in load.

    start() makes a new network, then epoch() is one pass over the training digits. Those who race
    take a seed, momentum and settings, and have params as the notebook has them.
    """

    def __init__(self, f, data):
        self.f, self.data = f, data


class Ours(Contender):
    def start(self, seed=0, momentum=False):
        self.params = self.f["init_params_scaled"](HIDDEN, seed=seed)
        self.rng = np.random.default_rng(seed)
        self.momentum = self.f["update_velocity"] if momentum else None

    def epoch(self, batch=BATCH, alpha=ALPHA):
        X, Y, step = *self.data[:2], self.momentum
        self.params = self.f["train_epoch"](self.params, X, Y, alpha, batch, self.rng, step)


class Products(Contender):
    """An epoch's five matrix products and nothing else: W1 @ X, W2 @ A1, dZ2 @ A1.T, W2.T @ dZ2
    and dZ1 @ X.T of every batch, each on the columns of X as they lie in memory, unshuffled."""

    def start(self):
        self.W1, _, self.W2, _ = self.f["init_params_scaled"](HIDDEN)

    def epoch(self):
        X = self.data[0]
        for start in range(0, X.shape[1], BATCH):
            X_batch = X[:, start : start + BATCH]
            Z1 = self.W1 @ X_batch
            Z2 = self.W2 @ Z1
            _ = Z2 @ Z1.T, self.W2.T @ Z2, Z1 @ X_batch.T


class ScikitLearn(Contender):
    def start(self):
        self.network = classifier(HIDDEN, BATCH, ALPHA, epochs=1, momentum=0)

    def epoch(self):
        self.network.fit(self.data[0].T, self.data[1])


class PyTorch(Contender):
    """The plain PyTorch loop, from our start, so that both begin alike."""

    def __init__(self, f, data):
        super().__init__(f, data)
        import torch

        self.torch = torch
        self.X, self.Y = torch.from_numpy(data[0].T), torch.from_numpy(data[1].astype(np.int64))

    def start(self, seed=0, momentum=False):
        nn = self.torch.nn
        self.torch.manual_seed(seed)
        self.net = nn.Sequential(nn.Linear(784, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10))
        start = self.f["init_params_scaled"](HIDDEN, seed=seed)
        with self.torch.no_grad():
            for parameter, value in zip(self.net.parameters(), start, strict=True):
                parameter.copy_(self.torch.from_numpy(value).reshape(parameter.shape))
        beta = 0.9 if momentum else 0
        self.optimizer = self.torch.optim.SGD(self.net.parameters(), lr=ALPHA, momentum=beta)

    @property
    def params(self):
        return [p.detach().numpy().reshape(len(p), -1) for p in self.net.parameters()]

    def epoch(self, batch=BATCH, alpha=ALPHA):
        self.optimizer.param_groups[0]["lr"] = alpha
        for chosen in self.torch.randperm(len(self.Y)).split(batch):
            scores = self.net(self.X[chosen])
            loss = self.torch.nn.functional.cross_entropy(scores, self.Y[chosen])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()


def separate(kinds):
    """{name: a pool of one process, in which `contender` is one of these kinds}"""
    context = multiprocessing.get_context("spawn")  # a fork would inherit BLAS threads
    names = [name for name in kinds if TORCH or name != "PyTorch"]
    return {name: ProcessPoolExecutor(1, context, prepare, (kinds[name],)) for name in names}


def prepare(kind):
    """In a new process: make the contender."""
    global contender
    contender = kind(*load())


def epoch_seconds(*settings):
    """In that process: the seconds of one epoch."""
    start = time.perf_counter()
    contender.epoch(*settings)
    return time.perf_counter() - start


def one_epoch():
    """In that process: the seconds of a new network's first epoch."""
    contender.start()
    time.sleep(0.3)  # threads that still spin after their last job fall asleep
    return epoch_seconds()


def to_98(batch, alpha, epochs, seed):
    """In that process: training seconds until 98 % of the test digits are right; NaN if never."""
    contender.start(seed, momentum=True)
    time.sleep(0.3)
    spent = 0.0
    for epoch in range(epochs):
        spent += epoch_seconds(batch, alpha * (1 - epoch / epochs))
        if accuracy(contender.f, contender.params, *contender.data[4:]) >= 0.98:
            return spent
    return math.nan


# ---------------------------------------------------------------- the parts


def bench_epoch(f, data, args):
    """Seconds of one epoch, ours and the others', and the median of their ratios, turn by turn."""
    kinds = {"ours": Ours, "products alone": Products, "scikit-learn": ScikitLearn}
    pools = separate(kinds | {"PyTorch": PyTorch})
    turns = [
        {name: pool.submit(one_epoch).result() for name, pool in pools.items()}
        for _ in range(args.repeats + 1)
    ]
    turns = pd.DataFrame(turns[1:])  # the first call pays for threads and memory
    found = turns.agg(["median", "min", "max"]).round(4).add_suffix("_s", axis="index")
    ratios = turns.rdiv(turns["ours"], axis="index").median().round(2).drop("ours")
    return found.to_dict() | ratios.add_prefix("ours / ").to_dict()


def bench_race(f, data, args):
    """Seconds of training to 98 % on test at 784-128-10, each with its best of one small grid,
    of the settings with which every seed got there."""
    pools = separate({"ours": Ours, "PyTorch": PyTorch})
    turns = [
        {"setting": setting}
        | {name: pool.submit(to_98, *setting, seed).result() for name, pool in pools.items()}
        for setting in RACE
        for seed in range(args.race_seeds)
    ]
    medians = pd.DataFrame(turns).groupby("setting").agg(lambda s: s.median(skipna=False))
    figures = {
        name: {"median_s": round(column.min(), 2), "batch_alpha_epochs": list(column.idxmin())}
        for name, column in medians.items()
        if column.notna().any()
    }
    if len(figures) == 2:
        ratio = figures["PyTorch"]["median_s"] / figures["ours"]["median_s"]
        figures["PyTorch / ours"] = round(ratio, 2)
    return figures


def full_batch(f, data, seed, start, digits, alpha, iterations):
    """One of the notebook's two full-batch runs; returns its parameters."""
    X, Y = data[0][:, :digits], data[1][:digits]
    return f["gradient_descent"](X, Y, alpha, iterations, params=f[start](seed=seed))


def train_rung(
    f, data, seed, hidden, batch, alpha, epochs, falls=False, momentum=False, change=None
):
    """Train one rung with its start and its shuffling from seed; returns its parameters."""
    alphas = f["falling"](alpha, epochs) if falls else [alpha] * epochs
    params = f["init_params_scaled"](hidden, seed=seed)
    more = {"momentum": f["update_velocity"]} if momentum else {}
    more |= {"change": f[change]} if change else {}
    return f["train"](*data[:2], alphas, batch, params=params, seed=seed, **more)


def library(f, data, seed):
    """scikit-learn's network with the settings of a rung, but for the falling alpha."""
    settings = {key: RUNGS[LIBRARY][key] for key in SMALL}
    sk = classifier(**settings, momentum=0.9, nesterovs_momentum=False, random_state=seed)
    sk.fit(data[0].T, data[1])
    (W1, W2), (b1, b2) = sk.coefs_, sk.intercepts_
    return W1.T, b1[:, None], W2.T, b2[:, None]


# {name of a row: (what trains it, its settings)}
ROWS = {name: (full_batch, settings) for name, settings in FULL_BATCH.items()}
ROWS |= {name: (train_rung, settings) for name, settings in RUNGS.items()}
ROWS[f"scikit-learn as {LIBRARY}"] = library, {}


def bench_rungs(f, data, args):
    """Accuracy and seconds of each rung over seeds; the test rows choose nothing."""
    figures = {}
    for name, (train, settings) in ROWS.items():
        if not any(word in name for word in args.rungs):
            continue
        found = []
        for seed in range(args.seeds):
            start = time.perf_counter()
            params = train(f, data, seed, **settings)
            seconds = time.perf_counter() - start
            test, dev = (100 * accuracy(f, params, *data[i : i + 2]) for i in (4, 2))
            found.append({"test": test, "dev": dev, "seconds": seconds})
            print(f"  {name}, seed {seed}: test {test:.2f} %, {seconds:.1f} s", flush=True)
        found = pd.DataFrame(found).agg(["mean", "std", "min", "max", "median"]).round(2)
        found = found.rename({"std": "sd"}).fillna(0)  # one seed has no deviation
        figures[name] = {
            "seeds": args.seeds,
            **settings,
            **found["test"][["mean", "sd", "min", "max"]].add_prefix("test_"),
            **found["dev"][["mean", "sd"]].add_prefix("dev_"),
            "median_s": found["seconds"]["median"],
        }
    return figures


# A part is a function (f, data, args) -> figures that JSON can hold, and an entry here
PARTS = {"epoch": bench_epoch, "race": bench_race, "rungs": bench_rungs}


# ---------------------------------------------------------------- the chart and the command


def chart(measured):
    """Bars of one epoch's seconds, and each rung's errors on the test rows, as a PNG at CHART."""
    style = {"font.size": 12, "axes.spines.top": False, "axes.spines.right": False}
    matplotlib.rcParams.update(style)
    fig = Figure(figsize=(12, 7), layout="constrained")
    left, right = fig.subplots(1, 2)
    ours, theirs = "#D55E00", "#0072B2"

    epoch = {k: v["median_s"] for k, v in measured["epoch"].items() if "median_s" in str(v)}
    epoch = pd.Series(epoch).sort_values(ascending=False)
    bars = left.barh(epoch.index, epoch, color=theirs, edgecolor="white")
    bars[epoch.index.get_loc("ours")].set(facecolor=ours, hatch="//")
    left.bar_label(bars, fmt="%.2f s", padding=4)
    words = {"ours": "this notebook", "products alone": "matrix products\nalone"}
    left.set_yticks(range(len(epoch)), epoch.rename(words).index)
    left.set(title="One epoch of 784-128-10, batch 128", xlabel="seconds (2 threads, float32)")
    left.margins(x=0.2)

    rungs = pd.DataFrame(measured["rungs"]).T.drop("measured").sort_values("test_mean")
    for row, (name, v) in enumerate(rungs.iterrows()):
        reach = [[v["test_max"] - v["test_mean"]], [v["test_mean"] - v["test_min"]]]
        mark, colour = ("s", theirs) if name.startswith("scikit") else ("o", ours)
        wrong, style = 100 - v["test_mean"], {"ms": 8, "capsize": 4, "color": colour}
        right.errorbar(wrong, row, xerr=reach, fmt=mark, **style)
        place = {"xytext": (0, 9), "textcoords": "offset points", "ha": "center"}
        right.annotate(f"{v['test_mean']:.1f} % right", (wrong, row), **place)
    right.set_yticks(range(len(rungs)), rungs.index)
    right.set(title="Each rung: test digits, mean and range", ylim=(-0.5, len(rungs)))
    right.set(xlabel="wrong, % (log scale)", xscale="log")
    right.xaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), minor_locator=NullLocator())
    right.xaxis.set_major_formatter("{x:g}")
    right.margins(x=0.4)
    fig.savefig(CHART, dpi=100, metadata={"Software": None})


def stamp(threads):
    """When and with what a part was measured; nothing that names the machine."""
    libraries = ["numpy", "pandas", "scikit-learn", *(["torch"] if TORCH else [])]
    versions = {name: version(name) for name in libraries}
    versions = {"python": platform.python_version(), **versions}
    return {"date": date.today().isoformat(), "threads": threads, "versions": versions}


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    option = parser.add_argument
    option("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    option("--rungs", nargs="+", default=[""], help="only those with one of these words in them")
    option("--repeats", type=int, default=15, help="turns of the epoch, default 15")
    option("--seeds", type=int, default=5, help="seeds of each rung, default 5")
    option("--race-seeds", type=int, default=3, help="seeds of the race, default 3")
    option("--threads", type=int, default=2, help="for everybody, default 2")
    option("--save", action="store_true", help="keep the figures and draw the chart")
    args = parser.parse_args()
    threadpool_limits(args.threads)  # the BLAS of NumPy and the OpenMP of scikit-learn, here
    for name in ("OPENBLAS", "OMP", "MKL"):  # and in the processes of the contenders
        os.environ[f"{name}_NUM_THREADS"] = str(args.threads)
    if not TORCH:
        print("PyTorch is not installed: its rows are left out.")
    f, data = load()
    measured = json.loads(MEASURED.read_text())
    for part in args.parts:
        print(PARTS[part].__doc__)
        figures = PARTS[part](f, data, args)
        print(json.dumps(figures, indent=1))
        if part == "rungs":  # those that were left out keep their figures
            figures = {k: v for k, v in measured[part].items() if k in ROWS} | figures
        measured[part] = figures | {"measured": stamp(args.threads)}
        if args.save:  # after each part: the next one may fail
            MEASURED.write_text(json.dumps(measured, indent=1) + "\n")
    if args.save:
        chart(measured)


if __name__ == "__main__":
    main()
