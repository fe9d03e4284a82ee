"""Text on images: readable on any background, in proportion to the image, inside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import cv2
import numpy as np

from rs_ml_perception.core.errors import InputError

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_CAPITALS_PX = 21.0
"""Height of the capitals of this font at scale 1."""
_DARK, _LIGHT = (16, 16, 16), (255, 255, 255)

Color = tuple[int, int, int]


@dataclass(frozen=True)
class TextStyle:
    """Size of text.

    Attributes:
        scale: of OpenCV's font.
        thickness: of a stroke, pixels.
        pad: between text and the border of its chip, pixels.
    """

    scale: float
    thickness: int
    pad: int

    @classmethod
    def for_capitals(cls, height_px: float) -> TextStyle:
        """The style whose capitals are this high."""
        return cls(height_px / _CAPITALS_PX, max(1, round(height_px / 12)), ceil(height_px / 2.2))

    @classmethod
    def for_image(cls, image_height: int) -> TextStyle:
        """The style for labels of an image of this height in pixels."""
        return cls.for_capitals(max(7.0, image_height / 50))

    def size(self, text: str) -> tuple[int, int]:
        """Width and height in pixels of the text and its padding."""
        width, height = _text_size(text, self.scale, self.thickness)
        return width + 2 * self.pad, height + 2 * self.pad

    def line_height(self) -> int:
        """Height of a chip."""
        return self.size('H')[1]


@lru_cache(maxsize=4096)
def _text_size(text: str, scale: float, thickness: int) -> tuple[int, int]:
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, thickness)
    return width, round(scale * _CAPITALS_PX)


def line_width(image_height: int) -> int:
    """Width in pixels of the lines of a drawing on an image of this height."""
    return max(1, round(image_height / 280))


def contrasting(color: Color) -> Color:
    """Black or white, for the better contrast with the colour (luma of BT.601)."""
    luma = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
    return _DARK if luma > 140 else _LIGHT


def put_text(
    rgb: np.ndarray, text: str, x: int, y: int, style: TextStyle, color: Color = _LIGHT
) -> None:
    """Write text into rgb, in place, with the upper left corner of its chip at (x, y)."""
    baseline = y + style.size(text)[1] - style.pad
    cv2.putText(
        rgb,
        text,
        (x + style.pad, baseline),
        _FONT,
        style.scale,
        color,
        style.thickness,
        cv2.LINE_AA,
    )


def put_chip(
    rgb: np.ndarray, text: str, x: int, y: int, style: TextStyle, color: Color
) -> tuple[int, int]:
    """Write text on a filled rectangle, in place, moved to lie inside the image.

    Args:
        rgb: uint8 (H, W, 3).
        text: one line.
        x: wanted left border, pixels.
        y: wanted upper border, pixels.
        style: size of the text.
        color: RGB of the rectangle; the text is black or white.

    Returns:
        x and y of its upper left corner.
    """
    width, height = style.size(text)
    x = max(0, min(int(x), rgb.shape[1] - width))
    y = max(0, min(int(y), rgb.shape[0] - height))
    cv2.rectangle(rgb, (x, y), (x + width - 1, y + height - 1), color, cv2.FILLED)
    put_text(rgb, text, x, y, style, contrasting(color))
    return x, y


def check_rgb(rgb: np.ndarray) -> None:
    """Raise InputError unless rgb is uint8 (H, W, 3)."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise InputError(
            f'an image must be uint8 of shape (H, W, 3), got {rgb.dtype} of shape {rgb.shape}'
        )
