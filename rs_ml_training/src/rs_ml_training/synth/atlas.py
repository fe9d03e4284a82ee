"""Pictures that repeat, in several sizes, side by side in one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEVELS = 8
"""Halvings of each picture, for surfaces that are far away."""

_ACROSS = 8


def halvings(picture: np.ndarray) -> list[np.ndarray]:
    """A picture (S, S) of 0..1 and its halvings, uint8."""
    levels = [picture]
    for _ in range(LEVELS - 1):
        upper, lower = levels[-1][::2], levels[-1][1::2]
        sums = (upper[:, ::2] + upper[:, 1::2]) + (lower[:, ::2] + lower[:, 1::2])
        levels.append(sums * np.float32(0.25))
    return [np.rint(255 * level).astype(np.uint8) for level in levels]


def atlas(levels: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """All pictures of all levels side by side, each with a rim that repeats it.

    Args:
        levels: uint8 (N, S, S), the largest first.

    Returns:
        uint8 (H, W), and where each picture's (0, 0) lies, float32 (level, picture, 2) as x, y;
        the corner of its first pixel, not its centre.
    """
    count, width = len(levels[0]), _ACROSS * (levels[0].shape[-1] + 2)
    corners = np.zeros((len(levels), count, 2), np.float32)
    rows, top = [], 0
    for level, pictures in enumerate(levels):
        rimmed = np.pad(pictures, ((0, 0), (1, 1), (1, 1)), mode='wrap')
        side = rimmed.shape[1]
        for first in range(0, count, _ACROSS):
            row = np.concatenate(list(rimmed[first : first + _ACROSS]), axis=1)
            rows.append(np.pad(row, ((0, 0), (0, width - row.shape[1]))))
            place = np.arange(len(rimmed[first : first + _ACROSS]))
            corners[level, first + place] = np.stack(
                [place * side + 0.5, place * 0 + top + 0.5], -1
            )
            top += side
    return np.concatenate(rows), corners
