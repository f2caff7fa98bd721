"""How fast and how well the notebook's own functions train. Run by hand, on a quiet machine:

    python tools/bench_training.py                      every part, about 20 minutes on 2 cores
    python tools/bench_training.py --parts epoch race   some parts
    python tools/bench_training.py --save               keeps the figures in tools/measured.json

The functions are the notebook's: their cells are executed, nothing is copied. PyTorch joins if it
is installed (it is not in requirements.txt). Times are wall-clock medians; whatever is compared
runs in turns, so that a busy spell of the machine meets all, and each library in a process of its
own: loaded together, their threads slow each other. All use float32 and --threads threads.
"""

import argparse
import contextlib
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
    # No rung: the long steps of momentum, without momentum
    "2 128 units, alpha 1": LARGE | dict(alpha=1.0),
}
LIBRARY = "4 falling alpha"  # the rung with which scikit-learn is compared

# One epoch of plain mini-batch descent, for the comparison of speeds: 784-128-10
HIDDEN, BATCH, ALPHA = 128, 128, 0.1
# What the race to 98 % may choose from: (batch, first alpha, epochs), momentum 0.9, falling alpha.
RACE = [(batch, alpha, epochs) for batch in (64, 128) for alpha in (0.05, 0.1, 0.15)
        for epochs in (6, 8, 10)]  # fmt: skip


# ---------------------------------------------------------------- the tools of all parts


def functions():
    """The functions of the notebook by name, from its own cells; nothing else of these runs."""
    return run_notebook.functions(nbformat.read(run_notebook.NOTEBOOK, as_version=4))


def load_data(f):
    """X, Y of the notebook's split, by its own functions: 59,000 train, 1,000 dev, 10,000 test.

    The memory layout counts: X is the transposed view of rows that lie one after the other.
    """
    pixels, labels = f["read_digits"](ROOT / "data/train.csv.gz")
    rows, rows_dev, Y, Y_dev = train_test_split(pixels, labels, test_size=1000, random_state=42)
    pixels_test, Y_test = f["read_digits"](ROOT / "data/test.csv.gz")
    X, X_dev, X_test = map(f["to_columns"], (rows, rows_dev, pixels_test))
    return X, Y, X_dev, Y_dev, X_test, Y_test


