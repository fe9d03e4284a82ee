"""Picture files to pixels: every decoding of the package goes through here.

A picture of gigabytes is refused by its header, a truncated one by its last pixels; OpenCV would
take the memory for the former and fill up the latter with grey.
"""

from __future__ import annotations

import cv2
import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.images.picture_header import PictureHeader, check_pixels, read_header

MAX_FILE_BYTES = 1 << 29
"""Of a picture file: that many pixels, uncompressed, of eight bytes."""

_MID_GREY, _SLACK = 128, 1
_PROBE = bytes(37 * i % 251 for i in range(256))
"""Something that no decoder takes for nothing. Without a byte of 255, which begins a marker, and
with a 0 in front, which makes a coded byte of the 255 that a cut may have left there."""


def decode_picture(data: bytes, flags: int, *, what: str) -> np.ndarray:
    """Decode a whole picture file.

    Args:
        data: the file.
        flags: of cv2.imdecode.
        what: names the file in messages, as 'picture x.png'.

    Returns:
        Pixels as cv2.imdecode gives them.

    Raises:
        InputError: no picture, larger than MAX_PIXELS, truncated or damaged.
    """
    try:
        header = read_header(data)
    except InputError as error:
        raise InputError(f'{what} {error}') from error
    check_pixels(header.width, header.height, what=what)
    pixels = _decoded(data, flags)
    if pixels is None or pixels.shape[0] * pixels.shape[1] > header.width * header.height:
        raise InputError(f'{what} is damaged ({len(data)} bytes)')
    if header.coded is not None and _ends_early(data, header, flags, pixels):
        raise InputError(f'{what} is truncated: its pixels end before the picture does')
    return pixels


def _decoded(data: bytes, flags: int) -> np.ndarray | None:
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


def _ends_early(data: bytes, header: PictureHeader, flags: int, pixels: np.ndarray) -> bool:
    """Whether a JPEG with an end marker lacks pixels in front of it.

    libjpeg leaves missing blocks at mid grey. A picture may be that grey in a corner, so the
    proof is another decoding with more bytes before the end marker: whole pictures stay the same.
    Of progressive ones every block has been there once, so they are always asked.
    """
    if not (header.is_progressive or _has_grey_corner(pixels)):
        return False
    end = header.coded[1] if header.coded else len(data)
    probed = _decoded(data[:end] + _PROBE + data[end:], flags)
    return probed is None or not np.array_equal(probed, pixels)


def _has_grey_corner(pixels: np.ndarray) -> bool:
    """Whether the last block may be missing; an orientation flag puts it into any corner."""
    # Of a block of 8x8 that the border may cut; next to other blocks colour is blended.
    size = max(1, min(4, *((length - 1) % 8 for length in pixels.shape[:2])))
    ends = slice(size), slice(-size, None)
    corners = (pixels[rows, columns] for rows in ends for columns in ends)
    return any((np.abs(c.astype(np.int16) - _MID_GREY) <= _SLACK).all() for c in corners)
