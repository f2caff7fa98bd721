"""The figures: readable text that stands apart, true descriptions, the same bytes each time."""

import inspect
import io
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.text import Text
from PIL import Image

import helpers

ROOT = Path(__file__).resolve().parent.parent
TINY = {
    "X": [[1], [0.5]], "W1": [[1, 1], [-1, 4]], "b1": [[0.5], [-0.5]], "Z1": [[2], [0.5]],
    "A1": [[2], [0.5]], "W2": [[0.5, 0.4], [0.2, -0.6]], "b2": [[0], [0]], "Z2": [[1.2], [0.1]],
    "A2": [[0.7503], [0.2497]], "loss": 1.387,
}  # fmt: skip


def history(end, rows=31, dev=True):
    """Rows whose loss and accuracy go evenly from a blind guess to end, (loss, accuracy)."""
    made = []
    for i, share in enumerate(np.linspace(0, 1, rows)):
        loss, accuracy = np.array([2.3, 0.1]) + share * (np.array(end) - (2.3, 0.1))
        made.append({"step": 10 * i, "train_loss": loss, "train_accuracy": accuracy})
        made[-1] |= {"dev_loss": loss + 0.1, "dev_accuracy": 0.98 * accuracy} if dev else {}
    return made


@cache
def cases():
    """{function's name: calls, as (positional, keyword) arguments}; the first two differ."""
    table = pd.read_csv(ROOT / "data/train.csv.gz", nrows=1200, dtype=np.uint8).to_numpy()
    Y, bytes_ = table[:, 0], table[:, 1:].T
    X, rng = (bytes_ / 255).astype(np.float32), np.random.default_rng(1)
    W = np.stack([X[:, Y == digit].mean(axis=1) for digit in range(10)])
    b = -0.5 * (W**2).sum(axis=1, keepdims=True)
    A2 = np.exp(0.5 * (W @ X + b))
    A2 /= A2.sum(axis=0)
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (Y, A2.argmax(axis=0)), 1)
    slopes = {f"d{name}": np.full(np.shape(TINY[name]), -0.375) for name in
              ("Z2", "W2", "b2", "A1", "Z1", "W1", "b1")}  # fmt: skip
    values, gradients = np.linspace(-3, 3, 61), [rng.normal(size=s) for s in (24, 4, 40, 10)]
    names, noise = ["dW1", "db1", "dW2", "db2"], rng.normal(size=(100, 2))
    W1 = rng.normal(0, 0.1, (10, 784))
    six, twelve = np.arange(6), np.arange(12)
    return {
        "pixel_numbers": [((bytes_[:, 0], Y[0]), {}), ((X[:, 3], Y[3]), {})],
        "digit_grid": [((bytes_, Y), {}), ((X[:, 50:90], Y[50:90]), {})],
        "changed": [((X[:, :8], np.roll(X[:, :8], 28, axis=0)), {}), ((X[:, :2], X[:, 2:4]), {})],
        "weighted_sum": [((X[:, 0], W, b, (5, 8)), {}), ((X[:, 1], W, b, (0, 1)), {})],
        "network_diagram": [((784, 10, 10), {}), ((784, 128, 10), {})],
        "loss_curve": [((), {})],
        "slope": [((values, values**2 + 3, 1.0, 2.0, "W2[7, 3]"), {}),
                  ((values, np.exp(-values), -1.0, -2.7, "W1[0, 406]"), {})],
        "descent": [(({0.02: [2, 1.9], 0.3: [2, 0.8], 0.95: [2, -1.8], 1.05: [2, -2.2, 9]},), {}),
                    (({0.5: [2.0, 0.0]},), {})],
        "way_back": [((TINY,), {}), ((TINY, slopes), {})],
        "gradient_match": [((gradients, gradients, names), {}),
                           ((gradients[:3] + [0 * gradients[3]], gradients, names), {})],
        "batch_clouds": [(((0, 1), {32: noise, 512: noise / 4}, ("dW2[7, 3]", "dW2[2, 5]")), {}),
                         (((0, 1), {32: noise / 9, 512: noise / 40}, ("a", "b")), {})],
        "training_curves": [((history((0.4, 0.89)),), {}),
                            ((history((0.02, 0.99), 11),), {"unit": "epoch"}),
                            ((history((0.4, 0.8)),), {"weights": (W1, 2 * W1)}),
                            ((history((0.4, 0.8), dev=False)[:1],), {}),
                            ((history((np.nan, 0.1))[:4],), {})],
        "answers": [((X[:, twelve], A2[:, twelve], Y[twelve]), {}), ((X[:, six], A2[:, six]), {}),
                    ((X[:, twelve], A2[:, twelve]), {"rows": ["section 6", "section 8"]})],
        "hidden_unit": [((W[3], X, 2 * (W[3] @ X), Y), {}),
                        ((W[7], X, np.maximum(W[7] @ X - 30, 0), Y), {})],
        "confusion_matrix": [((counts,), {}), ((40 * counts,), {}), ((np.eye(10, dtype=int),), {})],
        "confident_mistakes": [((X, A2, Y), {}), ((X[:, :60], A2[:, :60], Y[:60]), {"n": 2}),
                               ((X[:, :5], np.eye(10)[Y[:5]].T, Y[:5]), {})],
        "ladder": [(([("full batch", 86.4, 2.1), ("more of both", 99.1, 0.6)],), {}),
                   (([(f"rung {i}", 90 + i, 1.5 - i / 7) for i in range(7)],), {})],
    }  # fmt: skip


