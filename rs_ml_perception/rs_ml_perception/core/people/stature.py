"""Height of a person along gravity, posture, and how reliable the height is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.geometry.floor import depth_stddev_m
from rs_ml_perception.core.geometry.gravity import UpMethod
from rs_ml_perception.core.geometry.projection import sampled_median
from rs_ml_perception.core.people.head import HeadTop, find_head
from rs_ml_perception.core.people.heights import HeightStatus
from rs_ml_perception.core.people.person_points import MARGIN, PersonPoints, floor_clearance_m

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


_MODEL_STDDEV_M = 0.008
"""Heads are no ellipsoids, and hair has height."""

_MIN_SHINS = 0.35
"""Shins are at least half as wide as thighs; three tenths of that may be holes. Of 130 people in
rendered rooms who stand none has less than 0.38; chairs with somebody on them have 0.25."""

_MAX_GAP = 0.1
"""Share of a box's height that may hold no person at its upper end: boxes are drawn loosely."""

_UNKNOWN_TILT = 0.05
"""Share of the height that a tilt of 18 degrees hides from a camera that is taken for level."""


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


_SHINS, _THIGHS = (0.1, 0.25), (0.25, 0.42)
"""Parts of the body as shares of its height."""


@dataclass(frozen=True, eq=False)
class Stature:
    """One measurement; points in the colour optical frame, metres."""

    status: HeightStatus
    height_m: float
    stddev_m: float
    head_m: np.ndarray
    feet_m: np.ndarray


@dataclass(frozen=True)
class BoxLimits:
    """Which sides of a box lie at the border of the image."""

    top: bool
    bottom: bool
    sides: bool


def measure_stature(points: PersonPoints, limits: BoxLimits, method: UpMethod) -> Stature:
    """Height of a person whose points are known.

    Args:
        points: the person in its box.
        limits: where the image cuts the box.
        method: where up comes from, hence how reliable it is.
    """
    head = find_head(points)
    feet_m, feet_stddev_m, on_floor = _feet(points, head.top_m)
    height_m = float((head.top_m - feet_m) @ points.up)
    tilt = _UNKNOWN_TILT * height_m if method is UpMethod.CAMERA_VERTICAL else 0.0
    stddev_m = float(np.linalg.norm([head.stddev_m, feet_stddev_m, tilt, _MODEL_STDDEV_M]))
    status = _status(points, head, limits, height_m, on_floor)
    return Stature(status, height_m, stddev_m, head.top_m, feet_m)


def _status(
    points: PersonPoints, head: HeadTop, limits: BoxLimits, height_m: float, on_floor: bool
) -> HeightStatus:
    if limits.top or limits.bottom or (limits.sides and _at_side(points, head)):
        return HeightStatus.TRUNCATED
    if height_m < MIN_STANDING_M:
        return HeightStatus.NOT_STANDING
    if not on_floor or not _head_seen(points, head):
        return HeightStatus.OCCLUDED
    stands = is_standing(points, height_m)
    if stands is None:
        return HeightStatus.OCCLUDED
    return HeightStatus.OK if stands else HeightStatus.NOT_STANDING


def _head_seen(points: PersonPoints, head: HeadTop) -> bool:
    """Whether the person ends near the upper edge of its box, before something farther away."""
    goes_on_above = head.gap < -0.8 * MARGIN
    return head.gap < _MAX_GAP and not goes_on_above and not _is_covered(points, head.samples)


def _feet(points: PersonPoints, head_m: np.ndarray) -> tuple[np.ndarray, float, bool]:
    """Point below the head on the floor, its standard deviation, whether feet are seen there."""
    lowest = _lowest_level(points)
    if points.floor is not None:
        normal = points.floor.normal
        drop_m = (normal @ head_m + points.floor.offset_m) / (normal @ points.up)
        feet_m = head_m - points.up * drop_m
        on_floor = lowest < floor_clearance_m(points) + 0.1 and _shins_seen(points, drop_m)
        return feet_m, points.floor.stddev_at(feet_m), bool(on_floor)
    head_level = float((head_m - points.box.viewpoint_m) @ points.up)
    feet_m = head_m - points.up * (head_level - lowest)
    return feet_m, 0.04, _feet_on_something(points)


def _shins_seen(points: PersonPoints, height_m: float) -> bool:
    """Whether as much is seen of the shins, for their length, as there should be below thighs.

    Otherwise what reaches the floor is the leg of a chair or a strip beside a table.
    """
    share = points.level_m[points.is_person] / height_m
    shins, thighs = (
        np.count_nonzero((share > low) & (share < high)) / (high - low)
        for low, high in (_SHINS, _THIGHS)
    )
    return bool(shins > _MIN_SHINS * thighs)


def _lowest_level(points: PersonPoints) -> float:
    levels = points.level_m[points.is_person]
    rank = min(len(levels) - 1, 4)
    return float(np.partition(levels, rank)[rank])


def _at_side(points: PersonPoints, head: HeadTop) -> bool:
    """Whether the top of the head lies in the outermost columns of the box."""
    column = np.median(head.columns)
    return bool(column < 3 or column > points.slope.shape[1] - 4)


def _is_covered(points: PersonPoints, samples: np.ndarray) -> bool:
    """Whether what is seen right above the head stands before the person."""
    rows, columns = np.nonzero(samples)
    edge, strip = rows.min(), _strip(rows)
    near_edge = rows - edge <= strip
    left, right = columns[near_edge].min(), columns[near_edge].max() + 1
    above = points.range_m[max(0, edge - strip) : edge, left:right]
    above = above[np.isfinite(above)]
    if len(above) == 0:
        return False
    range_m = sampled_median(points.range_m[points.is_person])
    nearer = above < range_m - 0.12 - 1.5 * float(depth_stddev_m(range_m))
    return bool(nearer.mean() > 0.4)


def _strip(rows: np.ndarray) -> int:
    """So many rows beside a person say what it borders on."""
    return max(2, round(0.05 * np.ptp(rows)))


def _feet_on_something(points: PersonPoints) -> bool:
    """Whether the ground is seen to go on right below the feet, where no floor was fitted.

    Nothing seen there, or something much nearer, may hide the feet.
    """
    rows, columns = np.nonzero(points.is_person)
    edge, strip = rows.max(), _strip(rows)
    at_feet = rows >= edge - strip
    left, right = columns[at_feet].min(), columns[at_feet].max() + 1
    range_m = sampled_median(points.range_m[rows[at_feet], columns[at_feet]])
    below = points.range_m[edge + 1 : edge + 1 + strip, left:right]
    reach_m = 0.1 + 0.05 * range_m + float(depth_stddev_m(range_m))
    return below.size > 0 and bool(np.mean(np.abs(below - range_m) < reach_m) > 0.5)
