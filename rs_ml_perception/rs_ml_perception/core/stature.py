"""Head to floor along gravity, and what that is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.floor import depth_stddev_m
from rs_ml_perception.core.person_heights import HeightStatus, UpMethod
from rs_ml_perception.core.person_points import PersonPoints, floor_clearance_m
from rs_ml_perception.core.posture import is_standing

_TYPICAL_STATURE_M = 1.65
_HEAD_HALF_HEIGHT = 0.065
_HEAD_HALF_DEPTH = 0.049
"""Semi-axes of a head as shares of the stature (Drillis and Contini, 1966)."""

_DEPTH_OF_FACE = 0.7
"""A ball's visible half lies, by its median, so much of the radius before the centre."""

_TOP_SAMPLES = 3
"""The top is where that many samples are seen at least: one alone may be noise."""

_SYSTEMATIC = 0.005
"""Share of the distance by which a calibrated camera is off, which averaging does not remove."""

_MODEL_STDDEV_M = 0.008
"""Heads are no ellipsoids, and hair has height."""

_UNKNOWN_TILT_RAD = 0.1
"""What a camera that is taken for level may be tilted by."""


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

    The top is where the highest line of sight that meets the person passes the axis of the head: its
    elevation is a matter of pixels, not of noisy depth, and the distance of the head is the median
    of many samples.

    Args:
        points: the person in its box.
        limits: where the image cuts the box.
        method: where up comes from; tells how sure it is.
    """
    head_m, head_stddev_m = _head_top(points)
    feet_m, feet_stddev_m, on_floor = _feet(points, head_m)
    height_m = float((head_m - feet_m) @ points.up)
    tilt = _UNKNOWN_TILT_RAD * 0.3 * height_m if method is UpMethod.CAMERA_VERTICAL else 0.0
    stddev_m = float(np.linalg.norm([head_stddev_m, feet_stddev_m, tilt, _MODEL_STDDEV_M]))
    status = _status(points, limits, height_m, on_floor)
    return Stature(status, height_m, stddev_m, head_m, feet_m)


def _status(
    points: PersonPoints, limits: BoxLimits, height_m: float, on_floor: bool
) -> HeightStatus:
    if limits.top or limits.bottom or (limits.sides and _top_at_side(points)):
        return HeightStatus.TRUNCATED
    if not on_floor or _is_covered(points, above=True):
        return HeightStatus.OCCLUDED
    if not is_standing(points, height_m):
        return HeightStatus.NOT_STANDING
    return HeightStatus.OK


def _upper_body(points: PersonPoints) -> np.ndarray:
    """The person's samples at the range of its upper half: not what stands right behind it."""
    slope = points.slope[points.is_person]
    middle = 0.5 * (slope.min() + slope.max())
    range_m = float(np.median(points.range_m[points.is_person][slope > middle]))
    reach_m = 0.15 + 0.5 * float(depth_stddev_m(range_m))
    with np.errstate(invalid='ignore'):
        return points.is_person & (np.abs(points.range_m - range_m) < reach_m)


def _top_samples(points: PersonPoints) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the person's samples that are seen highest, best first."""
    slope = np.where(_upper_body(points), points.slope, -np.inf).ravel()
    count = min(len(points), 4 * _TOP_SAMPLES)
    highest = np.argpartition(slope, -count)[-count:]
    highest = highest[np.argsort(-slope[highest])]
    return np.divmod(highest, points.slope.shape[1])


