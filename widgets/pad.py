"""A pad to draw digits on, read live by your own network, and the preparation that it needs.

from widgets import DrawPad
pad = DrawPad(predict)    # predict(picture (784, 1) float32 in 0..1) -> ten probabilities
pad                       # the last line of a cell shows it
pad.picture               # after "Save this drawing": the picture that predict was given
"""

import base64
import inspect
import io
import pathlib
import traceback

import anywidget
import matplotlib.style
import numpy as np
import traitlets
from matplotlib.figure import Figure

from helpers import percent

from .drawings import SHAPES, drawn_digits, place
from .picture import (
    picture_from_strokes,
    picture_from_text,
    prepare,
    rasterise,
)

__all__ = [
    "DrawPad",
    "drawn_digits",
    "picture_from_strokes",
    "picture_from_text",
    "prepare",
    "rasterise",
    "sentence",
]

HERE = pathlib.Path(__file__).parent
EMPTY = "Draw a digit from 0 to 9."
SURE = 0.6  # below this probability the pad does not name one digit
SAMPLE = 3  # the digit on the still picture


def sentence(probabilities):
    """One sentence for ten probabilities: the digit, or the likeliest two when none has 60 %."""
    second, first = np.argsort(probabilities, kind="stable")[-2:]
    if probabilities[first] < SURE:
        return f"{first} or {second}? It cannot tell."
    return f"It reads {'an' if first == 8 else 'a'} {first} ({percent(probabilities[first])})."


class _Failed(Exception):
    """The learner's predict failed; the message is the sentence for the pad."""


def _probabilities(predict, picture):
    """predict's ten probabilities, float64 (10,). _Failed, with a sentence, for anything else."""
    try:
        with np.errstate(all="ignore"):  # what goes wrong is said in the pad, not on stderr
            answer = predict(picture.copy())
    except (Exception, KeyboardInterrupt) as error:
        # The deepest line that is the learner's: it stands where predict does, in the notebook
        home = getattr(inspect.unwrap(predict), "__globals__", None)
        frames = [frame.f_globals is home for frame, _ in traceback.walk_tb(error.__traceback__)]
        lines = [
            line
            for line, theirs in zip(traceback.extract_tb(error.__traceback__), frames, strict=True)
            if theirs and line.line
        ]
        where = f' at the line "{lines[-1].line}" of {lines[-1].name}' if lines else ""
        what = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(": ")
        raise _Failed(f"Your code stopped{where}. {what}") from None

    def wrong(problem):
        try:
            code = [line.strip() for line in inspect.getsourcelines(predict)[0]]
            line = next(line for line in reversed(code) if "return" in line or "lambda" in line)
            return _Failed(f'{problem} Look at the line "{line}" of your predict.')
        except (OSError, TypeError, StopIteration):
            return _Failed(f"{problem} Look at your predict.")

    if answer is None:
        raise wrong("Your predict gave nothing back: it needs a return.")
    try:
        p = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        raise wrong(
            "Your predict must give ten numbers back; it gave "
            f"{'an' if type(answer).__name__[0] in 'aeiou' else 'a'} "
            f"{type(answer).__name__}."
        ) from None
    if p.shape not in [(10,), (10, 1)]:
        raise wrong(
            "Your predict must give ten probabilities back, shape (10, 1); "
            f"it gave the shape {p.shape}."
        )
    p = p.ravel()
    if np.isnan(p).any():
        raise wrong("Your predict gave NaN back (not a number): look for NaN in the parameters.")
    if p.min() < 0 or not abs(p.sum() - 1) <= 1e-3:
        problem = "one is negative" if p.min() < 0 else f"they sum to {p.sum():.3g}, not to 1"
        raise wrong(
            f"Your predict gave no probabilities back: {problem}. Is softmax its last step?"
        )
    return p


