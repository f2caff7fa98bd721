"""Pictures for the notebook: plots and nothing else.

Each function takes plain arrays and returns a `Picture`. Left as the last line of a cell, it shows
itself with a caption and with a description for people who cannot see it; both are computed from
the data. `progress` is the one exception: it prints the live line of a long cell.

Conventions: X is (784, m), one example per column, uint8 0..255 or float 0..1; Y is (m,), the
labels 0..9; A2 is (10, m), probabilities. Positions on a page are in dots, DPI of them to the inch.
"""

import base64
import functools
import io
import re

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from PIL import Image

DPI = 144  # stored dots per inch; browsers count 96 CSS px to the inch, so 12 pt text is 16 px there
WIDTH = 1224  # dots: 8.5 inches, 816 CSS px
# Each colour has at least 3:1 contrast on white; those used for text (black, GREY, BLUE) 4.5:1.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
GREY, LINE = "#636363", "#8A8A8A"
LOOKS = [(BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (PINK, "D")]  # told apart by marker, not by colour
HEAT = LinearSegmentedColormap.from_list("heat", ["white", ORANGE])  # black text stays readable on it
STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelsize": 12,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
    "axes.axisbelow": True,
    "lines.linewidth": 2,
    "lines.markersize": 8,
    "hatch.linewidth": 2,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.unicode_minus": False,
    "path.simplify": True,
}


class Picture:
    """A finished figure. png: bytes; description, caption: str; width, height: CSS px."""

    def __init__(self, png, description, caption):
        self.png, self.description, self.caption = png, description, caption
        dots = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")  # PNG header
        self.width, self.height = (round(n * 96 / DPI) for n in dots)

    def __repr__(self):
        return self.description

    def _ipython_display_(self):
        from IPython.display import display

        data = {"image/png": base64.b64encode(self.png).decode(), "text/plain": self.description}
        shape = {"alt": self.description, "width": self.width, "height": self.height}
        display(data, raw=True, metadata={"image/png": shape})
        safe = re.sub(r"([\\`*_$<\[])", r"\\\1", self.caption)
        display({"text/markdown": f"*{safe}*", "text/plain": self.caption}, raw=True)


def _png(fig):
    """Figure -> PNG bytes with at most 128 colours and no date, so that a second call repeats them."""
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    image = image.quantize(128, dither=Image.Dither.NONE)
    file = io.BytesIO()
    image.save(file, format="PNG", optimize=True)
    return file.getvalue()


def _picture(draw):
    """Decorator: a function that returns (figure, description, caption) returns a Picture."""

    @functools.wraps(draw)
    def drawn(*args, **kwargs):
        with matplotlib.rc_context(STYLE):
            fig, description, caption = draw(*args, **kwargs)
            return Picture(_png(fig), description, caption)

    return drawn


def _page(height, title, width=WIDTH):
    """An empty white page of width x height dots with a title. -> figure, axes in dots, y down."""
    fig = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    page = fig.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    page.axis("off")
    page.text(24, 40, title, size=14, weight="bold", va="center")
    return fig, page


def _panel(fig, x, y, width, height, hide=(), **settings):
    """Axes whose left top corner is at dot (x, y); hide: names of spines to leave out."""
    w, h = fig.get_size_inches() * DPI
    ax = fig.add_axes((x / w, 1 - (y + height) / h, width / w, height / h), **settings)
    for side in hide:
        ax.spines[side].set_visible(False)
        ax.tick_params(**{side: False})
    return ax


def _unit(X):
    """(784, m) or (784,) of uint8 0..255 or float 0..1 -> (m, 28, 28) of float 0..1."""
    X = np.asarray(X)
    X = X[:, None] if X.ndim == 1 else X
    if X.ndim != 2 or X.shape[0] != 784:
        raise ValueError(
            f"A picture has 784 pixels, so X must be (784, m), one example per column; "
            f"this one is {X.shape}. If it is (m, 784), pass X.T."
        )
    return X.T.reshape(-1, 28, 28) / (255 if X.dtype.kind in "iu" else 1)


def _tile(page, pictures, x, y, k, columns, gap=(12, 12), cmap="gray_r", limit=(0, 1)):
    """Draw (n, 28, 28) pictures as one image, k dots to a pixel, from (x, y), gap (x, y) in dots.

    Returns the left top corner of each picture. One image for all keeps the file small."""
    step = [28 + round(g / k) for g in gap]
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * step[1], columns * step[0]), np.nan)
    corners = []
    for i, picture in enumerate(pictures):
        r, c = i // columns * step[1], i % columns * step[0]
        sheet[r : r + 28, c : c + 28] = picture
        corners.append((x + c * k, y + r * k))
    extent = (x, x + sheet.shape[1] * k, y + sheet.shape[0] * k, y)
    page.imshow(np.ma.masked_invalid(sheet), cmap=cmap, vmin=limit[0], vmax=limit[1],
                extent=extent, interpolation="nearest", aspect="auto")  # fmt: skip
    return corners


def _frame(page, x, y, width, height, color="black", lw=2, **kwargs):
    page.add_patch(Rectangle((x, y), width, height, fill=False, ec=color, lw=lw, **kwargs))


def _scale(page, x, y, height, limit, what="ink"):
    """A colour bar for weights that says in words which end is which."""
    ramp = np.linspace(1, -1, 64)[:, None]
    page.imshow(ramp, cmap="cividis", extent=(x, x + 30, y + height, y), aspect="auto")
    for at, words in ((0, f"+{limit:.2g}\n{what} adds"), (0.5, "0"), (1, f"-{limit:.2g}\n{what}\nsubtracts")):
        page.text(x + 42, y + at * height, words, va=("top", "center", "bottom")[round(2 * at)])


def _bars(ax, values, texts, color=BLUE, hatches=None, labels=range(10)):
    """Horizontal bars, the first on top, each with its text at its end; values >= 0 or any sign."""
    values = np.asarray(values, dtype=float)
    at = np.arange(len(values))
    colors = [color] * len(values) if isinstance(color, str) else color
    ax.barh(at, values, height=0.7, color=colors, hatch=hatches, edgecolor="white", linewidth=0)
    for i, (value, text) in enumerate(zip(values, texts, strict=True)):
        left = value < 0
        ax.annotate(text, (value, i), (-5 if left else 5, 0), textcoords="offset points",
                    ha="right" if left else "left", va="center")  # fmt: skip
    ax.set_yticks(at, [str(name) for name in labels])
    ax.set(ylim=(len(values) - 0.4, -0.6), xticks=[])
    ax.tick_params(left=False)
    for side in ("top", "right", "bottom"):
        ax.spines[side].set_visible(False)
    if (values < 0).any():
        ax.spines["left"].set_visible(False)
        ax.axvline(0, color=GREY, lw=1)


def _percent(p):
    """0.984 -> "98 %"; what would round to a false 100 % becomes "> 99 %"."""
    return "> 99 %" if 0.995 <= p < 1 else f"{100 * p:.0f} %"