def serve(pipe, make):
    """In a new process: build a contender with make(f, data), then run it whenever it is asked."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # a few epochs are meant, not forgotten
    f = functions()
    run = make(f, load_data(f))
    with contextlib.suppress(EOFError):  # nobody asks any more
        while True:
            arguments = pipe.recv()
            start = time.perf_counter()
            result = run(*arguments)
            pipe.send((time.perf_counter() - start, result))


class Contender:
    """make(f, data) -> function, in a process of its own. Called, it gives (seconds, result)."""

    def __init__(self, make):
        context = multiprocessing.get_context("spawn")  # a fork would inherit BLAS threads
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, make), daemon=True)
        self.process.start()
        theirs.close()  # so that recv fails if the process dies, instead of waiting for ever

    def __call__(self, *arguments):
        time.sleep(0.3)  # threads that still spin after their last job fall asleep
        self.pipe.send(arguments)
        return self.pipe.recv()


def accuracy(f, params, X, Y):
    return f["get_accuracy"](f["get_predictions"](f["forward_prop"](*params, X)[3]), Y)


def torch_network(start):
    """784-n-10 in PyTorch with our start (W1, b1, W2, b2), so that both begin alike."""
    import torch

    W1, b1, W2, b2 = (torch.tensor(p) for p in start)
    net = torch.nn.Sequential(
        torch.nn.Linear(784, len(W1)), torch.nn.ReLU(), torch.nn.Linear(len(W1), 10)
    )
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), (W1, b1, W2, b2), strict=True):
            parameter.copy_(value.reshape(parameter.shape))
    return net


def torch_epoch(net, optimizer, X, Y, batch):
    """One epoch of the plain PyTorch loop; X (m, 784) and Y (m,) are tensors, loaded before."""
    import torch

    for chosen in torch.randperm(len(Y)).split(batch):
        loss = torch.nn.functional.cross_entropy(net(X[chosen]), Y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def torch_data(X, Y):
    """Our arrays as tensors: X (m, 784) without a copy, labels int64."""
    import torch

    return torch.from_numpy(X.T), torch.from_numpy(Y.astype(np.int64))


# ---------------------------------------------------------------- epoch: how fast


def our_epoch(f, data):
    X, Y, rng, start = *data[:2], np.random.default_rng(0), f["init_params_scaled"](HIDDEN)
    return lambda: f["train_epoch"](start, X, Y, ALPHA, BATCH, rng) and None


def products_epoch(f, data):
    """An epoch's five matrix products and nothing else: W1 @ X, W2 @ A1, dZ2 @ A1.T, W2.T @ dZ2
    and dZ1 @ X.T of every batch, each on the columns of X as they lie in memory, unshuffled."""
    X, (W1, _, W2, _) = data[0], f["init_params_scaled"](HIDDEN)

    def run():
        for start in range(0, X.shape[1], BATCH):
            X_batch = X[:, start : start + BATCH]
            Z1 = W1 @ X_batch
            Z2 = W2 @ Z1
            _ = Z2 @ Z1.T, W2.T @ Z2, Z1 @ X_batch.T

    return run


def sklearn_epoch(f, data):
    sk = MLPClassifier((HIDDEN,), solver="sgd", batch_size=BATCH, learning_rate_init=ALPHA,
                       momentum=0, alpha=0, max_iter=1)  # fmt: skip
    return lambda: sk.fit(data[0].T, data[1]) and None


def pytorch_epoch(f, data):
    import torch

    tensors, net = torch_data(*data[:2]), torch_network(f["init_params_scaled"](HIDDEN))
    optimizer = torch.optim.SGD(net.parameters(), lr=ALPHA)
    return lambda: torch_epoch(net, optimizer, *tensors, BATCH)


def bench_epoch(f, data, args):
    """Seconds of one epoch, ours and the others', and the median of their ratios, turn by turn."""
    makers = {"ours": our_epoch, "products alone": products_epoch, "scikit-learn": sklearn_epoch}
    makers |= {"PyTorch": pytorch_epoch} if TORCH else {}
    runs = {name: Contender(make) for name, make in makers.items()}
    for run in runs.values():
        run()  # once for nothing: the first call pays for threads and memory
    turns = [{name: run()[0] for name, run in runs.items()} for _ in range(args.repeats)]
    figures = {}
    for name in runs:
        seconds = [turn[name] for turn in turns]
        found = dict(median_s=median(seconds), min_s=min(seconds), max_s=max(seconds))
        figures[name] = {key: round(value, 4) for key, value in found.items()}
        if name != "ours":
            ratio = median(turn["ours"] / turn[name] for turn in turns)
            figures[f"ours / {name}"] = round(ratio, 2)
    return figures


# ---------------------------------------------------------------- race: to 98 % on test


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
            momentum = f["update_velocity"]
            params = f["train_epoch"](params, X, Y, float(alphas[epoch]), batch, rng, momentum)

        return seconds_to(0.98, epochs, run_epoch, lambda: accuracy(f, params, X_test, Y_test))

    return race


def race_torch(f, data):
    import torch

    tensors, (X_test, Y_test) = torch_data(*data[:2]), torch_data(*data[4:])

    def race(setting, seed):
        batch, alpha, epochs = setting
        torch.manual_seed(seed)
        net = torch_network(f["init_params_scaled"](HIDDEN, seed=seed))
        optimizer = torch.optim.SGD(net.parameters(), lr=alpha, momentum=0.9)

        def run_epoch(epoch):
            optimizer.param_groups[0]["lr"] = alpha * (1 - epoch / epochs)
            torch_epoch(net, optimizer, *tensors, batch)

        def right():
            with torch.no_grad():
                return (net(X_test).argmax(dim=1) == Y_test).float().mean().item()

        return seconds_to(0.98, epochs, run_epoch, right)

    return race


