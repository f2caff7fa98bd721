"""`watch`: a training run as a picture that grows, while the run goes on.

The picture is an SVG of two small charts, written here in a millisecond and sent to the notebook
as an update of one display. It needs no JavaScript and leaves no widget state in a saved file.
When the run ends, the matplotlib picture of the same history takes its place.
"""

import base64
import functools
import inspect
import io
import math
import time

import matplotlib
import numpy as np
from IPython import get_ipython
from IPython.display import display
from IPython.utils.capture import capture_output
from matplotlib.ticker import MaxNLocator
from PIL import Image

import helpers

PERIOD = 0.25  # seconds between two redraws, at least
SHARE = 0.05  # of the run's time that redraws may take, at most
BLUE, ORANGE, TEXT, SOFT, GRID = "#0072B2", "#D55E00", "#222", "#595959", "#ddd"  # as in helpers
UNITS = 10  # hidden units whose weights are shown
COLOURS = matplotlib.colormaps["cividis"](np.linspace(0, 1, 255), bytes=True)[:, :3]
PALETTE = COLOURS.tobytes() + b"\xff\xff\xff"  # weights, then the white between two units


def watch(trainer, *args, weights=False, **kwargs):
    """Run trainer(*args, history=history, **kwargs) and show the history as it grows.

    trainer: the notebook's gradient_descent or train, or any function that appends rows to the
        list `history`, as the notebook's `record` does, and returns the parameters.
    weights: also show the weights of the first ten hidden units, W1 (n, 784), at the start and now.
    Returns (params, history): what the trainer returned, and a list of its rows. If you stop the
    run, or its loss is not a number (FloatingPointError), a sentence says so, and params are those
    of the last row. Any other error of the trainer comes through, below the picture so far.
    TypeError, with a sentence, when `trainer` is not a function or cannot take a history.
    """
    if not callable(trainer):
        raise TypeError(
            "watch needs your training function first, without brackets after its name: "
            "watch(gradient_descent, X, Y, ...)."
        )
    history = _History(*_length(trainer, args, kwargs), weights)
    said = ""
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # record says it in a sentence
            params = trainer(*args, history=history, **kwargs)
    except (KeyboardInterrupt, FloatingPointError) as error:
        if not history:
            raise
        params = history[-1].get("params")
        said = str(error)
        if isinstance(error, KeyboardInterrupt):
            said = (
                f"You stopped the run: it returns the network of {history.place()}, and with "
                "params=params another run goes on from there."
            )
    finally:
        try:
            history.end()
        except KeyboardInterrupt:  # the stop button was pressed twice
            history.end()
        if said:
            print(said)
    return params, list(history)


def _length(trainer, args, kwargs):
    """What the trainer counts, "step" or "epoch", and how many it will make; None: unknown."""
    if "history" in kwargs:
        raise TypeError("watch makes the history itself and returns it: leave history= out.")
    try:
        given = inspect.signature(trainer).bind(*args, history=None, **kwargs).arguments
    except TypeError as error:
        name = getattr(trainer, "__name__", "The trainer")
        raise TypeError(f"{name} cannot be called so: {error}.") from None
    given = given | kwargs  # also those that the trainer takes as **kwargs
    if "alphas" in given:
        alphas = given["alphas"]
        return "epoch", len(alphas) if hasattr(alphas, "__len__") else None
    total = given.get("iterations", args[3] if len(args) > 3 else None)
    return "step", int(total) if isinstance(total, int | np.integer) else None