def _list(items):
    """["a", "b", "c"] -> "a, b and c"."""
    items = [str(item) for item in items]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


@_picture
def pixel_numbers(x, label):
    """One digit x (784,) and, enlarged, its 10 x 10 most inked pixels with their numbers 0..255."""
    digit = np.rint(_unit(x)[0] * 255).astype(int)
    ink = np.lib.stride_tricks.sliding_window_view(digit, (10, 10)).sum(axis=(2, 3))
    top, left = (int(i) for i in np.unravel_index(ink.argmax(), ink.shape))
    crop = digit[top : top + 10, left : left + 10]
    fig, page = _page(730, f"The computer sees this {label} as 784 numbers")
    k, cell, x0, x1, y0 = 16, 62, 28, 576, 80
    _tile(page, [digit / 255], x0, y0 + 86, k, 1, gap=(0, 0))
    _frame(page, x0, y0 + 86, 28 * k, 28 * k, LINE, 1)
    fx, fy = x0 + left * k, y0 + 86 + top * k
    _frame(page, fx, fy, 10 * k, 10 * k, ORANGE, 3)
    for a, b in ((fy, y0), (fy + 10 * k, y0 + 10 * cell)):
        page.plot([fx + 10 * k, x1], [a, b], color=ORANGE, lw=1.5, ls="--")
    page.imshow(crop / 255, cmap="gray_r", vmin=0, vmax=1, aspect="auto", interpolation="nearest",
                extent=(x1, x1 + 10 * cell, y0 + 10 * cell, y0))  # fmt: skip
    _frame(page, x1, y0, 10 * cell, 10 * cell, ORANGE, 3)
    for (r, c), value in np.ndenumerate(crop):
        page.text(x1 + (c + 0.5) * cell, y0 + (r + 0.5) * cell, value, ha="center",
                  va="center", color="white" if value > 137 else "black")  # fmt: skip
    inked = int((digit > 0).sum())
    return (
        fig,
        f"A handwritten {label}, 28 x 28 pixels, with a frame around its rows {top} to {top + 9} and "
        f"columns {left} to {left + 9}. Beside it the frame enlarged, each cell with its number: "
        f"0 is blank paper, 255 full ink. The numbers there run from {crop.min()} to {crop.max()}; "
        f"the whole picture has {inked} pixels with ink and {784 - inked} without. "
        f"The framed rows: {'; '.join(' '.join(map(str, row)) for row in crop)}.",
        f"A {label} as the computer gets it: 784 numbers, 0 for paper to 255 for full ink; "
        f"{inked} of them are not 0.",
    )


@_picture
def digit_grid(X, Y):
    """The first 12 examples of each class, one row per class."""
    Y = np.asarray(Y)
    chosen = [np.flatnonzero(Y == d)[:12] for d in range(10)]
    fig, page = _page(1060, "Twelve of each: no two people write a digit alike")
    for d, index in enumerate(chosen):
        y = 84 + d * 96
        page.text(44, y + 42, str(d), size=16, weight="bold", ha="center", va="center")
        if len(index):
            _tile(page, _unit(np.asarray(X)[:, index]), 84, y, 3, 12)
        else:
            page.text(84, y + 42, f"no {d} among these examples", va="center", color=GREY)
    shown = [len(index) for index in chosen]
    missing = [d for d in range(10) if not shown[d]]
    return (
        fig,
        f"A grid of {sum(shown)} handwritten digits in ten rows, one row for each digit 0 to 9, with "
        f"the first examples of each: {_list(f'{n} of {d}' for d, n in enumerate(shown))}. "
        "Slant, thickness and shape differ within every row."
        + (f" There is no {_list(missing)} in the data." if missing else ""),
        f"The first {max(shown)} examples of each digit, {sum(shown)} in all.",
    )


@_picture
def class_counts(Y):
    """How many examples each class has, beside an even share."""
    counts = np.bincount(np.asarray(Y, dtype=int), minlength=10)
    even = counts.sum() / 10
    low, high = int(counts.argmin()), int(counts.argmax())
    fig, _ = _page(500, f"Each digit has between {counts.min():,} and {counts.max():,} examples")
    ax = _panel(fig, 40, 84, 960, 330, hide=("left",), xlabel="digit", yticks=[])
    ax.bar(range(10), counts, color=BLUE, width=0.78)
    for d, n in enumerate(counts):
        inside = n > 0.2 * counts.max()
        ax.text(d, n / 2 if inside else n, f"{n:,}", ha="center", color="white" if inside else "black",
                va="center" if inside else "bottom")  # fmt: skip
    ax.axhline(even, color="black", ls="--", lw=1.5)
    ax.annotate(f"even share:\n{even:,.0f}", (1, even), (8, 0), va="center",
                xycoords=("axes fraction", "data"), textcoords="offset points")  # fmt: skip
    ax.set(xlim=(-0.5, 9.5), ylim=(0, max(counts.max(), 1) * 1.06))
    ax.set_xticks(range(10))
    ax.tick_params(bottom=False)
    return (
        fig,
        f"Bar chart of the number of examples of each digit: "
        f"{_list(f'{n:,} of {d}' for d, n in enumerate(counts))}; {counts.sum():,} in all. A dashed "
        f"line marks an even share of {even:,.0f}. The rarest is {low}, the most frequent {high}.",
        f"The {counts.sum():,} examples are shared almost evenly: "
        f"{low} is the rarest ({counts[low]:,}), {high} the most frequent ({counts[high]:,})."
        if counts.max() <= 1.5 * max(counts.min(), 1)
        else f"The {counts.sum():,} examples are shared unevenly: "
        f"{counts[low]:,} of {low}, {counts[high]:,} of {high}.",
    )


@_picture
def average_digits(X, Y):
    """The mean picture of each class."""
    X, Y = np.asarray(X), np.asarray(Y)
    full = 255 if X.dtype.kind in "iu" else 1
    counts = np.bincount(Y, minlength=10)
    means = [X[:, Y == d].mean(axis=1) / full if counts[d] else np.zeros(784) for d in range(10)]
    means = _unit(np.array(means, dtype=float).T)
    ink = 100 * means.mean(axis=(1, 2))
    fig, page = _page(640, "The average of each digit: a blur, and still readable")
    for d, (x, y) in enumerate(_tile(page, means, 50, 76, 7, 5, gap=(38, 63))):
        page.text(x + 98, y + 218, f"{d}: mean of {counts[d]:,}" if counts[d] else f"no {d} here",
                  ha="center", va="center")  # fmt: skip
    some = np.flatnonzero(counts)
    low, high = some[ink[some].argmin()], some[ink[some].argmax()]
    return (
        fig,
        f"Ten blurred pictures, the mean of all examples of each digit. Share of the page that is ink: "
        f"{_list(f'{d}: {ink[d]:.1f} %' for d in some)}. The average {low} has the least ink, "
        f"the average {high} the most.",
        f"The average of each digit. The {low} uses least ink ({ink[low]:.1f} % of the page), "
        f"the {high} most ({ink[high]:.1f} %).",
    )