def bench_race(f, data, args):
    """Seconds of training to 98 % on test at 784-128-10, each with its best of one small grid,
    of the settings with which every seed got there."""
    runs = {"ours": Contender(race_ours)} | ({"PyTorch": Contender(race_torch)} if TORCH else {})
    seconds = {name: {setting: [] for setting in RACE} for name in runs}
    for setting in RACE:
        for seed in range(args.race_seeds):
            for name, run in runs.items():
                seconds[name][setting].append(run(setting, seed)[1])
    figures = {}
    for name, by_setting in seconds.items():
        done = {s: median(t) for s, t in by_setting.items() if None not in t}
        if done:
            best = min(done, key=done.get)
            figures[name] = {"median_s": round(done[best], 2), "batch_alpha_epochs": list(best)}
    if len(figures) == 2:
        times = {name: figures[name]["median_s"] for name in figures}
        figures["PyTorch / ours"] = round(times["PyTorch"] / times["ours"], 2)
    return figures


# ---------------------------------------------------------------- rungs: how well


def full_batch(f, data, seed, start, digits, alpha, iterations):
    """One of the notebook's two full-batch runs; returns its parameters."""
    X, Y = data[0][:, :digits], data[1][:digits]
    return f["gradient_descent"](X, Y, alpha, iterations, params=f[start](seed=seed))


def train_rung(
    f, data, seed, hidden, batch, alpha, epochs, falls=False, momentum=False, change=None
):
    """Train one rung with its start and its shuffling from seed; returns its parameters."""
    alphas = f["falling"](alpha, epochs) if falls else [alpha] * epochs
    return f["train"](
        *data[:2], alphas, batch, params=f["init_params_scaled"](hidden, seed=seed), seed=seed,
        momentum=f["update_velocity"] if momentum else None, change=f[change] if change else None,
    )  # fmt: skip


def library(f, data, seed):
    """scikit-learn's network with the settings of a rung, but for the falling alpha."""
    rung = RUNGS[LIBRARY]
    sk = MLPClassifier((rung["hidden"],), solver="sgd", batch_size=rung["batch"], alpha=0,
                       learning_rate_init=rung["alpha"], momentum=0.9, nesterovs_momentum=False,
                       max_iter=rung["epochs"], random_state=seed)  # fmt: skip
    sk.fit(data[0].T, data[1])
    (W1, W2), (b1, b2) = sk.coefs_, sk.intercepts_
    return W1.T, b1[:, None], W2.T, b2[:, None]


def bench_rungs(f, data, args):
    """Accuracy and seconds of each rung over seeds; the test rows choose nothing."""
    settings = FULL_BATCH | RUNGS | {f"scikit-learn as {LIBRARY}": {}}
    figures = {}
    for name, setting in settings.items():
        if not any(word in name for word in args.rungs):
            continue
        kinds = {**dict.fromkeys(FULL_BATCH, full_batch), **dict.fromkeys(RUNGS, train_rung)}
        train, found = partial(kinds.get(name, library), f, data, **setting), []
        for seed in range(args.seeds):
            start = time.perf_counter()
            params = train(seed=seed)
            seconds = time.perf_counter() - start
            dev, test = (100 * accuracy(f, params, *data[i : i + 2]) for i in (2, 4))
            found.append((test, dev, seconds))
            print(f"  {name}, seed {seed}: test {test:.2f} %, {seconds:.1f} s", flush=True)
        test, dev, seconds = np.array(found).T
        spread = dict(ddof=1) if args.seeds > 1 else {}
        rounded = {
            "test_mean": test.mean(), "test_sd": test.std(**spread), "test_min": test.min(),
            "test_max": test.max(), "dev_mean": dev.mean(), "dev_sd": dev.std(**spread),
            "median_s": median(seconds),
        }  # fmt: skip
        rounded = {key: round(float(value), 2) for key, value in rounded.items()}
        figures[name] = {"seeds": args.seeds, **setting, **rounded}
    return figures


# A part is a function (f, data, args) -> figures that JSON can hold, and an entry here
PARTS = {"epoch": bench_epoch, "race": bench_race, "rungs": bench_rungs}


# ---------------------------------------------------------------- the chart and the command


