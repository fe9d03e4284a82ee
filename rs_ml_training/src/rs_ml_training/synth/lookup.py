"""Bilinear look-up of pictures at any number of places."""

from __future__ import annotations

import cv2
import numpy as np

_ROW = 1024


def sampled(
    picture: np.ndarray, u: np.ndarray, v: np.ndarray, *, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    """Values at places of a picture.

    Args:
        picture: (H, W) or (H, W, C), uint8 or float32.
        u: (N,), columns; pixel centres are whole numbers.
        v: (N,), rows.
        border: what lies beyond, a border type of OpenCV.

    Returns:
        (N,) or (N, C) of the picture's type.
    """
    count = len(u)
    # OpenCV takes no picture of more than 32767 rows or columns: the list is folded.
    folded = np.empty((2, -(-count // _ROW) * _ROW), np.float32)
    folded[0, :count], folded[1, :count] = u, v
    folded[:, count:] = -10
    columns, rows = folded.reshape(2, -1, _ROW)
    if not count:
        return np.zeros((0, *picture.shape[2:]), picture.dtype)
    found = cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, borderMode=border)
    return found.reshape(-1, *picture.shape[2:])[:count]
