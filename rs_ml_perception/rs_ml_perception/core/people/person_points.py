"""Points of a person, separated from the rest of the box."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from rs_ml_perception.core.frames.box_points import (
    BoxPoints,
    Layer,
    box_points,
    split_in_layers,
)
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.floor import FloorPlane, depth_stddev_m
from rs_ml_perception.core.geometry.projection import (
    evenly_chosen,
    horizontal_axes,
    median,
    sampled_median,
    unit,
)
from rs_ml_perception.core.objects.detections import MIN_POINTS

MAX_REACH_M = 0.8
"""Maximum distance of any part from the trunk along the line of sight (an outstretched leg)."""

_BODY_HALF_DEPTH_M = 0.18
"""From the middle of the visible side of a trunk to a turned shoulder."""

_FINE_SAMPLE_M = 0.012
"""Maximum distance of samples for a wider median."""

_MIN_FRACTIONS = np.array([0.3, 0.6, 0.45])
"""Minimum weight in the middle, rows and columns of a person, as fractions of the maxima over all
surfaces: the box fits the person, but not a pole or a table in front of it."""

_MIN_FILL = 0.04
_VALLEY = 0.35
"""See find_layers: bodies are rugged, so only clear gaps count."""

MARGIN = 0.08
"""Fraction of the box height added above and below, since detectors cut hair and soles."""

MATCHING_WINDOW_PX = 9
"""Side of the matching windows of stereo cameras."""

_MAX_SAMPLES = 8000
_SQUARE = np.ones((3, 3), np.uint8)
_OUTSIDE = -1e3
"""Distance of samples that cannot be the person, far from all others."""


@dataclass(frozen=True, eq=False)
class PersonPoints:
    """Samples of one box, and a mask of the person.

    Attributes:
        box: the samples, organised in rows and columns.
        is_person: bool (h, w).
        up: float64 (3,), unit.
        range_m: float32 (h, w), horizontal distance from the viewpoint, smoothed; NaN invalid or
            on the floor.
        side_m: float32 (h, w), horizontal position across the view; NaN invalid.
        level_m: float32 (h, w), height above the floor, or above the viewpoint without a floor.
        slope: float32 (h, w), tangent of the elevation of each sample.
        box_rows: first row and row after the last of the box itself, without its margin.
        floor: the floor, or None.
    """

    box: BoxPoints
    is_person: np.ndarray
    up: np.ndarray
    range_m: np.ndarray
    side_m: np.ndarray
    level_m: np.ndarray
    slope: np.ndarray
    box_rows: tuple[int, int]
    floor: FloorPlane | None

    def __len__(self) -> int:
        return len(self.index)

    @cached_property
    def index(self) -> np.ndarray:
        """Int (N,), flat indices of the person's samples; N = len(self)."""
        return np.flatnonzero(self.is_person)

    @cached_property
    def ranges_m(self) -> np.ndarray:
        """float32 (N,), range_m of the person."""
        return self.range_m.ravel()[self.index]

    @cached_property
    def sides_m(self) -> np.ndarray:
        """float32 (N,), side_m of the person."""
        return self.side_m.ravel()[self.index]

    @cached_property
    def levels_m(self) -> np.ndarray:
        """float32 (N,), level_m of the person."""
        return self.level_m.ravel()[self.index]


def separate_person(
    frame: Frame, xyxy: np.ndarray, up: np.ndarray, floor: FloorPlane | None
) -> PersonPoints | None:
    """Find the person in a box.

    From above, a person is a small spot at any tilt of the camera: the histogram of horizontal
    distances splits the box into surfaces, the nearest one that fills much of the box is the
    trunk, and the samples connected to it are the person.

    Args:
        frame: with depth and intrinsics.
        xyxy: (4,), box in pixels of the colour image.
        up: float64 (3,), unit, in the colour optical frame.
        floor: in the colour optical frame; points on it are left out.

    Returns:
        None if too few points remain.
    """
    box = box_points(frame, _grown(xyxy), max_samples=_MAX_SAMPLES)
    if np.count_nonzero(np.isfinite(box.depth_m)) < MIN_POINTS:
        return None
    points = _coordinates(box, up, floor)
    off_floor = _off_floor(points)
    if np.count_nonzero(off_floor) < MIN_POINTS:
        return None
    smooth = _smoothed(np.where(off_floor, points.range_m, np.float32(0)), box)
    trunk = _trunk_range(points, smooth)
    if trunk is None:
        return None
    is_person = _grow_from_trunk(smooth, trunk, box.step) & off_floor
    if np.count_nonzero(is_person) < MIN_POINTS:
        return None
    smooth[smooth == 0] = np.nan
    return replace(points, is_person=is_person, range_m=smooth)


