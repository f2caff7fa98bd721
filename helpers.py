"""Pictures for the notebook: figures in plain matplotlib, and nothing else.

Each function takes plain arrays and returns a `Picture`. As the last line of a cell it shows
itself, with a caption and with a description for those who cannot see it; both are computed from
the data. To change a figure, change its function; what all share stands above the first. To see it
alone: FIGURES=folder pytest tests/test_helpers.py -k its_name

X is (784, m), one example per column, uint8 0..255 or float 0..1; Y is (m,), the labels 0..9;
A2 is (10, m), probabilities. A wrong shape raises ValueError with one sentence.
"""

import io
import re
import textwrap
from itertools import pairwise, product

import matplotlib
import numpy as np
import PIL.Image
from IPython.display import Image, display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Rectangle

DPI = 144  # stored dots per inch; a browser shows 96 CSS px to the inch, so 12 pt text is 16 px
WIDTH = 816  # CSS px of every figure
# On white these have a contrast of at least 3:1; black and BLUE, used for text, of 4.5:1
BLUE, ORANGE, GREEN, PINK, LINE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A8A8A"
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
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.labelspacing": 1.2,
    "hatch.linewidth": 2,
    "image.interpolation": "nearest",
}
_styled = matplotlib.rc_context(STYLE)  # a decorator: the style holds while a figure is drawn


class Picture(Image):
    """A finished figure: an Image of IPython with a description and a caption.

    The description is the figure's title, the details that it shows, and the caption.
    data: PNG bytes; description, caption: str; width, height: CSS px."""

    def __init__(self, fig, details, caption):
        title = f"{fig.get_suptitle()}. " if fig.get_suptitle() else ""
        self.description, self.caption = f"{title}{details} {caption}", caption
        canvas, file = FigureCanvasAgg(fig), io.BytesIO()
        canvas.draw()
        # 64 colours keep the file small; without a date, a call repeats its bytes
        image = PIL.Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        image = image.quantize(64, dither=PIL.Image.Dither.NONE)
        image.save(file, format="PNG", optimize=True)
        width, height = (round(96 * inches) for inches in fig.get_size_inches())
        look = {"width": width, "height": height, "alt": self.description}
        super().__init__(file.getvalue(), format="png", **look)

    def __repr__(self):
        return self.description

    def _ipython_display_(self):
        data, metadata = self._repr_mimebundle_()
        display(data | {"text/plain": self.description}, metadata=metadata, raw=True)
        safe = re.sub(r"([\\`*_$<\[])", r"\\\1", self.caption)
        display({"text/markdown": f"*{safe}*", "text/plain": self.caption}, raw=True)


def _figure(height, title, *shape, mosaic=None, **ratios):
    """A figure, WIDTH x height CSS px (height: even, at most 600), and its axes.

    shape: rows and columns of axes; mosaic: names of axes as they stand, for a dict of them."""
    fig = Figure(figsize=(WIDTH / 96, height / 96), dpi=DPI, layout="constrained")
    if title:
        fig.suptitle(title, x=0.01, ha="left")
    return fig, fig.subplot_mosaic(mosaic, **ratios) if mosaic else fig.subplots(*shape, **ratios)


def _columns(X, A2=None, Y=None):
    """X as (784, m), A2 as (10, m), Y as (m,), once their m agree."""
    X = np.asarray(X)
    X = X[:, None] if X.ndim == 1 else X
    if X.ndim != 2 or X.shape[0] != 784:
        raise ValueError(
            f"X must be (784, m), one example per column, but it is {X.shape}. "
            "If it is (m, 784), pass X.T."
        )
    A2 = None if A2 is None else np.asarray(A2, dtype=float).reshape(10, -1)
    Y = None if Y is None else np.ravel(Y).astype(int)
    for name, other in (("A2", A2), ("Y", Y)):
        if other is not None and other.shape[-1] != X.shape[1]:
            raise ValueError(
                f"{name} is for {other.shape[-1]} examples, but X has {X.shape[1]} columns. "
                "Take the same examples from both."
            )
    return X, A2, Y


def _floats(X):
    """Bytes 0..255 -> float 0..1; floats stay as they are."""
    return X / 255 if X.dtype.kind in "iu" else X


def _sheet(ax, X, columns=1, gap=(0, 0), limit=None):
    """Draw the columns of X (784, n) as one image; many images would make the file large.

    gap: empty pixels to the right of each and below it; limit: of weights, for digits None.
    Returns the image and the left top corner (x, y) of each picture, in pixels."""
    pictures = _floats(X).T.reshape(-1, 28, 28)
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


def _frame(ax, x, y, color=LINE, lw=1, size=(28, 28)):
    ax.add_patch(Rectangle((x, y), *size, fill=False, ec=color, lw=lw, clip_on=False))


def _limit(weights):
    """The end of the colour scale: the 99.5th percentile, so that no one weight dims the rest."""
    return float(np.percentile(np.abs(np.nan_to_num(weights, posinf=0, neginf=0)), 99.5)) or 1.0