@_picture
def network_diagram(n_in=784, n_hidden=10, n_out=10):
    """The two-layer network: its layers, and each array with its shape where it acts."""
    fig, page = _page(800, f"The network: {n_in} pixels in, {n_hidden} hidden units, {n_out} answers")
    layers = []
    for x, n, most in ((150, n_in, 8), (612, n_hidden, 10), (1074, n_out, 10)):
        shown = n if n <= most else most - 2
        slots = shown if n <= most else shown + 1
        ys = [404 + (i - (slots - 1) / 2) * 50 for i in range(slots)]
        if n > most:  # the middle place is left to the dots
            page.plot([x] * 3, [ys[slots // 2] + s for s in (-12, 0, 12)], "o", color="black", ms=3)
            ys.pop(slots // 2)
        layers.append((x, ys))
    for (x0, from_ys), (x1, to_ys) in zip(layers, layers[1:], strict=False):
        for j, b in enumerate(to_ys):
            for a in from_ys:
                chosen = j == 1 or len(to_ys) == 1
                page.plot([x0, x1], [a, b], color=BLUE if chosen else LINE, zorder=1 + chosen,
                          lw=2 if chosen else 0.5)  # fmt: skip
    for (x, ys), n in zip(layers, (n_in, n_hidden, n_out), strict=True):
        for i, y in enumerate(ys):
            page.add_patch(Circle((x, y), 20, fc="white", ec="black", lw=1.5, zorder=3))
            if x == 1074 and n == len(ys):
                page.text(x, y, i, ha="center", va="center", zorder=4)
    for x, head, shape in ((150, "X", f"({n_in}, m)"), (612, "Z1, A1", f"({n_hidden}, m)"),
                           (1074, "Z2, A2", f"({n_out}, m)")):  # fmt: skip
        page.text(x, 88, head, ha="center", va="center", weight="bold", size=14)
        page.text(x, 122, shape, ha="center", va="center")
    for x, i, rows, columns in ((381, 1, n_hidden, n_in), (843, 2, n_out, n_hidden)):
        page.text(x, 88, f"W{i} ({rows}, {columns})", ha="center", va="center", color=BLUE)
        page.text(x, 122, f"b{i} ({rows}, 1)", ha="center", va="center", color=BLUE)
    for x, words in ((150, f"one example is\none column of X:\n{n_in} pixels"),
                     (612, "Z1 = W1 @ X + b1\nA1 = ReLU(Z1)"),
                     (1074, "Z2 = W2 @ A1 + b2\nA2 = softmax(Z2)")):  # fmt: skip
        page.text(x, 678, words, ha="center", va="top", linespacing=1.4)
    page.text(381, 678, "blue: one row of W1,\nthe weights of\none hidden unit", ha="center", va="top",
              color=BLUE, linespacing=1.4)  # fmt: skip
    count = n_hidden * (n_in + 1) + n_out * (n_hidden + 1)
    return (
        fig,
        f"Diagram of three layers joined left to right, every circle to every circle of the next. "
        f"Left: X, {n_in} pixels, shape ({n_in}, m). Then W1 ({n_hidden}, {n_in}) and b1 ({n_hidden}, 1) "
        f"lead to {n_hidden} hidden units: Z1 = W1 @ X + b1, A1 = ReLU(Z1), both ({n_hidden}, m). "
        f"Then W2 ({n_out}, {n_hidden}) and b2 ({n_out}, 1) lead to {n_out} outputs: "
        f"Z2 = W2 @ A1 + b2, A2 = softmax(Z2), both ({n_out}, m). {count:,} parameters in all. "
        f"The lines into one unit of each layer are drawn thick: one row of W1, one row of W2.",
        f"Every line is one weight; with the biases the network has {count:,} parameters. "
        f"Dots stand for what is left out.",
    )


@_picture
def relu_curve(ReLU):
    """Your own ReLU over -3..3."""
    z = np.linspace(-3, 3, 601)
    y = np.asarray(ReLU(z[None, :]), dtype=float).ravel()
    marks = {at: float(y[np.abs(z - at).argmin()]) for at in (-2, 2)}
    fig, _ = _page(560, "ReLU: " + ("negative scores become 0, the rest stay as they are"
                                    if np.allclose(y, np.maximum(z, 0)) else "your function over -3..3"))  # fmt: skip
    ax = _panel(fig, 130, 90, 700, 380, xlabel="Z", xlim=(-3, 3))
    ax.plot(z, y, color=BLUE, lw=3, clip_on=False)
    for at, value in marks.items():
        ax.plot(at, value, "o", color=BLUE, ms=10, clip_on=False)
        ax.annotate(f"ReLU({at}) = {value:g}", (at, value), (-12 if at > 0 else 0, 10), ha="right" if
                    at > 0 else "center", textcoords="offset points", va="bottom")  # fmt: skip
    ax.set_ylabel("ReLU(Z)")
    return (
        fig,
        f"Line chart of ReLU(Z) against Z from -3 to 3: {y[0]:g} at -3, {marks[-2]:g} at -2, "
        f"{y[300]:g} at 0, {marks[2]:g} at 2, {y[-1]:g} at 3. Below 0 it runs from {y[:300].min():g} to "
        f"{y[:300].max():g}.",
        f"Your ReLU: {marks[-2]:g} at -2, {y[300]:g} at 0, {marks[2]:g} at 2.",
    )


@_picture
def relu_slope(ReLU_deriv):
    """Your own ReLU_deriv over -3..3: a closed end is the value at 0, an open end is left out."""

    def slope(z):
        return np.asarray(ReLU_deriv(np.atleast_2d(np.asarray(z, dtype=float))), dtype=float).ravel()

    z = np.linspace(0.001, 3, 300)
    below, above, zero = slope(-z[::-1]), slope(z), float(slope([0.0])[0])
    fig, _ = _page(500, "The slope of ReLU: a switch, off below 0 and on above"
                   if np.allclose(below, 0) and np.allclose(above, 1) else "The slope of ReLU, by your function")  # fmt: skip
    ax = _panel(fig, 130, 90, 700, 320, xlabel="Z", ylabel="ReLU_deriv(Z)", xlim=(-3, 3))
    ax.plot(-z[::-1], below, color=BLUE, lw=3)
    ax.plot(z, above, color=BLUE, lw=3)
    for end in dict.fromkeys((below[-1], above[0], zero)):
        ax.plot(0, end, "o", ms=11, mew=2.5, mec=BLUE, mfc=BLUE if end == zero else "white", clip_on=False)
    values = np.concatenate([below, above, [zero]])
    pad = 0.15 * max(np.ptp(values), 1)
    ax.set_ylim(values.min() - pad, values.max() + pad)
    for at, value in ((-1.5, below[150]), (1.5, above[150])):
        ax.annotate(f"slope {value:g}", (at, value), (0, 8), textcoords="offset points", ha="center")
    return (
        fig,
        f"Line chart of ReLU_deriv(Z) against Z from -3 to 3: {below.min():g} to {below.max():g} below 0, "
        f"{above.min():g} to {above.max():g} above 0. The filled dot marks the value at 0 itself, {zero:g}.",
        f"Your ReLU_deriv: {below[150]:g} below 0, {above[150]:g} above; at 0 itself it says {zero:g}.",
    )


@_picture
def scores_to_probabilities(Z2, A2):
    """One column of scores Z2 and of probabilities A2, each (10,) or (10, 1)."""
    Z, A = np.asarray(Z2, dtype=float).ravel(), np.asarray(A2, dtype=float).ravel()
    best = int(A.argmax())
    fig, _ = _page(560, "softmax turns ten scores into ten probabilities")
    colors = [BLUE if d == best else LINE for d in range(10)]
    for x, values, form, title in ((70, Z, "{:.1f}", "scores Z2: any number"),
                                   (680, A, "{:.3f}", f"probabilities A2: sum {A.sum():.3f}")):  # fmt: skip
        ax = _panel(fig, x, 120, 400, 410, title=title)
        _bars(ax, values, [form.format(v) for v in values], colors)
        if (values < 0).any():  # the digit names stand clear of the bars that reach left
            ax.set_xlim(values.min() - 0.25 * np.ptp(values), None)
    return (
        fig,
        f"Two bar charts, one bar for each digit 0 to 9. Scores Z2: {', '.join(f'{z:.1f}' for z in Z)}. "
        f"Probabilities A2: {', '.join(f'{a:.3f}' for a in A)}; they sum to {A.sum():.3f}. "
        f"The largest is digit {best}.",
        f"The highest score, {Z[best]:.1f} for the {best}, becomes the probability {A[best]:.3f}.",
    )


@_picture
def loss_curve():
    """The loss of one example, -ln p, against the probability p that the true digit got."""
    p = np.linspace(0.005, 1, 400)
    fig, _ = _page(620, "The loss is small only when the true digit gets a high probability")
    ax = _panel(fig, 110, 90, 900, 430, xlim=(0, 1.0), ylim=(0, 5.3))
    ax.set(xlabel="p, the probability that the network gave to the true digit", ylabel="loss, -ln p")
    ax.plot(p, -np.log(p), color=BLUE, lw=3)
    points = {0.1: "p = 0.1 (one in ten, a blind guess)", 0.5: "p = 0.5", 0.9: "p = 0.9", 0.99: "p = 0.99"}
    losses = {at: -np.log(at) for at in points}
    for at, name in points.items():
        ax.plot(at, losses[at], "o", color=ORANGE, ms=10, clip_on=False)
        loss = f"ln 10 = {losses[at]:.2f}" if at == 0.1 else f"{losses[at]:.2f}"
        right = at < 0.6
        ax.annotate(f"{name}:\nloss {loss}", (at, losses[at]), (10, 6) if right else (-4, 12),
                    textcoords="offset points", ha="left" if right else "center", va="bottom")  # fmt: skip
    values = _list(f"{loss:.2f} at p = {at}" for at, loss in losses.items())
    return (
        fig,
        f"Line chart of the loss -ln p against p from 0 to 1. It falls steeply from above 5 near p = 0 "
        f"to 0 at p = 1. Marked points: {values}. The first is ln 10, the loss of a blind guess.",
        f"-ln p: a blind guess among ten costs ln 10 = {losses[0.1]:.2f}, being 99 % sure and right "
        f"only {losses[0.99]:.2f}.",
    )


@_picture
def answers(X, A2, Y=None, columns=6):
    """Digits with the network's answer and its probability; with Y also whether it is right."""
    pictures, A2 = _unit(X), np.asarray(A2, dtype=float).reshape(10, -1)
    said, p = A2.argmax(axis=0), A2.max(axis=0)
    n = len(pictures)
    right = None if Y is None else said == np.asarray(Y).ravel()
    rows, k, tall = -(-n // columns), 5, 262 if Y is None else 300
    step = (WIDTH - 24) // columns
    k = max(2, min(6, (step - 30) // 28))
    tall += 28 * (k - 5)
    title = "What the network answers, and how sure it is"
    if right is not None:
        title = f"{right.sum()} of {n} right: the network's answers, and how sure it is"
    fig, page = _page(76 + rows * tall, title)
    side = 28 * k
    gap = ((step - side) // k * k, (tall - side) // k * k)
    x0 = 12 + (step - side) // 2
    for i, (x, y) in enumerate(_tile(page, pictures, x0, 84, k, columns, gap=gap)):
        wrong = right is not None and not right[i]
        _frame(page, x - 6, y - 6, side + 12, side + 12, ORANGE if wrong else LINE, 3.5 if wrong else 0.8)
        page.text(x + 2, y + side + 34, said[i], size=20, weight="bold", va="center")
        page.text(x + side, y + side + 34, _percent(p[i]), va="center", ha="right")
        bar = Rectangle((x - 6, y + side + 58), p[i] * (side + 12), 10, fc=ORANGE if wrong else BLUE,
                        ec="white", hatch="////" if wrong else None, lw=0)  # fmt: skip
        page.add_patch(bar)
        if right is not None:
            words = f"\u2717 wrong: is {np.asarray(Y).ravel()[i]}" if wrong else "\u2713 right"
            page.text(x - 6, y + side + 90, words, va="center", weight="bold" if wrong else "normal")
    told = []
    for i in range(n):
        truth = "" if right is None else ", right" if right[i] else f", wrong, it is {np.asarray(Y).ravel()[i]}"
        told.append(f"{said[i]} ({_percent(p[i])}{truth})")
    return (
        fig,
        f"{n} handwritten digits, each with the network's answer, its probability in per cent and a bar "
        f"as long as the probability. In reading order: {'; '.join(told)}."
        + ("" if right is None else f" {right.sum()} of {n} are right; wrong ones have a thick frame."),
        f"Under each digit the network's answer and its probability; on average {_percent(p.mean())}."
        if right is None
        else f"The network reads {right.sum()} of these {n} digits rightly and is {_percent(p.mean())} sure on average.",
    )


def _spread(values, gap):
    """Move values apart until neighbours differ by gap, keeping their order; for labels."""
    values = np.asarray(values, dtype=float)
    order = np.argsort(values)
    out = values[order].copy()
    for _ in range(200):
        for i in range(len(out) - 1):
            short = gap - (out[i + 1] - out[i])
            if short > 1e-9:
                out[i] -= short / 2
                out[i + 1] += short / 2
    back = np.empty_like(out)
    back[order] = out
    return back


@_picture
def training_curves(runs, xlabel="step"):
    """Loss and accuracy during training, of up to three runs: dict name -> history.

    A history is a list of dicts with step, train_loss, train_accuracy and, if measured, dev_loss,
    dev_accuracy (accuracies 0..1)."""
    if not 1 <= len(runs) <= 3:
        raise ValueError(f"training_curves shows one to three runs, not {len(runs)}.")
    fig, page = _page(860, "Training: the loss falls, the accuracy rises")
    told, last = [], []
    for y0, what, times in ((110, "loss", 1), (490, "accuracy", 100)):
        ax = _panel(fig, 110, y0, 790, 290)
        ax.set_title(("loss" if times == 1 else "accuracy in %") + " (solid: train, dashed: dev)")
        ends = []
        for (name, history), (color, marker) in zip(runs.items(), LOOKS, strict=False):
            steps = [row["step"] for row in history]
            for part, line in (("train", "-"), ("dev", "--")):
                values = [row.get(f"{part}_{what}") for row in history]
                if any(v is None for v in values):
                    continue
                values = times * np.asarray(values, dtype=float)
                every = max(1, len(steps) // 8)
                ax.plot(steps, values, line, color=color, marker=marker, markevery=every,
                        mfc=color if part == "train" else "white", mew=1.5, ms=8)  # fmt: skip
                finite = values[np.isfinite(values)]
                end = float(finite[-1]) if finite.size else 0.0
                unit = f"{end:.2f}" if times == 1 else f"{end:.1f} %"
                first = f"{values[0]:.2f}" if times == 1 else f"{values[0]:.1f} %"
                ends.append((end, color, marker, part, name, unit))
                told.append(f"{name}, {part} {what}: from {first} to {unit}"
                            + ("" if finite.size == values.size else " (then not a number)"))  # fmt: skip
        ax.set_xlim(min(h[0]["step"] for h in runs.values()), max(h[-1]["step"] for h in runs.values()) or 1)
        ax.set_ylim(0, 100 if times == 100 else None)
        if times == 1:
            ax.axhline(np.log(10), color=GREY, lw=1, ls=":")
            ax.annotate("ln 10 = 2.30: blind guessing", (1, np.log(10)), (-4, 3), ha="right", color=GREY,
                        xycoords=("axes fraction", "data"), textcoords="offset points")  # fmt: skip
            ax.tick_params(labelbottom=False)
        else:
            ax.set_xlabel(xlabel)
        low, high = ax.get_ylim()
        labels = _spread([e[0] for e in ends], 30 / 290 * (high - low))
        for (end, color, marker, part, name, unit), y in zip(ends, labels, strict=True):
            y = 290 - (y - low) / (high - low) * 290 + y0
            page.plot([914, 954], [y, y], "-" if part == "train" else "--", color=color, lw=2)
            page.plot(934, y, marker, color=color, ms=8, mfc=color if part == "train" else "white", mew=1.5)
            words = f"{part} {unit}" if len(runs) == 1 else f"{name} {unit}"
            page.text(964, y, words, va="center")
            last.append((name, part, what, unit))
    ends = {name: _list(f"{part} {unit}" for n, part, what, unit in last if n == name and what == "accuracy")
            for name in runs}  # fmt: skip
    return (
        fig,
        f"Two line charts against {xlabel}: loss above, accuracy below; solid lines are train, dashed "
        f"lines dev. {'; '.join(told)}. A dotted line marks ln 10 = 2.30, the loss of blind guessing.",
        "Accuracy at the end: " + "; ".join(f"{name}: {text}" for name, text in ends.items()) + ".",
    )


def _weights(w):
    """Rows of 784 weights -> (n, 28, 28) and the common symmetric limit of their colours."""
    w = np.asarray(w, dtype=float).reshape(-1, 28, 28)
    return w, float(np.abs(w).max()) or 1.0


@_picture
def weight_pictures(W1, titles=None):
    """Rows of W1 (n, 784) as pictures, up to 20, on one scale; dark subtracts, light adds."""
    W1 = np.asarray(W1)
    pictures, limit = _weights(W1[:20])
    n = len(pictures)
    titles = [f"unit {i}" for i in range(n)] if titles is None else list(titles)
    columns, k = (5, 6) if n <= 10 else (5, 5)
    side, rows = 28 * k, -(-n // columns)
    fig, page = _page(max(90 + rows * (side + 48), 340), "What each hidden unit looks for: its weights as a picture")
    corners = _tile(page, pictures, 30, 110, k, columns, gap=(24, 48), cmap="cividis", limit=(-limit, limit))
    for (x, y), title in zip(corners, titles, strict=False):
        page.text(x + side / 2, y - 18, title, ha="center", va="center")
    _scale(page, 30 + min(n, columns) * (side + 24) + 10, 110, min(rows * (side + 48) - 48, 400), limit)
    least, most = pictures.min(axis=(1, 2)), pictures.max(axis=(1, 2))
    return (
        fig,
        f"{n} pictures of 28 x 28 weights, one for each hidden unit, on one colour scale from "
        f"-{limit:.2g} (dark blue, ink subtracts) to +{limit:.2g} (yellow, ink adds). Smallest and largest "
        f"weight: {'; '.join(f'{t}: {a:.2f} to {b:.2f}' for t, a, b in zip(titles, least, most, strict=False))}.",
        f"Weights of {n} hidden units: where a picture is light, ink raises that unit's score; "
        f"where it is dark, ink lowers it (from -{limit:.2g} to +{limit:.2g}).",
    )


@_picture
def weights_over_time(history, units=(0, 1, 2, 3, 4)):
    """The weights of a few hidden units at a few steps of a run; rows of history have "params"."""
    n = len(history)
    rows = [history[i] for i in sorted({0, n // 16, n // 4, n - 1})]
    units = list(units)
    chosen = np.concatenate([np.asarray(row["params"][0])[units] for row in rows])
    pictures, limit = _weights(chosen)
    k, side = 5, 140
    fig, page = _page(120 + len(rows) * (side + 15), "Learning to look: the same weights as training goes on")
    corners = _tile(page, pictures, 160, 110, k, len(units), gap=(15, 15), cmap="cividis", limit=(-limit, limit))
    for (x, _), unit in zip(corners, units, strict=False):
        page.text(x + side / 2, 90, f"unit {unit}", ha="center", va="center")
    for i, row in enumerate(rows):
        page.text(140, 110 + i * (side + 15) + side / 2, f"step {row['step']}", ha="right", va="center")
    _scale(page, 160 + len(units) * (side + 15) + 15, 110, min(len(rows) * (side + 15) - 15, 400), limit)
    first, last = (np.asarray(row["params"][0])[units] for row in (rows[0], rows[-1]))
    moved = float(np.abs(last - first).mean())
    return (
        fig,
        f"A table of weight pictures: columns are hidden units {_list(units)}, rows are steps "
        f"{_list(row['step'] for row in rows)}. Dark blue is -{limit:.2g}, yellow +{limit:.2g}. From the first "
        f"to the last row a weight moves by {moved:.3f} on average.",
        f"Weights of units {_list(units)} at steps {_list(row['step'] for row in rows)}: "
        f"each moved by {moved:.3f} on average.",
    )


@_picture
def confusion_matrix(counts):
    """counts (10, 10): rows the true digit, columns the answer."""
    counts = np.asarray(counts)
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:3]
    worst = [tuple(int(i) for i in np.unravel_index(o, wrong.shape)) for o in order if wrong.flat[o] > 0]
    right, total = int(np.trace(counts)), int(counts.sum())
    fig, page = _page(740, f"{right:,} of {total:,} right; the rest shows what is taken for what")
    w, h, x0, y0 = 76, 56, 110, 150
    page.imshow(wrong / max(wrong.max(), 1), cmap=HEAT, vmin=0, vmax=1, aspect="auto",
                extent=(x0, x0 + 10 * w, y0 + 10 * h, y0), interpolation="nearest")  # fmt: skip
    _frame(page, x0, y0, 10 * w, 10 * h, LINE, 1)
    for i in range(10):
        page.text(x0 + (i + 0.5) * w, y0 - 20, i, ha="center", va="center", weight="bold")
        page.text(x0 - 22, y0 + (i + 0.5) * h, i, ha="center", va="center", weight="bold")
        for j in range(10):
            if counts[i, j]:
                page.text(x0 + (j + 0.5) * w, y0 + (i + 0.5) * h, f"{counts[i, j]:,}", ha="center",
                          va="center", color=BLUE if i == j else "black",
                          weight="bold" if i == j else "normal")  # fmt: skip
    page.text(x0 + 5 * w, y0 - 54, "the network's answer", ha="center", va="center")
    page.text(44, y0 + 5 * h, "true digit", ha="center", va="center", rotation=90)
    for i, j in worst:
        _frame(page, x0 + j * w + 3, y0 + i * h + 3, w - 6, h - 6, "black", 2.5)
    named = [f"{i} taken for {j}: {counts[i, j]:,}" for i, j in worst]
    page.text(x0 + 10 * w + 34, y0 + 20, "most frequent\nmistakes (framed)\n\n" + "\n".join(named)
              + "\n\nbold diagonal:\nright answers" if named else "no mistakes", va="top", linespacing=1.4)  # fmt: skip
    return (
        fig,
        f"Confusion matrix, a table of 10 rows (true digit) by 10 columns (answer) with counts. "
        f"{right:,} of {total:,} lie on the diagonal: {', '.join(f'{d}: {n:,}' for d, n in enumerate(np.diag(counts)))}. "
        + (f"Most frequent mistakes, framed: {_list(named)}." if named else "There are no mistakes."),
        f"{total - right:,} mistakes in {total:,}. "
        + (f"Most frequent: {_list(named)}." if named else "The network made none."),
    )


def _wilson(right, total):
    """95 % interval of a share, low and high, each 0..1 (Wilson 1927, J. Am. Stat. Assoc. 22, 209)."""
    z = 1.959964  # the 97.5 % point of the normal distribution
    total = np.maximum(total, 1)
    p = right / total
    middle = (p + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(p * (1 - p) / total + z**2 / (4 * total**2))
    return middle - half, middle + half


@_picture
def accuracy_per_digit(right, total):
    """right, total (10,): how many of each digit were read rightly, of how many.

    With 95 % Wilson intervals (E. B. Wilson 1927, J. Am. Stat. Assoc. 22, 209-212)."""
    right, total = np.asarray(right, dtype=float), np.asarray(total, dtype=float)
    share = 100 * right / np.maximum(total, 1)
    low, high = (100 * side for side in _wilson(right, total))
    overall = 100 * right.sum() / max(total.sum(), 1)
    seen = np.flatnonzero(total)
    worst, best = seen[share[seen].argmin()], seen[share[seen].argmax()]
    fig, _ = _page(560, f"The {best} is read best ({share[best]:.1f} %), the {worst} worst ({share[worst]:.1f} %)")
    ax = _panel(fig, 90, 90, 940, 380, xlabel="true digit", ylabel="right in %", xlim=(-0.5, 9.5), ylim=(0, 100))
    ax.bar(range(10), share, color=BLUE, width=0.8)
    ax.errorbar(seen, share[seen], np.maximum([(share - low)[seen], (high - share)[seen]], 0), fmt="none",
                ecolor="black", elinewidth=2, capsize=7, capthick=2, clip_on=False)  # fmt: skip
    for d in range(10):
        text = f"{share[d]:.1f}" if total[d] else "none"
        inside = share[d] > 25
        ax.text(d, 4 if inside else high[d] * bool(total[d]) + 2, text, ha="center", va="bottom",
                color="white" if inside else "black")  # fmt: skip
    ax.axhline(overall, color="black", lw=1.5, ls="--")
    ax.annotate(f"all together:\n{overall:.1f} %", (1, overall), (8, 0), textcoords="offset points",
                xycoords=("axes fraction", "data"), va="center")  # fmt: skip
    ax.set_xticks(range(10))
    told = (f"{d}: {share[d]:.1f} % of {total[d]:,.0f} (95 % interval {low[d]:.1f} to {high[d]:.1f})" for d in seen)
    return (
        fig,
        f"Bar chart of the share of each digit that was read rightly, with 95 % intervals: {'; '.join(told)}. "
        f"All together {overall:.1f} %, a dashed line.",
        f"Accuracy for each digit with its 95 % interval; the {worst} is hardest: {share[worst]:.1f} %, "
        f"interval {low[worst]:.1f} to {high[worst]:.1f} %.",
    )


@_picture
def confident_mistakes(X, A2, Y, n=4):
    """The n wrong answers that the network was most sure of, each with its ten probabilities."""
    A2, Y = np.asarray(A2, dtype=float).reshape(10, -1), np.asarray(Y).ravel()
    said, p = A2.argmax(axis=0), A2.max(axis=0)
    wrong = np.flatnonzero(said != Y)
    chosen = wrong[np.argsort(-p[wrong], kind="stable")][:n]
    if not len(chosen):
        words = f"No mistakes among these {Y.size:,} examples"
        return _page(120, words)[0], f"No chart: {words[0].lower()}{words[1:]}.", f"{words}."
    fig, page = _page(90 + -(-len(chosen) // 2) * 400, "Wrong, and sure of it: the most confident mistakes")
    for i, (index, picture) in enumerate(zip(chosen, _unit(np.asarray(X)[:, chosen]), strict=True)):
        x, y = 36 + i % 2 * 600, 90 + i // 2 * 400
        a, t = said[index], Y[index]
        page.text(x, y + 18, f"said {a}, is {t}", weight="bold", va="center")
        _tile(page, [picture], x, y + 50, 7, 1, gap=(0, 0))
        _frame(page, x, y + 50, 196, 196, LINE, 1)
        ax = _panel(fig, x + 240, y, 190, 350, xlim=(0, 1))
        words = [""] * 10
        words[a], words[t] = f"said: {_percent(p[index])}", f"true: {_percent(A2[t, index])}"
        colors, hatches = [LINE] * 10, [None] * 10
        colors[a], colors[t], hatches[t] = BLUE, ORANGE, "////"
        _bars(ax, A2[:, index], words, colors, hatches)
    told = [f"a {Y[i]} taken for {said[i]} with {_percent(p[i])}, true digit {_percent(A2[Y[i], i])}" for i in chosen]
    return (
        fig,
        f"The {len(chosen)} most confident of {len(wrong):,} mistakes among {Y.size:,} examples, each a "
        f"picture with ten probability bars: {'; '.join(told)}.",
        f"The most confident of {len(wrong):,} mistakes: {told[0]}.",
    )


@_picture
def hidden_unit(w, X, a, Y):
    """One hidden unit: its weights w (784,), the digits that excite it most by its activations
    a (m,) on X, and its mean activation for each class."""
    a, Y = np.asarray(a, dtype=float).ravel(), np.asarray(Y).ravel()
    picture, limit = _weights(w)
    top = np.argsort(-a, kind="stable")[:6]
    means = np.array([a[Y == d].mean() if (Y == d).any() else 0.0 for d in range(10)])
    best = int(means.argmax())
    fig, page = _page(540, f"One hidden unit: on average the {best} excites it most")
    for x, words in ((30, "its weights"), (420, "the digits that excite it most"), (880, "mean activation")):
        page.text(x, 94, words, va="center")
    _tile(page, picture, 30, 126, 8, 1, gap=(0, 0), cmap="cividis", limit=(-limit, limit))
    _scale(page, 268, 126, 224, limit)
    for i, (x, y) in zip(top, _tile(page, _unit(np.asarray(X)[:, top]), 420, 126, 4, 3, (24, 72)), strict=True):
        page.text(x + 56, y + 132, f"a {Y[i]}: {a[i]:.1f}", ha="center", va="center")
    ax = _panel(fig, 910, 116, 210, 390)
    _bars(ax, means, [f"{mean:.2f}" for mean in means], [BLUE if d == best else LINE for d in range(10)])
    active = float((a > 0).mean())
    return (
        fig,
        f"One hidden unit in three parts. Its weights as a 28 x 28 picture from -{limit:.2g} (dark blue) to "
        f"+{limit:.2g} (yellow). The digits that excite it most: {_list(f'{Y[i]} ({a[i]:.1f})' for i in top)}. "
        f"Bars of its mean activation for each digit: {', '.join(f'{d}: {v:.2f}' for d, v in enumerate(means))}. "
        f"It is active on {_percent(active)} of {a.size:,} examples.",
        f"This unit answers most to {best} (mean activation {means[best]:.2f}) and is above 0 for "
        f"{_percent(active)} of the digits.",
    )


@_picture
def gradient_match(analytic, numeric, names):
    """Each parameter's gradient by backward_prop (analytic) against central differences (numeric).

    Two lists of arrays and their names; a scalar stands for an array of that one number. An array is
    called off when ||a - n|| / (||a|| + ||n||) is above 1e-4."""
    fig, page = _page(720, "")
    ax = _panel(fig, 150, 90, 560, 530, xlabel="gradient by central differences", ylabel="gradient by backward_prop")
    rows, off = [], []
    for i, (a, n, name) in enumerate(zip(analytic, numeric, names, strict=True)):
        n = np.asarray(n, dtype=float)
        a = np.broadcast_to(np.asarray(a, dtype=float), n.shape)
        error = np.linalg.norm(a - n) / max(np.linalg.norm(a) + np.linalg.norm(n), 1e-30)
        color, marker = LOOKS[i % 4]
        ax.plot(n.ravel(), a.ravel(), marker, color=color, ms=12 if error > 1e-4 else 8, mec="white", mew=0.7,
                zorder=3 + (error > 1e-4))  # fmt: skip
        rows.append((name, n.size, error, color, marker))
        off += [name] if error > 1e-4 else []
    both = np.concatenate([np.ravel(v) for v in (*numeric, *analytic)])
    ends = [both.min() - 0.05 * np.ptp(both), both.max() + 0.05 * np.ptp(both)]
    ax.plot(ends, ends, color="black", lw=1.2, zorder=1)
    ax.set(xlim=ends, ylim=ends)
    ax.locator_params(nbins=5)
    title = f"{_list(off)} off the diagonal: wrong" if off else "Every gradient lies on the diagonal: they agree"
    page.texts[0].set_text(title)
    page.text(770, 108, "relative difference", va="center", weight="bold")
    for i, (name, size, error, color, marker) in enumerate(rows):
        y = 160 + i * 90
        page.plot(786, y, marker, color=color, ms=11)
        page.text(812, y, f"{name}: {error:.1e}" + (" - off" if error > 1e-4 else ""), va="center",
                  weight="bold" if error > 1e-4 else "normal")  # fmt: skip
        page.text(812, y + 32, f"{size:,} parameters", va="center", color=GREY)
    told = (f"{name}: {size:,} parameters, relative difference {error:.1e}" for name, size, error, *_ in rows)
    return (
        fig,
        f"Scatter chart of the gradient by backward_prop against the gradient by central differences, one "
        f"point per parameter, with the diagonal where both agree. {'; '.join(told)}. "
        + (f"Off the diagonal: {_list(off)}." if off else "All points lie on the diagonal."),
        f"{_list(off)} fails: relative difference {max(r[2] for r in rows):.1e}." if off else
        f"All {sum(r[1] for r in rows):,} gradients agree; the largest relative difference is "
        f"{max(r[2] for r in rows):.1e}.",
    )  # fmt: skip


@_picture
def score_chart(rows):
    """rows: (name, error in %, half-width of its 95 % interval or None, ours: bool), one per line."""
    fig, page = _page(150 + 56 * len(rows), "Error on the 10,000 test digits: further left is better")
    x0, width = 560, 500
    top = 1.1 * max(error + (half or 0) for _, error, half, _ in rows)
    ax = _panel(fig, x0, 80, width, 56 * len(rows), hide=("left",), xlim=(0, top), yticks=[])
    ax.set(ylim=(len(rows) - 0.5, -0.5), xlabel="wrong answers in %")
    for i, (name, error, half, ours) in enumerate(rows):
        if half:
            ax.plot([error - half, error + half], [i, i], color="black", lw=2, marker="|", ms=12, mew=2)
        ax.plot(error, i, "D" if ours else "o", color=BLUE, ms=13 if ours else 9, mew=2, mfc=BLUE if ours else "white")
        ax.annotate(f"{error:g} %" + (f" \u00b1 {half:.2g}" if half else ""), (error + (half or 0), i), (12, 0),
                    textcoords="offset points", va="center", weight="bold" if ours else "normal")  # fmt: skip
        page.text(x0 - 24, 80 + 56 * (i + 0.5), name + (" (yours)" if ours else ""), ha="right", va="center",
                  weight="bold" if ours else "normal")  # fmt: skip
    told = [f"{name}{' (yours)' if ours else ''}: {error:g} %{f', plus or minus {half:.2g}' if half else ''}"
            for name, error, half, ours in rows]  # fmt: skip
    mine = [(name, error, half) for name, error, half, ours in rows if ours]
    better = [sum(e < row[1] for row in rows) for _, e, _ in mine]
    return (
        fig,
        f"Dot chart of test error in per cent, smaller is better: {'; '.join(told)}. "
        "A filled diamond marks yours, open circles the others; bars are 95 % intervals.",
        f"Yours: {mine[-1][1]:g} % error, lower than {better[-1]} of the other {len(rows) - len(mine)} results."
        if mine else f"{len(rows)} published results, from {min(r[1] for r in rows):g} to {max(r[1] for r in rows):g} %.",
    )  # fmt: skip


@_picture
def batch_noise(full, batches):
    """How well a mini-batch's gradient points along the gradient of all `full` examples.

    batches: dict batch size -> cosine similarities (1 the same direction, 0 none in common)."""
    sizes = sorted(batches)
    data = [np.asarray(batches[s], dtype=float).ravel() for s in sizes]
    fig, page = _page(600, "A larger batch points more truly, with less and less gain")
    ax = _panel(fig, 130, 90, 860, 410, xlabel="examples in the batch", ylabel="cosine with the full gradient")
    for i, values in enumerate(data):
        spots = np.linspace(-0.28, 0.28, len(values)) if len(values) > 1 else [0]
        ax.plot(i + np.asarray(spots), values, "o", ms=6, mfc="white", mec=BLUE, mew=1.2)
        ax.plot([i - 0.36, i + 0.36], [np.median(values)] * 2, color="black", lw=3)
        ax.annotate(f"{np.median(values):.2f}", (i + 0.36, np.median(values)), (4, 0), va="center", weight="bold",
                    textcoords="offset points")  # fmt: skip
    ax.axhline(1, color=GREY, lw=1, ls="--")
    ax.annotate(f"the full gradient:\nall {full:,} examples", (1, 1), (8, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", va="center")  # fmt: skip
    ax.set_xticks(range(len(sizes)), [f"{s:,}" for s in sizes])
    ax.set(xlim=(-0.5, len(sizes) - 0.3), ylim=(min(0, *(v.min() for v in data)) - 0.05, 1.05))
    told = [f"{s:,}: median {np.median(v):.2f}, {v.min():.2f} to {v.max():.2f}" for s, v in zip(sizes, data, strict=True)]
    return (
        fig,
        f"Strip chart of the cosine between a mini-batch's gradient and the gradient of all {full:,} examples, "
        f"for each batch size: {'; '.join(told)}. 1 means the same direction. A thick line marks each median.",
        f"Median cosine with the full gradient: "
        f"{_list(f'{np.median(v):.2f} for {s:,}' for s, v in zip(sizes, data, strict=True))} examples in a batch.",
    )


@_picture
def ladder(rows):
    """The rungs climbed so far, in order: (name, seconds, accuracy in %, half-width of its interval)."""
    seconds, accuracy = (np.array([row[i] for row in rows], dtype=float) for i in (1, 2))
    half = np.array([row[3] or 0 for row in rows], dtype=float)
    fig, page = _page(max(600, 170 + 74 * len(rows)), f"{len(rows)} rung{'s' * (len(rows) > 1)} so far: accuracy against time")
    ax = _panel(fig, 110, 90, 600, 400, xlabel="seconds of training", ylabel="right on dev in %")
    if seconds.max() > 10 * seconds.min():
        ax.set_xscale("log")
    ax.plot(seconds, accuracy, color=LINE, lw=1.5)
    ax.errorbar(seconds, accuracy, half, fmt="o", color=BLUE, ms=7, elinewidth=2, capsize=6, capthick=2)
    label = _spread(accuracy, 6.5 * np.ptp(ax.get_ylim()) / 100)
    for i, (name, took, right, wide) in enumerate(rows):
        ax.annotate(i + 1, (took, right), (took, label[i]), weight="bold", ha="center", va="center")
        page.text(760, 108 + 74 * i, f"{i + 1}  {name}", weight="bold", va="center")
        page.text(796, 138 + 74 * i, f"{right:.1f} %" + (f" \u00b1 {wide:.1f}" if wide else "")
                  + f", {took:.3g} s", va="center", color=GREY)
    told = [f"{i + 1}. {name}: {right:.1f} %" + (f" plus or minus {wide:.1f}" if wide else "")
            + f" in {took:.3g} s" for i, (name, took, right, wide) in enumerate(rows)]
    return (
        fig,
        f"Chart of accuracy on dev in per cent against seconds of training, one numbered point for each rung, "
        f"joined in order, with 95 % intervals. {'; '.join(told)}.",
        f"{_list(f'{row[0]}: {row[2]:.1f} %' for row in rows)}.",
    )


@_picture
def shifted(X, X_shifted):
    """Up to eight originals, above, and their shifted or rotated versions, below."""
    before, after = _unit(np.asarray(X)[:, :8]), _unit(np.asarray(X_shifted)[:, :8])
    n = len(before)
    grid = np.arange(28)
    middle = [np.array([[(p.sum(axis=i) * grid).sum() / max(p.sum(), 1e-9) for i in (0, 1)] for p in pictures])
              for pictures in (before, after)]  # fmt: skip
    move = middle[1] - middle[0]
    far = np.hypot(*move.T)
    fig, page = _page(410, "The same digit, moved a little: to the network a new example")
    corners = _tile(page, np.concatenate([before, after]), 150, 84, 4, n, gap=(20, 40))
    for x, y in corners:
        _frame(page, x, y, 112, 112, LINE, 1)
        page.plot([x + 56] * 2, [y, y + 112], ":", color=LINE, lw=0.8)
        page.plot([x, x + 112], [y + 56] * 2, ":", color=LINE, lw=0.8)
    for y, words in ((140, "before"), (292, "after")):
        page.text(126, y, words, ha="right", va="center")
    for (x, _), (dx, dy) in zip(corners, move, strict=False):
        page.text(x + 56, 376, f"{dx:+.1f}, {dy:+.1f}", ha="center", va="center")
    page.text(126, 376, "right, down", ha="right", va="center")
    told = "; ".join(f"{dx:+.1f} right, {dy:+.1f} down" for dx, dy in move)
    return (
        fig,
        f"{n} digits above and below them the same digits moved. How far the middle of the ink moved, in "
        f"pixels: {told}.",
        f"{n} digits and their moved copies; the middle of the ink moved by {far.min():.1f} to {far.max():.1f} pixels.",
    )


_lines = {}  # (id of a history, number of the cell's run) -> the handle of its line on the page


def progress(history, total=None):
    """Show the last row of history as one line of text that later calls rewrite in place.

    history: list of dicts as for training_curves; total: the step at which the run will end. The first
    row of a run, or of a cell, starts a new line. Outside IPython nothing is shown."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return
    shell = get_ipython()
    if shell is None or not history:
        return
    row = history[-1]
    text = f"step {row['step']}{f' of {total}' if total else ''}: loss {row['train_loss']:.3f}"
    text += f", train {100 * row['train_accuracy']:.1f} %"
    if row.get("dev_accuracy") is not None:
        text += f", dev {100 * row['dev_accuracy']:.1f} %"
    key = id(history), shell.execution_count
    if len(history) == 1 or key not in _lines:
        _lines.clear()
        _lines[key] = display({"text/plain": text}, raw=True, display_id=True)
    else:
        _lines[key].update({"text/plain": text}, raw=True)
