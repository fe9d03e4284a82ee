"""Errors of depth by band of distance."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from rs_ml_perception.core.errors import InputError

RANGES_M = (0.3, 1.0, 2.0, 3.0, 4.0, 10.0)
"""Limits of the bands."""


class RangeBands:
    """Accumulates errors of the pixels that a camera measured, by the distance of the truth.

    A removed pixel counts with the error of its measurement, so that removing neither pays nor
    costs; `removed` says how many there are.

    Args:
        ranges_m: ascending limits of the bands.
    """

    def __init__(self, ranges_m: Sequence[float] = RANGES_M) -> None:
        self._ranges_m = tuple(ranges_m)
        bands = len(self._ranges_m) - 1
        self._pixels = np.zeros(bands)
        self._squares, self._sizes, self._removed = (np.zeros(bands) for _ in range(3))

    def update(self, truth_m: np.ndarray, raw_m: np.ndarray, cleaned_m: np.ndarray) -> None:
        """One image: three maps (H, W) in metres, 0 or NaN where unknown.

        Raises:
            InputError: the maps differ in size.
        """
        if not truth_m.shape == raw_m.shape == cleaned_m.shape:
            shapes = f'{truth_m.shape}, {raw_m.shape}, {cleaned_m.shape}'
            raise InputError(f'truth, raw and cleaned depth must be of one size, got {shapes}')
        counts = (truth_m > 0) & (raw_m > 0)
        truth_m, raw_m, cleaned_m = truth_m[counts], raw_m[counts], cleaned_m[counts]
        is_removed = ~(cleaned_m > 0)
        error_m = np.abs(np.where(is_removed, raw_m, cleaned_m) - truth_m).astype(np.float64)
        band = np.digitize(truth_m, self._ranges_m)
        for sums, values in (
            (self._pixels, None),
            (self._squares, np.square(error_m)),
            (self._sizes, error_m),
            (self._removed, is_removed),
        ):
            found = np.bincount(band, values, minlength=len(self._ranges_m) + 1)
            sums += found[1 : len(self._ranges_m)]

    def result(self) -> dict[str, float]:
        """`rmse_1_2_m` and `mae_1_2_m` [m] of the band from 1 to 2 m and so on, `removed`.

        NaN in bands without pixels; `removed` is the fraction of the measured pixels in all.
        """
        metrics = {}
        for name, pixels, squares, sizes in zip(
            band_names(self._ranges_m), self._pixels, self._squares, self._sizes, strict=True
        ):
            metrics[f'rmse_{name}_m'] = math.sqrt(squares / pixels) if pixels else math.nan
            metrics[f'mae_{name}_m'] = float(sizes / pixels) if pixels else math.nan
        total = self._pixels.sum()
        return {**metrics, 'removed': float(self._removed.sum() / total) if total else math.nan}


def band_names(ranges_m: Sequence[float] = RANGES_M) -> tuple[str, ...]:
    """Such as 0.3_1, in order."""
    return tuple(f'{a:g}_{b:g}' for a, b in itertools.pairwise(ranges_m))