def _scale(fig, image, **where):
    """The colour bar of weights; it says in words which end is which."""
    limit = image.norm.vmax
    bar = fig.colorbar(image, **where)
    words = [f"-{limit:.2g}\nink subtracts", "0", f"+{limit:.2g}\nink adds"]
    bar.set_ticks([-0.85 * limit, 0, 0.85 * limit], labels=words)
    bar.ax.tick_params(length=0)


def _bars(ax, values, texts, colors, hatches=None):
    """Ten horizontal bars, for the digits 0 to 9 from the top, each with a text at its end."""
    bars = ax.barh(range(10), values, 0.7, color=colors, hatch=hatches, ec="white", lw=0)
    ax.bar_label(bars, texts, padding=5)
    ax.set(ylim=(9.6, -0.6), xticks=[], yticks=range(10))
    ax.tick_params(left=False)
    ax.spines[["bottom", "left"]].set_visible(False)
    ax.axvline(0, color=LINE, lw=1)
    ax.margins(x=0.2 if min(values) < 0 else 0.05)  # room between the digits and bars to the left


def percent(p):
    """A probability (0..1) in words: "98 %". What is nearly 0 or 1 never reads "0 %" or "100 %"."""
    return "over 99 %" if p >= 0.995 else "under 1 %" if p < 0.005 else f"{100 * p:.0f} %"


# ---------------------------------------------------------------- the digits


@_styled
def pixel_numbers(x, label):
    """One digit x (784,) and, enlarged, the 10 x 10 pixels in its middle and their numbers."""
    digit = np.rint(255 * _floats(_columns(x)[0])).astype(int).reshape(28, 28)
    crop = digit[9:19, 9:19]
    title = f"The computer sees this {label} as 784 numbers"
    fig, (whole, part) = _figure(470, title, 1, 2, width_ratios=(0.8, 1))
    for ax, pixels, color, lw in ((whole, digit, LINE, 1), (part, crop, ORANGE, 3)):
        ax.imshow(pixels, cmap=INK, vmin=0, vmax=255)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color=color, lw=lw)
    _frame(whole, 8.5, 8.5, ORANGE, 3, (10, 10))
    for y in (-0.5, 9.5):  # from the frame's right corners to the enlarged frame
        ends = ((18.5, 9 + y), (-0.5, y), whole.transData, part.transData)
        fig.add_artist(ConnectionPatch(*ends, color=ORANGE, ls="--"))
    for (row, column), value in np.ndenumerate(crop):  # from 136 on, INK is dark enough for white
        _note(part, value, (column, row), color="white" if value > 135 else "black")
    inked = np.count_nonzero(digit)
    return Picture(
        fig,
        "28 x 28 pixels; rows and columns 9 to 18 enlarged, with their numbers: "
        f"{'; '.join(' '.join(map(str, row)) for row in crop)}.",
        f"784 numbers, from 0 for paper to 255 for full ink; {inked} of them are not 0.",
    )


@_styled
def digit_grid(X, Y):
    """The first 12 examples of each class, a row for each class."""
    X, _, Y = _columns(X, Y=Y)
    firsts = [np.flatnonzero(Y == digit)[:12] for digit in range(10)]
    shown = [first.size for first in firsts]
    grid = np.full((784, 10, 12), np.nan)
    fig, ax = _figure(600, "The same ten digits, written in many ways")
    for digit, first in enumerate(firsts):
        grid[:, digit, : first.size] = _floats(X[:, first])
        _note(ax, digit, (0, 32 * digit + 14), (-14, 0), size=14, weight="bold")
    _sheet(ax, grid.reshape(784, 120), 12, (10, 4))
    return Picture(
        fig,
        f"A row for each digit: {', '.join(f'{n} of {digit}' for digit, n in enumerate(shown))}.",
        f"The first {max(shown)} examples of each digit, {sum(shown)} in all.",
    )


@_styled
def changed(X, X_changed):
    """Up to eight originals, above, and the same digits moved, turned or bent, below."""
    before, after = (_columns(part)[0][:, :8] for part in (X, X_changed))
    n, places = before.shape[1], np.array(np.divmod(np.arange(784), 28))
    middles = [places @ part / np.maximum(part.sum(axis=0), 1e-9) for part in (before, after)]
    far = np.hypot(*(middles[1] - middles[0]))
    fig, ax = _figure(232, "The same digit, changed a little, is a new example to the network")
    _, corners = _sheet(ax, np.hstack([before, after]), n, (5, 5))
    thin = {"color": LINE, "lw": 0.8}
    for words, y in (("before", 14), ("after", 47)):
        _note(ax, words, (0, y), (-8, 0), ha="right")
    for x, y in corners:  # a frame with its middle lines
        _frame(ax, x, y)
        ax.plot([[x, x + 14], [x + 28, x + 14]], [[y + 14, y], [y + 14, y + 28]], ":", **thin)
    return Picture(
        fig,
        f"The middle of the ink moved, in pixels, by {', '.join(f'{d:.1f}' for d in far)}.",
        f"{n} digits before and after the change.",
    )


# ---------------------------------------------------------------- the network


