"""A pad to draw digits on: a network reads them live, or the pad asks for them and keeps them.

pad = DrawPad(predict)   # predict(picture (784, 1) float32 in 0..1) -> ten probabilities
pad                      # the last line of a cell shows it
pad.picture              # what was drawn last, as predict was given it

own = DrawPad(ask=2)     # asks for each digit twice
own.X, own.Y             # what was drawn so far, and the digits asked for
"""

import base64
import inspect
import io
import itertools
import pathlib
import traceback

import anywidget
import matplotlib.style
import numpy as np
import pandas as pd
import traitlets
from matplotlib.figure import Figure

from helpers import percent

from .drawings import SHAPES, place
from .picture import picture_from_strokes, rasterise

HERE = pathlib.Path(__file__).parent
EMPTY = "Draw a digit from 0 to 9."
SURE = 0.6  # below this probability the pad does not name one digit
SAMPLE = 3  # the digit on the still picture


def sentence(probabilities):
    """One sentence for ten probabilities: the digit, or the likeliest two when none has 60 %."""
    second, first = np.argsort(probabilities, kind="stable")[-2:]
    if probabilities[first] < SURE:
        return f"{first} or {second}? It cannot tell."
    return f"It reads {_a(first)} ({percent(probabilities[first])})."


def _probabilities(predict, picture):
    """predict's ten probabilities, a list. ValueError, with a sentence, for anything else."""
    try:
        with np.errstate(all="ignore"):  # what goes wrong is said in the pad, not on stderr
            answer = predict(picture.copy())
    except (Exception, KeyboardInterrupt) as error:
        # The deepest line that is the learner's: it stands where predict does, in the notebook
        home = getattr(inspect.unwrap(predict), "__globals__", None)
        frames = traceback.walk_tb(error.__traceback__)
        steps = zip(frames, traceback.extract_tb(error.__traceback__), strict=True)
        lines = [line for (frame, _), line in steps if frame.f_globals is home and line.line]
        where = f' at the line "{lines[-1].line}" of {lines[-1].name}' if lines else ""
        what = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(": ")
        raise ValueError(f"Your code stopped{where}. {what}") from None
    if problem := _problem(answer):
        raise ValueError(f"Your predict {problem} {_look_at(predict)}")
    return np.asarray(answer, dtype=float).ravel().tolist()


def _problem(answer):
    """What is wrong with an answer of predict, as the end of a sentence; None if nothing is."""
    if answer is None:
        return "gave nothing back: it needs a return."
    try:
        p = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return f"must give ten numbers back; it gave {_a(type(answer).__name__)}."
    if p.shape not in [(10,), (10, 1)]:
        return f"must give ten probabilities back, shape (10, 1); it gave the shape {p.shape}."
    if np.isnan(p).any():
        return "gave NaN back (not a number): look for NaN in the parameters."
    if p.min() < 0 or not abs(p.sum() - 1) <= 1e-3:
        why = "one is negative" if p.min() < 0 else f"they sum to {p.sum():.3g}, not to 1"
        return f"gave no probabilities back: {why}. Is softmax its last step?"
    return None


def _look_at(predict):
    """A sentence that points at the line of predict that gives its answer."""
    try:
        code = inspect.getsource(predict).splitlines()
        line = next(line for line in reversed(code) if "return" in line or "lambda" in line)
        return f'Look at the line "{line.strip()}" of your predict.'
    except (OSError, TypeError, StopIteration):
        return "Look at your predict."


