"""Pictures for the notebook: figures in plain matplotlib, and nothing else.

Each function takes plain arrays and returns a `Picture`. As the last line of a cell it shows
itself, with a caption and with a description for those who cannot see it; both are computed from
the data. To change a figure, change its function; what all share stands above the first.

X is (784, m), one example per column, uint8 0..255 or float 0..1; Y is (m,), the labels 0..9;
A2 is (10, m), probabilities. A wrong shape raises ValueError with one sentence.
"""

import functools
import io
import re
import textwrap

import matplotlib
import numpy as np
import PIL.Image
from IPython.display import Image, display
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Rectangle

DPI = 144  # stored dots per inch; a browser shows 96 CSS px to the inch, so 12 pt text is 16 px
WIDTH = 816  # CSS px of every figure
# On white these have a contrast of at least 3:1; black, GREY and BLUE, used for text, of 4.5:1
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
GREY, LINE = "#636363", "#8A8A8A"
LOOKS = [(BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (PINK, "D")]  # told apart by marker as well
INK = matplotlib.colormaps["gray_r"].resampled(32)  # few colours, small files
WEIGHT = matplotlib.colormaps["cividis"].resampled(33)  # lightness alone tells the two ends apart
HEAT = LinearSegmentedColormap.from_list("heat", ["white", ORANGE])  # black text is readable on it
STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 12,
    "figure.titlesize": 14,
    "figure.titleweight": "bold",
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.h_pad": 0.08,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
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
    "legend.fontsize": 12,
    "legend.frameon": False,
    "hatch.linewidth": 2,
    "image.interpolation": "nearest",
}


class Picture(Image):
    """A finished figure: an Image of IPython with a description and a caption.

    data: PNG bytes; description, caption: str; width, height: CSS px."""

    def __init__(self, png, description, caption):
        width, height = (round(dots * 96 / DPI) for dots in PIL.Image.open(io.BytesIO(png)).size)
        super().__init__(png, format="png", width=width, height=height, alt=description)
        self.description, self.caption = description, caption

    def __repr__(self):
        return self.description

    def _ipython_display_(self):
        data, metadata = self._repr_mimebundle_()
        display(data | {"text/plain": self.description}, metadata=metadata, raw=True)
        safe = re.sub(r"([\\`*_$<\[])", r"\\\1", self.caption)
        display({"text/markdown": f"*{safe}*", "text/plain": self.caption}, raw=True)


def _picture(draw):
    """Decorator: a function that returns (figure, description, caption) returns a Picture."""

    @functools.wraps(draw)
    def drawn(*args, **kwargs):
        with matplotlib.rc_context(STYLE):
            fig, description, caption = draw(*args, **kwargs)
            return Picture(_png(fig), description, caption)

    return drawn


def _png(fig):
    """Figure -> PNG bytes, small (64 colours) and without a date, so that a call repeats them."""
    file, small = io.BytesIO(), io.BytesIO()
    fig.savefig(file, format="png")
    image = PIL.Image.open(file).convert("RGB")
    image.quantize(64, dither=PIL.Image.Dither.NONE).save(small, format="PNG", optimize=True)
    return small.getvalue()


def _figure(height, title=None):
    """An empty figure, WIDTH x height CSS px (height: even, at most 600)."""
    fig = Figure(figsize=(WIDTH / 96, height / 96), dpi=DPI, layout="constrained")
    if title:
        fig.suptitle(title, x=0.01, ha="left")
    return fig


def _digits(X):
    """(784, m) or (784,), uint8 0..255 or float 0..1 -> (m, 28, 28), float 0..1."""
    X = np.asarray(X)
    X = X[:, None] if X.ndim == 1 else X
    if X.ndim != 2 or X.shape[0] != 784:
        raise ValueError(
            f"X must be (784, m), one example per column, but it is {X.shape}. "
            "If it is (m, 784), pass X.T."
        )
    return X.T.reshape(-1, 28, 28) / (255 if X.dtype.kind in "iu" else 1)


def _columns(X, A2=None, Y=None):
    """X as (m, 28, 28), A2 as (10, m), Y as (m,), once their m agree."""
    pictures = _digits(X)
    A2 = None if A2 is None else np.asarray(A2, dtype=float).reshape(10, -1)
    Y = None if Y is None else np.asarray(Y).ravel().astype(int)
    for name, other in (("A2", A2), ("Y", Y)):
        if other is not None and other.shape[-1] != len(pictures):
            raise ValueError(
                f"{name} is for {other.shape[-1]} examples, but X has {len(pictures)} columns. "
                "Take the same examples from both."
            )
    return pictures, A2, Y


