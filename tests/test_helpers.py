"""The figures: readable text that stands apart, true descriptions, the same bytes each time."""

import inspect
import io
import os
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
# The tiny network: W1, b1, W2, b2, then X, Z1, A1, Z2, A2 and the loss
TINY = (
    [[[1, 1], [-1, 4]], [[0.5], [-0.5]], [[0.5, 0.4], [0.2, -0.6]], [[0], [0]]],
    [[[1], [0.5]], [[2], [0.5]], [[2], [0.5]], [[1.2], [0.1]], [[0.7503], [0.2497]], 1.387],
)


def history(loss=0.4, accuracy=0.89, rows=31, dev=True):
    """Rows whose loss and accuracy go evenly from a blind guess to these."""
    made = []
    for i, share in enumerate(np.linspace(0, 1, rows)):
        row = {"step": 10 * i, "train_loss": 2.3 + share * (loss - 2.3)}
        row["train_accuracy"] = 0.1 + share * (accuracy - 0.1)
        if dev:
            row |= {
                "dev_loss": row["train_loss"] + 0.1,
                "dev_accuracy": 0.98 * row["train_accuracy"],
            }
        made.append(row)
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
    few = np.flatnonzero(A2.argmax(axis=0) != Y)[2] + 1  # these examples hold three mistakes
    column, square = np.full((2, 1), -0.375), np.full((2, 2), -0.375)
    slopes = [column, square, column, column, column, square, column]  # dZ2, dW2, db2, dA1, ...
    values, gradients = np.linspace(-3, 3, 61), [rng.normal(size=s) for s in (24, 4, 40, 10)]
    names, noise = ["dW1", "db1", "dW2", "db2"], rng.normal(size=(100, 2))
    W1 = rng.normal(0, 0.1, (10, 784))
    overflow = [row | {"train_loss": np.nan} if row["step"] > 110 else row for row in history()]
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
        "way_back": [(TINY, {}), ((*TINY, slopes), {})],
        "gradient_match": [((gradients, gradients, names), {}),
                           ((gradients[:3] + [0 * gradients[3]], gradients, names), {})],
        "batch_clouds": [(((0, 1), {32: noise, 512: noise / 4}, ("dW2[7, 3]", "dW2[2, 5]")), {}),
                         (((0, 1), {32: noise / 9, 512: noise / 40}, ("a", "b")), {})],
        "training_curves": [((history(),), {}),
                            ((history(0.02, 0.99, 11),), {"unit": "epoch"}),
                            ((history(),), {"weights": (W1, 2 * W1)}),
                            ((history(dev=False)[:1],), {}),
                            ((history(np.nan)[:4],), {}),
                            (({"overflowing softmax": overflow, "right": history()},), {})],
        "answers": [((X[:, :12], A2[:, :12], Y[:12]), {}), ((X[:, :6], A2[:, :6]), {}),
                    ((X[:, :12], A2[:, :12]), {"rows": ["section 6", "section 8"]}),
                    ((X[:, :12], A2[:, :12], Y[:12]), {"title": "Chosen, the mistakes first"})],
        "hidden_unit": [((W[3], X, 2 * (W[3] @ X), Y), {}),
                        ((W[7], X, np.maximum(W[7] @ X - 30, 0), Y), {})],
        "confusion_matrix": [((counts,), {}), ((40 * counts,), {}), ((np.eye(10, dtype=int),), {})],
        "confident_mistakes": [((X, A2, Y), {}), ((X[:, :few], A2[:, :few], Y[:few]), {})],
        "ladder": [(([("full batch", 86.4, 2.1), ("more of both", 99.1, 0.6)],), {}),
                   (([(f"rung {i}", 90 + i, 1.5 - i / 7) for i in range(7)],), {})],
    }  # fmt: skip


CALLS = [(name, i) for name, calls in cases().items() for i in range(len(calls))]


@cache
def drawn(name, i):
    """(picture, its matplotlib figure as it is saved) of a case."""
    args, kwargs = cases()[name][i]
    with pytest.MonkeyPatch.context() as patch:
        make = helpers.Picture
        patch.setattr(helpers, "Picture", lambda fig, *words: (make(fig, *words), fig))
        return getattr(helpers, name)(*args, **kwargs)


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


def contrast(one, other):
    """Contrast ratio of two sRGB colours, or of one with many (..., 3) in 0..1, after WCAG 2.2."""
    one, other = np.broadcast_arrays(np.asarray(one)[..., :3], np.asarray(other)[..., :3])
    rgb = np.stack([one, other])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    low, high = np.sort(linear @ (0.2126, 0.7152, 0.0722), axis=0)
    return (high + 0.05) / (low + 0.05)