class DrawPad(anywidget.AnyWidget):
    """A pad to draw digits on.

    DrawPad(predict) shows what `predict` answers as you draw. predict: function of a picture
    (784, 1) float32 in 0..1 that returns ten probabilities, shape (10, 1) or (10,). When it fails,
    the pad says so in a sentence, and goes on.
    DrawPad(ask=2) asks for each digit twice, in an order shuffled by `seed`, and answers nothing.
    TypeError, with a sentence, when `predict` is not a function, or neither or both are given.
    """

    _esm = HERE / "pad.js"
    _css = HERE / "pad.css"
    # Who writes what, see pad.js
    ask = traitlets.List().tag(sync=True)
    strokes = traitlets.List().tag(sync=True)
    finished = traitlets.List().tag(sync=True)
    stopped = traitlets.Bool(False).tag(sync=True)
    saves = traitlets.Int(0).tag(sync=True)
    number = traitlets.Int(0).tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)

    def __init__(self, predict=None, ask=0, seed=0):
        if not ask and not callable(predict):
            raise TypeError(
                "DrawPad needs your function: DrawPad(predict), without brackets after predict."
            )
        if ask and predict is not None:
            raise TypeError("DrawPad(predict) reads, DrawPad(ask=2) asks: give it one of the two.")
        self._predict, self._saved = predict, 0
        digits = np.random.default_rng(seed).permutation(np.repeat(np.arange(10), ask))
        super().__init__(ask=digits.tolist(), answer=self._read([]))

    @property
    def picture(self):
        """What was drawn last, as `predict` was given it: (784, 1) float32 in 0..1.

        LookupError, with a sentence, when nothing was drawn yet.
        """
        if not self.drawings.size:
            raise LookupError("Nothing is drawn yet. Draw a digit on the pad, and run this again.")
        return self.drawings[:, -1:]

    @property
    def drawings(self):
        """All drawings in their order, as `predict` was given them: (784, n) float32 in 0..1.

        Each that ended with Clear or Next, and the one on the paper. n is 0 when nobody drew.
        """
        drawings = [*(drawing["strokes"] for drawing in self.finished), self.strokes]
        return _pictures([strokes for strokes in drawings if strokes])

    @property
    def X(self):
        """The drawings that were asked for and ended with Next: (784, m) float32 in 0..1."""
        return _pictures([drawing["strokes"] for drawing in self._asked()])

    @property
    def Y(self):
        """The digits that were asked for, one for each column of X: (m,) uint8."""
        return np.array([drawing["label"] for drawing in self._asked()], np.uint8)

    def _asked(self):
        return [d for d in self.finished if d["strokes"] and d["label"] is not None]

    def save(self, folder="my_digits"):
        """Write X and Y to a new CSV file in the layout of data/: label, pixel0 to pixel783.

        Returns its path, digits-1.csv in `folder`, or the next number that is free: no file is
        ever written over. LookupError, with a sentence, when no digit that was asked for is drawn.
        """
        if not self.Y.size:
            raise LookupError("There is nothing to save yet: draw what the pad asks for first.")
        table = pd.DataFrame(np.rint(255 * self.X.T).astype(np.uint8)).add_prefix("pixel")
        table.insert(0, "label", self.Y)
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        paths = (folder / f"digits-{number}.csv" for number in itertools.count(1))
        path = next(path for path in paths if not path.exists())
        table.to_csv(path, index=False, lineterminator="\n")
        return path

    def _read(self, strokes):
        """The answer to some strokes, ready to be sent; probabilities is None if there is none."""
        picture, p, text, failed = np.zeros((784, 1), np.float32), None, EMPTY, False
        try:
            picture = picture_from_strokes(strokes)
            if picture.any() and self._predict:
                p = _probabilities(self._predict, picture)
                text = sentence(p)
        except ValueError as error:
            text, failed = str(error), True
        return {
            "number": 0,
            "sentence": text,
            "note": "",
            "failed": failed,
            "probabilities": p,
            "percents": [percent(x) for x in p or []],
            "picture": np.rint(255 * picture.ravel()).astype(int).tolist(),
        }

    @traitlets.observe("number")
    def _respond(self, change):
        note = ""
        if self.saves > self._saved:
            self._saved = self.saves
            try:
                note = f"Saved as {self.save().as_posix()}."
            except (LookupError, ValueError) as error:
                note = str(error)
            except OSError as error:
                note = f"Not saved: my_digits cannot be written ({error.strerror})."
        self.answer = self._read(self.strokes) | {"number": self.number, "note": note}

    def __repr__(self):
        if self.ask:
            return (
                "A pad that asks for digits and keeps what you draw. Run this cell to use it. The "
                "still picture shows its first question and a digit drawn by this project."
            )
        return (
            "A pad to draw a digit on; your network answers as you draw. Run this cell to use it. "
            "The still picture shows a drawn digit and its answer."
        )

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        png, alt = self.still()
        data = {**data, "text/plain": repr(self), "image/png": base64.b64encode(png).decode()}
        return data, {"image/png": {"alt": alt}}

    def still(self):
        """Picture of the pad with a drawn digit, and its description: (PNG bytes, str).

        It is what a saved notebook shows; the bytes depend only on predict and on matplotlib.
        """
        digit = self.ask[0] if self.ask else SAMPLE
        strokes = place(SHAPES[digit][0])
        answer = self._read(strokes)
        said = f"Draw {_a(digit)}." if self.ask else answer["sentence"]
        pixels = np.reshape(answer["picture"], (28, 28))
        with matplotlib.style.context("default", after_reset=True):
            figure = Figure(figsize=(9, 3.9), dpi=100, facecolor="white")  # inches, as below
            size = 12 if answer["failed"] else 18
            figure.text(0.3 / 9, 0.97, said, va="top", wrap=True, fontsize=size)
            pictures = [
                ("You draw", 0.3, 1 - rasterise(strokes, size=560), 1),
                ("The network sees", 3.25, 255 - pixels, 255),
            ]
            for title, x, picture, white in pictures:
                ax = figure.add_axes((x / 9, 0.25 / 3.9, 2.6 / 9, 2.6 / 3.9), xticks=[], yticks=[])
                ax.set_title(title, loc="left", fontsize=14)
                ax.imshow(picture, cmap="gray", vmin=0, vmax=white)
            if not self.ask:
                ax = figure.add_axes((6.35 / 9, 0.25 / 3.9, 1.55 / 9, 2.6 / 3.9), xticks=[])
                ax.set_title("It answers", loc="left", fontsize=14)
                bars = ax.barh(range(10), answer["probabilities"] or [0] * 10, color="#0072B2")
                ax.bar_label(bars, answer["percents"] or [""] * 10, padding=6, fontsize=13)
                ax.set(xlim=(0, 1), ylim=(9.5, -0.5))
                ax.set_yticks(range(10), range(10), fontsize=13)
                ax.tick_params(length=0)
                ax.spines[["top", "right", "bottom"]].set_visible(False)
            png = io.BytesIO()
            figure.savefig(png, format="png", metadata={"Software": None})
        alt = (
            f"The drawing pad. Left, a drawn {digit}; middle, the 28 x 28 picture that the network "
            "sees"
        )
        if not self.ask:
            bars = ", ".join(f"{d}: {text}" for d, text in enumerate(answer["percents"]))
            alt += f"; right, a bar for each digit's probability: {bars or 'none'}"
        return png.getvalue(), f"{alt}. {said}"


def _pictures(drawings):
    """Pictures (784, n) float32 in 0..1 of n drawings, lists of strokes."""
    pictures = [picture_from_strokes(strokes) for strokes in drawings]
    return np.hstack([np.zeros((784, 0), np.float32), *pictures])


def _a(word):
    return f"{'an' if str(word)[0] in '8aeiou' else 'a'} {word}"
