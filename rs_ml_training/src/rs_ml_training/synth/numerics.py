"""Fast operations on arrays: products of vectors, rotations, look-up in images, quantiles.

Vectors are stored axis by axis, (3, N): sums over three long rows are many times faster than sums
over three neighbouring numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

_NEXT, _LAST = [1, 2, 0], [2, 0, 1]

_ROW = 1024

_FEW = 4096

_MARGIN = 0.05
"""Fraction of the few to either side, six standard deviations of where a value's place may be."""


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Scalar products of vectors (3, N), (N,)."""
    result = a[0] * b[0]
    result += a[1] * b[1]
    result += a[2] * b[2]
    return result


def column(vector: np.ndarray | tuple[float, float, float]) -> np.ndarray:
    """One vector as a column, float32 (3, 1)."""
    return np.asarray(vector, np.float32).reshape(3, 1)


def triple(values: Iterable[float]) -> tuple[float, float, float]:
    """Three values as a tuple of floats."""
    x, y, z = map(float, values)
    return x, y, z


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Vector products of vectors (..., 3); `numpy.cross` takes four times as long for few."""
    return a[..., _NEXT] * b[..., _LAST] - a[..., _LAST] * b[..., _NEXT]


def rotation_about_z(angle_rad: float) -> np.ndarray:
    """Counter-clockwise seen from above, float64 (3, 3)."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def rotation_about_y(angle_rad: float) -> np.ndarray:
    """From z toward x, float64 (3, 3)."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def rotation_about_x(angle_rad: float) -> np.ndarray:
    """From y toward z, float64 (3, 3)."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def sampled(
    picture: np.ndarray, u: np.ndarray, v: np.ndarray, *, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    """Values at places of an image.

    Args:
        picture: (H, W) or (H, W, C), uint8 or float32.
        u: (N,), columns; pixel centres are whole numbers.
        v: (N,), rows.
        border: a border type of OpenCV.

    Returns:
        (N,) or (N, C) of the picture's type.
    """
    count = len(u)
    # OpenCV takes no image of more than 32767 rows or columns: the list is folded.
    folded = np.empty((2, -(-count // _ROW) * _ROW), np.float32)
    folded[0, :count], folded[1, :count] = u, v
    folded[:, count:] = -10
    columns, rows = folded.reshape(2, -1, _ROW)
    if not count:
        return np.zeros((0, *picture.shape[2:]), picture.dtype)
    found = cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, borderMode=border)
    return found.reshape(-1, *picture.shape[2:])[:count]


def ranked(values: np.ndarray, first: int, last: int) -> np.ndarray:
    """`numpy.sort(values.ravel())[first : last + 1]` in a tenth of the time.

    Args:
        values: of any shape, none of them NaN.
        first: place in the sorted list.
        last: another, at or shortly after `first`.
    """
    values = values.ravel()
    few = np.sort(values[:: values.size // _FEW + 1])
    place, margin = first / values.size * len(few), _MARGIN * len(few)
    low, high = few[[int(max(place - margin, 0)), int(min(place + margin, len(few) - 1))]]
    near = values[(values >= low) & (values <= high)]
    below = int(np.count_nonzero(values < low))
    if below > first or last - below >= len(near):
        # The few misled, as those of a regular pattern may.
        near, below = values, 0
    places = np.arange(first, last + 1) - below
    return np.partition(near, places)[places]


def median(values: np.ndarray) -> float:
    """As `numpy.median` has it."""
    return ranked(values, (values.size - 1) // 2, values.size // 2).mean()


def quantile(values: np.ndarray, share: float) -> float:
    """As `numpy.quantile` has it; there must be a value on either side."""
    place = np.float64((values.size - 1) * share)
    low, high = ranked(values, int(place), int(place) + 1)
    way = place - int(place)
    return low + (high - low) * way if way < 0.5 else high - (high - low) * (1 - way)