@_styled
def weighted_sum(x, W, b, digits):
    """One digit read by weighted sums: pixel times weight, added up, plus a bias.

    x (784,); W (10, 784), weights from 0 to 1, a row for each digit; b (10, 1); digits: those to
    show, at most three."""
    x, digits = _floats(_columns(x)[0]), list(digits)[:3]
    W, b = np.asarray(W, dtype=float)[digits].T, np.ravel(b)[digits]
    sums = (W * x).sum(axis=0)
    best = (sums + b).argmax()
    title = f"The weights of {digits[best]} give the larger score"
    fig, axes = _figure(60 + 180 * len(digits), title, len(digits), 3, squeeze=False)
    told = []
    for i, (row, digit) in enumerate(zip(axes, digits, strict=True)):
        for ax, picture in zip(row, (x, W[:, [i]], W[:, [i]] * x), strict=True):
            _sheet(ax, picture)
        titles = ("the digit", f"weights of {digit}", "pixel times weight")
        for ax, name, sign in zip(row, titles, ("\u00d7", "=", ""), strict=True):
            _frame(ax, 0, 0)
            ax.set_title(name)
            _note(ax, sign, (28, 14), (30, 0), size=20)
        words = f"sum {sums[i]:.2f}\nbias {b[i]:+.2f}\nscore {sums[i] + b[i]:.2f}"
        told.append(f"{digit}: {words}".replace("\n", ", "))
        words, weight = (words + "\n\u2713 the larger", "bold") if i == best else (words, None)
        _note(row[2], words, (28, 14), (12, 0), ha="left", weight=weight)
    return Picture(
        fig,
        "For each score a row of three pictures: the pixels, the weights, their products.",
        f"Pixel times weight, added up, plus a bias: the score of {'; '.join(told)}.",
    )


@_styled
def network_diagram(n_in=784, n_hidden=10, n_out=10):
    """The layers of the network, and each array with its shape where it acts; n_out: at most 10."""
    fig, ax = _figure(490, f"The network: {n_in} pixels, {n_hidden} hidden units, {n_out} answers")
    ax.set(xlim=(-0.4, 4.5), ylim=(13.4, -2.6))
    ax.axis("off")
    layers = [
        (n_in, 4, "X", "m examples,\none a column"),
        (n_hidden, 4, "Z1, A1", "weighted sums,\nthen ReLU"),
        (n_out, 10, "Z2, A2", "weighted sums,\nthen softmax"),
    ]
    told, before, m = [], [], 0
    for i, (n, most, name, words) in enumerate(layers):
        x, y = 2 * i, 4.5 + np.arange(min(n, most)) - (min(n, most) - 1) / 2
        if n > most:  # dots in the middle stand for the rest
            y += np.where(y > 4.5, 0.6, -0.6)
            ax.plot([x] * 3, [4.2, 4.5, 4.8], "o", color="black", ms=3)
        ax.plot([x] * len(y), y, "o", ms=17, mfc="white", mec="black", mew=1.5, zorder=3)
        _note(ax, f"{name}\n({n}, m)", (x, -1.65), weight="bold")
        _note(ax, words, (x, 10.4), va="top")
        if i:
            shapes = f"W{i} ({n}, {m})\nb{i} ({n}, 1)"
            _note(ax, shapes, (x - 1, -1.65), color=BLUE)
            _note(ax, f"thick: one\nrow of W{i}", (x - 1, 10.4), va="top", color=BLUE)
            told.append(shapes)
        for start, (j, end) in product(before, enumerate(y)):
            color, lw = (BLUE, 2) if j == 1 else (LINE, 0.6)  # one unit's weights stand out
            ax.plot([x - 2, x], [start, end], color=color, lw=lw, zorder=lw)
        told.append(f"{name} ({n}, m), {words}".replace(",\n", ", "))
        before, m = y, n
    for digit, end in enumerate(y):
        _note(ax, digit, (4, end), zorder=4)
    count = n_hidden * (n_in + 1) + n_out * (n_hidden + 1)
    return Picture(
        fig,
        "Three layers of circles, each circle joined to all of the next. From left to right: "
        f"{'; '.join(told)}. Thick: one row of W1, one row of W2.".replace("\n", ", "),
        f"Each line is a weight. With the biases the network has {count:,} parameters; dots stand "
        "for what is left out.",
    )


@_styled
def loss_curve():
    """The loss of one example, -ln p, against the probability p that its true digit got."""
    p = np.linspace(0.004, 1, 500)
    fig, ax = _figure(400, "The loss is small only when the true digit gets a high probability")
    ax.plot(p, -np.log(p), color=BLUE, lw=3)
    words = {at: f"p = {at}:\nloss {-np.log(at):.2f}" for at in (0.1, 0.5, 0.8, 0.99)}
    for at, text in words.items():
        ax.plot(at, -np.log(at), "o", color=ORANGE, ms=10, clip_on=False)
        _note(ax, text, (at, -np.log(at)), (10, 6), va="bottom", ha="left")
    ax.set(xlim=(0, 1), ylim=(0, 5.3), ylabel="loss, -ln p")
    ax.set_xlabel("p, the probability that the network gives to the true digit")
    return Picture(
        fig,
        "A line falls from above 5 near p = 0, first steeply, to 0 at p = 1. "
        f"{'; '.join(words.values())}.".replace("\n", " "),
        f"10 % for the true digit cost {-np.log(0.1):.2f}, 99 % cost {-np.log(0.99):.2f}.",
    )


