"""Whether a body stands upright, from where its legs are."""

from __future__ import annotations

import numpy as np

from rs_ml_perception.core.geometry.projection import sampled_median
from rs_ml_perception.core.people.person_points import PersonPoints

MIN_STANDING_M = 0.6
"""Nobody who stands is lower (a one-year-old is 0.7 m tall)."""

MAX_STATURE_M = 2.5
"""Nobody is taller: a wall or a wardrobe was taken for somebody."""

MAX_LEGS_WIDTH = 0.4
"""Legs of a standing body are spread less across the view, as a share of its height: in the
longest steps each thigh is 0.5 rad before or behind the trunk, and hands swing beside them."""

MAX_LEGS_OFFSET = 0.08
"""The middle of the legs of a standing body is less before or beside its trunk, as a share of its
height: steps go as far ahead as behind. Thighs of one who sits are a third of what is left of the
height, so that their middle is a sixth away; this is half of it."""

_TRUNK = (0.6, 0.9)
_LEGS = (0.25, 0.42)
"""Parts of the body as shares of the height above the floor."""

_SPAN = (0.08, 0.92)
"""Quantiles between which a part counts: beyond may be a hand, a bag or a flying pixel."""

_MIN_SAMPLES = 8


def is_standing(points: PersonPoints, height_m: float) -> bool | None:
    """Legs below the trunk and close together; None where trunk or legs cannot be seen.

    A sitting person's shins are before or beside the trunk by the length of a thigh, a quarter of
    the stature, and seen from the front the knees come first. Legs behind the trunk say nothing:
    the front of the trunk alone is seen, and bellies stick out.
    """
    if not height_m >= MIN_STANDING_M:
        return False
    person = points.is_person
    bottom = 0.0 if points.floor is not None else float(points.level_m[person].min())
    share = (points.level_m[person] - bottom) / height_m
    place = np.stack([points.range_m[person], points.side_m[person]], axis=-1)
    trunk = place[(share > _TRUNK[0]) & (share < _TRUNK[1])]
    legs = place[(share > _LEGS[0]) & (share < _LEGS[1])]
    if len(trunk) < _MIN_SAMPLES or len(legs) < _MIN_SAMPLES:
        return None
    low, high = np.quantile(legs[:: max(1, len(legs) // 1000)], _SPAN, axis=0)
    middle = 0.5 * (low + high)
    forward_m = max(sampled_median(trunk[:, 0]) - middle[0], 0.0)
    offset_m = np.hypot(forward_m, middle[1] - sampled_median(trunk[:, 1]))
    width_m = high[1] - low[1]
    return bool(offset_m < MAX_LEGS_OFFSET * height_m and width_m < MAX_LEGS_WIDTH * height_m)
