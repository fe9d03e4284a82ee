"""Vectors stored axis by axis, (3, N): a row of x, one of y, one of z.

Sums over three neighbouring numbers cost many times what sums over three long rows do.
"""

from __future__ import annotations

import numpy as np


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


_NEXT, _LAST = [1, 2, 0], [2, 0, 1]