# ---------------------------------------------------------------- slopes and steps


@_styled
def slope(values, losses, at, slope, name):
    """The loss against one weight: losses (n,) at values (n,), and the tangent at `at`.

    slope: float, of the loss at `at`; name: of the weight, such as "W2[7, 3]"."""
    values, losses = np.asarray(values, dtype=float), np.asarray(losses, dtype=float)
    here = float(np.interp(at, values, losses))
    room = 0.15 * (np.ptp(losses) or 1)
    way = "lower" if slope > 0 else "raise"
    fig, ax = _figure(400, f"The slope at the dot says: {way} {name}")
    ax.plot(values, losses, color=BLUE, lw=3, label=f"the loss for\neach value of {name}")
    line = here + slope * (values - at)
    ax.plot(values, line, "--", color=ORANGE, lw=2, label=f"straight line with\nslope {slope:.3g}")
    words = f"here: {name} is {at:.3g},\nloss {here:.3f}"
    ax.plot(at, here, "o", color="black", ms=10, label=words)
    ax.set(xlim=(values[0], values[-1]), ylim=(losses.min() - room, losses.max() + room))
    ax.set(xlabel=name, ylabel="loss")
    fig.legend(loc="outside right center")
    return Picture(
        fig,
        f"Line chart of the loss, lowest with {losses.min():.3f} at {values[losses.argmin()]:.3g}. "
        f"Dot: {words}. Dashed: the tangent.".replace("\n", " "),
        f"At {name} = {at:.3g} the slope is {slope:.3g}: {way} this weight, and the loss falls.",
    )


@_styled
def descent(paths):
    """Gradient descent on the bowl w**2: paths is {alpha: positions w (n + 1,)}, at most four."""
    paths = {alpha: np.asarray(w, dtype=float) for alpha, w in list(paths.items())[:4]}
    start = next(iter(paths.values()))[0]
    far = 1.5 * abs(start)
    bowl, told = np.linspace(-far, far, 101), []
    title = "The same bowl, the same start: only alpha differs"
    fig, axes = _figure(330, title, 1, len(paths), sharey=True, squeeze=False)
    axes[0, 0].set_ylabel("loss, w**2")
    for ax, (alpha, w) in zip(axes[0], paths.items(), strict=True):
        outside = (np.abs(w) > far).sum()
        left = f"steps out of view: {outside}" if outside else ""
        ax.plot(bowl, bowl**2, color=LINE, lw=2)
        ax.plot(w, w**2, "o-", color=BLUE, ms=6, lw=1)
        ax.plot(w[0], w[0] ** 2, "o", ms=12, mfc="none", mec="black", mew=2)
        ax.plot(w[-1], w[-1] ** 2, "D", color=ORANGE, ms=9)
        ax.set(xlim=(-far, far), ylim=(-0.06 * far**2, far**2), xlabel=f"w\n{left}")
        ax.set_title(f"alpha {alpha:g}:\nends at {w[-1]:.3g}")
        told.append(f"alpha {alpha:g} ends at {w[-1]:.3g}" + f", {left}" * bool(left))
    return Picture(
        fig,
        "Charts of the bowl w**2, lowest at 0, with the steps as linked dots.",
        f"{len(w) - 1} steps from w = {start:g} (ring) to the diamond: {'; '.join(told)}.",
    )


