"""A person's points told from everything else in the box."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rs_ml_perception.core.depth_layers import find_layers
from rs_ml_perception.core.floor import FloorPlane, depth_stddev_m
from rs_ml_perception.core.frame import Frame
from rs_ml_perception.core.geometry import horizontal_axes, unit
from rs_ml_perception.core.placements import MIN_POINTS
from rs_ml_perception.core.registration import BoxPoints, box_points

MAX_REACH_M = 0.8
"""No part of a person is farther from the trunk along the line of sight (an outstretched leg)."""

_MARGIN = 0.04
"""Share of the box's height added above and below: boxes of detectors cut hair and soles."""

_MAX_SAMPLES = 12000
_OUTSIDE = -1e3
"""Distance of what cannot be the person, far from any that can."""


@dataclass(frozen=True, eq=False)
class PersonPoints:
    """Samples of one box and which of them are the person.

    Attributes:
        box: the samples, organised in rows and columns.
        is_person: bool (h, w).
        up: float64 (3,), unit.
        range_m: float32 (h, w), horizontal distance from the viewpoint; NaN invalid.
        side_m: float32 (h, w), horizontal position across the view; NaN invalid.
        level_m: float32 (h, w), height above the floor, or above the viewpoint without a floor.
        slope: float32 (h, w), tangent of the elevation at which each sample is seen.
        floor: the floor, or None.
    """

    box: BoxPoints
    is_person: np.ndarray
    up: np.ndarray
    range_m: np.ndarray
    side_m: np.ndarray
    level_m: np.ndarray
    slope: np.ndarray
    floor: FloorPlane | None

    def __len__(self) -> int:
        return int(np.count_nonzero(self.is_person))


def separate_person(
    frame: Frame, xyxy: np.ndarray, up: np.ndarray, floor: FloorPlane | None
) -> PersonPoints | None:
    """Find the person in a box.

    Seen from above, a person is a small spot whatever the camera's tilt: the histogram of horizontal
    distances splits the box into surfaces, the one that fills most of the box's middle is the trunk,
    and what hangs together with it from pixel to pixel is the person.

    Args:
        frame: with depth and intrinsics.
        xyxy: (4,), box in pixels of the colour image.
        up: float64 (3,), unit, in the colour optical frame.
        floor: in the colour optical frame; points on it are left out.

    Returns:
        None where too few points remain.
    """
    box = box_points(frame, _grown(xyxy), max_samples=_MAX_SAMPLES)
    if np.count_nonzero(np.isfinite(box.depth_m)) < MIN_POINTS:
        return None
    points = _coordinates(box, up, floor)
    candidates = _off_floor(points)
    trunk = _trunk_range(points, candidates)
    if trunk is None:
        return None
    is_person = _grow_from_trunk(points, candidates, trunk)
    if np.count_nonzero(is_person) < MIN_POINTS:
        return None
    object.__setattr__(points, 'is_person', is_person)
    return points


def _grown(xyxy: np.ndarray) -> np.ndarray:
    margin = _MARGIN * (xyxy[3] - xyxy[1])
    return np.asarray(xyxy, np.float64) + (0.0, -margin, 0.0, margin)


def _coordinates(box: BoxPoints, up: np.ndarray, floor: FloorPlane | None) -> PersonPoints:
    valid = np.isfinite(box.depth_m)
    middle = np.median(box.points_m[valid], axis=0).astype(np.float64)
    forward, right = horizontal_axes(up, unit(middle - box.viewpoint_m))
    axes = np.stack([forward, right, up]).astype(np.float32)
    relative = (box.points_m - box.viewpoint_m.astype(np.float32)) @ axes.T
    range_m = np.hypot(relative[..., 0], relative[..., 1])
    level_m = relative[..., 2] if floor is None else floor.height_above(box.points_m)
    with np.errstate(invalid='ignore', divide='ignore'):
        slope = relative[..., 2] / range_m
    return PersonPoints(box, valid, up, range_m, relative[..., 1], level_m, slope, floor)


def floor_clearance_m(points: PersonPoints) -> float:
    """Lower than this, a sample may be floor."""
    if points.floor is None:
        return -np.inf
    relative = depth_stddev_m(np.nanmedian(points.range_m)) / np.nanmedian(points.range_m)
    return 0.03 + 3.0 * float(relative) * points.floor.offset_m


def _off_floor(points: PersonPoints) -> np.ndarray:
    with np.errstate(invalid='ignore'):
        return points.is_person & (points.level_m > floor_clearance_m(points))


def _trunk_range(points: PersonPoints, candidates: np.ndarray) -> tuple[float, float] | None:
    """Range of the surface that fills most of the middle of the box."""
    range_m = points.range_m[candidates]
    if len(range_m) < MIN_POINTS:
        return None
    h, w = candidates.shape
    bell = np.exp(-0.5 * ((np.arange(w) - 0.5 * (w - 1)) / (0.2 * w)) ** 2)
    weights = np.broadcast_to(bell, (h, w))[candidates]
    width = max(0.025, 0.5 * float(depth_stddev_m(np.median(range_m))))
    layers = find_layers(range_m, weights, bin_width=width)
    trunk = max(layers, key=lambda layer: layer.mass)
    return trunk.low, trunk.high


def _grow_from_trunk(
    points: PersonPoints, candidates: np.ndarray, trunk: tuple[float, float]
) -> np.ndarray:
    """What hangs together with the trunk: neighbours at nearly the same range, bool (h, w)."""
    with np.errstate(invalid='ignore'):
        near = (points.range_m > trunk[0] - MAX_REACH_M) & (
            points.range_m < trunk[1] + MAX_REACH_M
        )
        in_trunk = candidates & (points.range_m >= trunk[0]) & (points.range_m < trunk[1])
    near &= candidates
    smooth = _smoothed(np.where(near, points.range_m, _OUTSIDE).astype(np.float32))
    typical = float(np.median(points.range_m[in_trunk]))
    jump = 0.06 + 1.5 * float(depth_stddev_m(typical))
    return _largest_growth(smooth, in_trunk, jump) & near


def _smoothed(range_m: np.ndarray) -> np.ndarray:
    """Fill single holes from their neighbours, then take the median of 3x3."""
    filled = np.where(range_m == _OUTSIDE, cv2.dilate(range_m, np.ones((3, 3), np.uint8)), range_m)
    return cv2.medianBlur(filled, 3)


def _largest_growth(smooth: np.ndarray, seeds: np.ndarray, jump: float) -> np.ndarray:
    """The growth, from any seed, that covers most seeds."""
    h, w = smooth.shape
    best = np.zeros((h, w), bool)
    left = seeds & (smooth > 0)
    for _ in range(4):
        rows, columns = np.nonzero(left)
        if len(rows) <= np.count_nonzero(best & seeds):
            break
        middle = np.argmin((rows - np.median(rows)) ** 2 + (columns - np.median(columns)) ** 2)
        mask = np.zeros((h + 2, w + 2), np.uint8)
        seed = (int(columns[middle]), int(rows[middle]))
        cv2.floodFill(smooth, mask, seed, 0, jump, jump, cv2.FLOODFILL_MASK_ONLY | 8)
        grown = mask[1:-1, 1:-1] > 0
        if np.count_nonzero(grown & seeds) > np.count_nonzero(best & seeds):
            best = grown
        left &= ~grown
    return best
