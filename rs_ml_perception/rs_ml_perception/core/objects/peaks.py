"""Peaks of heat maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
