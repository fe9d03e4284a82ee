"""Decoding dense detection heads: cells, distance distributions and peaks of heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


def cell_centres(
    size: tuple[int, int], strides: Sequence[int], offset: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Reference points of a head's cells, stride after stride, row by row.

    Args:
        size: (width, height) of the network input in pixels; of a stride there are
            ceil(width / stride) x ceil(height / stride) cells.
        strides: pixels of a cell per side, in the order of the head.
        offset: where in its cell the point lies, in cells: 0 the upper left corner, 0.5 the
            centre.

    Returns:
        float32 (N, 2) x and y in pixels of the input, and float32 (N,) the stride of each.
    """
    points, steps = [], []
    for stride in strides:
        columns, rows = (-(-length // stride) for length in size)
        ys, xs = np.mgrid[0:rows, 0:columns]
        cells = np.stack([xs.ravel(), ys.ravel()], axis=1)
        points.append((cells + np.float32(offset)) * np.float32(stride))
        steps.append(np.full(rows * columns, stride, np.float32))
    return np.concatenate(points).astype(np.float32), np.concatenate(steps)


def expected_distances(logits: np.ndarray) -> np.ndarray:
    """Mean of distributions over whole distances 0, 1, ... (arXiv 2006.04388, equation 5).

    Args:
        logits: float (..., bins); bin i stands for the distance of i cells.

    Returns:
        float32 (...), in cells.
    """
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True)).astype(np.float32)
    bins = np.arange(logits.shape[-1], dtype=np.float32)
    return (weights @ bins) / weights.sum(axis=-1)


_AROUND = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))


@dataclass(frozen=True, eq=False)
class Peaks:
    """Parallel arrays, in reading order.

    Attributes:
        rows, columns, channels: int64 (N,).
        values: (N,), of the map's dtype.
    """

    rows: np.ndarray
    columns: np.ndarray
    channels: np.ndarray
    values: np.ndarray


def heatmap_peaks(heat: np.ndarray, min_value: float) -> Peaks:
    """Cells that are higher than their eight neighbours in their channel.

    Of equal neighbours the first in reading order counts, so that arithmetic of few bits does not
    find an object twice. Only cells that reach the least value are looked at.

    Args:
        heat: float (h, w, channels).
        min_value: least height of a peak.
    """
    padded = np.pad(heat, ((1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    rows, columns, channels = np.nonzero(heat >= min_value)
    values = heat[rows, columns, channels]
    is_peak = np.ones(len(values), bool)
    for down, right in _AROUND:
        neighbours = padded[rows + 1 + down, columns + 1 + right, channels]
        is_earlier = (down, right) < (0, 0)
        is_peak &= values > neighbours if is_earlier else values >= neighbours
    return Peaks(rows[is_peak], columns[is_peak], channels[is_peak], values[is_peak])
