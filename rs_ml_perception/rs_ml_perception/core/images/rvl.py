"""RVL, the lossless depth codec of A. Wilson, Fast Lossless Depth Image Compression, ISS 2017.

Runs of zeros and of others alternate; in the latter each value is stored as its difference to the
one before, all as numbers of 3 bits per nibble, lowest first, the nibble's top bit saying that
more follow. Eight nibbles fill a little-endian 32 bit word from its top.
"""

from __future__ import annotations

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.images.picture_header import check_pixels

_MAX_NIBBLES = 11
"""Of one number of 32 bits."""


def decode_rvl(stream: bytes, *, width: int, height: int) -> np.ndarray:
    """Decompress to uint16 (height, width).

    Raises:
        InputError: the stream ends early or holds more than the image.
    """
    check_pixels(width, height, what='RVL depth')
    pixels = width * height
    numbers = _numbers(_nibbles(stream))
    is_value, filled = _layout(numbers, pixels)
    steps = numbers[is_value]
    values = np.cumsum((steps >> 1) ^ -(steps & 1))
    depth = np.zeros(pixels, np.uint16)
    depth[filled] = values.astype(np.uint16)
    return depth.reshape(height, width)


def encode_rvl(values: np.ndarray) -> bytes:
    """Compress uint16 (H, W)."""
    flat = values.ravel()
    starts = np.flatnonzero(np.diff(flat != 0, prepend=False))
    if len(starts) % 2:
        starts = np.append(starts, len(flat))
    begins, ends = starts[::2], starts[1::2]
    zeros = begins - np.concatenate(([0], ends[:-1])) if len(begins) else begins
    deltas = np.diff(flat[flat != 0].astype(np.int64), prepend=0)
    at = np.cumsum(ends - begins) - (ends - begins)
    heads = np.stack([zeros, ends - begins], axis=1).ravel()
    numbers = np.insert((deltas << 1) ^ (deltas >> 63), np.repeat(at, 2), heads)
    rest = len(flat) - (ends[-1] if len(ends) else 0)
    return _pack(np.append(numbers, [rest, 0]) if rest else numbers)


def _nibbles(stream: bytes) -> np.ndarray:
    """uint8 (8 * words,), in the order of writing; a last incomplete word is dropped."""
    whole = len(stream) // 4 * 4
    octets = np.frombuffer(stream, np.uint8, whole).reshape(-1, 4)[:, ::-1].ravel()
    return np.stack([octets >> 4, octets & 15], axis=1).ravel()


def _numbers(nibbles: np.ndarray) -> np.ndarray:
    """int64 (N,), the variable-length numbers; padding nibbles come out as zeros."""
    ends = np.flatnonzero(nibbles < 8)
    lengths = np.diff(ends, prepend=-1)
    if len(ends) == 0 or lengths.max() > _MAX_NIBBLES:
        raise InputError('RVL depth is damaged or truncated: no number ends where it should')
    starts = ends - lengths + 1
    place = np.arange(ends[-1] + 1) - np.repeat(starts, lengths)
    bits = (nibbles[: ends[-1] + 1].astype(np.int64) & 7) << (3 * place)
    return np.add.reduceat(bits, starts)


def _layout(numbers: np.ndarray, pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Tell values from run lengths.

    Returns:
        Two masks: bool (len(numbers),), which numbers are values, and bool (pixels,), which
        pixels they fill.
    """
    is_value, filled = np.zeros(len(numbers), bool), np.zeros(pixels, bool)
    at = pixel = 0
    while pixel < pixels:
        if at + 1 >= len(numbers):
            raise InputError(f'RVL depth is truncated: {pixel} of {pixels} pixels')
        zeros, others = int(numbers[at]), int(numbers[at + 1])
        begin, at = pixel + zeros, at + 2
        pixel = begin + others
        if pixel > pixels or at + others > len(numbers) or zeros + others == 0:
            raise InputError(f'RVL depth is damaged or truncated at pixel {begin} of {pixels}')
        is_value[at : at + others] = True
        filled[begin:pixel] = True
        at += others
    return is_value, filled


def _pack(numbers: np.ndarray) -> bytes:
    """Write numbers as nibbles, filled up with zeros to whole words."""
    place = np.arange(_MAX_NIBBLES)
    digits = numbers[:, None] >> (3 * place)
    used = (digits > 0) | (place == 0)
    more = (digits >> 3 > 0).astype(np.int64) << 3
    nibbles = ((digits & 7) | more)[used].astype(np.uint8)
    nibbles = np.pad(nibbles, (0, -len(nibbles) % 8)).reshape(-1, 4, 2)
    return (nibbles[..., 0] << 4 | nibbles[..., 1])[:, ::-1].tobytes()
