"""Height of a person along gravity, posture, and how reliable the height is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.geometry.floor import depth_stddev_m
from rs_ml_perception.core.geometry.gravity import UpMethod
from rs_ml_perception.core.geometry.projection import (
    evenly_chosen,
    sampled_median,
    sorted_quantiles,
)
from rs_ml_perception.core.people.head import HeadTop, find_head
from rs_ml_perception.core.people.heights import HeightStatus
from rs_ml_perception.core.people.person_points import MARGIN, PersonPoints, floor_clearance_m

MIN_STANDING_M = 0.6
"""Minimum height of a standing person (a one-year-old is 0.7 m tall)."""

MAX_STATURE_M = 2.5
"""Maximum height of a person; above it a wall or a wardrobe was detected as one."""

MAX_LEGS_WIDTH = 0.4
"""Maximum spread of standing legs across the view, as a fraction of the height: in the longest
steps each thigh is 0.5 rad in front of or behind the trunk, with a hand next to it."""

MAX_LEGS_OFFSET = 0.08
"""Maximum offset between the middle of standing legs and the trunk, as a fraction of the height:
steps extend as far ahead as behind. The thighs of a sitting person are a third of the remaining
height, so their middle is a sixth away; this is half of that."""

_TRUNK = (0.6, 0.9)
_LEGS = (0.25, 0.42)
"""Parts of the body as fractions of the height above the floor."""

_SPAN = (0.08, 0.92)
"""Quantiles of a part; beyond them may be a hand, a bag or a flying pixel."""

_MIN_SAMPLES = 8

_MODEL_STDDEV_M = 0.008
"""Heads are not ellipsoids, and hair has height."""

_MIN_SHINS = 0.35
"""Shins are at least half as wide as thighs; three tenths of that may be holes. None of 130
standing people in rendered rooms has less than 0.38; occupied chairs have 0.25."""

_MAX_GAP = 0.1
"""Fraction of the box height that may be empty at its upper end, since boxes are loose."""

_UNKNOWN_TILT = 0.05
"""Fraction of the height that a tilt of 18 degrees hides from a camera assumed level."""


def is_standing(points: PersonPoints, height_m: float) -> bool | None:
    """Legs below the trunk and close together; None if trunk or legs cannot be seen.

    The shins of a sitting person are in front of or next to the trunk by the length of a thigh, a
    quarter of the stature, and from the front the knees are nearest. Legs behind the trunk prove
    nothing: only the front of the trunk is seen, and bellies stick out.
    """
    if not height_m >= MIN_STANDING_M:
        return False
    bottom = 0.0 if points.floor is not None else float(points.levels_m.min())
    fraction = (points.levels_m - bottom) / height_m
    trunk = np.flatnonzero((fraction > _TRUNK[0]) & (fraction < _TRUNK[1]))
    legs = np.flatnonzero((fraction > _LEGS[0]) & (fraction < _LEGS[1]))
    if len(trunk) < _MIN_SAMPLES or len(legs) < _MIN_SAMPLES:
        return None
    trunk, legs = evenly_chosen(trunk), evenly_chosen(legs)
    near_m, far_m = sorted_quantiles(np.sort(points.ranges_m[legs]), _SPAN)
    left_m, right_m = sorted_quantiles(np.sort(points.sides_m[legs]), _SPAN)
    forward_m = max(sampled_median(points.ranges_m[trunk]) - 0.5 * (near_m + far_m), 0.0)
    aside_m = 0.5 * (left_m + right_m) - sampled_median(points.sides_m[trunk])
    offset_m = np.hypot(forward_m, aside_m)
    width_m = right_m - left_m
    return bool(offset_m < MAX_LEGS_OFFSET * height_m and width_m < MAX_LEGS_WIDTH * height_m)


_SHINS, _THIGHS = (0.1, 0.25), (0.25, 0.42)
"""Parts of the body as fractions of its height."""


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
    """Sides of a box at the border of the image."""

    top: bool
    bottom: bool
    sides: bool


def measure_stature(points: PersonPoints, limits: BoxLimits, method: UpMethod) -> Stature:
    """Height of a person whose points are known.

    Args:
        points: the person in its box.
        limits: sides of the box cut by the image.
        method: source of up, which determines its reliability.
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
    """Whether the person ends near the upper edge of its box, in front of the background."""
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
    """Whether the visible shins are wide enough for the thighs.

    Otherwise the leg of a chair or a strip next to a table reaches the floor.
    """
    fraction = points.levels_m / height_m
    shins, thighs = (
        np.count_nonzero((fraction > low) & (fraction < high)) / (high - low)
        for low, high in (_SHINS, _THIGHS)
    )
    return bool(shins > _MIN_SHINS * thighs)


def _lowest_level(points: PersonPoints) -> float:
    rank = min(len(points) - 1, 4)
    return float(np.partition(points.levels_m, rank)[rank])


def _at_side(points: PersonPoints, head: HeadTop) -> bool:
    """Whether the top of the head lies in the outermost columns of the box."""
    column = np.median(head.columns)
    return bool(column < 3 or column > points.slope.shape[1] - 4)


def _is_covered(points: PersonPoints, samples: np.ndarray) -> bool:
    """Whether the surface right above the head is in front of the person."""
    w = points.range_m.shape[1]
    edge, last = int(samples[0]) // w, int(samples[-1]) // w
    strip = _strip(last - edge + 1)
    columns = samples[: np.searchsorted(samples, (edge + strip + 1) * w)] % w
    left, right = columns.min(), columns.max() + 1
    above = points.range_m[max(0, edge - strip) : edge, left:right]
    above = above[np.isfinite(above)]
    if len(above) == 0:
        return False
    range_m = sampled_median(points.ranges_m)
    nearer = above < range_m - 0.12 - 1.5 * float(depth_stddev_m(range_m))
    return bool(nearer.mean() > 0.4)


def _strip(num_rows: int) -> int:
    """Number of rows next to a person of so many rows that show its surroundings."""
    return max(2, round(0.05 * (num_rows - 1)))


def _feet_on_something(points: PersonPoints) -> bool:
    """Whether the ground continues right below the feet, if no floor was fitted.

    Missing or much nearer depth there may hide the feet.
    """
    w = points.range_m.shape[1]
    first, edge = int(points.index[0]) // w, int(points.index[-1]) // w
    strip = _strip(edge - first + 1)
    at_feet = points.index[np.searchsorted(points.index, (edge - strip) * w) :]
    left, right = (at_feet % w).min(), (at_feet % w).max() + 1
    range_m = sampled_median(points.range_m.ravel()[at_feet])
    below = points.range_m[edge + 1 : edge + 1 + strip, left:right]
    reach_m = 0.1 + 0.05 * range_m + float(depth_stddev_m(range_m))
    return below.size > 0 and bool(np.mean(np.abs(below - range_m) < reach_m) > 0.5)