PLOTS = sorted(
    name
    for name, thing in vars(helpers).items()
    if inspect.isfunction(thing) and hasattr(thing, "__wrapped__") and thing.__module__ == "helpers"
)
CALLS = [(name, i) for name, calls in cases().items() for i in range(len(calls))]


@cache
def drawn(name, i):
    """(picture, its matplotlib figure as it is saved) of a case."""
    args, kwargs = cases()[name][i]
    figures, png = [], helpers._png
    helpers._png = lambda fig: figures.append(fig) or png(fig)
    try:
        return getattr(helpers, name)(*args, **kwargs), figures[0]
    finally:
        helpers._png = png


def texts_of(fig, monkeypatch):
    """[(text, its box in pixels)] of what a figure really draws, and the pixels behind it."""
    texts, draw = [], Text.draw
    with monkeypatch.context() as patch, matplotlib.rc_context(helpers.STYLE):
        patch.setattr(Text, "draw", lambda text, to: draw(text, to) or texts.append(text))
        canvas = FigureCanvasAgg(fig)
        canvas.draw()
        texts = [text for text in texts if text.get_visible() and text.get_text().strip()]
        boxes = [text.get_window_extent(canvas.get_renderer()) for text in texts]
        patch.setattr(Text, "draw", lambda text, to: None)
        canvas.draw()
        behind = np.asarray(canvas.buffer_rgba())[..., :3] / 255
    return list(zip(texts, boxes, strict=True)), behind