class DrawPad(anywidget.AnyWidget):
    """A pad to draw a digit on; `predict` answers as you draw.

    predict: function of a picture (784, 1) float32 in 0..1 that returns ten probabilities,
    shape (10, 1) or (10,). When it fails, the pad says so in a sentence, and goes on.
    TypeError when `predict` is not a function.
    """

    _esm = HERE / "pad.js"
    _css = HERE / "pad.css"
    # The browser writes `request`: {number, strokes, save: strokes or None}. Python writes `answer`
    # with the same number. For a second only one request is under way; see pad.js.
    request = traitlets.Dict({"number": 0, "strokes": [], "save": None}).tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)

    def __init__(self, predict):
        if not callable(predict):
            raise TypeError(
                "DrawPad needs your function: DrawPad(predict), without brackets after predict."
            )
        self._predict, self._picture = predict, None
        super().__init__(answer=self._read([]))

    @property
    def picture(self):
        """The saved drawing as `predict` was given it: (784, 1) float32 in 0..1, a copy.

        LookupError, with a sentence, before a drawing is saved.
        """
        if self._picture is None:
            raise LookupError(
                'No drawing is saved yet. Draw a digit on the pad, press "Save this '
                'drawing", and run this cell again.'
            )
        return self._picture.copy()

    def _read(self, strokes):
        """The answer to some strokes, ready to be sent; probabilities is None if there is none."""
        picture, probabilities, failed = np.zeros((784, 1), np.float32), None, False
        try:
            picture = picture_from_strokes(strokes)
            if picture.any():
                probabilities = _probabilities(self._predict, picture)
            text = EMPTY if probabilities is None else sentence(probabilities)
        except (_Failed, ValueError) as error:
            text, failed = str(error), True
        return {
            "number": 0,
            "sentence": text,
            "failed": failed,
            "probabilities": None if probabilities is None else probabilities.tolist(),
            "picture": (picture.ravel() * 255).round().astype(int).tolist(),
        }

    @traitlets.observe("request")
    def _respond(self, change):
        request = change["new"]
        self.answer = self._read(request.get("strokes") or []) | {
            "number": request.get("number", 0),
            "note": self._save(request.get("save")),
        }

    def _save(self, strokes):
        """Keep the picture of some strokes; what to tell the learner. None: nothing was asked."""
        if strokes is None:
            return ""
        try:
            picture = picture_from_strokes(strokes)
        except ValueError as error:
            return str(error)
        if not picture.any():
            return "Nothing to save yet: draw a digit first."
        self._picture = picture
        return "Saved: the next cells find it as pad.picture."

    def __repr__(self):
        return (
            "A pad to draw a digit on; your network answers as you draw. Run this cell to use "
            "it. The still picture shows a drawn digit and its answer."
        )

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        png, alt = self.still()
        data = {**data, "text/plain": repr(self), "image/png": base64.b64encode(png).decode()}
        return data, {"image/png": {"alt": alt}}

    def still(self):
        """Picture of the pad with a drawn 3 and its answer, and its description: (PNG bytes, str).

        It is what a saved notebook shows; the bytes depend only on predict and on matplotlib.
        """
        strokes = place(SHAPES[SAMPLE][0])
        answer = self._read(strokes)
        p = answer["probabilities"] or [0] * 10
        pixels = np.reshape(answer["picture"], (28, 28))
        with matplotlib.style.context("default", after_reset=True):
            figure = Figure(figsize=(9, 3.9), dpi=100, facecolor="white")  # inches, as below
            figure.text(
                0.3 / 9,
                0.97,
                answer["sentence"],
                va="top",
                wrap=True,
                fontsize=12 if answer["failed"] else 18,
            )
            titles = "You draw", "The network sees", "It answers"
            places = (0.3, 2.6), (3.25, 2.6), (6.35, 1.55)
            left, middle, right = (
                figure.add_axes((x / 9, 0.25 / 3.9, width / 9, 2.6 / 3.9), xticks=[], yticks=[])
                for x, width in places
            )
            for ax, title in zip((left, middle, right), titles, strict=True):
                ax.set_title(title, loc="left", fontsize=14)
            left.imshow(1 - rasterise(strokes, size=560), cmap="gray", vmin=0, vmax=1)
            middle.imshow(pixels, cmap="gray", vmin=0, vmax=255)
            bars = right.barh(range(10), p, color="#0072B2", height=0.7)
            right.bar_label(bars, [percent(x) for x in p], padding=6, fontsize=13)
            right.set(xlim=(0, 1), ylim=(9.5, -0.5))
            right.set_yticks(range(10), range(10), fontsize=13)
            right.tick_params(length=0)
            right.spines[["top", "right", "bottom"]].set_visible(False)
            png = io.BytesIO()
            figure.savefig(png, format="png", metadata={"Software": None})
        alt = (
            f"The drawing pad. Left, a drawn {SAMPLE}; middle, the 28 x 28 picture that "
            f"the network sees; right, a bar for each digit's probability: "
            + ", ".join(f"{digit}: {percent(x)}" for digit, x in enumerate(p))
            + f". {answer['sentence']}"
        )
        return png.getvalue(), alt