class _History(list):
    """The rows of a run, and one display of them: a picture that grows, then the one that stays."""

    def __init__(self, unit, total, weights):
        super().__init__()
        self._unit, self._total, self._weights = unit, total, weights
        self._shell = get_ipython()
        # A terminal cannot redraw: there only the last picture is shown
        self._live = getattr(self._shell, "kernel", None) is not None
        self._size = _size(weights) if self._live else None
        self._handle, self._began, self._next = None, None, 0

    def append(self, row):
        """Add a row and redraw, if that is due and the run can afford it."""
        super().append(row)
        now = time.perf_counter()
        self._began = self._began or now
        if not self._live or now < self._next:
            return
        try:
            html, text = self._page(now - self._began)
        except (TypeError, ValueError, KeyError, AttributeError):  # an odd row never stops a run
            return
        self._send({"text/html": html, "text/plain": text})
        cost = time.perf_counter() - now
        self._next = now + max(PERIOD, cost / SHARE)

    def place(self):
        """Where the run is, in words: "step 120 of 500"."""
        of = f" of {self._total:,}" if self._total else ""
        return f"{self._unit} {self[-1].get('step', len(self) - 1):,}{of}"

    def end(self):
        """Put the picture that stays in the place of the growing one, then its caption."""
        if self._shell is None or not self:
            return
        try:
            weights = [row["params"][0] for row in (self[0], self[-1])] if self._weights else None
            picture = helpers.training_curves(list(self), self._unit, weights=weights)
        except (TypeError, ValueError, KeyError) as error:  # the run itself is not lost
            print(f"No picture of this run: {type(error).__name__}: {error}")
            return
        with capture_output(stdout=False, stderr=False) as captured:
            display(picture)
        shown, *rest = captured.outputs  # the picture, then its caption
        self._send(shown.data, shown.metadata)
        for output in rest:
            output.display()

    def _send(self, data, metadata=None):
        if self._handle is None:
            self._handle = display(data, metadata=metadata, raw=True, display_id=True)
        else:
            self._handle.update(data, metadata=metadata, raw=True)

    def _page(self, seconds):
        """The growing picture as HTML with one SVG, and what it shows in words."""
        width, height = self._size
        step = self[-1]["step"]
        share = min(step / self._total, 1) if self._total else None
        place = self.place()
        left = _left(seconds * (1 - share) / share) if share else ""
        below = 200 if self._weights else 0
        half = width / 2
        top = max(self._total or 0, step, 1)
        charts = [
            _chart(self, what, x, 78, half - 84, height - below - 128, top, self._unit)
            for what, x in (("loss", 62), ("accuracy", half + 62))
        ]
        parts = [_text(16, 28, place, weight=600), _text(width - 16, 28, left, anchor="end")]
        if share is not None:
            parts.append(
                f'<rect x="210" y="15" width="{width - 400}" height="16" rx="4" fill="{GRID}"/>'
                f'<rect x="210" y="15" width="{(width - 400) * share:.1f}" height="16" rx="4" '
                f'fill="{BLUE}"/>'
            )
        parts += [svg for svg, _ in charts]
        if self._weights:
            rows = {"start": self[0]["params"][0], "now": self[-1]["params"][0]}
            limit = max(float(np.abs(W1[:UNITS]).max()) for W1 in rows.values())
            for y, (name, W1) in zip((height - 190, height - 96), rows.items(), strict=True):
                parts.append(_text(16, y + 12, f"W1, {name}", size=14))
                parts.append(
                    f'<image x="16" y="{y + 18}" width="{width - 32}" height="72" '
                    f'href="{_weights(W1[:UNITS], limit)}" decoding="sync" '
                    'preserveAspectRatio="xMinYMin" style="image-rendering:pixelated"/>'
                )
        words = f"{place}{', ' * bool(left)}{left}. {'; '.join(said for _, said in charts)}."
        html = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            f'aria-label="Training, still running. {words}" font-family="sans-serif" '
            f'style="display:block;width:100%;max-width:{width}px;aspect-ratio:{width}/{height};'
            f'margin:0!important;background:#fff">{"".join(parts)}</svg>'
        )
        return html, f"Training, still running: {words}"


@functools.cache
def _size(weights):
    """Width and height in CSS px of the picture that stays, so that nothing jumps at the end."""
    row = {"step": 1, "train_loss": 1.0, "train_accuracy": 0.5, "dev_loss": 1, "dev_accuracy": 0.5}
    W1 = np.eye(UNITS, 784)
    picture = helpers.training_curves([row], "step", weights=(W1, W1) if weights else None)
    return picture.width, picture.height