@_styled
def way_back(params, forward, slopes=None):
    """The tiny network of two pixels, two hidden units and two classes, forward and backward.

    params: W1 (2, 2), b1 (2, 1), W2 (2, 2), b2 (2, 1). forward: X, Z1, A1, Z2, A2, each (2, 1), and
    the loss of one example (float). slopes: dZ2, dW2, db2, dA1, dZ1, dW1, db1, each shaped as the
    value that it belongs to; None leaves a "?" for each number: a worksheet."""
    label = int(np.abs(np.log(np.ravel(forward[4])) + forward[5]).argmin())
    stages = {
        "X": "X",
        "Z1": "Z1 =\nW1 @ X + b1",
        "A1": "A1 =\nReLU(Z1)",
        "Z2": "Z2 =\nW2 @ A1 + b2",
        "A2": "A2 =\nsoftmax(Z2)",
        "loss": f"loss =\n-ln A2[{label}]",
    }
    places = {name: (x, 75) for x, name in enumerate(stages)}
    places |= {"W1": (0.6, 190), "b1": (1.4, 190), "W2": (2.6, 190), "b2": (3.4, 190)}
    places |= {"dZ2": (3, 335), "dW2": (2.45, 490), "db2": (3.4, 490)}
    places |= {"dA1": (2, 335), "dZ1": (1, 335), "dW1": (0.45, 490), "db1": (1.4, 490)}
    backward = [  # from, to, what is done there, and where that stands
        ("loss", "dZ2", "said - should say", (4.1, 320)),
        ("dZ2", "dA1", "by W2", (2.5, 320)),
        ("dA1", "dZ1", "mask", (1.5, 320)),
        ("dZ2", "dW2", "by A1", (2.35, 415)),
        ("dZ2", "db2", "as it is", (3.52, 415)),
        ("dZ1", "dW1", "by X", (0.35, 415)),
        ("dZ1", "db1", "as it is", (1.52, 415)),
    ]
    onward = [*pairwise(stages), ("W1", "Z1"), ("b1", "Z1"), ("W2", "Z2"), ("b2", "Z2")]
    arrows = [(*ends, "", (0, 0)) for ends in onward] + backward
    numbers = {}
    for name, value in zip(places, [*forward, *params, *(slopes or [None] * 7)], strict=True):
        rows = params[0] if name in ("dW1", "dW2") else params[1]  # of this shape, to be filled in
        rows = np.round(np.atleast_2d(rows if value is None else value), 3) + 0.0
        numbers[name] = "\n".join(
            "  ".join("?" if value is None else f"{number:.15g}" for number in row) for row in rows
        )
    title, todo = "values forward, slopes backward", "an arrow says how the next slope is made."
    if not slopes:
        title = "fill in the slopes, from right to left"
        todo = "fill in each slope, beginning with dZ2."
    fig, ax = _figure(590, f"The way back: {title}")
    ax.set(xlim=(-0.45, 5.45), ylim=(545, 0))
    ax.axis("off")
    boxes = {}
    for name, at in places.items():
        look = {"boxstyle": "round,pad=0.4", "fc": "white", "lw": 2}
        look["ec"] = ORANGE if name[0] == "d" else BLUE
        words = numbers[name] if name in stages else f"{name}\n{numbers[name]}"
        boxes[name] = _note(ax, words, at, bbox=look, linespacing=1.3)
        _note(ax, stages.get(name, ""), at, (0, 26), va="bottom")
    for start, end, words, at in arrows:
        look = {"arrowstyle": "-|>", "lw": 2, "mutation_scale": 16}
        look["patchA"], look["patchB"] = boxes[start].get_bbox_patch(), boxes[end].get_bbox_patch()
        look["color"] = ORANGE if end[0] == "d" else BLUE
        if start == "loss":
            look["connectionstyle"] = "angle,angleA=-90,angleB=180,rad=8"
        ax.annotate("", places[end], places[start], arrowprops=look)
        _note(ax, words, at, weight="bold")
    _note(ax, "forward:\nvalues", (-0.4, 190), ha="left")
    _note(ax, "backward:\nslopes", (-0.4, 335), ha="left")
    told = [f"{name} ({text})".replace("\n", "; ") for name, text in numbers.items()]
    by = ", ".join(f"{start} to {end} ({words})" for start, end, words, _ in backward)
    return Picture(
        fig,
        f"Boxes of a tiny network, joined by arrows. Forward, from left to right: "
        f"{', '.join(told[:6])}; from below come {', '.join(told[6:10])}. Backward, from right to "
        f"left: {by}. Slopes: {', '.join(told[10:])}.",
        f"Forward to the loss {numbers['loss']}, then back: {todo}",
    )


@_styled
def gradient_match(analytic, numeric, names):
    """Gradients by backward_prop (analytic) against central differences (numeric), by parameter.

    Two lists of arrays of equal shapes, and their names, at most four. An array is called off when
    |a - n| / (|a| + |n|), Euclidean norms, exceeds 1e-4."""
    pairs = [(np.ravel(a), np.ravel(n)) for a, n in zip(analytic, numeric, strict=True)]
    norm = np.linalg.norm
    errors = [norm(a - n) / ((norm(a) + norm(n)) or 1) for a, n in pairs]
    off = [name for name, error in zip(names, errors, strict=True) if not error <= 1e-4]
    title = "Every gradient lies on the diagonal: the two agree"
    if off:
        title = f"{', '.join(off)} off the diagonal: backward_prop is wrong there"
    fig, ax = _figure(480, title)
    told = []
    for (a, n), name, error, (color, marker) in zip(pairs, names, errors, LOOKS, strict=False):
        bad = name in off
        words = f"{name}, {a.size:,} parameters:\nrelative error {error:.2g}" + ", off" * bad
        look = {"color": color, "mec": "white", "ms": 12 if bad else 8, "zorder": 3 + bad}
        ax.plot(n, a, marker, label=words, **look)
        told.append(words.replace("\n", " "))
    ax.axline((0, 0), slope=1, color="black", lw=1.2, zorder=1)
    ax.set(xlabel="slope, measured", ylabel="slope by backward_prop")
    ax.locator_params(nbins=5)
    fig.legend(loc="outside right center")
    return Picture(
        fig,
        f"Scatter chart, a point for each parameter. {'; '.join(told)}.",
        f"The largest relative error is {max(errors):.2g}.",
    )


