"""The plots: valid small files, true descriptions, readable text, the same bytes each time.

`cases` has, for each public function of helpers.py, calls and what their descriptions must then
say, worked out here from the data. A plot without a case fails the first test."""

import inspect
import io
import subprocess
import sys
from functools import cache
from pathlib import Path

import matplotlib
import nbformat
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from PIL import Image

import helpers
import run_notebook

ROOT = Path(__file__).resolve().parent.parent
NOT_A_PICTURE = {"Picture", "progress"}


def public():
    return {
        name
        for name, thing in vars(helpers).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == "helpers"
    }


def run(start, end, steps=(0, 10, 20, 30), dev=True):
    """A history whose loss and accuracy go evenly from start to end, two pairs."""
    rows = []
    rng = np.random.default_rng(0)
    for i, step in enumerate(steps):
        loss, accuracy = np.array(start) + (np.array(end) - start) * i / (len(steps) - 1)
        row = {"step": step, "train_loss": loss, "train_accuracy": accuracy}
        row |= {"dev_loss": loss + 0.1, "dev_accuracy": accuracy - 0.02} if dev else {}
        W1 = rng.normal(0, 0.1 + 0.05 * i, (6, 784))
        rows.append(row | {"params": (W1, None, None, None)})
    return rows


@cache
def cases():
    """name -> list of (args, kwargs, what the description must say); the first two differ."""
    table = pd.read_csv(ROOT / "data" / "train.csv.gz", nrows=1200, dtype=np.uint8).to_numpy()
    Y, X8 = table[:, 0], table[:, 1:].T
    X = (X8 / 255).astype(np.float32)
    rng = np.random.default_rng(1)
    W = np.linalg.lstsq(X[:, :900].T, np.eye(10)[Y[:900]], rcond=None)[0]  # a linear reader
    Z2 = 8 * (W.T @ X)
    A2 = np.exp(Z2 - Z2.max(axis=0))
    A2 /= A2.sum(axis=0)
    said, sure = A2.argmax(axis=0), A2.max(axis=0)
    wrong = np.flatnonzero(said != Y)
    assert 20 < wrong.size < 600
    W1 = rng.normal(0, 0.1, (10, 784))
    W1[3] = W[:, 3]
    unseen = [[part[..., start : start + 150] for part in (X, A2, Y)] for start in (900, 1050)]

    def pixels(x, label):
        inked = np.count_nonzero(x)
        return (
            (x, label),
            {},
            [f"handwritten {label}", f"{inked} pixels have ink", f"{784 - inked} have none"],
        )

    def counted(Y):
        n = np.bincount(Y, minlength=10)
        return (
            (Y,),
            {},
            [f"{len(Y):,} examples", f"even share, {len(Y) / 10:,.0f}"]
            + [f"{d}: {n[d]:,}" for d in range(10)],
        )

    def grid(X, Y):
        n = [min(12, (Y == d).sum()) for d in range(10)]
        return (X, Y), {}, [f"{sum(n)} handwritten digits"] + [f"{n[d]} of {d}" for d in range(10)]

    def average(X, Y):
        ink = [100 * np.mean(X[:, Y == d]) / (255 if X.dtype == np.uint8 else 1) for d in range(10)]
        return (
            (X, Y),
            {},
            [f"{d}: {ink[d]:.1f} %" for d in range(10)]
            + [f"{np.argmin(ink)} has the least", f"{np.argmax(ink)} the most"],
        )

    def answered(i, known=True):
        right = int((said[i] == Y[i]).sum())
        words = [f"{right} of {len(i)} are right"] if known else []
        words += [f"{said[j]} ({100 * sure[j]:.0f} %)" for j in i if 0.005 < sure[j] < 0.995]
        words += [f"wrong: is {Y[j]}" for j in i if known and said[j] != Y[j]]
        return (X[:, i], A2[:, i], Y[i] if known else None), {}, words

    def confused(scale):
        C = np.zeros((10, 10), int)
        np.add.at(C, (Y, said), scale)
        off = C - np.diag(np.diag(C))
        i, j = np.unravel_index(off.argmax(), off.shape)
        return (
            (C,),
            {},
            [f"{np.trace(C):,} of {C.sum():,} are right", f"{i} taken for {j}: {off.max():,}"],
        )

    def shares(right, total):
        worst = int(np.argmin(right / total))
        p, n, z = right[worst] / total[worst], total[worst], 1.959964
        roots = np.roots([1 + z * z / n, -2 * p - z * z / n, p * p])
        low, high = sorted(100 * roots)
        return (
            (right, total),
            {},
            [
                f"{worst}: {100 * p:.1f} % of {n:,} ({low:.1f} to {high:.1f})",
                f"{100 * right.sum() / total.sum():.1f} % for all together",
            ],
        )

    def mistaken(X, A2, Y, **kwargs):
        bad = np.flatnonzero(A2.argmax(axis=0) != Y)
        top = bad[np.argmax(A2.max(axis=0)[bad])]
        return (
            (X, A2, Y),
            kwargs,
            [
                f"of {len(bad):,} mistakes among {len(Y):,}",
                f"a {Y[top]} taken for {A2[:, top].argmax()}",
            ],
        )

    def unit(w, X, Y):
        a = np.maximum(w @ X, 0)
        best = int(np.argmax([a[Y == d].mean() for d in range(10)]))
        return (
            (w, X, a, Y),
            {},
            [
                f"{best}: {a[Y == best].mean():.2f}",
                f"a {Y[a.argmax()]} ({a.max():.1f})",
                f"of {a.size:,} examples",
            ],
        )

    def gradients(broken):
        shapes = [(4, 30), (4, 1), (10, 4), (10, 1)]
        right = [rng.normal(0, 0.1, shape) for shape in shapes]
        right[3] -= right[3].mean()
        ours = [a.copy() for a in right]
        words = ["W1: 120 parameters", "b2: 10 parameters"]
        if broken:
            ours[3] = np.full_like(right[3], right[3].sum())
            words += ["relative difference 1", "Off the diagonal: b2."]
        return (ours, right, ["W1", "b1", "W2", "b2"]), {}, words or ["All points lie"]

    def moved(dx, dy):
        shape = X[:, :8].reshape(28, 28, 8)
        words = f"{'right' if dx > 0 else 'left'} {abs(dx):.1f}"
        return (X[:, :8], np.roll(shape, (dy, dx), (0, 1)).reshape(784, 8)), {}, [words, "8 digits"]

    scores = [
        ("a linear classifier (LeCun 1998)", 12.0, None, False),
        ("800 hidden units (Simard 2003)", 1.6, None, False),
        ("784-512-10 with small shifts", 0.89, 0.19, True),
    ]
    rungs = [
        ("the lineage", 18.6, 84.7, 2.2),
        ("scaled start", 18.4, 89.5, 1.9),
        ("mini-batches", 1.8, 94.2, 1.4),
        ("128 hidden units", 2.4, 98.0, 0.9),
        ("momentum", 2.6, 98.3, 0.8),
        ("small shifts", 22, 99.1, 0.6),
    ]
    noise = {b: np.clip(rng.normal(1 - 1 / (1 + b / 20), 0.1, 40), -1, 0.99) for b in (4, 64, 1024)}
    short, long = run((2.4, 0.1), (0.31, 0.91)), run((3.4, 0.09), (0.52, 0.85))
    few = run((2.3, 0.1), (0.01, 1.0), steps=(0, 100), dev=False)
    return {
        "pixel_numbers": [pixels(X8[:, 0], Y[0]), pixels(X8[:, 1], Y[1])],
        "digit_grid": [grid(X8, Y), grid(X[:, :60], Y[:60])],
        "class_counts": [
            counted(Y),
            counted(Y[:77]),
            counted(np.repeat(Y, 50)),
            counted(np.r_[np.zeros(99, int), Y[:30]]),
        ],
        "average_digits": [average(X8, Y), average(X[:, :300], Y[:300])],
        "network_diagram": [
            ((), {}, ["W1 (10, 784)", "b2 (10, 1)", "7,960 parameters"]),
            ((), {"n_hidden": 128}, ["W1 (128, 784)", "W2 (10, 128)", "101,770 parameters"]),
        ],
        "relu_curve": [
            ((lambda Z: np.maximum(Z, 0),), {}, ["0 at -2", "2 at 2", "3 at 3"]),
            ((lambda Z: np.where(Z > 0, Z, 0.1 * Z),), {}, ["-0.2 at -2", "2 at 2"]),
        ],
        "scores_to_probabilities": [
            (
                (Z2[:, i], A2[:, [i]]),
                {},
                [f"{z:.1f}" for z in Z2[:, i]] + [f"{a:.3f}" for a in A2[:, i]],
            )
            for i in (0, 1)
        ],
        "loss_curve": [
            ((), {}, ["2.30 at p = 0.1", "0.69 at p = 0.5", "0.11 at p = 0.9", "0.01 at p = 0.99"])
        ],
        "answers": [
            answered(np.r_[0:10, wrong[:2]]),
            answered(np.r_[100:112]),
            answered(np.r_[20:29], known=False),
            answered(np.r_[3:4]),
        ],
        "training_curves": [
            (
                ({"scaled start": short, "rand - 0.5": long},),
                {},
                [
                    "scaled start, train loss: 2.40 to 0.31",
                    "rand - 0.5, dev accuracy: 7.0 % to 83.0 %",
                ],
            ),
            (
                ({"one": short, "two": long, "three": short[:2]},),
                {"xlabel": "epoch", "zoom": True},
                ["three, train loss: 1.70 to 1.70", "against epoch"],
            ),
            (({"20 digits": few},), {}, ["20 digits, train accuracy: 10.0 % to 100.0 %"]),
        ],
        "weight_pictures": [
            ((W1,), {}, [f"{i}: {w.min():.2f} to {w.max():.2f}" for i, w in enumerate(W1)]),
            ((rng.normal(size=(25, 784)),), {}, ["20 pictures", "unit 19"]),
            ((W1[:2],), {"titles": ["first", "second"]}, ["2 pictures", "first", "second"]),
        ],
        "weights_over_time": [
            (
                (short,),
                {},
                [
                    "steps 0, 10 and 30",
                    "units 0, 1, 2, 3 and 4",
                    "by "
                    f"{np.abs(short[-1]['params'][0][:5] - short[0]['params'][0][:5]).mean():.3f}",
                ],
            ),
            ((short[:1],), {"units": (2, 5)}, ["steps 0.", "units 2 and 5"]),
        ],
        "confusion_matrix": [confused(1), confused(12)],
        "accuracy_per_digit": [
            shares(np.arange(80, 100, 2), np.full(10, 100)),
            shares(np.full(10, 5), np.array([5, 6, 7, 8, 9, 10, 11, 12, 90, 14])),
        ],
        "confident_mistakes": [
            mistaken(*unseen[0]),
            mistaken(*unseen[1]),
            mistaken(*unseen[0], n=1),
        ],
        "hidden_unit": [unit(W1[0], X, Y), unit(W1[3], X, Y)],
        "gradient_match": [gradients(False), gradients(True)],
        "score_chart": [
            ((scores,), {}, ["12 %", "yours: 784-512-10 with small shifts 0.89 % \u00b1 0.19"]),
            (([("2 layers, 800 hidden units, " * 2, 0.9, 0.2, i < 2) for i in range(3)],), {}, []),
            ((scores[:2],), {}, ["800 hidden units (Simard 2003) 1.6 %"]),
        ],
        "batch_noise": [
            (
                (59000, noise),
                {},
                ["all 59,000"] + [f"{b:,}: median {np.median(v):.2f}" for b, v in noise.items()],
            ),
            ((60, {1: [0.25]}), {}, ["1: median 0.25", "all 60 "]),
        ],
        "ladder": [
            (
                (rungs,),
                {},
                ["1. the lineage: 84.7 % \u00b1 2.2 in 18.6 s", "6. small shifts: 99.1 %"],
            ),
            ((rungs[:1],), {}, ["1. the lineage: 84.7 %"]),
            ((rungs[:3],), {}, ["3. mini-batches"]),
        ],
        "shifted": [moved(1, 0), moved(-2, 0)],
    }