def _left(seconds):
    """A time as a person says it."""
    if seconds < 100:
        return f"about {max(math.ceil(seconds), 1)} s left"
    return f"about {seconds / 60:.0f} min left"


def _text(x, y, text, size=16, anchor="start", weight=400, fill=TEXT):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
        f'font-weight="{weight}" fill="{fill}">{text}</text>'
    )


def _chart(history, what, x0, y0, width, height, last, unit):
    """One chart of the SVG, "loss" or "accuracy", and its newest values in words."""
    scale = 1 if what == "loss" else 100
    lines, newest = {}, {}
    for part in ("train", "dev"):
        values = [(row["step"], row.get(f"{part}_{what}")) for row in history]
        values = [(step, scale * float(v)) for step, v in values if v is not None]
        if values:
            value = values[-1][1]
            digits = ".3g" if value >= 100 else ".3f"  # a loss that explodes
            newest[part] = format(value, digits) if what == "loss" else f"{value:.1f} %"
        lines[part] = [(step, v) for step, v in values if math.isfinite(v)]
    top = 100.0 if what == "accuracy" else max([v for s in lines.values() for _, v in s] + [0.1])
    ticks = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(0, top)
    top = ticks[-1]
    parts = [_text(x0, y0 - 16, what, weight=600)]
    for tick in ticks:
        y = y0 + height * (1 - tick / top)
        parts.append(f'<path d="M{x0} {y:.1f}h{width}" stroke="{GRID}"/>')
        parts.append(_text(x0 - 8, y + 5, f"{tick:g}", 14, "end", fill=SOFT))
    parts.append(_text(x0, y0 + height + 20, "0", 14, "middle", fill=SOFT))
    parts.append(_text(x0 + width, y0 + height + 20, f"{last:,}", 14, "end", fill=SOFT))
    parts.append(_text(x0 + width / 2, y0 + height + 20, unit, 14, "middle", fill=SOFT))
    for i, (part, points) in enumerate(lines.items()):
        if part in newest:
            x = x0 + width - 236 + 122 * i  # the key, with the newest value
            parts.append(_line(part, [(x, y0 - 21), (x + 19, y0 - 21)]))
            parts.append(_text(x + 29, y0 - 16, f"{part} {newest[part]}", size=15))
        stride = -(-len(points) // 200)  # a chart has no room for more
        places = [
            (x0 + width * step / last, y0 + height * (1 - v / top))
            for step, v in points[: -1 : stride or 1] + points[-1:]
        ]
        if places:
            parts.append(_line(part, places))
    said = (f"{part} {value}" for part, value in newest.items())
    return "".join(parts), f"{what}: {', '.join(said)}"


def _line(part, places):
    """A line through places (x, y) with a mark at its end; of train or of dev."""
    d = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    x, y = places[-1]
    line = f'<path d="M{d}" fill="none" stroke-width="2.5" '
    if part == "train":
        return f'{line}stroke="{BLUE}"/><circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{BLUE}"/>'
    return (
        f'{line}stroke="{ORANGE}" stroke-dasharray="7 5"/>'
        f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" fill="#fff" '
        f'stroke="{ORANGE}" stroke-width="2.5"/>'
    )


def _weights(W1, limit):
    """Weights (n, 784) side by side as a PNG in a data address: 0 is mid-way, limit the ends."""
    n = len(W1)
    squares = np.zeros((28, n, 30))  # a frame of two pixels between two units
    squares[:, :, :28] = W1.reshape(n, 28, 28).transpose(1, 0, 2) / (limit or 1)
    levels = np.nan_to_num(127 * squares.clip(-1, 1) + 127).round().astype(np.uint8)
    levels[:, :, 28:] = 255
    image = Image.fromarray(levels.reshape(28, -1)[:, :-2])
    image.putpalette(PALETTE)
    file = io.BytesIO()
    image.save(file, format="PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
