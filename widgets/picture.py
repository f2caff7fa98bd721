"""From pen strokes to the picture that a network trained on MNIST expects.

MNIST's digits were fitted into a box of 20 x 20 pixels keeping their shape, then placed by their
centre of mass in a picture of 28 x 28 (LeCun et al., http://yann.lecun.com/exdb/mnist).
"""

import numpy as np

PEN = 0.085  # width of the pen as a part of the pad's side, as the browser draws it
MASS_CENTRE = 14.5  # MNIST's mass centres lie in 14.0..15.0, in pixels from the top left corner


def _clean(strokes):
    """The strokes as float arrays (n, 2), none empty, without points that are not numbers."""
    try:
        arrays = [np.asarray(stroke, dtype=float).reshape(len(stroke), 2) for stroke in strokes]
    except (TypeError, ValueError):
        raise ValueError(
            "Strokes are a list of strokes; a stroke is a list of points [x, y], "
            "with x and y in 0..1."
        ) from None
    arrays = [a[np.isfinite(a).all(axis=1)].clip(-1, 2) for a in arrays]  # the pad is 0..1
    return [a for a in arrays if len(a)]


def rasterise(strokes, width=PEN, size=112):
    """Ink of pen strokes on a square pad, as an array (size, size) float32: 0 paper, 1 ink.

    strokes: list of strokes, each a list of points [x, y]; 0..1 is the pad, x to the right, y down.
    What lies outside the pad is cut off, points that are NaN or infinite are left out.
    width: of the pen, as a part of the pad's side. ValueError when `strokes` has another form.
    """
    radius = width * size / 2
    ink = np.zeros((size, size), np.float32)
    for points in _clean(strokes):
        points = points * size - 0.5  # now 0 is the middle of the first pixel
        kept = [points[0]]  # points within a pixel of the one before add nothing but time
        for point in points[1:-1]:
            if abs(point - kept[-1]).max() >= 1:
                kept.append(point)
        kept.append(points[-1])
        for a, b in zip(kept[:-1], kept[1:], strict=True):
            # Only the pixels that the pen can reach between a and b, as one small window.
            x0, y0 = np.maximum(np.floor(np.minimum(a, b) - radius), 0).astype(int)
            x1, y1 = np.minimum(np.ceil(np.maximum(a, b) + radius) + 1, size).astype(int)
            if x0 >= x1 or y0 >= y1:
                continue
            x, y = np.arange(x0, x1) - a[0], np.arange(y0, y1)[:, None] - a[1]
            dx, dy = b - a
            along = ((x * dx + y * dy) / max(dx * dx + dy * dy, 1e-9)).clip(0, 1)
            distance = np.hypot(x - along * dx, y - along * dy)
            window = ink[y0:y1, x0:x1]  # a pixel at the pen's edge is partly inked: no stairs
            np.maximum(window, (radius + 0.5 - distance).clip(0, 1), out=window, casting="unsafe")
    return ink


def _spread(n, scale, offset):
    """Matrix (28, n): how much of each of the 28 pixels is covered by each of n ink pixels."""
    edges = offset + scale * np.arange(n + 1)
    pixel = np.arange(28)[:, None]
    return (np.minimum(edges[1:], pixel + 1) - np.maximum(edges[:-1], pixel)).clip(0)


def prepare(ink):
    """Picture of some ink, as MNIST was made: (784, 1) float32 in 0..1, its darkest pixel 1.

    ink: 2-D array, 0 is paper and larger is darker. No ink gives a picture of zeros. The ink's box
    is scaled into 20 x 20 keeping its shape, then its centre of mass is placed in the middle; what
    passes the edge is cut off.
    ValueError, with a sentence, when `ink` is not a 2-D array of finite numbers.
    """
    ink = np.asarray(ink, dtype=float)
    if ink.ndim != 2 or not np.isfinite(ink).all():
        raise ValueError(
            "The ink must be a 2-D array of numbers, 0 for paper and larger for ink; "
            f"this one has the shape {ink.shape}."
        )
    ink = ink.clip(0)
    if not ink.any():
        return np.zeros((784, 1), np.float32)
    boxes = [np.flatnonzero(ink.any(axis=axis))[[0, -1]] + [0, 1] for axis in (1, 0)]
    scale = 20 / max(end - start for start, end in boxes)
    spreads = []
    for axis, (start, _) in enumerate(boxes):
        n = ink.shape[axis]
        mass = ink.sum(axis=1 - axis) @ (np.arange(n) + 0.5) / ink.sum()
        # The box begins on a whole pixel, so that 20 x 20 is 20 and not 21
        corner = np.floor(MASS_CENTRE - (mass - start) * scale + 0.5)
        spreads.append(_spread(n, scale, corner - start * scale))
    picture = spreads[0] @ ink @ spreads[1].T
    levels = np.rint(255 * (picture / picture.max()).clip(0, 1))  # whole numbers, as in the files
    return levels.astype(np.float32).reshape(784, 1) / np.float32(255)


def picture_from_strokes(strokes):
    """Picture (784, 1) float32 in 0..1 of pen strokes: rasterise, then prepare."""
    return prepare(rasterise(strokes))