PLOTS = sorted(public() - NOT_A_PICTURE)


@cache
def drawn(name):
    """For each case of a plot: (its number, Picture, Figure)."""
    made, figures, png = [], [], helpers._png
    helpers._png = lambda fig: figures.append(fig) or png(fig)
    try:
        for args, kwargs, _ in cases()[name]:
            made.append(vars(helpers)[name](*args, **kwargs))
    finally:
        helpers._png = png
    return list(zip(range(len(made)), made, figures, strict=True))


def luminance(rgb):
    """Relative luminance of sRGB in 0..1 (WCAG 2.2)."""
    rgb = np.asarray(rgb, dtype=float)[..., :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    """Contrast ratio of two colours (WCAG 2.2), 1..21."""
    low, high = np.sort(np.stack(np.broadcast_arrays(luminance(one), luminance(other))), axis=0)
    return (high + 0.05) / (low + 0.05)


def test_every_public_function_has_a_case_and_a_docstring():
    """A plot without tests has come in, or one is no longer documented."""
    assert set(cases()) == public() - NOT_A_PICTURE
    for name in public():
        assert inspect.getdoc(vars(helpers)[name]), name


@pytest.mark.parametrize("name", PLOTS)
def test_png_is_valid_small_and_without_a_date(name):
    """The stored file is broken, too large for the notebook, or differs from day to day."""
    for i, picture, fig in drawn(name):
        image = Image.open(io.BytesIO(picture.png))
        image.load()
        assert image.size == (round(picture.width * 1.5), round(picture.height * 1.5)), i
        assert image.size == tuple(np.rint(fig.get_size_inches() * 144)), i
        assert picture.width <= 816
        assert not image.info.keys() - {"transparency"}, image.info  # no text, time or software
        assert len(picture.png) <= 60_000, (i, len(picture.png))
        pixels = np.asarray(image.convert("RGBA"))
        edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert (edge == 255).all(), f"case {i} has no white margin"


@pytest.mark.parametrize("name", PLOTS)
def test_description_and_caption_tell_the_numbers(name):
    """The text that stands in for the picture is wrong, or does not follow the data."""
    for (i, picture, _), (_, _, expected) in zip(drawn(name), cases()[name], strict=True):
        missing = [words for words in expected if words not in picture.description]
        assert not missing, f"case {i}: {missing} not in: {picture.description}"
        assert repr(picture) == picture.description
        assert "nan" not in picture.description
        assert picture.caption.endswith(".") and 20 < len(picture.caption) < 220
    told = [(picture.description, picture.png) for _, picture, _ in drawn(name)]
    assert len({text for text, _ in told}) == len(told), "same description for other data"
    assert len({png for _, png in told}) == len(told), "same picture for other data"


@pytest.mark.parametrize("name", PLOTS)
def test_same_bytes_on_a_second_call(name):
    """Re-executing the notebook would change its stored figures."""
    args, kwargs, _ = cases()[name][0]
    first = drawn(name)[0][1]
    second = vars(helpers)[name](*args, **kwargs)
    assert (second.png, second.description) == (first.png, first.description)


def drawn_texts(fig, monkeypatch):
    """The texts that a figure really draws, and what is behind them: (text, box), RGB in 0..1."""
    texts, draw = [], Text.draw
    with monkeypatch.context() as patch, matplotlib.rc_context(helpers.STYLE):
        patch.setattr(Text, "draw", lambda t, r: draw(t, r) or texts.append(t))
        canvas = FigureCanvasAgg(fig)
        canvas.draw()
        texts = [t for t in texts if t.get_visible() and t.get_text().strip()]
        boxes = [t.get_window_extent(canvas.get_renderer()) for t in texts]
        patch.setattr(Text, "draw", lambda t, r: t.get_bbox_patch() and t.get_bbox_patch().draw(r))
        canvas.draw()
        behind = np.asarray(canvas.buffer_rgba())[..., :3] / 255
    return list(zip(texts, boxes, strict=True)), behind


@pytest.mark.parametrize("name", PLOTS)
def test_text_is_large_readable_and_apart(name, monkeypatch):
    """A text is below 12 pt, cut off, over another text, or too faint for what is behind it."""
    for i, _, fig in drawn(name):
        texts, behind = drawn_texts(fig, monkeypatch)
        high, wide = behind.shape[:2]
        assert texts
        for n, (text, box) in enumerate(texts):
            where = f"case {i}: {text.get_text()!r} at {box.bounds}"
            assert text.get_fontsize() >= 12, where
            assert box.x0 >= 4 and box.x1 <= wide - 4 and box.y0 >= 4 and box.y1 <= high - 4, where
            rows = slice(int(high - box.y1) + 3, int(high - box.y0) - 3)
            patch = behind[rows, int(box.x0) + 2 : int(box.x1) - 2]
            ratio = contrast(to_rgba(text.get_color()), patch)
            assert np.quantile(ratio, 0.03) >= 4.5, (where, ratio.min())
            for other, its_box in texts[:n]:
                over = min(box.x1, its_box.x1) - max(box.x0, its_box.x0)
                down = min(box.y1, its_box.y1) - max(box.y0, its_box.y0)
                assert over <= 1 or down <= 6, (where, other.get_text())  # boxes have room below


@pytest.mark.parametrize("name", PLOTS)
def test_lines_and_markers_reach_three_to_one(name):
    """A line, marker or bar is too pale on white for a projector or for weak eyes."""
    for i, _, fig in drawn(name):
        colors = set()
        for artist in fig.findobj():
            if isinstance(artist, Line2D) and artist.get_visible():
                if artist.get_linestyle() not in ("None", ""):
                    colors.add(artist.get_color())
                if artist.get_marker() not in ("None", "", None):
                    edge, face = artist.get_markeredgecolor(), artist.get_markerfacecolor()
                    colors.add(face if to_rgba(edge) == to_rgba("white") else edge)
            elif isinstance(artist, LineCollection):
                colors |= {tuple(color) for color in artist.get_edgecolor()}
            elif isinstance(artist, Patch) and artist not in [ax.patch for ax in fig.axes]:
                if artist.get_visible() and artist is not fig.patch and artist.get_fill():
                    filled = to_rgba(artist.get_facecolor()) != to_rgba("white")
                    colors.add(artist.get_facecolor() if filled else artist.get_edgecolor())
                elif artist.get_visible() and artist is not fig.patch:
                    colors.add(artist.get_edgecolor())
        for color in colors:
            rgba = to_rgba(color)
            assert rgba[3] in (0, 1), (i, color)
            assert rgba[3] == 0 or contrast(rgba, (1, 1, 1)) >= 3, (i, color)


def test_weights_have_a_scale_monotone_in_lightness():
    """Light and dark, the only thing that all readers see, no longer tells + from -."""
    light = luminance(helpers.WEIGHT(np.linspace(0, 1, 33)))
    assert (np.diff(light) > 0).all()


def test_all_figures_fit_the_notebook():
    """The notebook would exceed 1.5 MB: each stored byte costs 4/3 in it."""
    assert sum(len(drawn(name)[0][1].png) for name in PLOTS) * 4 / 3 < 1_000_000


def test_pyplot_and_global_settings_are_left_alone():
    """The plots would change what a learner's own plots look like."""
    code = (
        "import matplotlib, sys; before = matplotlib.rcParams.copy(); import helpers;"
        "helpers.loss_curve(); assert matplotlib.rcParams.copy() == before;"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("right, total", [(0, 10), (10, 10), (7, 10), (973, 1000)])
def test_wilson_interval_solves_its_equation(right, total):
    """An interval is not Wilson's: its ends must solve (p - q)^2 = z^2 q (1 - q) / n."""
    p, z = right / total, 1.959964
    for q in helpers._wilson(np.array(right), np.array(total)):
        assert (p - q) ** 2 == pytest.approx(z**2 * q * (1 - q) / total, abs=1e-12)


def test_no_mistakes_is_said_in_words():
    """A network that is right everywhere would crash the page of its mistakes."""
    X, A2, Y = np.zeros((784, 10)), np.eye(10), np.arange(10)
    assert "No mistakes among these 10 examples" in helpers.confident_mistakes(X, A2, Y).description
    whole = helpers.confusion_matrix(np.diag(np.full(10, 7)))
    assert "70 of 70 are right" in whole.description and "No mistakes" in whole.description


def test_float_and_byte_pictures_look_the_same():
    """uint8 0..255 and float 0..1 of the same digits must give the same figure."""
    (X8, Y), _, _ = cases()["digit_grid"][0]
    assert helpers.digit_grid(X8, Y).png == helpers.digit_grid(X8 / 255, Y).png
    assert helpers.pixel_numbers(X8[:, 0], 5).png == helpers.pixel_numbers(X8[:, 0] / 255, 5).png


def test_missing_classes_and_one_example_do_not_crash():
    """A learner with a small or one-sided selection would see a traceback."""
    (X8, _), _, _ = cases()["digit_grid"][0]
    few, Y = X8[:, :3], np.array([4, 4, 9])
    assert "0 of 3" in helpers.digit_grid(few, Y).description
    assert "3: " not in helpers.average_digits(few, Y).description
    assert "9 is the rarest" not in helpers.class_counts(Y).description
    assert "2 of 4" in helpers.digit_grid(few, Y).description
    assert "a 9 (1.0)" in helpers.hidden_unit(np.ones(784), few, [0.0, 0.5, 1.0], Y).description
    assert "1 digits" in helpers.shifted(few[:, :1], few[:, 1:2]).description
    right, total = np.arange(10), np.arange(10)
    assert "0: " not in helpers.accuracy_per_digit(right, total).description


def test_a_run_that_diverged_still_shows():
    """The curves of a run whose loss is no longer a number would crash instead of showing it."""
    rows = run((2.3, 0.1), (0.5, 0.8))
    rows[-1] |= {"train_loss": float("nan"), "dev_loss": float("nan")}
    picture = helpers.training_curves({"alpha 100": rows})
    assert "train loss: 2.30 to no number" in picture.description


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: helpers.digit_grid(np.zeros((5, 784)), [1] * 784), "pass X.T"),
        (lambda: helpers.digit_grid(np.zeros((784, 5)), [1] * 4), "Y is for 4 examples"),
        (lambda: helpers.answers(np.zeros((784, 5)), np.ones((10, 4))), "A2 is for 4 examples"),
        (lambda: helpers.scores_to_probabilities(np.ones((10, 2)), np.ones(10)), "one column"),
        (lambda: helpers.training_curves({}), "one to three runs"),
        (lambda: helpers.training_curves({"a": []}), "history is empty"),
    ],
)
def test_wrong_arguments_are_named_in_one_sentence(call, words):
    """A mistake in a call would end in a page of matplotlib's own errors."""
    with pytest.raises(ValueError, match=words):
        call()