def luminance(rgb):
    """Relative luminance of sRGB colours (..., 3) in 0..1, after WCAG 2.2."""
    rgb = np.asarray(rgb)[..., :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


def contrast(one, other):
    """Contrast ratio of two colours, or of one with many, after WCAG 2.2."""
    low, high = np.sort(np.broadcast_arrays(luminance(one), luminance(other)), axis=0)
    return (high + 0.05) / (low + 0.05)


def test_every_figure_has_a_case_and_a_docstring():
    assert set(cases()) == set(PLOTS)
    assert all(inspect.getdoc(getattr(helpers, name)) for name in [*PLOTS, "percent"])


@pytest.mark.parametrize(("name", "i"), CALLS)
def test_text_is_large_inside_apart_and_strong(name, i, monkeypatch):
    """Fails if a text is under 12 pt, cut off, over another one, or too faint for its ground."""
    texts, behind = texts_of(drawn(name, i)[1], monkeypatch)
    high, wide = behind.shape[:2]
    for n, (text, box) in enumerate(texts):
        said = text.get_text()
        assert text.get_fontsize() >= 12, said
        assert box.x0 >= 0 and box.x1 <= wide and box.y0 >= 0 and box.y1 <= high, f"{said!r} is cut"
        rows = slice(int(high - box.y1) + 3, int(high - box.y0) - 3)
        ground = behind[rows, int(box.x0) + 2 : int(box.x1) - 2]
        if not text.get_bbox_patch():
            assert np.quantile(contrast(to_rgba(text.get_color()), ground), 0.03) >= 4.5, said
        for other, its in texts[:n]:
            over = min(box.x1, its.x1) - max(box.x0, its.x0)
            down = min(box.y1, its.y1) - max(box.y0, its.y0)
            assert over <= 1 or down <= 6, f"{said!r} touches {other.get_text()!r}"


@pytest.mark.parametrize("name", PLOTS)
def test_lines_markers_and_bars_reach_three_to_one(name):
    """Fails if a mark is too pale for the white page."""
    fig = drawn(name, 0)[1]
    marks = [line for ax in fig.axes for line in ax.lines]
    colours = {line.get_color() for line in marks if line.get_linestyle() != "None"}
    colours |= {line.get_markerfacecolor() for line in marks if line.get_marker() != "None"}
    colours |= {bar.get_facecolor() for ax in fig.axes for bar in ax.patches if bar.get_fill()}
    for colour in {to_rgba(colour) for colour in colours} - {to_rgba("white"), to_rgba("none")}:
        assert contrast(colour, (1, 1, 1)) >= 3 or colour[3] == 0, colour


@pytest.mark.parametrize(("name", "i"), CALLS)
def test_picture_has_one_width_is_small_and_repeats(name, i):
    """Fails if a figure jumps in width, fills the screen, or a second run stores other bytes."""
    args, kwargs = cases()[name][i]
    picture = drawn(name, i)[0]
    assert picture.width == helpers.WIDTH and picture.height <= 600
    assert len(picture.data) < 60_000
    assert Image.open(io.BytesIO(picture.data)).info.keys() <= {"dpi", "transparency"}
    if i == 0:
        assert getattr(helpers, name)(*args, **kwargs).data == picture.data


@pytest.mark.parametrize("name", sorted(set(PLOTS) - {"loss_curve"}))
def test_description_and_caption_come_from_the_data(name):
    """Fails if the words stay when the data change."""
    one, other = (drawn(name, i)[0] for i in (0, 1))
    assert one.description != other.description
    assert one.caption != other.caption
    assert len(one.description) > 40 < len(other.description)


def test_numbers_of_a_description_are_those_of_the_data():
    """Three figures, read by hand from their data."""
    (X, A2, Y), _ = cases()["answers"][0]
    right = (A2.argmax(axis=0) == Y).sum()
    assert f"{right} of 12 are right" in drawn("answers", 0)[0].description
    [counts], _ = cases()["confusion_matrix"][0]
    said = drawn("confusion_matrix", 0)[0].description
    assert f"{np.trace(counts):,} of {counts.sum():,} are right" in said
    said = drawn("pixel_numbers", 0)[0].description
    inked = np.count_nonzero(cases()["pixel_numbers"][0][0][0])
    assert f"{inked} pixels have ink and {784 - inked} have none" in said


def test_bytes_and_floats_give_the_same_digit():
    digit = cases()["pixel_numbers"][0][0][0]
    as_floats = helpers.pixel_numbers((digit / 255).astype(np.float32), 5)
    assert as_floats.data == helpers.pixel_numbers(digit, 5).data


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (np.float32(1), "over 99 %"),
        (0.995, "over 99 %"),
        (0.984, "98 %"),
        (0.004, "under 1 %"),
        (0.0, "under 1 %"),
    ],
)
def test_no_probability_is_said_to_be_certain(p, words):
    assert helpers.percent(p) == words


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (
            lambda: helpers.digit_grid(np.zeros((5, 784)), np.zeros(5)),
            "If it is (m, 784), pass X.T",
        ),
        (
            lambda: helpers.answers(np.zeros((784, 3)), np.zeros((10, 4))),
            "A2 is for 4 examples, but X has 3 columns",
        ),
        (lambda: helpers.training_curves([]), "history is empty"),
    ],
)
def test_wrong_arguments_are_named_in_one_sentence(draw, words):
    with pytest.raises(ValueError) as error:
        draw()
    assert words in str(error.value) and "\n" not in str(error.value)


def test_a_picture_shows_itself_with_alt_text_and_then_its_caption(monkeypatch):
    shown = []
    monkeypatch.setattr(helpers, "display", lambda data, **more: shown.append((data, more)))
    picture = drawn("ladder", 0)[0]
    picture._ipython_display_()
    (data, more), (caption, _) = shown
    assert data["text/plain"] == picture.description == more["metadata"]["image/png"]["alt"]
    assert more["metadata"]["image/png"]["width"] == picture.width
    assert caption["text/plain"] == picture.caption
