"""Products of vectors, and rotations about the axes.

Vectors are stored axis by axis, (3, N): sums over three long rows are many times faster than sums
over three neighbouring numbers.
"""

from __future__ import annotations

import numpy as np

_NEXT, _LAST = [1, 2, 0], [2, 0, 1]


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Scalar products of vectors (3, N), (N,)."""
    result = a[0] * b[0]
    result += a[1] * b[1]
    result += a[2] * b[2]
    return result


def column(vector: np.ndarray | tuple[float, float, float]) -> np.ndarray:
    """One vector beside many, float32 (3, 1)."""
    return np.asarray(vector, np.float32).reshape(3, 1)


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