@_styled
def batch_clouds(full, clouds, names):
    """Two entries of the gradient, by all examples and by many batches.

    full (2,): the two entries by all examples; clouds: {batch size: (n, 2)}, a row for each batch;
    names: of the two entries, such as ("dW2[7, 3]", "dW2[2, 5]")."""
    full = np.asarray(full, dtype=float).ravel()
    fig, ax = _figure(430, "Each batch errs in its own way, around the gradient of all examples")
    told, centres = [], []
    for size, (color, marker) in zip(sorted(clouds), LOOKS, strict=False):
        cloud = np.asarray(clouds[size], dtype=float)
        far = np.hypot(*(cloud - full).T).mean()
        told.append(f"{len(cloud)} batches of {size:,}:\noff by {far:.2g} on average")
        centres.append("({:.2g}, {:.2g})".format(*cloud.mean(axis=0)))
        ax.plot(*cloud.T, marker, color=color, ms=6, mec="white", mew=0.5, label=told[-1])
    ax.plot(*full, "X", color="black", ms=14, mec="white", label="all examples")
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.locator_params(nbins=6)
    fig.legend(loc="outside right center")
    return Picture(
        fig,
        f"Scatter chart of {names[1]} against {names[0]}. All examples: ({full[0]:.2g}, "
        f"{full[1]:.2g}), a cross. Means of the batches: {', '.join(centres)}.",
        f"{'; '.join(told)}.".replace("\n", " "),
    )


# ---------------------------------------------------------------- training and its result


