"""Surfaces at different distances separated by the gaps in a histogram."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_KERNEL = np.array([1, 2, 3, 2, 1], np.float64) / 9
_MAX_BINS = 4096


@dataclass(frozen=True)
class Layer:
    """One surface, or several that touch: the half-open range [low, high) of the histogram."""

    low: float
    high: float
    mass: float


def find_layers(
    positions: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    bin_width: float,
    valley: float = 0.5,
) -> list[Layer]:
    """Split positions along a line where hardly any lie.

    Args:
        positions: float (N,), distances or their logarithms; finite.
        weights: float (N,), what each counts; None: 1.
        valley: two peaks are two surfaces where the density between them falls below this share of
            the lower.
        bin_width: in the unit of the positions; gaps below three bins are not seen.

    Returns:
        Layers in ascending order; empty for N = 0.
    """
    if len(positions) == 0:
        return []
    low = float(positions.min()) - 3 * bin_width
    index = np.minimum((positions - low) / bin_width, _MAX_BINS).astype(np.int64)
    counts = np.bincount(index, weights, minlength=int(index.max()) + 4).astype(np.float64)
    edges = _valleys(np.convolve(counts, _KERNEL, mode='same'), valley)
    return [
        Layer(low + a * bin_width, low + b * bin_width, float(counts[a:b].sum()))
        for a, b in pairwise(edges)
    ]


def _valleys(density: np.ndarray, valley: float) -> list[int]:
    """Bins at which to cut, with both ends."""
    padded = np.concatenate([[0.0], density, [0.0]])
    rising = (padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:])
    peaks = list(np.flatnonzero(rising))
    cuts = [a + int(np.argmin(density[a:b])) for a, b in pairwise(peaks)]
    while cuts:
        depths = [
            density[cut] / min(density[peaks[i]], density[peaks[i + 1]])
            for i, cut in enumerate(cuts)
        ]
        shallowest = int(np.argmax(depths))
        if depths[shallowest] < valley:
            break
        lower = shallowest + int(density[peaks[shallowest + 1]] < density[peaks[shallowest]])
        del cuts[shallowest], peaks[lower]
    return [0, *cuts, len(density)]