def test_every_figure_has_a_case_and_a_docstring():
    plots = {name for name, thing in vars(helpers).items() if hasattr(thing, "__wrapped__")}
    assert set(cases()) == plots
    assert all(inspect.getdoc(getattr(helpers, name)) for name in plots)


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


@pytest.mark.parametrize(("name", "i"), CALLS)
def test_picture_is_strong_has_one_width_is_small_and_repeats(name, i):
    """Fails if a mark is too pale for the white page, a figure jumps in width or fills the screen,
    or a second run stores other bytes."""
    picture, fig = drawn(name, i)
    marks = [line for ax in fig.axes for line in ax.lines]
    colours = {line.get_color() for line in marks if line.get_linestyle() != "None"}
    colours |= {line.get_markerfacecolor() for line in marks if line.get_marker() != "None"}
    colours |= {bar.get_facecolor() for ax in fig.axes for bar in ax.patches if bar.get_fill()}
    for colour in {to_rgba(colour) for colour in colours} - {to_rgba("white"), to_rgba("none")}:
        assert contrast(colour, (1, 1, 1)) >= 3 or colour[3] == 0, colour
    assert picture.width == helpers.WIDTH and picture.height <= 600
    assert len(picture.data) < 60_000
    assert Image.open(io.BytesIO(picture.data)).info.keys() <= {"dpi", "transparency"}
    args, kwargs = cases()[name][i]
    assert i or getattr(helpers, name)(*args, **kwargs).data == picture.data
    if "FIGURES" in os.environ:  # to look at them
        Path(os.environ["FIGURES"], f"{name}-{i}.png").write_bytes(picture.data)


@pytest.mark.parametrize("name", sorted(cases().keys() - {"loss_curve"}))
def test_description_and_caption_come_from_the_data(name):
    """Fails if the words stay when the data change."""
    one, other = (drawn(name, i)[0] for i in (0, 1))
    assert one.description != other.description
    assert one.caption != other.caption
    assert len(one.description) > 40 < len(other.description)


def test_numbers_of_a_description_are_those_of_the_data():
    """Four figures, read by hand from their data."""
    (X, A2, Y), _ = cases()["answers"][0]
    right = (A2.argmax(axis=0) == Y).sum()
    assert f"{right} of 12 right." in drawn("answers", 0)[0].description
    [counts], _ = cases()["confusion_matrix"][0]
    said = drawn("confusion_matrix", 0)[0].description
    assert f"{np.trace(counts):,} of {counts.sum():,} right" in said
    inked = np.count_nonzero(cases()["pixel_numbers"][0][0][0])
    assert f"{inked} of them are not 0" in drawn("pixel_numbers", 0)[0].description
    said = drawn("training_curves", 5)[0].description
    assert "overflowing softmax, train: the loss is no number from step 120 on" in said
    assert "overflowing softmax, train: loss no number" in said.partition("At the end")[2]
    assert "right, train: loss 0.40, 89.0 %" in said.partition("At the end")[2]


def test_without_a_mistake_there_is_no_picture_of_mistakes():
    (X, _, Y), _ = cases()["confident_mistakes"][0]
    assert helpers.confident_mistakes(X, np.eye(10)[Y].T, Y) is None


def test_bytes_and_floats_give_the_same_digit():
    digit = cases()["pixel_numbers"][0][0][0]
    as_floats = helpers.pixel_numbers((digit / 255).astype(np.float32), 5)
    assert as_floats.data == helpers.pixel_numbers(digit, 5).data


def test_no_probability_is_said_to_be_certain():
    said = [helpers.percent(p) for p in (np.float32(1), 0.995, 0.984, 0.004, 0.0)]
    assert said == ["over 99 %", "over 99 %", "98 %", "under 1 %", "under 1 %"]


@pytest.mark.parametrize(
    ("name", "args", "words"),
    [
        ("digit_grid", (np.zeros((5, 784)), np.zeros(5)), "If it is (m, 784), pass X.T"),
        ("answers", (np.zeros((784, 3)), np.zeros((10, 4))), "A2 is for 4 examples, but X has 3"),
        ("training_curves", ([],), "history is empty"),
        ("training_curves", ({"naive": [], "right": []},), "history is empty"),
    ],
)
def test_wrong_arguments_are_named_in_one_sentence(name, args, words):
    with pytest.raises(ValueError) as error:
        getattr(helpers, name)(*args)
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
