"""What moves in the notebook: the drawing pad, and the picture of a training run as it grows."""

from .drawings import NOT_DIGITS, drawn_digits
from .pad import DrawPad
from .picture import picture_from_strokes, prepare
from .training import watch

__all__ = [
    "NOT_DIGITS",
    "DrawPad",
    "drawn_digits",
    "picture_from_strokes",
    "prepare",
    "watch",
]
