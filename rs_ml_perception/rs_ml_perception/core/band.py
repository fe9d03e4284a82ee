"""A band of distances, either limit of which may be open."""

from __future__ import annotations

import math

from rs_ml_perception.core.errors import ConfigError


def closed_band(range_min_m: float | None, range_max_m: float | None) -> tuple[float, float]:
    """Both limits [m]: 0 and infinity for those that are None.

    Raises:
        ConfigError: nothing lies between them, or one is negative.
    """
    low = 0.0 if range_min_m is None else range_min_m
    high = math.inf if range_max_m is None else range_max_m
    if not 0 <= low < high:
        raise ConfigError(f'range_min_m {low} must be below range_max_m {high} and not negative')
    return low, high