def _head_top(points: PersonPoints) -> tuple[np.ndarray, float]:
    """Top of the head (3,) and the standard deviation of its height."""
    rows, columns = _top_samples(points)
    row, column = rows[min(_TOP_SAMPLES, len(rows)) - 1], columns[:_TOP_SAMPLES]
    # A sample's middle is seen; the outline passes half a sample higher on average.
    cosine2 = 1.0 / (1.0 + float(points.slope[row, column[-1]]) ** 2)
    slope = float(points.slope[row, column[-1]]) + 0.5 * points.box.pixel_size / cosine2
    side_m = float(np.median(points.side_m[rows, columns]))
    face_range_m, range_stddev_m = _face_range(points, row, side_m)
    range_m = face_range_m + _DEPTH_OF_FACE * _HEAD_HALF_DEPTH * _TYPICAL_STATURE_M
    a, c = _HEAD_HALF_DEPTH * _TYPICAL_STATURE_M, _HEAD_HALF_HEIGHT * _TYPICAL_STATURE_M
    # The tangent to an ellipse passes its axis so far above the top.
    overshoot_m = np.hypot(c, a * slope) - c
    ray = points.box.points_m[row, column[-1]].astype(np.float64) - points.box.viewpoint_m
    horizontal = ray - points.up * (ray @ points.up)
    horizontal *= range_m / np.linalg.norm(horizontal)
    top = points.box.viewpoint_m + horizontal + points.up * (slope * range_m - overshoot_m)
    pixel_m = 0.5 * points.box.pixel_size * range_m
    return top, float(np.hypot(pixel_m, slope * range_stddev_m))


def _face_range(points: PersonPoints, top_row: int, side_m: float) -> tuple[float, float]:
    """Median range of the head's visible half and its standard deviation."""
    typical = float(np.median(points.range_m[points.is_person]))
    top_level = float(points.slope[points.is_person].max()) * typical
    level = points.slope * typical
    with np.errstate(invalid='ignore'):
        of_head = points.is_person & (level > top_level - 0.2)
        of_head &= np.abs(points.side_m - side_m) < 0.14
    samples = points.range_m[of_head]
    if len(samples) < _TOP_SAMPLES:
        return typical, float(depth_stddev_m(typical))
    middle = float(np.median(samples))
    scatter = 1.4826 * float(np.median(np.abs(samples - middle)))
    return middle, float(np.hypot(1.25 * scatter / np.sqrt(len(samples)), _SYSTEMATIC * middle))


def _feet(points: PersonPoints, head_m: np.ndarray) -> tuple[np.ndarray, float, bool]:
    """Point below the head on the floor, its standard deviation, and whether feet are seen there."""
    lowest = _lowest_level(points)
    if points.floor is not None:
        normal = points.floor.normal
        drop_m = (normal @ head_m + points.floor.offset_m) / (normal @ points.up)
        feet_m = head_m - points.up * drop_m
        on_floor = lowest < floor_clearance_m(points) + 0.1
        return feet_m, points.floor.stddev_at(feet_m), bool(on_floor)
    head_level = float((head_m - points.box.viewpoint_m) @ points.up)
    feet_m = head_m - points.up * (head_level - lowest)
    return feet_m, 0.04, not _is_covered(points, above=False)


def _lowest_level(points: PersonPoints) -> float:
    levels = points.level_m[points.is_person]
    rank = min(len(levels) - 1, 4)
    return float(np.partition(levels, rank)[rank])


def _top_at_side(points: PersonPoints) -> bool:
    """Whether the highest samples lie in the outermost columns of the box."""
    columns = np.median(_top_samples(points)[1])
    return bool(columns < 3 or columns > points.slope.shape[1] - 4)


def _is_covered(points: PersonPoints, *, above: bool) -> bool:
    """Whether what is seen right above the head (or below the feet) stands before the person."""
    rows, columns = np.nonzero(_upper_body(points) if above else points.is_person)
    edge = rows.min() if above else rows.max()
    strip = max(2, round(0.05 * np.ptp(rows)))
    near_edge = np.abs(rows - edge) <= strip
    left, right = columns[near_edge].min(), columns[near_edge].max() + 1
    window = slice(max(0, edge - strip), edge) if above else slice(edge + 1, edge + 1 + strip)
    beyond = points.range_m[window, left:right]
    beyond = beyond[np.isfinite(beyond)]
    if len(beyond) == 0:
        return False
    range_m = float(np.median(points.range_m[points.is_person]))
    nearer = beyond < range_m - 0.12 - 1.5 * float(depth_stddev_m(range_m))
    return bool(nearer.mean() > 0.4)
