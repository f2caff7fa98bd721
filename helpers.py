"""Pictures for the notebook: plots and nothing else.

Each function takes plain arrays and returns a `Picture`. As the last line of a cell it shows
itself, with a caption and with a description for those who cannot see it; both are computed from
the data. The one exception is `progress`, the live line of a long cell.

X is (784, m), one example per column, uint8 0..255 or float 0..1; Y is (m,), the labels 0..9;
A2 is (10, m), probabilities. Places on a page are in dots, DPI of them to the inch, y downwards.
"""

import base64
import functools
import io
import re
import textwrap

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from matplotlib.ticker import LogLocator, NullLocator
from PIL import Image

DPI = 144  # stored dots per inch; a browser shows 96 CSS px to the inch, so 12 pt text is 16 px
WIDTH = 1224  # dots: 8.5 inches, 816 CSS px
# On white these have a contrast of at least 3:1; black, GREY and BLUE, used for text, of 4.5:1.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
GREY, LINE = "#636363", "#8A8A8A"
LOOKS = [(BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (PINK, "D")]  # told apart by marker as well
INK = matplotlib.colormaps["gray_r"].resampled(32)  # few colours, small files
WEIGHT = matplotlib.colormaps["cividis"].resampled(33)  # lightness alone tells the two ends apart
HEAT = LinearSegmentedColormap.from_list("heat", ["white", ORANGE])  # black text is readable on it
CLEAR = {"fc": "white", "ec": "none", "pad": 1}  # a white ground for text that may lie on a line
STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelsize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.unicode_minus": False,
    "xtick.labelsize": 12,
    "xtick.color": GREY,
    "xtick.labelcolor": "black",
    "ytick.labelsize": 12,
    "ytick.color": GREY,
    "ytick.labelcolor": "black",
    "hatch.linewidth": 2,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
}


class Picture:
    """A finished figure. png: bytes; description, caption: str; width, height: CSS px."""

    def __init__(self, png, description, caption):
        self.png, self.description, self.caption = png, description, caption
        dots = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")  # its header
        self.width, self.height = (round(n * 96 / DPI) for n in dots)

    def __repr__(self):
        return self.description

    def _ipython_display_(self):
        from IPython.display import display

        data = {"image/png": base64.b64encode(self.png).decode(), "text/plain": self.description}
        shown = {"alt": self.description, "width": self.width, "height": self.height}
        display(data, raw=True, metadata={"image/png": shown})
        safe = re.sub(r"([\\`*_$<\[])", r"\\\1", self.caption)
        display({"text/markdown": f"*{safe}*", "text/plain": self.caption}, raw=True)


def _png(fig):
    """Figure -> PNG bytes without a date, so that a second call repeats them.

    Its 96 most frequent colours are kept exactly, the others go to the nearest of these."""
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    rgb = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    counted = Image.fromarray(rgb).getcolors(1 << 16)
    colors = np.array([color for _, color in sorted(counted, key=lambda c: (-c[0], c[1]))])
    kept = colors[:96]
    table = np.zeros((256, 256, 256), np.uint8)  # colour -> its place in kept
    table[tuple(colors.T)] = np.abs(colors[:, None] - kept).sum(axis=2).argmin(axis=1)
    image = Image.fromarray(table[tuple(np.moveaxis(rgb, -1, 0))])
    image.putpalette(kept.astype(np.uint8).tobytes())
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
    """A white page of width x height dots with a title -> figure, axes measured in dots."""
    height += -height % 3  # 3 dots are 2 CSS px: no half pixels
    fig = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    page = fig.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0), zorder=1)
    page.axis("off")
    page.text(24, 40, title, size=14, weight="bold", va="center")
    return fig, page


def _panel(fig, x, y, width, height, **settings):
    """A chart whose left top corner is at dot (x, y)."""
    w, h = fig.get_size_inches() * DPI
    return fig.add_axes((x / w, 1 - (y + height) / h, width / w, height / h), **settings)


def _beside(ax, y, text):
    """Text to the right of the chart, at height y of its data."""
    ax.annotate(text, (1, y), (8, 0), xycoords=("axes fraction", "data"), va="center",
                textcoords="offset points")


def _digits(X):
    """(784, m) or (784,), uint8 0..255 or float 0..1 -> (m, 28, 28), float 0..1."""
    X = np.asarray(X)
    X = X[:, None] if X.ndim == 1 else X
    if X.ndim != 2 or X.shape[0] != 784:
        raise ValueError(f"X must be (784, m), one example per column, but it is {X.shape}. "
                         "If it is (m, 784), pass X.T.")
    return X.T.reshape(-1, 28, 28) / (255 if X.dtype.kind in "iu" else 1)


def _columns(X, A2=None, Y=None):
    """The arguments as arrays, X (784, m), A2 (10, m), Y (m,), once their m agree."""
    X = np.asarray(X)
    X = X[:, None] if X.ndim == 1 else X
    A2 = None if A2 is None else np.asarray(A2, dtype=float).reshape(10, -1)
    Y = None if Y is None else np.asarray(Y).ravel().astype(int)
    for name, other in (("A2", A2), ("Y", Y)):
        if other is not None and other.shape[-1] != X.shape[-1]:
            raise ValueError(f"{name} is for {other.shape[-1]} examples, but X has {X.shape[-1]} "
                             "columns. Take the same examples from both.")
    return X, A2, Y