def chart(measured):
    """Bars of one epoch's seconds, and each rung's errors on the test rows, as a PNG at CHART."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator, NullLocator

    plt.rcParams.update({"font.size": 12, "axes.spines.top": False, "axes.spines.right": False})
    fig, (left, right) = plt.subplots(1, 2, figsize=(12, 7), layout="constrained")
    ours, theirs = "#D55E00", "#0072B2"

    epoch = {k: v["median_s"] for k, v in measured["epoch"].items() if "median_s" in str(v)}
    names = sorted(epoch, key=epoch.get, reverse=True)
    words = {"ours": "this notebook", "products alone": "matrix products\nalone"}
    bars = left.barh([words.get(name, name) for name in names], [epoch[name] for name in names],
                     color=[ours if name == "ours" else theirs for name in names],
                     hatch=["//" if name == "ours" else "" for name in names],
                     edgecolor="white")  # fmt: skip
    left.bar_label(bars, fmt="%.2f s", padding=4)
    left.set(title="One epoch of 784-128-10, batch 128", xlabel="seconds (2 threads, float32)")
    left.margins(x=0.2)

    rungs = [(k, v) for k, v in measured["rungs"].items() if "test_mean" in v]
    rungs.sort(key=lambda rung: rung[1]["test_mean"])
    for row, (name, v) in enumerate(rungs):
        wrong, other = 100 - v["test_mean"], name.startswith("scikit")
        reach = [[v["test_max"] - v["test_mean"]], [v["test_mean"] - v["test_min"]]]
        right.errorbar(wrong, row, xerr=reach, fmt="s" if other else "o", ms=8, capsize=4,
                       color=theirs if other else ours)  # fmt: skip
        right.annotate(f"{v['test_mean']:.1f} % right", (wrong, row),
                       xytext=(0, 9), textcoords="offset points", ha="center")  # fmt: skip
    right.set(xscale="log", title="Each rung: test digits, mean and range",
              xlabel="wrong, % (log scale)", yticks=range(len(rungs)),
              yticklabels=[name for name, _ in rungs], ylim=(-0.5, len(rungs)))  # fmt: skip
    right.xaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), minor_locator=NullLocator(),
                    major_formatter="{x:g}")  # fmt: skip
    right.margins(x=0.4)
    fig.savefig(CHART, dpi=100, metadata={"Software": None})
    plt.close(fig)


def stamp(threads):
    """When and with what a part was measured; nothing that names the machine."""
    libraries = ["numpy", "pandas", "scikit-learn", *(["torch"] if TORCH else [])]
    versions = {name: version(name) for name in libraries}
    return {"date": date.today().isoformat(), "threads": threads,
            "versions": {"python": platform.python_version(), **versions}}  # fmt: skip


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rungs", nargs="+", metavar="WORD", default=[""],
                        help="only the rungs with one of these words in their name")  # fmt: skip
    parser.add_argument("--repeats", type=int, default=15, help="turns of the epoch, default 15")
    parser.add_argument("--seeds", type=int, default=5, help="seeds of each rung, default 5")
    parser.add_argument("--race-seeds", type=int, default=3, help="seeds of the race, default 3")
    parser.add_argument("--threads", type=int, default=2, help="for everybody, default 2")
    parser.add_argument("--save", action="store_true", help="keep the figures and draw the chart")
    args = parser.parse_args()
    if min(args.repeats, args.seeds, args.race_seeds, args.threads) < 1:
        parser.error("repeats, seeds and threads must be at least 1")
    warnings.simplefilter("ignore", ConvergenceWarning)  # a few epochs are meant, not forgotten
    threadpool_limits(args.threads)  # the BLAS of NumPy and the OpenMP of scikit-learn, here
    for name in ("OPENBLAS", "OMP", "MKL"):  # and in the processes of the contenders
        os.environ[f"{name}_NUM_THREADS"] = str(args.threads)
    f = functions()
    data = load_data(f)
    if not TORCH:
        print("PyTorch is not installed: its rows are left out.")
    measured = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    for part in args.parts:
        print(PARTS[part].__doc__)
        figures = PARTS[part](f, data, args)
        for name, value in figures.items():
            print(f"  {name:32} {value}")
        known = {**FULL_BATCH, **RUNGS, f"scikit-learn as {LIBRARY}": 0}
        old = measured.get(part, {}) if part == "rungs" else {}
        figures = {k: v for k, v in old.items() if k in known} | figures
        measured[part] = figures | {"measured": stamp(args.threads)}
        if args.save:  # after each part: the next one may fail
            MEASURED.write_text(json.dumps(measured, indent=1) + "\n")
    if args.save and {"epoch", "rungs"} <= measured.keys():
        chart(measured)


if __name__ == "__main__":
    main()