def _sheet(ax, pictures, columns, gap=(4, 4), limit=None):
    """Draw (n, 28, 28) pictures as one image; many images would make the file large.

    gap: empty pixels to the right of each and below it; limit: of weights, for digits None.
    Returns the image and the left top corner (x, y) of each picture, in pixels."""
    wide, tall = 28 + gap[0], 28 + gap[1]
    sheet = np.full((-(-len(pictures) // columns) * tall, columns * wide), np.nan)
    corners = [(i % columns * wide, i // columns * tall) for i in range(len(pictures))]
    for (x, y), picture in zip(corners, pictures, strict=True):
        sheet[y : y + 28, x : x + 28] = picture
    cmap, low, high = (INK, 0, 1) if limit is None else (WEIGHT, -limit, limit)
    height, width = sheet.shape
    image = ax.imshow(sheet, cmap=cmap, vmin=low, vmax=high, extent=(0, width, height, 0))
    ax.axis("off")
    ax.set_anchor("NW")
    return image, corners


def _note(ax, text, at, shift=(0, 0), **look):
    """Text that stands `shift` points away from the place `at` of the chart's data."""
    look = {"ha": "center", "va": "center", "annotation_clip": False} | look
    return ax.annotate(text, at, shift, textcoords="offset points", **look)


def _frame(ax, x, y, width, height, color=LINE, lw=1):
    ax.add_patch(Rectangle((x, y), width, height, fill=False, ec=color, lw=lw, clip_on=False))


def _legend(ax):
    """The legend to the right of the chart; in its middle, so that it stays clear of the title."""
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), labelspacing=1.2)


def _limit(weights):
    """The end of the colour scale: the 99.5th percentile, so that no one weight dims the rest."""
    sizes = np.abs(weights[np.isfinite(weights)])
    return (float(np.percentile(sizes, 99.5)) if sizes.size else 0) or 1.0


def _scale(fig, image, **where):
    """The colour bar of weights; it says in words which end is which."""
    limit = image.norm.vmax
    bar = fig.colorbar(image, ticks=[-0.85 * limit, 0, 0.85 * limit], **where)
    bar.ax.set_yticklabels([f"-{limit:.2g}\nink subtracts", "0", f"+{limit:.2g}\nink adds"])
    bar.ax.tick_params(length=0)
    bar.outline.set_visible(False)


def _bars(ax, values, texts, colors, hatches=None):
    """Ten horizontal bars, for the digits 0 to 9 from the top, each with a text at its end."""
    bars = ax.barh(range(10), values, 0.7, color=colors, hatch=hatches, ec="white", lw=0)
    ax.bar_label(bars, texts, padding=5)
    ax.set(ylim=(9.6, -0.6), xticks=[], yticks=range(10))
    ax.tick_params(left=False)
    ax.spines[["bottom", "left"]].set_visible(False)
    ax.axvline(0, color=GREY, lw=1)
    ax.margins(x=0.2 if min(values) < 0 else 0.05)  # room between the digits and bars to the left


def percent(p):
    """A probability (0..1) in words: "98 %". What is nearly 0 or 1 never reads "0 %" or "100 %"."""
    return "over 99 %" if p >= 0.995 else "under 1 %" if p < 0.005 else f"{100 * p:.0f} %"


def _number(value, digits, sign=""):
    return f"{value:.{digits}f}{sign}" if np.isfinite(value) else "no number"


def _short(values, digits=3):
    """An array as text, a row a line, without zeros at the end: 0.7500 -> 0.75."""
    rows = np.atleast_2d(np.round(np.asarray(values, dtype=float), digits) + 0.0)
    return "\n".join("  ".join(f"{value:.15g}" for value in row) for row in rows)


def _list(items):
    """["a", "b", "c"] -> "a, b and c"."""
    items = [str(item) for item in items]
    return " and ".join([", ".join(items[:-1])] * (len(items) > 1) + items[-1:])


# ---------------------------------------------------------------- the digits


@_picture
def pixel_numbers(x, label):
    """One digit x (784,) and, enlarged, the 10 x 10 pixels with most ink and their numbers."""
    digit = np.rint(_digits(x)[0] * 255).astype(int)
    ink = np.lib.stride_tricks.sliding_window_view(digit, (10, 10)).sum(axis=(2, 3))
    top, left = (int(i) for i in np.unravel_index(ink.argmax(), ink.shape))
    crop = digit[top : top + 10, left : left + 10]
    fig = _figure(470, f"The computer sees this {label} as 784 numbers")
    whole, part = fig.subplots(1, 2, width_ratios=(0.8, 1))
    whole.imshow(digit, cmap=INK, vmin=0, vmax=255, extent=(0, 28, 28, 0))
    part.imshow(crop, cmap=INK, vmin=0, vmax=255, extent=(0, 10, 10, 0))
    for ax in (whole, part):
        ax.axis("off")
    _frame(whole, 0, 0, 28, 28)
    _frame(whole, left, top, 10, 10, ORANGE, 3)
    _frame(part, 0, 0, 10, 10, ORANGE, 3)
    for a, b in (((left + 10, top), (0, 0)), ((left + 10, top + 10), (0, 10))):
        fig.add_artist(
            ConnectionPatch(a, b, whole.transData, part.transData, color=ORANGE, ls="--")
        )
    for (row, column), value in np.ndenumerate(crop):  # from 136 on, INK is dark enough for white
        color = "white" if value > 135 else "black"
        part.text(column + 0.5, row + 0.5, value, ha="center", va="center", color=color)
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
    X, Y = np.asarray(X), np.ravel(Y).astype(int)
    if X.shape[1:] == Y.shape:  # 60,000 pictures as float64 would take 750 MB
        first = np.concatenate([np.flatnonzero(Y == d)[:12] for d in range(10)])
        X, Y = X[:, first], Y[first]
    pictures, _, Y = _columns(X, Y=Y)
    shown = [min(12, int((Y == d).sum())) for d in range(10)]
    rows = [
        [*pictures[Y == d][:12], *np.full((12 - n, 28, 28), np.nan)] for d, n in enumerate(shown)
    ]
    fig = _figure(600, "The same ten digits, written in many ways")
    ax = fig.subplots()
    _, corners = _sheet(ax, np.concatenate(rows), 12, (10, 4))
    for d, (x, y) in enumerate(corners[::12]):
        _note(ax, d, (x, y + 14), (-14, 0), size=14, weight="bold")
        if not shown[d]:
            _note(ax, f"no {d} among these examples", (x, y + 14), ha="left")
    return (
        fig,
        f"A grid of {sum(shown)} handwritten digits, a row for each of the digits 0 to 9, with "
        f"the first examples of each: {_list(f'{n} of {d}' for d, n in enumerate(shown))}. Slant, "
        "thickness and shape differ within each row.",
        f"The first {max(shown)} examples of each digit, {sum(shown)} in all.",
    )


@_picture
def changed(X, X_changed):
    """Up to eight originals, above, and the same digits moved, turned or bent, below."""
    before, after = (_digits(np.asarray(v)[:, :8]) for v in (X, X_changed))
    n, grid = len(before), np.arange(28)
    ink = [np.maximum(part.sum(axis=(1, 2)), 1e-9) for part in (before, after)]
    middles = [
        np.array([part.sum(axis=2) @ grid, part.sum(axis=1) @ grid]) / each
        for part, each in zip((before, after), ink, strict=True)
    ]
    far = np.hypot(*np.subtract(*middles))
    fig = _figure(232, "The same digit, changed a little, is a new example to the network")
    ax = fig.subplots()
    _, corners = _sheet(ax, np.concatenate([before, after]), n, (5, 5))
    for words, y in (("before", 14), ("after", 47)):
        _note(ax, words, (0, y), (-8, 0), ha="right")
    for x, y in corners:
        _frame(ax, x, y, 28, 28)
        ax.plot([x + 14, x + 14], [y, y + 28], ":", color=LINE, lw=0.8)
        ax.plot([x, x + 28], [y + 14, y + 14], ":", color=LINE, lw=0.8)
    return (
        fig,
        f"{n} digits and, below, the same digits changed. The middle of the ink moved, in pixels: "
        f"{', '.join(f'{d:.1f}' for d in far)}.",
        f"{n} digits and their changed copies; the middle of the ink moved by {far.min():.1f} to "
        f"{far.max():.1f} pixels.",
    )


# ---------------------------------------------------------------- the network


@_picture
def weighted_sum(x, W, b, digits):
    """One digit read by weighted sums: pixel times weight, added up, plus a bias.

    x (784,); W (10, 784), a row of weights for each digit; b (10, 1); digits: those to show, at
    most three."""
    x, W, b = _digits(x)[0], np.asarray(W, dtype=float).reshape(10, 28, 28), np.ravel(b)
    digits = list(digits)[:3]
    scores = {d: float((W[d] * x).sum() + b[d]) for d in digits}
    best = max(scores, key=scores.get)
    fig = _figure(60 + 180 * len(digits), f"The weights of {best} give the larger score")
    axes = fig.subplots(len(digits), 3, squeeze=False)
    limit, told = _limit(W[digits]), []
    for row, d in zip(axes, digits, strict=True):
        _sheet(row[0], [x], 1, (0, 0))
        _sheet(row[1], [W[d]], 1, (0, 0), limit)
        image, _ = _sheet(row[2], [W[d] * x], 1, (0, 0), limit)
        titles = ("the digit", f"weights of {d}", "pixel times weight")
        for ax, words in zip(row, titles, strict=True):
            _frame(ax, 0, 0, 28, 28)
            ax.set_title(words)
        _note(row[0], "\u00d7", (28, 14), (30, 0), size=20)
        _note(row[1], "=", (28, 14), (30, 0), size=20)
        words = f"sum {scores[d] - b[d]:.2f}\nbias {b[d]:+.2f}\nscore {scores[d]:.2f}"
        told.append(f"{d}: {words}".replace("\n", ", "))
        won = d == best
        look = {"ha": "left", "weight": "bold" if won else "normal"}
        _note(row[2], words + "\n\u2713 the larger" * won, (28, 14), (12, 0), **look)
    _scale(fig, image, ax=axes, aspect=20)
    return (
        fig,
        f"A row of three pictures for each of {_list(digits)}: the pixels, the weights, their "
        f"products. {'; '.join(told)}. The larger score is that of {best}.",
        f"Pixel times weight, added up, plus a bias: the score of {_list(told)}.",
    )


@_picture
def network_diagram(n_in=784, n_hidden=10, n_out=10):
    """The layers of the network, and each array with its shape where it acts."""
    fig = _figure(490, f"The network: {n_in} pixels, {n_hidden} hidden units, {n_out} answers")
    ax = fig.subplots()
    ax.set(xlim=(-0.4, 4.5), ylim=(13.4, -2.6))
    ax.axis("off")
    layers = []
    for x, n, most in ((0, n_in, 4), (2, n_hidden, 4), (4, n_out, 10)):
        ys = 4.5 + np.arange(min(n, most)) - (min(n, most) - 1) / 2
        if n > most:  # dots in the middle stand for the rest
            ys += np.where(ys > 4.5, 0.6, -0.6)
            ax.plot([x] * 3, [4.2, 4.5, 4.8], "o", color="black", ms=3)
        ax.plot([x] * len(ys), ys, "o", ms=17, mfc="white", mec="black", mew=1.5, zorder=3)
        layers.append((x, ys))
    for i, y in enumerate(layers[2][1]):
        if n_out <= 10:
            _note(ax, i, (4, y), zorder=4)
    for (x0, starts), (x1, ends) in zip(layers, layers[1:], strict=False):
        for j, b in enumerate(ends):
            row = j == min(1, len(ends) - 1)  # one unit's weights, a row of W, stand out
            for a in starts:
                look = {"color": BLUE, "lw": 2, "zorder": 2} if row else {"color": LINE, "lw": 0.6}
                ax.plot([x0, x1], [a, b], **look)
    for x, name, n, words in (
        (0, "X", n_in, "m examples,\none a column"),
        (2, "Z1, A1", n_hidden, "Z1 = W1 @ X + b1\nA1 = ReLU(Z1)"),
        (4, "Z2, A2", n_out, "Z2 = W2 @ A1 + b2\nA2 = softmax(Z2)"),
    ):
        _note(ax, name, (x, -2.1), size=14, weight="bold")
        _note(ax, f"({n}, m)", (x, -1.2))
        _note(ax, words, (x, 10.4), va="top")
    for x, i, n, m in ((1, 1, n_hidden, n_in), (3, 2, n_out, n_hidden)):
        _note(ax, f"W{i} ({n}, {m})\nb{i} ({n}, 1)", (x, -1.65), color=BLUE)
        _note(ax, f"thick: one\nrow of W{i}", (x, 10.4), va="top", color=BLUE)
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
def loss_curve():
    """The loss of one example, -ln p, against the probability p that its true digit got."""
    p = np.linspace(0.004, 1, 500)
    losses = {at: -np.log(at) for at in (0.1, 0.5, 0.9, 0.99)}
    fig = _figure(400, "The loss is small only when the true digit gets a high probability")
    ax = fig.subplots()
    ax.plot(p, -np.log(p), color=BLUE, lw=3)
    for at, loss in losses.items():
        ax.plot(at, loss, "o", color=ORANGE, ms=10, clip_on=False)
        words = "p = 0.1, a blind guess among ten:\nloss ln 10" if at == 0.1 else f"p = {at}:\nloss"
        shift, side = ((-2, 12), "center") if at == 0.9 else ((10, 6), "left")
        _note(ax, f"{words} = {loss:.2f}", (at, loss), shift, va="bottom", ha=side)
    ax.set(xlim=(0, 1), ylim=(0, 5.3), ylabel="loss, -ln p")
    ax.set_xlabel("p, the probability that the network gives to the true digit")
    values = _list(f"{loss:.2f} at p = {at}" for at, loss in losses.items())
    return (
        fig,
        "Line chart of the loss -ln p against p from 0 to 1: it falls from above 5 near p = 0, "
        f"first steeply, to 0 at p = 1. Marked points: {values}. The first is ln 10, the loss of "
        "a blind guess.",
        f"A blind guess among ten costs ln 10 = {losses[0.1]:.2f}; 99 % for the true digit costs "
        f"{losses[0.99]:.2f}.",
    )


# ---------------------------------------------------------------- slopes and steps


@_picture
def slope(values, losses, at, slope, name):
    """The loss against one weight: losses (n,) at values (n,), and the tangent at `at`.

    slope: float, of the loss at `at`; name: of the weight, such as "W2[7, 3]"."""
    values, losses = np.asarray(values, dtype=float), np.asarray(losses, dtype=float)
    here = float(np.interp(at, values, losses))
    room = 0.15 * (np.ptp(losses) or 1)
    way = "lower" if slope > 0 else "raise"
    fig = _figure(400, f"The slope at the dot says: {way} {name}")
    ax = fig.subplots()
    ax.plot(values, losses, color=BLUE, lw=3, label=f"the loss for\neach value of {name}")
    line = here + slope * (values - at)
    ax.plot(values, line, "--", color=ORANGE, lw=2, label=f"straight line with\nslope {slope:.3g}")
    words = f"here: {name} is {at:.3g},\nloss {here:.3f}"
    ax.plot(at, here, "o", color="black", ms=10, label=words)
    ax.set(xlim=(values[0], values[-1]), ylim=(losses.min() - room, losses.max() + room))
    ax.set(xlabel=name, ylabel="loss")
    _legend(ax)
    return (
        fig,
        f"Line chart of the loss against {name}, from {values[0]:.3g} to {values[-1]:.3g}. The "
        f"loss is lowest, {losses.min():.3f}, at {values[losses.argmin()]:.3g}. A dot marks "
        f"{name} = {at:.3g} with loss {here:.3f}; the dashed line has slope {slope:.3g}.",
        f"At {name} = {at:.3g} the slope is {slope:.3g}: {way} this weight, and the loss falls.",
    )


@_picture
def descent(paths):
    """Gradient descent on the bowl w**2: paths is {alpha: positions w (n + 1,)}, at most four."""
    paths = {alpha: np.asarray(w, dtype=float) for alpha, w in list(paths.items())[:4]}
    far = 1.5 * max(abs(w[0]) for w in paths.values())
    bowl = np.linspace(-far, far, 101)
    fig = _figure(330, "The same bowl, the same start: only alpha differs")
    axes = fig.subplots(1, len(paths), sharey=True, squeeze=False)[0]
    told = []
    for ax, (alpha, w) in zip(axes, paths.items(), strict=True):
        outside = int((np.abs(w) > far).sum())
        words = f"ends at {w[-1]:.3g}"
        left = f"{outside} step{'s' * (outside > 1)} out of view" if outside else ""
        ax.plot(bowl, bowl**2, color=LINE, lw=2)
        ax.plot(w, w**2, "o-", color=BLUE, ms=6, lw=1)
        ax.plot(w[0], w[0] ** 2, "o", ms=12, mfc="none", mec="black", mew=2)
        if not outside:
            ax.plot(w[-1], w[-1] ** 2, "D", color=ORANGE, ms=9)
        ax.set(xlim=(-far, far), ylim=(-0.06 * far**2, far**2), xlabel=f"w\n{left}")
        ax.set_title(f"alpha {alpha:g}:\n{words}")
        told.append(f"alpha {alpha:g} {words} after {len(w) - 1} steps" + f", {left}" * bool(left))
    axes[0].set_ylabel("loss, w**2")
    start = next(iter(paths.values()))[0]
    return (
        fig,
        f"The bowl w**2, once for each alpha, with the steps of descent from w = {start:g} "
        f"as linked dots (ring: start, diamond: end). {'; '.join(told)}. The lowest point is 0.",
        f"From w = {start:g} (ring) to the diamond: {'; '.join(told)}.",
    )


@_picture
def way_back(values, slopes=None):
    """The tiny network of two pixels, two hidden units and two classes, forward and backward.

    values: dict with X (2, 1), W1 (2, 2), b1 (2, 1), Z1, A1, W2 (2, 2), b2, Z2, A2 (2, 1) and
    loss (float). slopes: dict with dZ2, dW2, db2, dA1, dZ1, dW1, db1, each shaped as the value that
    it belongs to; None leaves a "?" for each number: a worksheet."""
    names = ("dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1")
    numbers = {name: _short(slopes[name] if slopes else values[name[1:]]) for name in names}
    if not slopes:
        numbers = {name: re.sub(r"[-\d.]+", "?", text) for name, text in numbers.items()}
    numbers |= {name: _short(value) for name, value in values.items()}
    label = int(np.abs(np.log(np.ravel(values["A2"])) + values["loss"]).argmin())
    forward = {
        "X": "X",
        "Z1": "Z1 =\nW1 @ X + b1",
        "A1": "A1 =\nReLU(Z1)",
        "Z2": "Z2 =\nW2 @ A1 + b2",
        "A2": "A2 =\nsoftmax(Z2)",
        "loss": f"loss =\n-ln A2[{label}]",
    }
    todo = "values forward, slopes backward" if slopes else "fill in the slopes, from right to left"
    fig = _figure(590, f"The way back: {todo}")
    ax = fig.subplots()
    ax.set(xlim=(-0.45, 5.45), ylim=(545, 0))
    ax.axis("off")
    boxes = {}

    def box(name, x, y, color, title=""):
        look = {"boxstyle": "round,pad=0.4", "fc": "white", "ec": color, "lw": 2}
        text = numbers[name] if title else f"{name}\n{numbers[name]}"
        boxes[name] = _note(ax, text, (x, y), bbox=look, linespacing=1.3)
        _note(ax, title, (x, y), (0, 26), va="bottom")

    def arrow(start, end, color, words="", at=(0, 0), **style):
        a, b = boxes[start], boxes[end]  # arrows end at the boxes' edges
        style |= {"patchA": a.get_bbox_patch(), "patchB": b.get_bbox_patch()}
        style |= {"arrowstyle": "-|>", "color": color, "lw": 2, "mutation_scale": 16}
        ax.annotate("", b.xy, a.xy, arrowprops=style)
        _note(ax, words, at, weight="bold")

    for x, (name, title) in enumerate(forward.items()):
        box(name, x, 75, BLUE, title)
    for name, x in (("W1", 0.6), ("b1", 1.4), ("W2", 2.6), ("b2", 3.4)):
        box(name, x, 190, BLUE)
    for name, x, y in (("dZ2", 3, 335), ("dA1", 2, 335), ("dZ1", 1, 335)):
        box(name, x, y, ORANGE)
    for name, x in (("dW1", 0.45), ("db1", 1.4), ("dW2", 2.45), ("db2", 3.4)):
        box(name, x, 490, ORANGE)
    for start, end in zip(forward, list(forward)[1:], strict=False):
        arrow(start, end, BLUE)
    for start, end in (("W1", "Z1"), ("b1", "Z1"), ("W2", "Z2"), ("b2", "Z2")):
        arrow(start, end, BLUE)
    by = ["said - should say", "by W2", "mask", "by {}", "as it is"]
    if slopes:
        by = ["A2 - one_hot(Y)", "W2.T @", "* mask", "@ {}.T", "sum"]
    corner = "angle,angleA=-90,angleB=180,rad=8"
    arrow("loss", "dZ2", ORANGE, by[0], (4.1, 320), connectionstyle=corner)
    arrow("dZ2", "dA1", ORANGE, by[1], (2.5, 320))
    arrow("dA1", "dZ1", ORANGE, by[2], (1.5, 320))
    for i, x, array in ((1, 1, "X"), (2, 3, "A1")):
        arrow(f"dZ{i}", f"dW{i}", ORANGE, by[3].format(array), (x - 0.65, 415))
        arrow(f"dZ{i}", f"db{i}", ORANGE, by[4], (x + 0.52, 415))
    _note(ax, "forward:\nvalues", (-0.4, 190), ha="left")
    _note(ax, "backward:\nslopes", (-0.4, 335), ha="left")
    told = {name: "; ".join(text.split("\n")) for name, text in numbers.items()}
    went = ", ".join(f"{name} ({told[name]})" for name in forward)
    came = ", ".join(f"{name} ({told[name]})" for name in names)
    params = ", ".join(f"{name} ({told[name]})" for name in ("W1", "b1", "W2", "b2"))
    return (
        fig,
        f"A tiny network. Boxes from left to right, joined by arrows: {went}. From below "
        f"come {params}. Beneath, arrows from right to left: from the loss to dZ2 ({by[0]}), to "
        f"dA1 ({by[1]}), to dZ1 ({by[2]}); branches down to dW2 ({by[3].format('A1')}), dW1 "
        f"({by[3].format('X')}), db2 and db1 ({by[4]}). "
        + (f"Slopes: {came}." if slopes else "A question mark stands for each slope."),
        f"Forward to the loss {told['loss']}, then back: start with dZ2 = A2 - one_hot(Y); each "
        "other arrow says how the next slope is made from the one before it."
        if slopes
        else f"A worksheet: the loss is {told['loss']}; fill in each slope, beginning with dZ2.",
    )


@_picture
def gradient_match(analytic, numeric, names):
    """Gradients by backward_prop (analytic) against central differences (numeric), by parameter.

    Two lists of arrays of equal shapes, and their names, at most four. An array is called off when
    |a - n| / (|a| + |n|), Euclidean norms, exceeds 1e-4."""
    pairs = [(np.ravel(a), np.ravel(n)) for a, n in zip(analytic, numeric, strict=True)]
    norm = np.linalg.norm
    errors = [float(norm(a - n) / ((norm(a) + norm(n)) or 1)) for a, n in pairs]
    off = [name for name, error in zip(names, errors, strict=True) if not error <= 1e-4]
    fig = _figure(
        480,
        f"{_list(off)} off the diagonal: backward_prop is wrong there"
        if off
        else "Every gradient lies on the diagonal: the two agree",
    )
    ax = fig.subplots()
    for (a, n), name, error, (color, marker) in zip(pairs, names, errors, LOOKS, strict=False):
        bad = name in off
        words = f"{name}, {a.size:,} parameters:\nrelative difference {error:.2g}" + ", off" * bad
        look = {"color": color, "mec": "white", "ms": 12 if bad else 8, "zorder": 3 + bad}
        ax.plot(n, a, marker, label=words, **look)
    ax.axline((0, 0), slope=1, color="black", lw=1.2, zorder=1)
    ax.set(xlabel="gradient by central differences", ylabel="gradient by backward_prop")
    ax.locator_params(nbins=5)
    _legend(ax)
    told = [
        f"{name}: {a.size:,} parameters, relative difference {error:.2g}"
        for (a, _), name, error in zip(pairs, names, errors, strict=True)
    ]
    count = sum(a.size for a, _ in pairs)
    return (
        fig,
        "Scatter chart of gradients by backward_prop against gradients by central differences, a "
        f"point for each parameter, with the diagonal where both agree. {'; '.join(told)}. "
        + (f"Off the diagonal: {_list(off)}." if off else "All points lie on the diagonal."),
        f"{_list(off)} off the diagonal: relative difference up to {max(errors):.2g}."
        if off
        else f"All {count:,} gradients agree: relative difference {max(errors):.2g} at most.",
    )


@_picture
def batch_clouds(full, clouds, names):
    """Two entries of the gradient, by all examples and by many batches.

    full (2,): the two entries by all examples; clouds: {batch size: (n, 2)}, a row for each batch;
    names: of the two entries, such as ("dW2[7, 3]", "dW2[2, 5]")."""
    full = np.asarray(full, dtype=float).ravel()
    clouds = {size: np.asarray(clouds[size], dtype=float) for size in sorted(clouds)}
    spread = {size: float(np.hypot(*(cloud - full).T).mean()) for size, cloud in clouds.items()}
    fig = _figure(430, "Each batch is off another way, around the gradient of all examples")
    ax = fig.subplots()
    for (size, cloud), (color, marker) in zip(clouds.items(), LOOKS, strict=False):
        words = f"{len(cloud)} batches of {size:,}:\noff by {spread[size]:.2g} on average"
        ax.plot(*cloud.T, marker, color=color, ms=6, mec="white", mew=0.5, label=words)
    ax.plot(*full, "X", color="black", ms=14, mec="white", label="all examples")
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.locator_params(nbins=6)
    _legend(ax)
    told = _list(f"{far:.2g} with {size:,} examples" for size, far in spread.items())
    centres = _list(
        f"({cloud[:, 0].mean():.2g}, {cloud[:, 1].mean():.2g}) with {size:,}"
        for size, cloud in clouds.items()
    )
    return (
        fig,
        f"Scatter chart of {names[1]} against {names[0]}, a point for each batch. All examples: "
        f"({full[0]:.2g}, {full[1]:.2g}), a cross. Means of the batches: {centres}. Mean distance "
        f"of a batch from the cross: {told}.",
        f"Mean distance of a batch's gradient from that of all examples, in these two entries: "
        f"{told}.",
    )


# ---------------------------------------------------------------- training and its result


@_picture
def training_curves(history, unit="step", weights=None):
    """Loss and accuracy during a run, on the training and, if measured, on the dev digits.

    history: list of dicts with step, train_loss, train_accuracy and perhaps dev_loss and
    dev_accuracy; accuracies are 0..1. unit: what a step is, the label of both charts.
    weights: (W1 at the start, W1 at the end), (n, 784), shown for the first ten units."""
    if not history:
        raise ValueError("The history is empty: train first, with history=[] kept in a variable.")
    if (
        unit == "epoch" and len(history) > 2
    ):  # the row before the first epoch would flatten the rest
        history = history[1:]
    fig = _figure(340 if weights is None else 530)
    rooms = [["loss", "accuracy"]] + [["weights"] * 2] * (weights is not None)
    axes = fig.subplot_mosaic(rooms, height_ratios=[1, 0.75][: len(rooms)])
    every = max(1, len(history) // 8)
    told, ends = [], []
    for part, (color, marker), dash, fill in zip(
        ("train", "dev"), LOOKS, ("-", "--"), (BLUE, "white"), strict=False
    ):
        rows = [row for row in history if row.get(f"{part}_loss") is not None]
        if not rows:
            continue
        steps = [row["step"] for row in rows]
        loss = np.array([row[f"{part}_loss"] for row in rows], dtype=float)
        right = 100 * np.array([row[f"{part}_accuracy"] for row in rows], dtype=float)
        look = {"color": color, "marker": marker, "ls": dash, "mfc": fill, "lw": 2, "ms": 8}
        look |= {"markevery": (every // 2 * (part == "dev"), every), "clip_on": False}
        ends.append(f"{part}: loss {_number(loss[-1], 2)}, {_number(right[-1], 1, ' %')}")
        told.append(
            f"{part} loss {_number(loss[0], 2)} to {_number(loss[-1], 2)}, "
            f"{part} accuracy {_number(right[0], 1)} to {_number(right[-1], 1, ' %')}"
        )
        loss[~np.isfinite(loss)] = np.nan
        axes["loss"].plot(steps, loss, label=ends[-1], **look)
        axes["accuracy"].plot(steps, right, **look)
        if np.nanmax(loss, initial=0) > 1.5 * loss[0]:
            top = int(np.nan_to_num(loss, nan=0).argmax())
            told[-1] += f", loss at most {loss[top]:.2f} at {unit} {steps[top]:,}"
        low = int(np.nan_to_num(loss, nan=np.inf).argmin())
        if part == "dev" and np.nanmax(loss[low:], initial=0) > 1.1 * loss[low]:
            words = f"dev: lowest loss {loss[low]:.2f} at {unit} {steps[low]:,}"
            axes["loss"].plot(steps[low], loss[low], "*", color="black", ms=16, label=words)
            told.append(words)
    axes["loss"].set(title="loss", ylim=(0, 1.05 * axes["loss"].get_ylim()[1]))
    axes["accuracy"].set_title("accuracy in %")
    if axes["loss"].get_ylim()[1] > 2.4:
        axes["loss"].axhline(np.log(10), color=GREY, lw=1, ls=":", label="blind guessing: ln 10")
        told.append(f"the loss of blind guessing is ln 10 = {np.log(10):.2f}")
    if unit == "step":
        axes["accuracy"].set_ylim(0, 102)
    for what in ("loss", "accuracy"):
        axes[what].set_xlabel(unit)
        axes[what].locator_params(axis="x", nbins=6, integer=True, min_n_ticks=1)
    fig.legend(loc="outside upper left", ncols=2)
    if weights is not None:
        pictures = np.concatenate([np.asarray(W1, dtype=float)[:10] for W1 in weights])
        ax, n, limit = axes["weights"], len(pictures) // 2, _limit(pictures)
        _, corners = _sheet(ax, pictures.reshape(-1, 28, 28), n, (3, 3), limit)
        ax.set_title(f"W1 of {n} hidden units (light: ink adds, dark: ink subtracts)")
        for words, (x, y) in zip(("start", "end"), corners[::n], strict=True):
            _note(ax, words, (x, y + 14), (-8, 0), ha="right")
        told.append(f"below, the weights of {n} hidden units, at the start and at the end")
    return (
        fig,
        f"Two line charts against {unit}, loss and accuracy (solid: train, dashed: dev). "
        f"{'; '.join(told)}.",
        f"At the end, {'; '.join(ends)} right.",
    )


@_picture
def answers(X, A2, Y=None, columns=6, rows=None):
    """Digits with the network's answer and its probability; with Y also whether it is right.

    columns: at most 8; rows: a name for each row of pictures, written at its left."""
    pictures, A2, Y = _columns(X, A2, Y)
    said, p = A2.argmax(axis=0), A2.max(axis=0)
    n, right, deep = len(pictures), None if Y is None else said == Y, -(-len(pictures) // columns)
    wide = (WIDTH - (110 if rows else 16)) / columns  # CSS px of a picture and the gap beside it
    side = min(0.8 * wide, 530 / deep - 76)
    gap = (round(28 * (wide / side - 1)), round(28 * 76 / side))
    title = "What the network answers, and how sure it is"
    fig = _figure(2 * round(30 + deep * (side + 76) / 2), title)
    ax = fig.subplots()
    _, corners = _sheet(ax, pictures, columns, gap)
    told = []
    for i, (x, y) in enumerate(corners):
        bad = right is not None and not right[i]
        color, hatch = (ORANGE, "////") if bad else (BLUE, None)
        _frame(ax, x, y, 28, 28, ORANGE if bad else LINE, 3 if bad else 1)
        bar = {"fc": color, "ec": "white", "lw": 0, "hatch": hatch}
        ax.add_patch(Rectangle((x, y + 30), 28 * p[i], 2.5, **bar))
        under = (x, y + 32)
        _note(ax, said[i], under, (0, -13), size=18, weight="bold", ha="left")
        _note(ax, percent(p[i]), under, (0, -32), ha="left")
        told.append(f"{said[i]} ({percent(p[i])})")
        if right is not None:
            words = f"\u2717 is {Y[i]}" if bad else "\u2713"
            _note(ax, words, (x + 28, y + 32), (0, -13), ha="right", weight="bold" if bad else None)
            told[-1] += f" wrong: is {Y[i]}" if bad else " right"
    for name, (x, y) in zip(rows or [], corners[::columns], strict=False):
        _note(ax, textwrap.fill(name, 10), (x, y + 14), (-8, 0), ha="right")
    named = f" The rows: {_list(rows)}." if rows else ""
    return (
        fig,
        f"{n} handwritten digits. Under each a bar as long as the probability, the network's "
        f"answer and its probability.{named} In reading order: {', '.join(told)}."
        + ("" if Y is None else f" {right.sum()} of {n} are right; a wrong one has a thick frame."),
        f"{n} digits, the network's answers and how sure it is: {percent(p.mean())} on average."
        if Y is None
        else f"Right: {right.sum()} of {n}. On average the network is {percent(p.mean())} sure.",
    )


@_picture
def hidden_unit(w, X, a, Y):
    """One hidden unit: its weights w (784,), the digits that excite it most, by its activations
    a (m,) on X, and its mean activation for each class."""
    pictures, _, Y = _columns(X, Y=Y)
    w, a = np.asarray(w, dtype=float).reshape(28, 28), np.asarray(a, dtype=float).ravel()
    top, limit = np.argsort(-a, kind="stable")[:6], _limit(w)
    means = np.array([a[Y == d].mean() if (Y == d).any() else 0.0 for d in range(10)])
    best, active = int(means.argmax()), float((a > 0).mean())
    fig = _figure(360, f"One hidden unit: on average a {best} excites it most")
    weights, digits, bars = fig.subplots(1, 3, width_ratios=(1.2, 1.1, 0.8))
    image, _ = _sheet(weights, [w], 1, (0, 0), limit)
    _scale(fig, image, cax=weights.inset_axes((1.04, 0, 0.12, 1)))
    _, corners = _sheet(digits, pictures[top], 2, (28, 6))
    for i, (x, y) in zip(top, corners, strict=True):
        _note(digits, f"a {Y[i]}\n{a[i]:.1f}", (x + 28, y + 14), (6, 0), ha="left")
    colors = [BLUE if d == best else LINE for d in range(10)]
    _bars(bars, means, [f"{mean:.2f}" for mean in means], colors)
    weights.set_title("its weights")
    digits.set_title("most exciting digits")
    bars.set_title("mean activation")
    return (
        fig,
        f"One hidden unit. Its weights as a picture, -{limit:.2g} or less dark blue, "
        f"+{limit:.2g} or more yellow. The digits that excite it most, with its activation: "
        f"{_list(f'a {Y[i]} ({a[i]:.1f})' for i in top)}. Bars of its mean activation for each "
        f"digit: {', '.join(f'{d}: {v:.2f}' for d, v in enumerate(means))}. It is above 0 on "
        f"{percent(active)} of {a.size:,} examples.",
        f"A {best} excites this unit most (mean activation {means[best]:.2f}); it is above 0 on "
        f"{percent(active)} of the examples.",
    )


@_picture
def confusion_matrix(counts):
    """counts (10, 10): rows are the true digit, columns the answer."""
    counts = np.asarray(counts).astype(int)
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:3]
    worst = [divmod(int(o), 10) for o in order if wrong.flat[o]]
    named = [f"{i} taken for {j}: {counts[i, j]:,}" for i, j in worst]
    right, total = int(np.trace(counts)), int(counts.sum())
    fig = _figure(480, f"{right:,} of {total:,} right, and what is taken for what")
    ax = fig.subplots()
    ax.imshow(wrong, cmap=HEAT, vmin=0, vmax=max(wrong.max(), 1), aspect="auto")
    for (i, j), count in np.ndenumerate(counts):
        look = {"color": BLUE, "weight": "bold"} if i == j else {}
        if count:
            _note(ax, count, (j, i), **look)
    for i, j in worst:
        _frame(ax, j - 0.46, i - 0.44, 0.92, 0.88, "black", 2.5)
    ax.set(xticks=range(10), yticks=range(10), ylabel="true digit")
    ax.set_xlabel("the network's answer")
    ax.xaxis.set_label_position("top")
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(True)
    words = ["framed: most", "frequent mistakes", *named] if named else ["no mistakes"]
    words = "\n".join(["bold: right answers", "", *words])
    _note(ax, words, (9.5, -0.4), (14, 0), ha="left", va="top", linespacing=1.5)
    return (
        fig,
        "Confusion matrix: a table of counts, 10 rows for the true digit, 10 columns for the "
        f"answer. {right:,} of {total:,} are right, on the diagonal: "
        f"{', '.join(f'{d}: {n:,}' for d, n in enumerate(np.diag(counts)))}. "
        + (f"Most frequent mistakes, framed: {_list(named)}." if named else "No mistakes."),
        f"{total - right:,} mistakes in {total:,}"
        + (f". Most frequent: {_list(named)}." if named else "."),
    )


@_picture
def confident_mistakes(X, A2, Y, n=4):
    """The n (at most 4) wrong answers of which the network was most sure."""
    pictures, A2, Y = _columns(X, A2, Y)
    said, p = A2.argmax(axis=0), A2.max(axis=0)
    wrong = np.flatnonzero(said != Y)
    chosen = wrong[np.argsort(-p[wrong], kind="stable")][: min(n, 4)]
    if not chosen.size:
        words = f"No mistakes among these {Y.size:,} examples"
        return _figure(60, words), f"{words}: nothing to show.", f"{words}."
    fig = _figure(40 + 230 * -(-len(chosen) // 2), "Wrong, and sure of it")
    axes = fig.subplots(-(-len(chosen) // 2), 4, width_ratios=(1, 0.9) * 2).reshape(-1, 2)
    told = []
    for i, (digit, bars) in zip(chosen, axes, strict=False):
        a, t = said[i], Y[i]
        _sheet(digit, [pictures[i]], 1, (0, 0))
        _frame(digit, 0, 0, 28, 28)
        digit.set_title(f"said {a}, is {t}", weight="bold")
        words, colors, hatches = [""] * 10, [LINE] * 10, [None] * 10
        words[a], words[t] = f"said: {percent(p[i])}", f"true: {percent(A2[t, i])}"
        colors[a], colors[t], hatches[t] = BLUE, ORANGE, "////"
        _bars(bars, A2[:, i], words, colors, hatches)
        bars.set_xlim(0, 1)
        told.append(f"a {t} taken for {a}, {percent(p[i])} sure (true digit: {percent(A2[t, i])})")
    for ax in axes[len(chosen) :].ravel():
        ax.axis("off")
    return (
        fig,
        f"The {len(chosen)} most confident of {len(wrong):,} mistakes among {Y.size:,} examples, "
        f"each a picture with bars of its ten probabilities: {_list(told)}.",
        f"The most confident of {len(wrong):,} mistakes: {told[0]}.",
    )


@_picture
def ladder(rows):
    """The rungs in order, from the top: (name, accuracy in %, half width of its 95 % interval)."""
    names, right, half = zip(*rows, strict=True)
    y = np.arange(len(rows))
    words = [f"{r:.1f} \u00b1 {h:.1f}" for r, h in zip(right, half, strict=True)]
    told = [f"{name} {text}" for name, text in zip(names, words, strict=True)]
    fig = _figure(110 + 40 * len(rows), "The ladder: accuracy in %, with 95 % intervals")
    ax = fig.subplots()
    ax.errorbar(right, y, xerr=half, fmt="o-", color=BLUE, ms=9, lw=1, elinewidth=2, capsize=6)
    for i, text in enumerate(words):
        _note(ax, text, (1, i), (10, 0), xycoords=("axes fraction", "data"), ha="left")
    ax.set_yticks(y, [textwrap.fill(name, 30) for name in names])
    ax.set(ylim=(len(rows) - 0.5, -0.5), xlabel="right answers in %")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", color=LINE, lw=0.5)
    return (
        fig,
        f"Chart of the accuracy in % by rung, with 95 % intervals: {'; '.join(told)}.",
        f"From {names[0]} to {names[-1]}: {words[0]} % became {words[-1]} %."
        if len(rows) > 1
        else f"{told[0]} %.",
    )
