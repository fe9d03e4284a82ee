"""The top of a person's head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.geometry.floor import depth_stddev_m
from rs_ml_perception.core.geometry.projection import median, sampled_median, sorted_quantiles
from rs_ml_perception.core.people.person_points import MATCHING_WINDOW_PX, PersonPoints

_TYPICAL_STATURE_M = 1.65
_HALF_HEIGHT_M = 0.065 * _TYPICAL_STATURE_M
_HALF_DEPTH_M = 0.049 * _TYPICAL_STATURE_M
"""Semi-axes of a head as fractions of the stature (Drillis and Contini, 1966)."""

_DEPTH_OF_FACE = 0.7
"""Median distance of the visible half of a ball in front of its centre, in radii."""

_UNSEEN_CROWN_M = 0.012
"""Stereo matching smooths off the crown, which turns away from the camera: measured heads end this
much lower at all distances (median of 130 people in rendered rooms; 2 mm with true depth)."""

_TOP_SAMPLES = 3
"""Minimum number of samples at the top; a single one may be noise."""

_OUTLINE_PX = MATCHING_WINDOW_PX / np.sqrt(12.0)
"""Standard deviation of an outline, which lies anywhere in the matched window."""

_SYSTEMATIC = 0.005
"""Error of a calibrated camera as a fraction of the distance; averaging does not remove it."""

_MAX_LEAN_M = 0.25
"""Maximum distance of a head to the side of the middle of the trunk."""

_MAX_HEAD_WIDTH_M = 0.3
"""Hair above the box that the detector missed is at most this wide."""


@dataclass(frozen=True, eq=False)
class HeadTop:
    """The top of a head.

    Attributes:
        top_m: float64 (3,), in the colour optical frame.
        stddev_m: standard deviation of the height of the top.
        samples: int (N,), flat indices of possible samples of head and shoulders.
        gap: distance from the upper edge of the box to the highest sample, as a fraction of the
            box height.
        columns: the columns of the highest samples, best first.
    """

    top_m: np.ndarray
    stddev_m: float
    samples: np.ndarray
    gap: float
    columns: np.ndarray


def find_head(points: PersonPoints) -> HeadTop:
    """Find the top of the head.

    It is the point where the highest line of sight to the person passes the axis of the head: the
    elevation depends on pixels, not on noisy depth, and the distance of the head is the median of
    many samples.
    """
    samples = _upper_body(points)
    rows, columns = _highest(points, samples)
    last = min(_TOP_SAMPLES, len(rows)) - 1
    slope = float(points.slope[rows[last], columns[last]])
    # The slope is that of the middle of a sample; the outline is half a sample higher on average.
    slope += 0.5 * points.box.pixel_size * (1.0 + slope * slope)
    side_m = median(points.side_m[rows, columns])
    face_m, face_stddev_m = _face_range(points, samples, slope, side_m)
    range_m = face_m + _DEPTH_OF_FACE * _HALF_DEPTH_M
    # The tangent to an ellipse passes its axis this far above the top.
    overshoot_m = np.hypot(_HALF_HEIGHT_M, _HALF_DEPTH_M * slope) - _HALF_HEIGHT_M
    ray = points.box.points_m[rows[last], columns[last]] - points.box.viewpoint_m
    horizontal = ray - points.up * (ray @ points.up)
    horizontal *= range_m / np.linalg.norm(horizontal)
    level_m = slope * range_m - overshoot_m + _UNSEEN_CROWN_M
    top_m = points.box.viewpoint_m + horizontal + points.up * level_m
    outline = max(0.5, _OUTLINE_PX / points.box.step) * points.box.pixel_size
    stddev_m = np.hypot(outline * range_m, slope * face_stddev_m)
    first_row, last_row = points.box_rows
    gap = (int(rows.min()) - first_row) / max(last_row - first_row, 1)
    return HeadTop(top_m, float(stddev_m), samples, gap, columns[: last + 1])


def _upper_body(points: PersonPoints) -> np.ndarray:
    """Samples of the person at the position of its upper half, without objects right behind it."""
    slope = points.slope.ravel()[points.index]
    upper = np.flatnonzero(slope > 0.5 * (slope.min() + slope.max()))
    ranges = points.ranges_m[upper]
    middle_m = sampled_median(ranges)
    side_m = sampled_median(points.sides_m[upper[ranges <= middle_m]])
    reach_m = 0.15 + 0.5 * float(depth_stddev_m(middle_m))
    near = np.flatnonzero(np.abs(points.ranges_m - np.float32(middle_m)) < reach_m)
    inside = near[np.abs(points.sides_m[near] - np.float32(side_m)) < _MAX_LEAN_M]
    chosen = next((some for some in (inside, near, upper) if len(some)), np.arange(len(points)))
    return _without_broad_margin(points, points.index[chosen])


def _without_broad_margin(points: PersonPoints, samples: np.ndarray) -> np.ndarray:
    """Leave out samples above the box unless they are as narrow as a head."""
    count = int(np.searchsorted(samples, points.box_rows[0] * points.side_m.shape[1]))
    if count == 0:
        return samples
    sides = np.sort(points.side_m.ravel()[samples[:count]])
    left_m, right_m = sorted_quantiles(sides, (0.05, 0.95))
    if right_m - left_m < _MAX_HEAD_WIDTH_M or count == len(samples):
        return samples
    return samples[count:]


def _highest(points: PersonPoints, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the highest samples, best first."""
    slope = points.slope.ravel()[samples]
    count = min(len(samples), 4 * _TOP_SAMPLES)
    highest = np.argpartition(slope, -count)[-count:]
    highest = highest[np.argsort(-slope[highest])]
    return np.divmod(samples[highest], points.slope.shape[1])


def _face_range(
    points: PersonPoints, samples: np.ndarray, top_slope: float, side_m: float
) -> tuple[float, float]:
    """Median range of the head's visible half and its standard deviation."""
    ranges = points.range_m.ravel()[samples]
    typical = sampled_median(ranges)
    is_high = points.slope.ravel()[samples] > top_slope - 2 * _HALF_HEIGHT_M / typical
    is_inside = np.abs(points.side_m.ravel()[samples] - np.float32(side_m)) < 0.14
    ranges = ranges[is_high & is_inside]
    if len(ranges) < _TOP_SAMPLES:
        return typical, float(depth_stddev_m(typical))
    middle = median(ranges)
    scatter = 1.4826 * median(np.abs(ranges - np.float32(middle)))
    return middle, float(np.hypot(1.25 * scatter / np.sqrt(len(ranges)), _SYSTEMATIC * middle))