@_styled
def training_curves(history, unit="step", weights=None):
    """Loss and accuracy during a run, on the training and, if measured, on the dev digits.

    history: list of dicts with step, train_loss, train_accuracy and perhaps dev_loss and
    dev_accuracy, accuracies 0..1; or {label: such a list}, two runs to compare.
    unit: what a step is, the label of both charts.
    weights: of one run (W1 at the start, W1 at the end), (n, 784); shown for ten units."""
    runs = history if isinstance(history, dict) else {"": history}
    if not all(runs.values()):
        raise ValueError("The history is empty: train first, with history=[] kept in a variable.")
    height = 340 + 190 * (weights is not None) + 120 * (len(runs) > 1)
    rooms = [["loss", "accuracy"]] + [["weights"] * 2] * (weights is not None)
    fig, axes = _figure(height, "", mosaic=rooms, height_ratios=[1, 0.75][: len(rooms)])
    starts, ends, told = [], [], []
    for (run, part), (color, marker) in zip(product(runs, ("train", "dev")), LOOKS, strict=False):
        rows = [row for row in runs[run] if row.get(f"{part}_loss") is not None]
        if unit == "epoch" and len(rows) > 2:  # the row before training would flatten the rest
            rows = rows[1:]
        if not rows:
            continue
        name, dev = f"{run}, {part}" if run else part, part == "dev"
        columns = ("step", f"{part}_loss", f"{part}_accuracy")
        steps, loss, right = np.array([[row[c] for c in columns] for row in rows], dtype=float).T
        loss[~np.isfinite(loss)] = np.nan
        said = [f"{name}: loss {a:.2f}, {100 * b:.1f} %" for a, b in zip(loss, right, strict=True)]
        said = [words.replace("loss nan", "loss no number") for words in said]
        every = max(1, len(rows) // 8)
        shift = len(ends) * max(1, every // 4) % every  # markers beside those of the other lines
        look = {"color": color, "marker": marker, "lw": 2, "ms": 8, "clip_on": False}
        look |= {"markevery": (shift, every)} | ({"ls": "--", "mfc": "white"} if dev else {})
        starts.append(f"{said[0]} at first, loss at most {np.nanmax(loss, initial=0):.2f}")
        ends.append(said[-1])
        axes["loss"].plot(steps, loss, label=ends[-1], **look)
        axes["accuracy"].plot(steps, 100 * right, **look)
        gone, low = np.isnan(loss), np.nan_to_num(loss, nan=np.inf).argmin()
        if gone.any() and not dev:
            told.append(f"{name}: the loss is no number from {unit} {steps[gone][0]:,.0f} on")
            axes["loss"].axvline(steps[gone][0], color=color, ls="-.", lw=2, label=told[-1])
        if dev and not run and np.nanmax(loss[low:], initial=0) > 1.1 * loss[low]:
            told.append(f"{name}: lowest loss {loss[low]:.2f} at {unit} {steps[low]:,.0f}")
            axes["loss"].plot(steps[low], loss[low], "*", color="black", ms=16, label=told[-1])
    axes["loss"].set_ylim(0, 1.05 * axes["loss"].get_ylim()[1])
    if axes["loss"].get_ylim()[1] > 2.4:
        axes["loss"].axhline(np.log(10), color=LINE, lw=1, ls=":", label="blind guessing: ln 10")
        told.append(f"the loss of blind guessing is ln 10 = {np.log(10):.2f}")
    if unit == "step":
        axes["accuracy"].set_ylim(0, 102)
    for ax, title in ((axes["loss"], "loss"), (axes["accuracy"], "accuracy in %")):
        ax.set(title=title, xlabel=unit, xlim=axes["accuracy"].get_xlim())
        ax.locator_params(axis="x", nbins=6, integer=True, min_n_ticks=1)
    fig.legend(loc="outside upper left", ncols=1 if len(runs) > 1 else 2, labelspacing=0.5)
    if weights is not None:
        W1 = np.concatenate([np.asarray(part, dtype=float)[:10] for part in weights])
        ax, n = axes["weights"], len(W1) // 2
        _sheet(ax, W1.T, n, (3, 3), _limit(W1))
        ax.set_title(f"W1 of {n} hidden units (light: ink adds, dark: ink subtracts)")
        for words, y in (("start", 14), ("end", 45)):
            _note(ax, words, (0, y), (-8, 0), ha="right")
        told.append(f"below, the weights of {n} hidden units, at the start and at the end")
    return Picture(
        fig,
        f"Charts of loss and accuracy by {unit}; solid: train, dashed: dev. "
        f"{'; '.join([*starts, *told])}.",
        f"At the end, {'; '.join(ends)} right.",
    )


@_styled
def answers(X, A2, Y=None, columns=6, rows=None, title=None):
    """Digits with the network's answer and its probability; with Y also whether it is right.

    At most six rows of pictures. columns: at most 8; rows: a name for each row, at its left.
    title: for digits that were chosen, of which a mean would say nothing."""
    X, A2, Y = _columns(X, A2, Y)
    said, p = A2.argmax(axis=0), A2.max(axis=0)
    deep = -(-said.size // columns)
    wide = (WIDTH - (110 if rows else 16)) / columns  # CSS px of a picture and the gap beside it
    side = min(0.8 * wide, 530 / deep - 76)
    gap = (round(28 * (wide / side - 1)), round(28 * 76 / side))
    right = "" if Y is None else f"{(said == Y).sum()} of {said.size} right. "
    whole = f"{right}What the network answers, and how sure it is"
    fig, ax = _figure(2 * round(30 + deep * (side + 76) / 2), title or whole)
    _, corners = _sheet(ax, X, columns, gap)
    told = [f"{answer} ({percent(sure)})" for answer, sure in zip(said, p, strict=True)]
    for i, (x, y) in enumerate(corners):
        bad = Y is not None and said[i] != Y[i]
        _frame(ax, x, y, ORANGE if bad else LINE, 3 if bad else 1)
        bar = {"fc": ORANGE, "hatch": "////"} if bad else {"fc": BLUE}
        ax.add_patch(Rectangle((x, y + 30), 28 * p[i], 2.5, ec="white", lw=0, **bar))
        _note(ax, said[i], (x, y + 32), (0, -13), size=18, weight="bold", ha="left")
        _note(ax, percent(p[i]), (x, y + 32), (0, -32), ha="left")
        if Y is not None:
            words, weight = (f"\u2717 is {Y[i]}", "bold") if bad else ("\u2713", None)
            _note(ax, words, (x + 28, y + 32), (0, -13), ha="right", weight=weight)
            told[i] += f" wrong: is {Y[i]}" if bad else " right"
    for name, (x, y) in zip(rows or [], corners[::columns], strict=False):
        _note(ax, textwrap.fill(name, 10), (x, y + 14), (-8, 0), ha="right")
    names = rows or ["the network"]
    sure = [percent(part.mean()) for part in np.array_split(p, len(names))]
    sure = ", ".join(f"{name} is {part} sure" for name, part in zip(names, sure, strict=True))
    return Picture(
        fig,
        f"Under each digit a bar as long as the probability, the answer and its probability. "
        f"{' and '.join(rows or ['In reading order'])}: {', '.join(told)}.",
        f"Chosen digits: {right.strip()}" if title else f"{right}On average {sure}.",
    )


@_styled
def hidden_unit(w, X, a, Y):
    """One hidden unit: its weights w (784,), the digits that excite it most, by its activations
    a (m,) on X, and its mean activation for each class."""
    X, _, Y = _columns(X, Y=Y)
    w, a = np.asarray(w, dtype=float).reshape(784, 1), np.asarray(a, dtype=float).ravel()
    top = np.argsort(-a, kind="stable")[:6]
    means = np.array([a[Y == d].mean() if (Y == d).any() else 0.0 for d in range(10)])
    best = int(means.argmax())
    title = f"One hidden unit: on average a {best} excites it most"
    fig, (weights, digits, bars) = _figure(360, title, 1, 3, width_ratios=(1.2, 1.1, 0.8))
    image, _ = _sheet(weights, w, limit=_limit(w))
    _scale(fig, image, cax=weights.inset_axes((1.04, 0, 0.12, 1)))
    _, corners = _sheet(digits, X[:, top], 2, (28, 6))
    for i, (x, y) in zip(top, corners, strict=True):
        _note(digits, f"a {Y[i]}\n{a[i]:.1f}", (x + 28, y + 14), (6, 0), ha="left")
    colors = [BLUE if d == best else LINE for d in range(10)]
    _bars(bars, means, [f"{mean:.2f}" for mean in means], colors)
    weights.set_title("its weights")
    digits.set_title("most exciting digits")
    bars.set_title("mean activation")
    return Picture(
        fig,
        f"Its weights as a picture, from -{_limit(w):.2g}, dark, to +{_limit(w):.2g}, light. Most "
        f"exciting digits: {', '.join(f'a {Y[i]} ({a[i]:.1f})' for i in top)}. Mean activation by "
        f"digit: {', '.join(f'{d}: {mean:.2f}' for d, mean in enumerate(means))}.",
        f"A {best} excites this unit most (mean activation {means[best]:.2f}); it is above 0 on "
        f"{percent((a > 0).mean())} of {a.size:,} examples.",
    )


@_styled
def confusion_matrix(counts):
    """counts (10, 10): rows are the true digit, columns the answer."""
    counts = np.asarray(counts).astype(int)
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")
    least = max(wrong.flat[order[2]], 1)
    worst = [divmod(int(o), 10) for o in order if wrong.flat[o] >= least]  # three, and all ties
    named = [f"{i} taken for {j}: {counts[i, j]:,}" for i, j in worst[:3]] or ["none"]
    named += [f"and {len(worst) - 3} more with {least:,}"] * (len(worst) > 3)
    right, total = int(np.trace(counts)), int(counts.sum())
    fig, ax = _figure(480, f"{right:,} of {total:,} right, and what is taken for what")
    ax.imshow(wrong, cmap=HEAT, vmin=0, vmax=max(wrong.max(), 1), aspect="auto")
    for (i, j), count in np.ndenumerate(counts):
        look = {"color": BLUE, "weight": "bold"} if i == j else {}
        if count:
            _note(ax, count, (j, i), **look)
    for i, j in worst:
        _frame(ax, j - 0.46, i - 0.44, "black", 2.5, (0.92, 0.88))
    ax.set(xticks=range(10), yticks=range(10), ylabel="true digit")
    ax.set_xlabel("the network's answer")
    ax.xaxis.set_label_position("top")
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(True)
    words = "\n".join(["bold: right answers", "", "framed: most", "frequent mistakes", *named])
    _note(ax, words, (9.5, -0.4), (14, 0), ha="left", va="top", linespacing=1.5)
    return Picture(
        fig,
        "A table: 10 rows for the true digit, 10 columns for the answer. Right, on the diagonal: "
        f"{', '.join(f'{d}: {n:,}' for d, n in enumerate(np.diag(counts)))}.",
        f"{total - right:,} mistakes in {total:,}. Most frequent: {'; '.join(named)}.",
    )


@_styled
def confident_mistakes(X, A2, Y):
    """The four wrong answers of which the network was most sure; None if all are right."""
    X, A2, Y = _columns(X, A2, Y)
    said, p = A2.argmax(axis=0), A2.max(axis=0)
    wrong = np.flatnonzero(said != Y)
    chosen = wrong[np.argsort(-p[wrong], kind="stable")][:4]
    if not chosen.size:
        return None
    deep = -(-len(chosen) // 2)
    title, ratios = "The surest mistakes", (1, 0.9) * 2
    fig, axes = _figure(40 + 230 * deep, title, deep, 4, width_ratios=ratios)
    told, pairs = [], axes.reshape(-1, 2)
    for i, (digit, bars) in zip(chosen, pairs, strict=False):
        a, t = said[i], Y[i]
        _sheet(digit, X[:, [i]])
        _frame(digit, 0, 0)
        digit.set_title(f"said {a}, is {t}", weight="bold")
        words, colors, hatches = [""] * 10, [LINE] * 10, [None] * 10
        words[a], words[t] = f"said: {percent(p[i])}", f"true: {percent(A2[t, i])}"
        colors[a], colors[t], hatches[t] = BLUE, ORANGE, "////"
        _bars(bars, A2[:, i], words, colors, hatches)
        bars.set_xlim(0, 1)
        told.append(f"{t} taken for {a}, {percent(p[i])} sure (true digit: {percent(A2[t, i])})")
    for ax in pairs[len(chosen) :].flat:
        ax.axis("off")
    return Picture(
        fig,
        f"Of {Y.size:,} examples, each with bars of its ten probabilities: {'; '.join(told)}.",
        f"The surest {f'of {wrong.size:,} mistakes' if wrong.size > 1 else 'mistake'}: {told[0]}.",
    )


@_styled
def ladder(rows):
    """The rungs in order, from the top: (name, accuracy in %, half width of its 95 % interval)."""
    names, right, half = zip(*rows, strict=True)
    y = np.arange(len(rows))
    words = [f"{r:.1f} \u00b1 {h:.1f}" for r, h in zip(right, half, strict=True)]
    fig, ax = _figure(110 + 40 * len(rows), "The ladder: accuracy in %, with 95 % intervals")
    ax.errorbar(right, y, xerr=half, fmt="o", color=BLUE, ms=9, elinewidth=2, capsize=6)
    for i, text in enumerate(words):
        _note(ax, text, (1, i), (10, 0), xycoords=("axes fraction", "data"), ha="left")
    ax.set_yticks(y, [textwrap.fill(name, 30) for name in names])
    ax.set(ylim=(len(rows) - 0.5, -0.5), xlabel="right answers in %")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", color=LINE, lw=0.5)
    told = [f"{name} {text} %" for name, text in zip(names, words, strict=True)]
    return Picture(fig, f"{'; '.join(told)}.", f"From {told[0]} to {told[-1]}.")
