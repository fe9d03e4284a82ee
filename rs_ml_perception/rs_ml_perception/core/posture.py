"""Whether a body stands upright, from where its parts are."""

from __future__ import annotations

import numpy as np

from rs_ml_perception.core.person_points import PersonPoints

MIN_STANDING_M = 0.6
"""Nobody who stands is lower (a one-year-old is 0.7 m tall)."""

MAX_LEG_OFFSET = 0.13
"""Share of the height by which the middle of the legs may be off the middle of the trunk."""

_TRUNK = (0.55, 0.9)
_LEGS = (0.1, 0.42)
"""Parts of the body as shares of the height above the floor."""

_MIN_SAMPLES = 8


def is_standing(points: PersonPoints, height_m: float) -> bool:
    """Legs below the trunk, and higher than wide.

    A sitting person's legs are before or beside the trunk by the length of a thigh, a quarter of the
    stature; a step forward puts one before and one behind.
    """
    if height_m < MIN_STANDING_M:
        return False
    bottom = 0.0 if points.floor is not None else float(points.level_m[points.is_person].min())
    share = (points.level_m[points.is_person] - bottom) / height_m
    place = np.stack([points.range_m[points.is_person], points.side_m[points.is_person]], axis=-1)
    trunk = place[(share > _TRUNK[0]) & (share < _TRUNK[1])]
    legs = place[(share > _LEGS[0]) & (share < _LEGS[1])]
    if len(trunk) < _MIN_SAMPLES or len(legs) < _MIN_SAMPLES:
        return False
    return leg_offset_m(trunk, legs) < MAX_LEG_OFFSET * height_m


def leg_offset_m(trunk: np.ndarray, legs: np.ndarray) -> float:
    """Horizontal distance between the middles of legs (N, 2) and trunk (M, 2)."""
    middle_of_legs = 0.5 * (np.quantile(legs, 0.1, axis=0) + np.quantile(legs, 0.9, axis=0))
    return float(np.linalg.norm(middle_of_legs - np.median(trunk, axis=0)))