def _tile(page, pictures, x, y, k, columns, gap=(12, 12), cmap=INK, limit=(0, 1)):
    """Draw (n, 28, 28) pictures from (x, y) on, k dots to a pixel, gap (x, y) dots apart.

    Returns the left top corner of each. They are one image: many would make the file large."""
    step = [28 + round(g / k) for g in gap]
    sheet = np.full((-(-len(pictures) // columns) * step[1], columns * step[0]), np.nan)
    corners = []
    for i, picture in enumerate(pictures):
        r, c = i // columns * step[1], i % columns * step[0]
        sheet[r : r + 28, c : c + 28] = picture
        corners.append((x + c * k, y + r * k))
    page.imshow(np.ma.masked_invalid(sheet), cmap=cmap, vmin=limit[0], vmax=limit[1],
                extent=(x, x + sheet.shape[1] * k, y + sheet.shape[0] * k, y),
                interpolation="nearest", aspect="auto")
    return corners


def _frame(page, x, y, width, height, color=LINE, lw=1):
    page.add_patch(Rectangle((x, y), width, height, fill=False, ec=color, lw=lw))


def _weights(w):
    """Rows of 784 weights -> (n, 28, 28) and the limits of their colours, equal on both sides.

    The limit is the 99.5th percentile of their sizes, so that one weight cannot dim the rest."""
    w = np.asarray(w, dtype=float).reshape(-1, 28, 28)
    sizes = np.abs(w[np.isfinite(w)])
    limit = (float(np.percentile(sizes, 99.5)) if sizes.size else 0) or 1.0
    return w, (-limit, limit)


def _scale(page, x, y, height, limit):
    """The colour bar of weights; it says in words which end is which."""
    page.imshow(np.linspace(1, -1, 33)[:, None], cmap=WEIGHT, aspect="auto",
                extent=(x, x + 28, y + height, y), interpolation="nearest")
    for at, va, words in ((0, "top", f"+{limit:.2g}\nink adds"), (0.5, "center", "0"),
                          (1, "bottom", f"-{limit:.2g}\nink subtracts")):
        page.text(x + 40, y + at * height, words, va=va)


def _bars(ax, values, texts, colors, hatches=None):
    """Ten horizontal bars, for the digits 0 to 9 from the top, each with a text at its end."""
    ax.barh(range(10), values, 0.7, color=colors, hatch=hatches, edgecolor="white", linewidth=0)
    for i, (value, text) in enumerate(zip(values, texts, strict=True)):
        ax.annotate(text, (value, i), (-5 if value < 0 else 5, 0), textcoords="offset points",
                    ha="right" if value < 0 else "left", va="center")
    ax.set(ylim=(9.6, -0.6), xticks=[], yticks=range(10))
    ax.tick_params(left=False)
    ax.spines["bottom"].set_visible(False)
    if min(values) < 0:  # the digits' names stand clear of the bars that reach left
        ax.spines["left"].set_visible(False)
        ax.axvline(0, color=GREY, lw=1)
        right = max(*values, 0)
        ax.set_xlim(min(values) - 0.35 * (right - min(values)), right)


def percent(p):
    """A probability in words: 0.98 is "98 %"."""
    return "over 99 %" if p >= 0.995 else "under 1 %" if p < 0.005 else f"{100 * p:.0f} %"


def _percent(p):
    """0.984 -> "98 %". What is not quite 0 or 1 never reads "0 %" or "100 %"."""
    return "> 99 %" if 0.995 <= p < 1 else "< 1 %" if 0 < p < 0.005 else f"{100 * p:.0f} %"


def _number(value, digits, sign=""):
    return f"{value:.{digits}f}{sign}" if np.isfinite(value) else "no number"


def _list(items):
    """["a", "b", "c"] -> "a, b and c"."""
    items = [str(item) for item in items]
    return " and ".join([", ".join(items[:-1])] * (len(items) > 1) + items[-1:])


@_picture
def pixel_numbers(x, label):
    """One digit x (784,) and, enlarged, the 10 x 10 pixels with most ink and their numbers."""
    digit = np.rint(_digits(x)[0] * 255).astype(int)
    ink = np.lib.stride_tricks.sliding_window_view(digit, (10, 10)).sum(axis=(2, 3))
    top, left = (int(i) for i in np.unravel_index(ink.argmax(), ink.shape))
    crop = digit[top : top + 10, left : left + 10]
    fig, page = _page(730, f"The computer sees this {label} as 784 numbers")
    k, cell, x0, y0, x1, y1 = 16, 62, 28, 166, 576, 80
    _tile(page, [digit / 255], x0, y0, k, 1, (0, 0))
    _frame(page, x0, y0, 28 * k, 28 * k)
    fx, fy = x0 + left * k, y0 + top * k
    for a, b in ((fy, y1), (fy + 10 * k, y1 + 10 * cell)):
        page.plot([fx + 10 * k, x1], [a, b], color=ORANGE, lw=1.5, ls="--")
    page.imshow(crop / 255, cmap=INK, vmin=0, vmax=1, aspect="auto", interpolation="nearest",
                extent=(x1, x1 + 10 * cell, y1 + 10 * cell, y1))
    _frame(page, fx, fy, 10 * k, 10 * k, ORANGE, 3)
    _frame(page, x1, y1, 10 * cell, 10 * cell, ORANGE, 3)
    for (r, c), value in np.ndenumerate(crop):  # from 136 on, INK's 32 steps are dark enough
        page.text(x1 + (c + 0.5) * cell, y1 + (r + 0.5) * cell, value, ha="center", va="center",
                  color="white" if value > 135 else "black")
    inked = int((digit > 0).sum())
    return (
        fig,
        f"A handwritten {label}, 28 x 28 pixels, with a frame around rows {top} to {top + 9} and "
        f"columns {left} to {left + 9}. Beside it the frame enlarged, a number in each cell: 0 is "
        f"blank paper, 255 full ink; here from {crop.min()} to {crop.max()}. In the whole picture "
        f"{inked} pixels have ink and {784 - inked} have none. The framed rows: "
        f"{'; '.join(' '.join(map(str, row)) for row in crop)}.",
        f"A {label} as the computer gets it: 784 numbers, from 0 for paper to 255 for full ink; "
        f"{inked} of them are not 0.",
    )


@_picture
def digit_grid(X, Y):
    """The first 12 examples of each class, a row for each class."""
    X, _, Y = _columns(X, Y=Y)
    chosen = [np.flatnonzero(Y == d)[:12] for d in range(10)]
    shown = [len(index) for index in chosen]
    fig, page = _page(1050, "The same ten digits, written in many ways")
    for d, index in enumerate(chosen):
        y = 80 + d * 96
        page.text(40, y + 42, d, size=16, weight="bold", ha="center", va="center")
        if shown[d]:
            _tile(page, _digits(X[:, index]), 84, y, 3, 12, (9, 9))
        else:
            page.text(84, y + 42, f"no {d} among these examples", va="center")
    return (
        fig,
        f"A grid of {sum(shown)} handwritten digits, a row for each of the digits 0 to 9, with "
        f"the first examples of each: {_list(f'{n} of {d}' for d, n in enumerate(shown))}. Slant, "
        "thickness and shape differ within each row.",
        f"The first {max(shown)} examples of each digit, {sum(shown)} in all.",
    )


@_picture
def class_counts(Y):
    """How many examples each class has, beside an even share."""
    counts = np.bincount(np.asarray(Y, dtype=int).ravel(), minlength=10)
    total, low, high = int(counts.sum()), int(counts.argmin()), int(counts.argmax())
    even = counts.max() <= 1.5 * counts.min()
    fig, _ = _page(480, f"Each digit has {counts[low]:,} to {counts[high]:,} examples"
                   + (": nearly an even share" if even else ""))
    ax = _panel(fig, 36, 80, 990, 320, xlim=(-0.5, 9.5), ylim=(0, max(1, 1.05 * counts[high])))
    ax.bar(range(10), counts, 0.84, color=BLUE)
    for d, n in enumerate(counts):
        tall = n > 0.2 * counts[high]
        ax.annotate(f"{n:,}", (d, n / 2 if tall else n), (0, 0 if tall else 3), ha="center",
                    va="center" if tall else "bottom", textcoords="offset points",
                    color="white" if tall else "black", bbox=None if tall else CLEAR)
    ax.axhline(total / 10, color="black", ls="--", lw=1.5)
    _beside(ax, total / 10, f"even share:\n{total / 10:,.0f}")
    ax.set(xticks=range(10), yticks=[], xlabel="digit")
    ax.tick_params(bottom=False)
    ax.spines["left"].set_visible(False)
    return (
        fig,
        f"Bar chart of how many of the {total:,} examples show each digit: "
        f"{', '.join(f'{d}: {n:,}' for d, n in enumerate(counts))}. A dashed line marks an even "
        f"share, {total / 10:,.0f}. The rarest is {low}, the most frequent {high}.",
        f"{total:,} examples: {low} is the rarest digit ({counts[low]:,}), {high} the most "
        f"frequent ({counts[high]:,}).",
    )


@_picture
def average_digits(X, Y):
    """The mean picture of each class."""
    X, _, Y = _columns(X, Y=Y)
    full, counts = 255 if X.dtype.kind in "iu" else 1, np.bincount(Y, minlength=10)
    means = [X[:, Y == d].mean(axis=1) / full if counts[d] else np.zeros(784) for d in range(10)]
    means = _digits(np.array(means, dtype=float).T)
    ink = 100 * means.mean(axis=(1, 2))
    some = np.flatnonzero(counts)
    low, high = some[ink[some].argmin()], some[ink[some].argmax()]
    fig, page = _page(600, "The average of each digit: blurred, and still readable")
    for d, (x, y) in enumerate(_tile(page, means, 50, 70, 7, 5, (38, 63))):
        words = f"{d}: mean of {counts[d]:,}" if counts[d] else f"no {d} here"
        page.text(x + 98, y + 214, words, ha="center", va="center")
    return (
        fig,
        "Ten blurred pictures, the mean of all examples of each digit. Share of the page that is "
        f"ink: {', '.join(f'{d}: {ink[d]:.1f} %' for d in some)}. The average {low} has the least "
        f"ink, the average {high} the most.",
        f"The mean picture of each digit. On average a {low} needs least ink "
        f"({ink[low]:.1f} % of the page), a {high} most ({ink[high]:.1f} %).",
    )


@_picture
def network_diagram(n_in=784, n_hidden=10, n_out=10):
    """The layers of the network, and each array with its shape where it acts."""
    fig, page = _page(760, f"The network: {n_in} pixels, {n_hidden} hidden units, {n_out} answers")
    layers = []
    for x, n, most in ((150, n_in, 5), (612, n_hidden, 5), (1074, n_out, 10)):
        slots = min(n, most)
        ys = [390 + (i - (slots - 1) / 2) * 48 for i in range(slots)]
        if n > most:  # dots in the middle stand for the rest
            y = ys.pop(slots // 2)
            page.plot([x] * 3, [y - 12, y, y + 12], "o", color="black", ms=3)
        layers.append((x, ys))
        for i, y in enumerate(ys):
            page.add_patch(Circle((x, y), 19, fc="white", ec="black", lw=1.5, zorder=3))
            if len(layers) == 3 and n == slots:
                page.text(x, y, i, ha="center", va="center", zorder=4)
    for (x0, starts), (x1, ends) in zip(layers[:2], layers[1:], strict=True):
        for j, b in enumerate(ends):
            row = j == min(1, len(ends) - 1)  # one unit's weights, a row of W, stand out
            for a in starts:
                page.plot([x0, x1], [a, b], color=BLUE if row else LINE, lw=2 if row else 0.6,
                          zorder=1 + row)
    for x, name, n in ((150, "X", n_in), (612, "Z1, A1", n_hidden), (1074, "Z2, A2", n_out)):
        page.text(x, 84, name, ha="center", va="center", weight="bold", size=14)
        page.text(x, 118, f"({n}, m)", ha="center", va="center")
    for x, i, n, m in ((381, 1, n_hidden, n_in), (843, 2, n_out, n_hidden)):
        page.text(x, 84, f"W{i} ({n}, {m})", ha="center", va="center", color=BLUE)
        page.text(x, 118, f"b{i} ({n}, 1)", ha="center", va="center", color=BLUE)
        page.text(x, 656, f"thick: one\nrow of W{i}", ha="center", va="top", color=BLUE)
    for x, words in ((150, "m examples,\none a column"),
                     (612, "Z1 = W1 @ X + b1\nA1 = ReLU(Z1)"),
                     (1074, "Z2 = W2 @ A1 + b2\nA2 = softmax(Z2)")):
        page.text(x, 656, words, ha="center", va="top")
    count = n_hidden * (n_in + 1) + n_out * (n_hidden + 1)
    return (
        fig,
        "Diagram of three layers of circles, left to right, each circle joined to all of the next "
        f"layer. X, {n_in} pixels, shape ({n_in}, m). W1 ({n_hidden}, {n_in}) and b1 "
        f"({n_hidden}, 1) lead to {n_hidden} hidden units: Z1 = W1 @ X + b1, A1 = ReLU(Z1), both "
        f"({n_hidden}, m). W2 ({n_out}, {n_hidden}) and b2 ({n_out}, 1) lead to {n_out} outputs: "
        f"Z2 = W2 @ A1 + b2, A2 = softmax(Z2), both ({n_out}, m). {count:,} parameters in all. "
        "Thick lines into one unit show one row of W1 and one row of W2.",
        f"Each line is a weight. With the biases the network has {count:,} parameters; dots stand "
        "for what is left out.",
    )


@_picture
def relu_curve(ReLU):
    """Your own ReLU over -3..3."""
    z = np.linspace(-3, 3, 601)
    y = np.asarray(ReLU(z[None, :]), dtype=float).ravel()
    right = np.allclose(y, np.maximum(z, 0))
    fig, _ = _page(560, "ReLU: negative scores become 0, the others stay" if right
                   else "Your ReLU over -3..3", 900)
    ax = _panel(fig, 110, 90, 740, 380, xlabel="Z", ylabel="ReLU(Z)", xlim=(-3, 3))
    ax.plot(z, y, color=BLUE, lw=3, clip_on=False)
    for i, shift in ((100, (0, 10)), (500, (-14, 4))):
        ax.plot(z[i], y[i], "o", color=BLUE, ms=10)
        ax.annotate(f"ReLU({z[i]:.0f}) = {y[i]:g}", (z[i], y[i]), shift, va="bottom",
                    textcoords="offset points", ha="right" if i == 500 else "center")
    ax.locator_params(nbins=7, integer=True)
    return (
        fig,
        f"Line chart of ReLU(Z) against Z from -3 to 3: {y[0]:g} at -3, {y[100]:g} at -2, "
        f"{y[300]:g} at 0, {y[500]:g} at 2, {y[-1]:g} at 3. Below 0 it lies between "
        f"{y[:300].min():g} and {y[:300].max():g}.",
        f"Your ReLU gives {y[100]:g} at -2, {y[300]:g} at 0 and {y[500]:g} at 2.",
    )


@_picture
def scores_to_probabilities(Z2, A2):
    """One column of scores Z2 and its probabilities A2, each (10,) or (10, 1)."""
    Z, A = (np.asarray(v, dtype=float).ravel() for v in (Z2, A2))
    if not Z.size == A.size == 10:
        raise ValueError("Pass one column of ten, such as Z2[:, 0] and A2[:, 0].")
    best = int(A.argmax())
    fig, _ = _page(560, "softmax turns ten scores into ten probabilities")
    for x, values, digits, title in ((70, Z, 1, "scores Z2: any numbers"),
                                     (680, A, 3, f"probabilities A2: their sum is {A.sum():.3f}")):
        ax = _panel(fig, x, 120, 400, 410, title=title)
        _bars(ax, values, [f"{v:.{digits}f}" for v in values],
              [BLUE if d == best else LINE for d in range(10)])
    return (
        fig,
        "Two bar charts with a bar for each digit 0 to 9. Scores Z2: "
        f"{', '.join(f'{z:.1f}' for z in Z)}. Probabilities A2: "
        f"{', '.join(f'{a:.3f}' for a in A)}; their sum is {A.sum():.3f}. The largest probability "
        f"is that of {best}.",
        f"The score {Z[best]:.1f} of the digit {best} becomes the probability {A[best]:.3f}, the "
        "largest of the ten.",
    )


@_picture
def loss_curve():
    """The loss of one example, -ln p, against the probability p that its true digit got."""
    p = np.linspace(0.004, 1, 500)
    fig, _ = _page(600, "The loss is small only when the true digit gets a high probability")
    ax = _panel(fig, 110, 84, 900, 420, xlim=(0, 1), ylim=(0, 5.3), ylabel="loss, -ln p",
                xlabel="p, the probability that the network gives to the true digit")
    ax.plot(p, -np.log(p), color=BLUE, lw=3)
    losses = {at: -np.log(at) for at in (0.1, 0.5, 0.9, 0.99)}
    for at, loss in losses.items():
        ax.plot(at, loss, "o", color=ORANGE, ms=10, clip_on=False)
        words = f"p = {at}:\nloss {loss:.2f}"
        if at == 0.1:
            words = f"p = 0.1, a blind guess among ten:\nloss ln 10 = {loss:.2f}"
        ax.annotate(words, (at, loss), (-2, 12) if at == 0.9 else (10, 6), va="bottom",
                    ha="center" if at == 0.9 else "left", textcoords="offset points")
    values = _list(f"{loss:.2f} at p = {at}" for at, loss in losses.items())
    return (
        fig,
        "Line chart of the loss -ln p against p from 0 to 1: it falls from above 5 near p = 0, "
        f"first steeply, to 0 at p = 1. Marked points: {values}. The first is ln 10, the loss of "
        "a blind guess.",
        f"A blind guess among ten costs ln 10 = {losses[0.1]:.2f}; 99 % for the true digit costs "
        f"{losses[0.99]:.2f}.",
    )


@_picture
def answers(X, A2, Y=None, columns=6):
    """Digits with the network's answer and its probability; with Y also whether it is right."""
    X, A2, Y = _columns(X, A2, Y)
    pictures, said, p = _digits(X), A2.argmax(axis=0), A2.max(axis=0)
    n, right = len(pictures), None if Y is None else said == Y
    step = (WIDTH - 24) // columns
    k = max(3, min(6, (step - 28) // 28))
    side, tall = 28 * k, 28 * k + (104 if Y is None else 138)
    start = 12 + (step - side) // 2
    x_gap, y_gap = ((length - side) // k * k for length in (step, tall))
    fig, page = _page(70 + -(-n // columns) * (side + y_gap) + 4,
                      "What the network answers, and how sure it is" if Y is None else
                      f"{right.sum()} of {n} right: what the network answers, and how sure it is")
    told = []
    for i, (x, y) in enumerate(_tile(page, pictures, start, 80, k, columns, (x_gap, y_gap))):
        bad = right is not None and not right[i]
        _frame(page, x - 6, y - 6, side + 12, side + 12, ORANGE if bad else LINE, 3 if bad else 1)
        page.text(x - 4, y + side + 34, said[i], size=20, weight="bold", va="center")
        page.text(x + side + 4, y + side + 36, _percent(p[i]), va="center", ha="right")
        page.add_patch(Rectangle((x - 6, y + side + 58), p[i] * (side + 12), 9, lw=0, ec="white",
                                 fc=ORANGE if bad else BLUE, hatch="////" if bad else None))
        told.append(f"{said[i]} ({_percent(p[i])})")
        if right is not None:
            words = f"wrong: is {Y[i]}" if bad else "right"
            told[-1] += f" {words}"
            page.text(x - 6, y + side + 88, ("\u2717 " if bad else "\u2713 ") + words, va="center",
                      weight="bold" if bad else "normal")
    return (
        fig,
        f"{n} handwritten digits. Under each the network's answer, its probability and a bar as "
        f"long as the probability. In reading order: {', '.join(told)}."
        + ("" if Y is None else f" {right.sum()} of {n} are right; a wrong one has a thick frame."),
        f"{n} digits, the network's answers and how sure it is: {_percent(p.mean())} on average."
        if Y is None else
        f"Right: {right.sum()} of {n}. On average the network is {_percent(p.mean())} sure.",
    )


def _spread(values, gap):
    """Values moved apart until neighbours differ by gap, in the same order: places of labels."""
    values = np.array(values, dtype=float)
    order = np.argsort(values, kind="stable")
    for _ in range(100):
        for low, high in zip(order, order[1:], strict=False):
            push = max(0, gap - (values[high] - values[low])) / 2
            values[low] -= push
            values[high] += push
    return values


@_picture
def training_curves(runs, xlabel="step", zoom=False, weights=None):
    """Loss and accuracy during up to three runs; runs is a dict name -> history.

    A history is a list of dicts with step, train_loss, train_accuracy and, if measured, dev_loss
    and dev_accuracy; accuracies are 0..1. zoom leaves each run's first row out, so that small
    differences between train and dev show."""
    runs = {"this run": runs} if isinstance(runs, list) else runs
    if not 1 <= len(runs) <= 3:
        raise ValueError(f"training_curves shows one to three runs, not {len(runs)}.")
    runs = {name: rows[1:] if zoom and len(rows) > 1 else rows for name, rows in runs.items()}
    if not all(runs.values()):
        raise ValueError("A history is empty: train first, with history=[] kept in a variable.")
    first, last = (np.array([rows[i]["train_loss"] for rows in runs.values()]) for i in (0, -1))
    fig, page = _page(850, "Training: the loss falls, the accuracy rises" if (last < first).all()
                      else "Training: loss and accuracy")
    key = any(row.get("dev_loss") is not None for rows in runs.values() for row in rows)
    key = " (solid: train, dashed: dev)" if key else " on the training data"
    told, ends = [], {name: [] for name in runs}
    height = 290
    for what, y0, digits, sign in (("loss", 106, 2, ""), ("accuracy", 480, 1, " %")):
        form = functools.partial(_number, digits=digits, sign=sign)
        ax = _panel(fig, 104, y0, 740, height)
        ax.set_title(what + (" in %" if sign else "") + key)
        places = []
        for (name, rows), (color, marker) in zip(runs.items(), LOOKS, strict=False):
            values = {}
            for part in ("train", "dev"):
                y = np.array([row.get(f"{part}_{what}") for row in rows], dtype=float)
                if part == "dev" and np.isnan(y).all():
                    continue
                y = values[part] = y * (1 if what == "loss" else 100)
                every = max(1, len(rows) // 7)
                ax.plot([row["step"] for row in rows], y, "-" if part == "train" else "--",
                        color=color, lw=2, marker=marker, ms=8, mew=1.5, clip_on=False,
                        markevery=(every // 2 * (part == "dev"), every),
                        mfc=color if part == "train" else "white")
                told.append(f"{name}, {part} {what}: {form(y[0])} to {form(y[-1])}")
            finite = [v for v in [y[-1] for y in values.values()] if np.isfinite(v)]
            places.append(np.mean(finite) if finite else 0)
            ends[name].append(", ".join(f"{part} {form(y[-1])}" for part, y in values.items()))
        if what == "loss":
            ax.tick_params(labelbottom=False)
            ax.set_ylim(0, None)
            if ax.get_ylim()[1] > 2.4:
                ax.axhline(np.log(10), color=GREY, lw=1, ls=":")
                ax.annotate("ln 10 = 2.30: blind guessing", (1, np.log(10)), (-4, 4), ha="right",
                            xycoords=("axes fraction", "data"), textcoords="offset points")
        elif not zoom:
            ax.set_ylim(0, 100)
        steps = [row["step"] for rows in runs.values() for row in rows]
        ax.set_xlim(min(steps), max(max(steps), min(steps) + 1))
        low, high = ax.get_ylim()
        unit = height / (high - low)
        places = _spread([y0 + height - (v - low) * unit for v in places], 80)
        for place, (name, text), (color, marker) in zip(places, ends.items(), LOOKS, strict=False):
            y = place + max(0, y0 + 20 - min(places)) - max(0, max(places) - y0 - height + 20)
            page.plot(872, y, marker, color=color, ms=10)
            page.text(892, y - 16, name, va="center", weight="bold")
            page.text(892, y + 16, text[-1].replace(" %,", ","), va="center")
    ax.set_xlabel(xlabel)
    return (
        fig,
        f"Two line charts against {xlabel}, loss above and accuracy below"
        f"{key}. {'; '.join(told)}. The loss of blind guessing is ln 10 = 2.30.",
        f"At the end, {'; '.join(f'{name}: {text[-1]} right' for name, text in ends.items())}.",
    )


@_picture
def weight_pictures(W1, titles=None):
    """Rows of W1 (n, 784), at most 20, as pictures on one scale; titles: n strings."""
    pictures, limit = _weights(np.atleast_2d(W1)[:20])
    n = len(pictures)
    titles = [f"unit {i}" for i in range(n)] if titles is None else [str(t) for t in titles][:n]
    columns, k, gap = (min(n, 5), 6, 18) if n <= 10 else (7, 4, 28)
    side, step = 28 * k, 28 * k + 48
    fig, page = _page(96 + -(-n // columns) * step, "What each hidden unit looks for: its weights")
    for (x, y), title in zip(_tile(page, pictures, 24, 106, k, columns, (gap, 48), WEIGHT, limit),
                             titles, strict=True):
        page.text(x + side / 2, y - 20, title, ha="center", va="center")
    tall = min(-(-n // columns) * step - 48, 400)
    _scale(page, 32 + columns * (side + gap), 106, tall, limit[1])
    ends = (f"{t}: {w.min():.2f} to {w.max():.2f}" for t, w in zip(titles, pictures, strict=True))
    return (
        fig,
        f"{n} pictures of 28 x 28 weights, one for each hidden unit. On one colour scale "
        f"dark blue is -{limit[1]:.2g} or less, where ink subtracts from the unit's score, and "
        f"yellow +{limit[1]:.2g} or more, where ink adds. Range of weights: {'; '.join(ends)}.",
        f"The weights of {n} hidden unit{'s' * (n > 1)}: ink on a light place raises the score, "
        f"ink on a dark place lowers it (scale \u00b1{limit[1]:.2g}).",
    )


@_picture
def weights_over_time(history, units=(0, 1, 2, 3, 4)):
    """Weights of the chosen units (at most 5) at up to four steps of a run.

    Rows of history are dicts with step and params, (W1, b1, W2, b2)."""
    n, units = len(history), list(units)[:5]
    rows = [history[i] for i in sorted({0, n // 16, n // 4, n - 1})]
    steps = _list(row["step"] for row in rows)
    chosen = np.array([np.asarray(row["params"][0])[units] for row in rows])
    pictures, limit = _weights(chosen)
    moved = float(np.abs(chosen[-1] - chosen[0]).mean())
    fig, page = _page(116 + len(rows) * 155, "The same weights as training goes on")
    corners = _tile(page, pictures, 170, 106, 5, len(units), (15, 15), WEIGHT, limit)
    for (x, _), unit in zip(corners, units, strict=False):
        page.text(x + 70, 84, f"unit {unit}", ha="center", va="center")
    for (_, y), row in zip(corners[:: len(units)], rows, strict=True):
        page.text(150, y + 70, f"step {row['step']:,}", ha="right", va="center")
    _scale(page, 178 + len(units) * 155, 106, max(140, min(len(rows) * 155 - 15, 400)), limit[1])
    return (
        fig,
        f"A table of weight pictures: columns are the hidden units {_list(units)}, rows the steps "
        f"{steps}. Dark blue is -{limit[1]:.2g} or less, yellow +{limit[1]:.2g} or more. From the "
        f"first row to the last a weight moves by {moved:.3f} on average.",
        f"Weights of the units {_list(units)} at the steps {steps}: on average a weight moves by "
        f"{moved:.3f}.",
    )


@_picture
def confusion_matrix(counts):
    """counts (10, 10): rows are the true digit, columns the answer."""
    counts = np.asarray(counts).astype(int)
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:3]
    worst = [(int(o) // 10, int(o) % 10) for o in order if wrong.flat[o]]
    named = [f"{i} taken for {j}: {counts[i, j]:,}" for i, j in worst]
    least = min((counts[cell] for cell in worst), default=0)
    ties = int((wrong == least).sum()) - sum(counts[cell] == least for cell in worst)
    also = f"and {ties} more with {least}" if least and ties else ""
    right, total = int(np.trace(counts)), int(counts.sum())
    fig, page = _page(730, f"{right:,} of {total:,} right, and what is taken for what")
    w, h, x0, y0 = 78, 56, 106, 148
    page.imshow(wrong / max(wrong.max(), 1), cmap=HEAT, vmin=0, vmax=1, aspect="auto",
                extent=(x0, x0 + 10 * w, y0 + 10 * h, y0), interpolation="nearest")
    _frame(page, x0, y0, 10 * w, 10 * h)
    for i in range(10):
        page.text(x0 + (i + 0.5) * w, y0 - 20, i, ha="center", va="center", weight="bold")
        page.text(x0 - 22, y0 + (i + 0.5) * h, i, ha="center", va="center", weight="bold")
    for (i, j), count in np.ndenumerate(counts):
        if count:
            page.text(x0 + (j + 0.5) * w, y0 + (i + 0.5) * h, count, ha="center",
                      va="center", color=BLUE if i == j else "black",
                      weight="bold" if i == j else "normal")
    page.text(x0 + 5 * w, y0 - 56, "the network's answer", ha="center", va="center")
    page.text(44, y0 + 5 * h, "true digit", ha="center", va="center", rotation=90)
    for i, j in worst:
        _frame(page, x0 + j * w + 3, y0 + i * h + 3, w - 6, h - 6, "black", 2.5)
    page.text(x0 + 10 * w + 30, y0 + 6, "bold: right answers\n\n" + (
        "\n".join(["framed: most", "frequent mistakes", *named, also]) if named else "no mistakes"),
        va="top", linespacing=1.4)
    return (
        fig,
        "Confusion matrix: a table of counts, 10 rows for the true digit, 10 columns for the "
        f"answer. {right:,} of {total:,} are right, on the diagonal: "
        f"{', '.join(f'{d}: {n:,}' for d, n in enumerate(np.diag(counts)))}. "
        + (f"Most frequent mistakes, framed: {_list(named)}" if named else "No mistakes")
        + (f"; {also}." if also else "."),
        f"{total - right:,} mistakes in {total:,}"
        + (f". Most frequent: {_list(named)}." if named else "."),
    )


def _wilson(right, total):
    """95 % interval of a share, low and high in 0..1 (Wilson 1927, J. Am. Stat. Assoc. 22, 209)."""
    z = 1.959964  # the normal distribution's 97.5 % point
    n = np.maximum(total, 1)
    p = right / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return middle - half, middle + half


@_picture
def accuracy_per_digit(right, total):
    """right, total (10,): how many of each digit were read rightly, and of how many.

    With 95 % intervals by Wilson's score (E. B. Wilson 1927, J. Am. Stat. Assoc. 22, 209-212)."""
    right, total = np.asarray(right, dtype=float), np.asarray(total, dtype=float)
    share = 100 * right / np.maximum(total, 1)
    low, high = (100 * end for end in _wilson(right, total))
    overall, seen = 100 * right.sum() / max(total.sum(), 1), np.flatnonzero(total)
    worst = seen[share[seen].argmin()]
    level = int((low[seen] <= high[worst]).sum()) - 1
    fig, _ = _page(550, "Right answers for each digit, with 95 % intervals")
    ax = _panel(fig, 120, 90, 900, 370, xlabel="true digit", ylabel="right in %", xlim=(-0.5, 9.5),
                ylim=(0, 100), xticks=range(10))
    ax.bar(range(10), share, 0.84, color=BLUE)
    ax.errorbar(seen, (low + high)[seen] / 2, (high - low)[seen] / 2, fmt="none", ecolor="black",
                elinewidth=2, capsize=7, capthick=2)
    for d in range(10):
        tall = share[d] > 40
        ax.text(d, 4 if tall else high[d] * bool(total[d]) + 2, ha="center", va="bottom",
                s=f"{share[d]:.1f}" if total[d] else "none", color="white" if tall else "black",
                bbox=None if tall else CLEAR)
    ax.axhline(overall, color="black", lw=1.5, ls="--")
    _beside(ax, overall, f"all together:\n{overall:.1f} %")
    ax.tick_params(bottom=False)
    told = (f"{d}: {share[d]:.1f} % of {total[d]:,.0f} ({low[d]:.1f} to {high[d]:.1f})"
            for d in seen)
    return (
        fig,
        "Bar chart of the share of each digit that was read rightly, with 95 % intervals: "
        f"{', '.join(told)}. A dashed line marks {overall:.1f} % for all together.",
        f"Each digit's accuracy with its 95 % interval. Lowest: the {worst}, {share[worst]:.1f} %; "
        f"its interval, {low[worst]:.1f} to {high[worst]:.1f} %, overlaps those of {level} others.",
    )


@_picture
def confident_mistakes(X, A2, Y, n=4):
    """The n wrong answers of which the network was most sure, each with its ten probabilities."""
    X, A2, Y = _columns(X, A2, Y)
    said, p = A2.argmax(axis=0), A2.max(axis=0)
    wrong = np.flatnonzero(said != Y)
    chosen = wrong[np.argsort(-p[wrong], kind="stable")][:n]
    if not chosen.size:
        words = f"No mistakes among these {Y.size:,} examples"
        return _page(80, words)[0], f"{words}: nothing to show.", f"{words}."
    fig, page = _page(84 + -(-len(chosen) // 2) * 392, "Wrong, and sure of it")
    told = []
    for i, (index, picture) in enumerate(zip(chosen, _digits(X[:, chosen]), strict=True)):
        x, y, a, t = 36 + i % 2 * 606, 84 + i // 2 * 392, said[index], Y[index]
        page.text(x, y + 20, f"said {a}, is {t}", weight="bold", va="center")
        _tile(page, [picture], x, y + 52, 7, 1, (0, 0))
        _frame(page, x, y + 52, 196, 196)
        words, colors, hatches = [""] * 10, [LINE] * 10, [None] * 10
        words[a], words[t] = f"said: {_percent(p[index])}", f"true: {_percent(A2[t, index])}"
        colors[a], colors[t], hatches[t] = BLUE, ORANGE, "////"
        _bars(_panel(fig, x + 246, y, 150, 350, xlim=(0, 1)), A2[:, index], words, colors, hatches)
        told.append(f"a {t} taken for {a}, {_percent(p[index])} sure (true digit: "
                    f"{_percent(A2[t, index])})")
    return (
        fig,
        f"The {len(chosen)} most confident of {len(wrong):,} mistakes among {Y.size:,} examples, "
        f"each a picture with bars of its ten probabilities: {_list(told)}.",
        f"The most confident of {len(wrong):,} mistakes: {told[0]}.",
    )


@_picture
def hidden_unit(w, X, a, Y):
    """One hidden unit: its weights w (784,), the digits that excite it most, by its activations
    a (m,) on X, and its mean activation for each class."""
    X, _, Y = _columns(X, Y=Y)
    a = np.asarray(a, dtype=float).ravel()
    pictures, limit = _weights(w)
    top = np.argsort(-a, kind="stable")[:6]
    means = np.array([a[Y == d].mean() if (Y == d).any() else 0.0 for d in range(10)])
    best, active = int(means.argmax()), float((a > 0).mean())
    fig, page = _page(540, f"One hidden unit: on average a {best} excites it most")
    for x, words in ((30, "its weights"), (484, "most exciting digits"), (904, "mean activation")):
        page.text(x, 94, words, va="center")
    _tile(page, pictures, 30, 126, 8, 1, (0, 0), WEIGHT, limit)
    _scale(page, 264, 126, 224, limit[1])
    for i, (x, y) in zip(top, _tile(page, _digits(X[:, top]), 484, 126, 4, 3, (16, 80)),
                         strict=True):
        page.text(x + 56, y + 134, f"a {Y[i]}: {a[i]:.1f}", ha="center", va="center")
    _bars(_panel(fig, 934, 120, 190, 390), means, [f"{mean:.2f}" for mean in means],
          [BLUE if d == best else LINE for d in range(10)])
    return (
        fig,
        f"One hidden unit. Its weights as a picture, -{limit[1]:.2g} or less dark blue, "
        f"+{limit[1]:.2g} or more yellow. The digits that excite it most, with its activation: "
        f"{_list(f'a {Y[i]} ({a[i]:.1f})' for i in top)}. Bars of its mean activation for each "
        f"digit: {', '.join(f'{d}: {v:.2f}' for d, v in enumerate(means))}. It is above 0 on "
        f"{_percent(active)} of {a.size:,} examples.",
        f"A {best} excites this unit most (mean activation {means[best]:.2f}); it is above 0 on "
        f"{_percent(active)} of the examples.",
    )


@_picture
def gradient_match(analytic, numeric, names):
    """Gradients by backward_prop (analytic) against central differences (numeric), by parameter.

    Two lists of arrays of equal shapes, and their names. An array is called off when
    |a - n| / (|a| + |n|), Euclidean norms, exceeds 1e-4."""
    arrays = []
    for a, n, name, look in zip(analytic, numeric, names, LOOKS, strict=False):
        a, n = np.asarray(a, dtype=float), np.asarray(n, dtype=float)
        size = np.linalg.norm(a) + np.linalg.norm(n)
        arrays.append((name, a.ravel(), n.ravel(), np.linalg.norm(a - n) / (size or 1), look))
    off = [name for name, _, _, error, _ in arrays if not error <= 1e-4]
    fig, page = _page(720, f"{_list(off)} off the diagonal: backward_prop is wrong there" if off
                      else "Every gradient lies on the diagonal: the two agree")
    ax = _panel(fig, 150, 84, 570, 530, xlabel="gradient by central differences",
                ylabel="gradient by backward_prop")
    page.text(776, 100, "relative difference", va="center", weight="bold")
    for i, (name, a, n, error, (color, marker)) in enumerate(arrays):
        bad, y = name in off, 156 + i * 90
        ax.plot(n, a, marker, color=color, ms=12 if bad else 8, mec="white", mew=0.7,
                zorder=3 + bad)
        page.plot(790, y, marker, color=color, ms=11)
        page.text(816, y, f"{name}: {error:.2g}{', off' * bad}", va="center",
                  weight="bold" if bad else "normal")
        page.text(816, y + 32, f"{n.size:,} parameters", va="center")
    both = np.concatenate([v for _, a, n, *_ in arrays for v in (a, n)])
    room = 0.05 * (np.ptp(both) or 1)
    ends = [both.min() - room, both.max() + room]
    ax.plot(ends, ends, color="black", lw=1.2, zorder=1)
    ax.set(xlim=ends, ylim=ends)
    ax.locator_params(nbins=5)
    told = [f"{name}: {n.size:,} parameters, relative difference {error:.2g}"
            for name, _, n, error, _ in arrays]
    far = max(row[3] for row in arrays)
    return (
        fig,
        "Scatter chart of gradients by backward_prop against gradients by central differences, a "
        f"point for each parameter, with the diagonal where both agree. {'; '.join(told)}. "
        + (f"Off the diagonal: {_list(off)}." if off else "All points lie on the diagonal."),
        f"{_list(off)} off the diagonal: relative difference up to {far:.2g}." if off else
        f"All {both.size // 2:,} gradients agree: relative difference {far:.2g} at most.",
    )


def _beside_others(error, half, others):
    """A sentence on an error in % with its half-width, beside others' errors."""
    inside = sum(abs(other - error) <= half for other in others)
    return (
        f"Yours: {error:.2f} % wrong, clearly less than {sum(o > error + half for o in others)} of "
        f"the {len(others)} others; its interval, {error - half:.2f} to {error + half:.2f} %, "
        f"holds {inside or 'none'} of them."
    )


@_picture
def score_chart(rows):
    """rows: (name, error in %, half-width of its 95 % interval or None, ours: bool), one a line."""
    fig, page = _page(170 + 62 * len(rows), "Wrong answers in %: further left is better")
    ax = _panel(fig, 640, 76, 360, 62 * len(rows), xscale="log", yticks=[],
                ylim=(len(rows) - 0.5, -0.5), xlabel="each step doubles")
    told, errors = [], [max(row[1], 0.01) for row in rows]  # a log scale has no 0
    for i, (name, error, half, ours) in enumerate(rows):
        weight, end = "bold" if ours else "normal", max(error + (half or 0), 0.01)
        if half:
            ax.errorbar(error, i, xerr=min(half, errors[i] * 0.99), color="black", elinewidth=2,
                        capsize=7, capthick=2)
        ax.plot(errors[i], i, "D" if ours else "o", color=BLUE, ms=11 if ours else 9, mew=2,
                mfc=BLUE if ours else "white", zorder=3)
        text = f"{error:g} %" + (f" \u00b1 {half:.2g}" if half else "")
        ax.annotate(text, (end, i), (10, 0), textcoords="offset points", va="center",
                    weight=weight)
        name = f"yours: {name}" if ours and "your" not in name else name
        page.text(616, 76 + 62 * (i + 0.5), textwrap.fill(name, 34 if ours else 38), ha="right",
                  va="center", weight=weight)
        told.append(f"{name} {text}")
    most = max(error + (half or 0) for _, error, half, _ in rows)
    ticks = 2.0 ** np.arange(np.floor(np.log2(min(errors))), np.ceil(np.log2(most)) + 1)
    ax.set_xlim(ticks[0] * 0.9, ticks[-1] * 1.1)
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.spines["left"].set_visible(False)
    mine = [row for row in rows if row[3]]
    others = [row[1] for row in rows if not row[3]]
    return (
        fig,
        f"Dot chart of wrong answers in per cent, on a doubling scale: {'; '.join(told)}. A filled "
        "diamond is yours, open circles are others; bars are 95 % intervals.",
        _beside_others(*mine[-1][1:3], others) if mine else
        f"{len(rows)} results, {min(r[1] for r in rows):g} to {max(r[1] for r in rows):g} % wrong.",
    )


@_picture
def batch_noise(full, batches):
    """How well the gradient of a mini-batch points along that of all `full` examples.

    batches: dict batch size -> cosines of many batches (1: same direction, 0: at right angles)."""
    data = {size: np.asarray(batches[size], dtype=float).ravel() for size in sorted(batches)}
    middles = [float(np.median(values)) for values in data.values()]
    fig, _ = _page(630, "The larger the batch, the truer its direction"
                   if middles == sorted(middles) else "Directions of mini-batch gradients")
    ax = _panel(fig, 130, 84, 900, 410, ylabel="cosine with the full gradient",
                xlabel="examples in the batch, and the median cosine (thick line)")
    for i, (values, middle) in enumerate(zip(data.values(), middles, strict=True)):
        ax.plot(i + np.linspace(-0.3, 0.3, len(values) + 2)[1:-1], values, "o", ms=6, mfc="white",
                mec=BLUE, mew=1.2)
        ax.plot([i - 0.38, i + 0.38], [middle] * 2, color="black", lw=3)
    ax.axhline(1, color=GREY, lw=1, ls="--")
    _beside(ax, 1, f"all {full:,}")
    ax.set_xticks(range(len(data)), [f"{s:,}\n{m:.2f}" for s, m in zip(data, middles, strict=True)])
    ax.set(xlim=(-0.5, len(data) - 0.5), ylim=(min(0, *map(min, data.values())) - 0.05, 1.05))
    ax.tick_params(bottom=False)
    told = (f"{s:,}: median {np.median(v):.2f}, from {v.min():.2f} to {v.max():.2f}"
            for s, v in data.items())
    pairs = _list(f"{m:.2f} with {s:,}" for s, m in zip(data, middles, strict=True))
    return (
        fig,
        f"Strip chart of the cosine between a mini-batch's gradient and that of all {full:,} "
        f"examples, by batch size. {'; '.join(told)}. At 1 the two have the same direction.",
        f"Median cosine with the full gradient: {pairs} examples in a batch.",
    )


@_picture
def ladder(rows):
    """The rungs so far, in order: (name, seconds, accuracy in %, half-width or None)."""
    seconds, accuracy = (np.array([row[i] for row in rows], dtype=float) for i in (1, 2))
    half = np.array([row[3] or 0 for row in rows], dtype=float)
    n = len(rows)
    fig, page = _page(max(580, 110 + 74 * n), f"{n} rung{'s' * (n > 1)} climbed: accuracy on dev "
                      "against seconds of training")
    ax = _panel(fig, 120, 84, 610, 400, xlabel="seconds of training", ylabel="right on dev in %")
    if seconds.max() > 10 * seconds.min() > 0:
        ax.set_xscale("log")
        ax.xaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), minor_locator=NullLocator(),
                     major_formatter="{x:g}")
        ax.set_xlim(seconds.min() / 1.6, seconds.max() * 1.6)
    else:
        ax.set_xlim(0, 1.15 * seconds.max())
    ax.set_ylim(np.floor((accuracy - half).min() - 1), min(100, (accuracy + half).max() + 1))
    ax.locator_params(axis="y", integer=True)
    ax.plot(seconds, accuracy, color=LINE, lw=1.5)
    ax.errorbar(seconds, accuracy, half, fmt="o", ms=8, color=BLUE, elinewidth=2, capsize=6)
    dots = [page.transData.inverted().transform(ax.transData.transform(row[1:3])) for row in rows]
    around = [30 * np.array([np.cos(t), -np.sin(t)]) for t in np.arange(1, 17, 2) * np.pi / 8]
    taken, told = list(dots), []
    for i, ((name, took, right, wide), dot) in enumerate(zip(rows, dots, strict=True)):
        free = [min(28, *(np.hypot(*(dot + a - t)) for t in taken)) for a in around]
        spot = dot + around[int(np.argmax(free))]  # the first that is free, or the freest
        taken.append(spot)
        page.text(*spot, i + 1, weight="bold", ha="center", va="center")
        y, text = 96 + 74 * i, f"{right:.1f} %" + (f" \u00b1 {wide:.1f}" if wide else "")
        page.text(780, y, f"{i + 1}  {name}", weight="bold", va="center")
        page.text(818, y + 32, f"{text}, {took:.1f} s", va="center")
        told.append(f"{i + 1}. {name}: {text} in {took:.1f} s")
    return (
        fig,
        "Chart of accuracy on dev in per cent against seconds of training, a numbered point for "
        f"each rung, joined in order, with 95 % intervals. {'; '.join(told)}.",
        f"Rung {told[-1]}" + (f"; it began with {accuracy[0]:.1f} %." if n > 1 else "."),
    )


@_picture
def shifted(X, X_shifted):
    """Up to eight originals, above, and the same digits shifted or rotated, below."""
    before, after = (_digits(np.asarray(v)[:, :8]) for v in (X, X_shifted))
    grid = np.arange(28)
    middles = [np.array([[p.sum(axis=i) @ grid / max(p.sum(), 1e-9) for i in (0, 1)] for p in part])
               for part in (before, after)]
    fig, page = _page(430, "The same digit, moved a little, is a new example to the network")
    corners = _tile(page, np.concatenate([before, after]), 150, 80, 4, len(before), (20, 28))
    for y, words in ((136, "before"), (276, "after"), (374, "moved")):
        page.text(126, y, words, ha="right", va="center")
    for x, y in corners:
        _frame(page, x, y, 112, 112)
        page.plot([x + 56] * 2, [y, y + 112], ":", color=LINE, lw=0.8)
        page.plot([x, x + 112], [y + 56] * 2, ":", color=LINE, lw=0.8)
    told = []
    for (x, _), (right, down) in zip(corners, middles[1] - middles[0], strict=False):
        words = [f"{more if d > 0 else less} {abs(d):.1f}" for d, more, less in (
            (right, "right", "left"), (down, "down", "up")) if abs(d) >= 0.05] or ["0.0"]
        page.text(x + 56, 374, "\n".join(words), ha="center", va="center")
        told.append(" ".join(words))
    far = np.hypot(*(middles[1] - middles[0]).T)
    return (
        fig,
        f"{len(before)} digits and, below, the same digits moved. How far the middle of the ink "
        f"moved, in pixels: {'; '.join(told)}.",
        f"{len(before)} digits and their moved copies; the middle of the ink moved by "
        f"{far.min():.1f} to {far.max():.1f} pixels.",
    )


_lines = {}  # (id of a history, number of the cell's run) -> the line that shows it


def progress(history):
    """Show the last row of history as a line of text, which later calls of the cell rewrite.

    history: a list of dicts as for training_curves. The first row of a run starts a line of its
    own. Outside IPython it does nothing."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return
    shell = get_ipython()
    if shell is None or not history:
        return
    row = history[-1]
    text = (
        f"step {row['step']:,}: loss {row['train_loss']:.3f}, "
        f"train {100 * row['train_accuracy']:.1f} %"
    )
    if row.get("dev_accuracy") is not None:
        text += f", dev {100 * row['dev_accuracy']:.1f} %"
    key = id(history), shell.execution_count
    if len(history) == 1 or key not in _lines:
        _lines[key] = display({"text/plain": text}, raw=True, display_id=True)
    else:
        _lines[key].update({"text/plain": text}, raw=True)