def _grown(xyxy: np.ndarray) -> np.ndarray:
    margin = MARGIN * (xyxy[3] - xyxy[1])
    return np.asarray(xyxy, np.float64) + np.array([0.0, -margin, 0.0, margin])


def _coordinates(box: BoxPoints, up: np.ndarray, floor: FloorPlane | None) -> PersonPoints:
    valid = np.isfinite(box.depth_m)
    index = np.flatnonzero(valid)
    middle = np.array([median(x) for x in box.planes_m.take(evenly_chosen(index), axis=1)])
    forward, right = horizontal_axes(up, unit(middle - box.viewpoint_m))
    axes = np.array([forward, right, up, up if floor is None else floor.normal])
    offsets_m = -(axes @ box.viewpoint_m)
    if floor is not None:
        offsets_m[3] = floor.offset_m
    along = axes.astype(np.float32) @ box.planes_m
    along += offsets_m.astype(np.float32)[:, None]
    ahead_m, side_m, rise_m, level_m = along.reshape(4, *valid.shape)
    range_m = np.sqrt(ahead_m * ahead_m + side_m * side_m)
    with np.errstate(invalid='ignore', divide='ignore'):
        slope = rise_m / range_m
    first, last = (int(index[i]) // valid.shape[1] for i in (0, -1))
    margin = round(MARGIN / (1 + 2 * MARGIN) * (last - first + 1))
    rows = first + margin, last + 1 - margin
    return PersonPoints(box, valid, up, range_m, side_m, level_m, slope, rows, floor)


def floor_clearance_m(points: PersonPoints) -> float:
    """Samples below this level may be floor."""
    if points.floor is None:
        return -np.inf
    range_m = median(points.range_m.ravel()[evenly_chosen(points.index)])
    relative = depth_stddev_m(range_m) / range_m
    return 0.03 + 3.0 * float(relative) * points.floor.offset_m


def _off_floor(points: PersonPoints) -> np.ndarray:
    with np.errstate(invalid='ignore'):
        return points.is_person & (points.level_m > floor_clearance_m(points))


def _trunk_range(points: PersonPoints, smooth: np.ndarray) -> Layer | None:
    """The nearest surface that fills much of the middle and most rows."""
    index = np.flatnonzero(smooth > 0)
    if len(index) < MIN_POINTS:
        return None
    h, w = smooth.shape
    rows, columns = np.divmod(index.astype(np.int32), np.int32(w))  # SIMD, unlike int64
    range_m = smooth.ravel()[index]
    bell = np.exp(-0.5 * ((np.arange(w) - 0.5 * (w - 1)) / (0.25 * w)) ** 2)
    width = max(0.02, 0.25 * float(depth_stddev_m(sampled_median(range_m))))
    layers, numbers = split_in_layers(range_m, bell[columns], bin_width=width, valley=_VALLEY)
    extents = np.stack(
        [
            [layer.mass for layer in layers],
            _lines_covered(rows, numbers, (h, len(layers)), _MIN_FILL * w),
            _lines_covered(columns, numbers, (w, len(layers)), _MIN_FILL * h),
        ],
        axis=1,
    )
    enough = (extents >= _MIN_FRACTIONS * extents.max(axis=0)).all(axis=1)
    nearest = np.argmax(enough) if enough.any() else np.argmax(extents[:, 0])
    return layers[int(nearest)]


def _lines_covered(
    lines: np.ndarray, numbers: np.ndarray, shape: tuple[int, int], least: float
) -> np.ndarray:
    """Number of lines with more than `least` samples of each layer, int (layers,).

    Args:
        lines: int (N,), row or column of each sample.
        numbers: int (N,), the layer of each sample.
        shape: numbers of lines and of layers.
        least: samples.
    """
    counts = np.bincount(lines * shape[1] + numbers, minlength=shape[0] * shape[1])
    return np.count_nonzero(counts.reshape(shape) > least, axis=0)


def _scatter(smooth: np.ndarray, step: int) -> float:
    """Standard deviation of 1 / range after smoothing [1/m], the same at all distances.

    It is that of the disparity up to a factor, from pairs of samples one above the other in the
    middle of the box, where bodies are steep. They are so far apart that their matching windows
    hardly overlap.
    """
    quarter, lag = smooth.shape[1] // 4, max(1, round(MATCHING_WINDOW_PX / step))
    middle = smooth[:, quarter : smooth.shape[1] - quarter]
    above, below = middle[:-lag], middle[lag:]
    index = np.flatnonzero((above > 0) & (below > 0))
    if len(index) < MIN_POINTS:
        return 0.0
    rows, columns = np.divmod(evenly_chosen(index), middle.shape[1])
    index = rows * smooth.shape[1] + columns + quarter
    apart = np.abs(
        1.0 / smooth.ravel()[index] - 1.0 / smooth.ravel()[index + lag * smooth.shape[1]]
    )
    return 1.4826 * median(apart) / math.sqrt(2.0)


def _grow_from_trunk(smooth: np.ndarray, trunk: Layer, step: int) -> np.ndarray:
    """Samples connected to the trunk, bool (h, w).

    Within the depth of the trunk neighbouring samples are always connected (a shoulder is in front
    of the neck, the more so with noisy depth); farther away, only those at nearly the same range.
    """
    in_trunk = np.flatnonzero((smooth >= trunk.low) & (smooth < trunk.high))
    middle = sampled_median(smooth.ravel()[evenly_chosen(in_trunk)])
    noise_m = float(depth_stddev_m(middle))
    behind_m = smooth - np.float32(middle)
    near = np.abs(behind_m) < MAX_REACH_M
    own_m = np.float32(_BODY_HALF_DEPTH_M + _scatter(smooth, step) * middle**2)
    beyond = behind_m - np.clip(behind_m, -own_m, own_m)
    np.copyto(beyond, _OUTSIDE, where=~near)
    jump = 0.03 + 0.5 * noise_m
    return _largest_growth(beyond, beyond == 0, jump) & near


def _smoothed(range_m: np.ndarray, box: BoxPoints) -> np.ndarray:
    """Ranges with small holes filled from the farther neighbours, then a median; 0 invalid."""
    is_seen = range_m > 0
    filled = cv2.dilate(range_m, _SQUARE)
    np.copyto(filled, range_m, where=is_seen)
    seen = evenly_chosen(np.flatnonzero(is_seen))
    fine = box.pixel_size * sampled_median(range_m.ravel()[seen]) < _FINE_SAMPLE_M
    return cv2.medianBlur(filled, 5 if fine else 3)


def _largest_growth(beyond: np.ndarray, seeds: np.ndarray, jump: float) -> np.ndarray:
    """The connected region, grown from any seed, that covers most seeds."""
    h, w = beyond.shape
    best, best_count = np.zeros((h, w), bool), 0
    left, left_count = seeds, int(np.count_nonzero(seeds))
    for _ in range(4):
        if left_count <= best_count:
            break
        mask = np.zeros((h + 2, w + 2), np.uint8)
        cv2.floodFill(beyond, mask, _middle(left), 0, jump, jump, cv2.FLOODFILL_MASK_ONLY | 4)
        grown = mask[1:-1, 1:-1] > 0
        count = int(np.count_nonzero(grown & seeds))
        if count > best_count:
            best, best_count = grown, count
        left = left & ~grown
        left_count -= count
    return best


def _middle(mask: np.ndarray) -> tuple[int, int]:
    """Column and row of a set element near the medians of both."""
    rows, columns = np.divmod(evenly_chosen(np.flatnonzero(mask)), mask.shape[1])
    across, down = columns - median(columns), rows - median(rows)
    nearest = int(np.argmin(across * across + down * down))
    return int(columns[nearest]), int(rows[nearest])
