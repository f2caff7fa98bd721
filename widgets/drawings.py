"""Digits drawn by the project itself, from strokes: a set to measure on, and a few non-digits.

The shapes were written down by hand, as people write digits. Nothing was fitted to a network.
"""

import numpy as np

from .picture import rasterise


def _line(*corners):
    """Points along straight lines from corner to corner, close enough to be bent."""
    points = [corners[0]]
    for (x0, y0), (x1, y1) in zip(corners[:-1], corners[1:], strict=True):
        points += [(x0 + (x1 - x0) * t, y0 + (y1 - y0) * t) for t in np.linspace(0, 1, 9)[1:]]
    return points


def _arc(x, y, rx, ry, start, end):
    """Points on an ellipse round (x, y). Angles in degrees: 0 right, 90 down, 180 left, 270 up."""
    angles = np.radians(np.linspace(start, end, 25))
    return list(zip(x + rx * np.cos(angles), y + ry * np.sin(angles), strict=True))


SHAPES = {  # digit: its shapes; a shape is a list of strokes in a box 0..1, x to the right, y down
    0: [
        [_arc(0.5, 0.5, 0.36, 0.5, 270, -90)],
        [_arc(0.5, 0.5, 0.28, 0.5, 290, -80)],
        [_arc(0.5, 0.5, 0.42, 0.48, 250, -120)],
    ],
    1: [
        [_line((0.5, 0), (0.5, 1))],
        [_line((0.3, 0.22), (0.54, 0), (0.54, 1))],
        [_line((0.3, 0.24), (0.52, 0), (0.52, 1)), _line((0.3, 1), (0.74, 1))],
    ],
    2: [
        [_arc(0.5, 0.28, 0.32, 0.28, 190, 385) + _line((0.76, 0.46), (0.16, 1), (0.86, 1))],
        [
            _arc(0.5, 0.3, 0.34, 0.3, 200, 410)
            + _line((0.7, 0.55), (0.14, 0.97), (0.5, 0.93), (0.88, 1))
        ],
        [
            _line((0.2, 0.08), (0.6, 0))
            + _arc(0.56, 0.3, 0.26, 0.3, 290, 400)
            + _line((0.14, 1), (0.84, 0.96))
        ],
    ],
    3: [
        [_arc(0.45, 0.25, 0.3, 0.25, 200, 440) + _arc(0.45, 0.74, 0.34, 0.26, 280, 520)],
        [_arc(0.46, 0.25, 0.26, 0.25, 220, 430) + _arc(0.46, 0.75, 0.32, 0.25, 270, 510)],
        [_line((0.18, 0), (0.78, 0), (0.46, 0.4)) + _arc(0.45, 0.71, 0.32, 0.29, 270, 515)],
    ],
    4: [
        [_line((0.28, 0), (0.16, 0.56), (0.86, 0.56)), _line((0.7, 0.04), (0.66, 1))],
        [_line((0.6, 0), (0.1, 0.66), (0.9, 0.66)), _line((0.66, 0.3), (0.64, 1))],
        [_line((0.22, 0.05), (0.22, 0.5), (0.74, 0.5)), _line((0.76, 0), (0.74, 1))],
    ],
    5: [
        [
            _line((0.3, 0.02), (0.26, 0.44)) + _arc(0.46, 0.7, 0.34, 0.29, 240, 505),
            _line((0.3, 0.02), (0.82, 0)),
        ],
        [_line((0.84, 0.02), (0.28, 0.02), (0.24, 0.46)) + _arc(0.46, 0.7, 0.33, 0.3, 235, 500)],
        [_line((0.8, 0), (0.34, 0.04), (0.3, 0.42)) + _arc(0.44, 0.68, 0.3, 0.3, 250, 490)],
    ],
    6: [
        [_line((0.66, 0), (0.36, 0.34)) + _arc(0.48, 0.7, 0.3, 0.3, 210, -170)],
        [_arc(0.72, 0.62, 0.5, 0.6, 265, 180) + _arc(0.5, 0.72, 0.28, 0.28, 190, -150)],
        [_line((0.5, 0), (0.24, 0.5)) + _arc(0.5, 0.72, 0.29, 0.27, 190, -150)],
    ],
    7: [
        [_line((0.14, 0.04), (0.84, 0), (0.42, 1))],
        [_line((0.14, 0.02), (0.82, 0.02), (0.36, 1)), _line((0.3, 0.5), (0.78, 0.48))],
        [_line((0.14, 0.16), (0.16, 0.02), (0.84, 0.04), (0.56, 0.5), (0.46, 1))],
    ],
    8: [
        [
            _arc(0.5, 0.25, 0.26, 0.25, 300, 90)
            + _arc(0.5, 0.75, 0.32, 0.25, 270, 630)
            + _arc(0.5, 0.25, 0.26, 0.25, 90, -60)
        ],
        [_arc(0.5, 0.24, 0.25, 0.24, 270, -90), _arc(0.5, 0.74, 0.31, 0.26, 270, 630)],
        [
            _arc(0.5, 0.27, 0.28, 0.27, 330, 100)
            + _arc(0.5, 0.76, 0.3, 0.24, 280, 610)
            + _line((0.58, 0.52), (0.74, 0.14))
        ],
    ],
    9: [
        [_arc(0.48, 0.28, 0.3, 0.28, 340, -10) + _line((0.78, 0.3), (0.66, 1))],
        [_arc(0.46, 0.28, 0.28, 0.28, 350, -20) + _line((0.74, 0.2), (0.74, 1))],
        [_arc(0.5, 0.28, 0.28, 0.28, 330, 0) + _arc(0.3, 0.42, 0.48, 0.56, 350, 440)],
    ],
}