def execute(*sources):
    """Outputs of each of the given cells, run in one kernel as a notebook at the root."""
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    return [cell.outputs for cell in run_notebook.execute(nb).cells]


def test_a_picture_shows_itself_with_alt_text_and_caption():
    """The stored output lacks its text alternative, its size or its visible caption."""
    picture = helpers.loss_curve()
    [(image, caption)] = execute("import helpers\nhelpers.loss_curve()")
    assert image.output_type == caption.output_type == "display_data"
    assert set(image.data) == {"image/png", "text/plain"}
    assert image.data["text/plain"] == picture.description
    assert image.metadata["image/png"] == {
        "alt": picture.description,
        "width": picture.width,
        "height": picture.height,
    }
    assert caption.data == {"text/markdown": f"*{picture.caption}*", "text/plain": picture.caption}


def test_progress_keeps_one_line_for_each_run():
    """A long cell would fill the page with lines, or write over the line of another run."""
    row = "dict(step=10 * i, train_loss=2.0 - i / 4, train_accuracy=0.1 * i{})"
    loop = "history = []\nfor i in range(5):\n    history.append(" + row
    loop += ")\n    helpers.progress(history)"
    dev = ", dev_accuracy=0.1 * i + 0.05"
    first, second, again = execute(
        "import helpers\n" + loop.format(dev),
        "for _ in range(2):\n    " + loop.format("").replace("\n", "\n    "),
        "helpers.progress(history)",
    )
    assert [out.data for out in first] == [
        {"text/plain": "step 40: loss 1.000, train 40.0 %, dev 45.0 %"}
    ]
    assert [out.data for out in second] == [{"text/plain": "step 40: loss 1.000, train 40.0 %"}] * 2
    assert [out.data for out in again] == [{"text/plain": "step 40: loss 1.000, train 40.0 %"}]


def test_progress_is_silent_outside_a_notebook(capsys):
    """Training from a script or a test would print hundreds of lines."""
    helpers.progress([{"step": 0, "train_loss": 2.3, "train_accuracy": 0.1}])
    assert capsys.readouterr() == ("", "")
