"""Medians and percentiles of pictures without sorting all of their pixels."""

from __future__ import annotations

import numpy as np

_FEW = 4096
_MARGIN = 0.05
"""Share of the few to either side, six standard deviations of where a value's place may be."""


def ranked(values: np.ndarray, first: int, last: int) -> np.ndarray:
    """What `numpy.sort(values.ravel())[first : last + 1]` is, in a tenth of the time.

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
    below = np.count_nonzero(values < low)
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