NOT_DIGITS = {  # what a reader of digits was never shown, as strokes on the pad
    "an empty pad": [],
    "the letter A": [
        _line((0.25, 0.85), (0.5, 0.15), (0.75, 0.85)),
        _line((0.34, 0.6), (0.66, 0.6)),
    ],
    "the letter K": [
        _line((0.3, 0.15), (0.3, 0.85)),
        _line((0.7, 0.15), (0.32, 0.52), (0.72, 0.85)),
    ],
    "a scribble": [
        _line((0.2, 0.3), (0.8, 0.22), (0.25, 0.5), (0.78, 0.45), (0.2, 0.72), (0.8, 0.66))
        + _line((0.8, 0.66), (0.4, 0.85), (0.3, 0.2), (0.7, 0.8), (0.5, 0.15)),
    ],
    "4 and 2, side by side": [
        [(0.08 + 0.38 * x, 0.3 + 0.4 * y) for x, y in stroke] for stroke in SHAPES[4][0]
    ]
    + [[(0.54 + 0.38 * x, 0.3 + 0.4 * y) for x, y in stroke] for stroke in SHAPES[2][0]],
}


def place(shape, scale=0.7):
    """A shape's strokes in the middle of the pad, `scale` of its height."""
    return [(0.5 + scale * (np.array(stroke) - 0.5)).tolist() for stroke in shape]


def _vary(shape, rng):
    """Strokes of a shape as another hand would draw them, somewhere on the pad."""
    scale = rng.uniform(0.35, 0.85)
    stretch, slant, turn = rng.uniform(0.8, 1.2), rng.uniform(-0.1, 0.3), rng.normal(0, 0.08)
    wave, phase = rng.uniform(0.5, 1.2, (2, 2)), rng.uniform(0, 2 * np.pi, (2, 2))
    turning = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    strokes = []
    for stroke in shape:
        p = np.array(stroke) - 0.5
        # A slow wave bends the plane, so that strokes that meet still meet; then the hand trembles.
        across = 0.035 * np.sin(2 * np.pi * p[:, ::-1] * wave[0] + phase[0])
        along = 0.02 * np.sin(2 * np.pi * p * wave[1] + phase[1])
        p = p + across + along + rng.normal(0, 0.004, p.shape)
        p[:, 0] = p[:, 0] * stretch - slant * p[:, 1]
        strokes.append(p @ turning.T * scale)
    low = np.min([s.min(axis=0) for s in strokes], axis=0)
    high = np.max([s.max(axis=0) for s in strokes], axis=0)
    corner = 0.06 + rng.random(2) * (0.88 - high + low).clip(0)
    return [(s - low + corner).tolist() for s in strokes]


def drawn_digits(n=600, seed=0):
    """n drawings of digits on the pad, and what they show: inks (n, 112, 112) float32, labels (n,).

    The digits 0 to 9 and their three shapes take turns; size (35 to 85 % of the pad), place, slant,
    turn, bend, tremble and the pen's width are random, from `seed`.
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 10
    inks = [
        rasterise(_vary(SHAPES[digit][i // 10 % 3], rng), width=rng.uniform(0.05, 0.1))
        for i, digit in enumerate(labels)
    ]
    return np.array(inks, np.float32).reshape(n, 112, 112), labels
