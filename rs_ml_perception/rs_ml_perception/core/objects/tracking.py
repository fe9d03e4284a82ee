"""Tracking: the same object keeps its number from image to image.

Boxes move by a constant-velocity Kalman filter each, and are paired with detections by the exact
assignment of greatest overlap, without scipy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.objects.boxes import box_iou, xyxy_from_cxcywh
from rs_ml_perception.core.objects.detections import Detections
from rs_ml_perception.core.streams.stamps import JUMP_BACK_NS

_MEASURED = 0.05
"""Standard deviation of a detected centre or size, as a fraction of the box size."""
_START_SPEED = 1.0
"""Standard deviation of the unknown speed of a new box, sizes per second."""
_SPEED_DRIFT = 0.7
"""Random walk of the speed, sizes per second per root second."""
_MIN_SIZE_PX = 1.0


_MARGIN = 0.3
"""Margin of a wider box on each side, as a fraction of its size."""


class BoxMotion:
    """States of N boxes as parallel arrays; centre x, centre y, width and height are independent.

    With one variance each for value and speed and their covariance, predict and update are a few
    products per coordinate: R. E. Kalman, A new approach to linear filtering and prediction
    problems, 1960; the choice of state is that of A. Bewley et al., SORT, ICIP 2016.

    Attributes:
        values: float64 (N, 4), centre x, centre y, width, height in pixels.
        speeds: float64 (N, 4), pixels per second.
    """

    def __init__(self) -> None:
        self.values = np.zeros((0, 4))
        self.speeds = np.zeros((0, 4))
        self._variance = np.zeros((0, 4))
        self._covariance = np.zeros((0, 4))
        self._speed_variance = np.zeros((0, 4))

    def predict(self, dt_secs: float) -> None:
        """Move all boxes on by a time."""
        noise = (_SPEED_DRIFT * self._sizes()) ** 2
        self.values = self.values + self.speeds * dt_secs
        self.values[:, 2:] = np.maximum(self.values[:, 2:], _MIN_SIZE_PX)
        self._variance = (
            self._variance
            + dt_secs * (2 * self._covariance + dt_secs * self._speed_variance)
            + noise * dt_secs**3 / 3
        )
        self._covariance = (
            self._covariance + dt_secs * self._speed_variance + noise * dt_secs**2 / 2
        )
        self._speed_variance = self._speed_variance + noise * dt_secs

    def update(self, rows: np.ndarray, xyxy: np.ndarray) -> None:
        """Correct the boxes of the rows by detections.

        Args:
            rows: int (K,), distinct.
            xyxy: float (K, 4), corners in pixels.
        """
        surprise = _centres_and_sizes(xyxy) - self.values[rows]
        total = self._variance[rows] + (_MEASURED * self._sizes()[rows]) ** 2
        gain, speed_gain = self._variance[rows] / total, self._covariance[rows] / total
        self.values[rows] += gain * surprise
        self.speeds[rows] += speed_gain * surprise
        self._speed_variance[rows] -= speed_gain * self._covariance[rows]
        self._covariance[rows] *= 1 - gain
        self._variance[rows] *= 1 - gain

    def add(self, xyxy: np.ndarray) -> None:
        """Append K boxes at rest, xyxy float (K, 4)."""
        values = _centres_and_sizes(xyxy)
        sizes = values[:, 2:].mean(1, keepdims=True)
        still = np.zeros_like(values)
        self.values = np.concatenate([self.values, values])
        self.speeds = np.concatenate([self.speeds, still])
        self._variance = np.concatenate([self._variance, still + (_MEASURED * sizes) ** 2])
        self._covariance = np.concatenate([self._covariance, still])
        speed_variance = still + (_START_SPEED * sizes) ** 2
        self._speed_variance = np.concatenate([self._speed_variance, speed_variance])

    def keep(self, rows: np.ndarray) -> None:
        """Keep only the boxes of the rows, bool (N,)."""
        self.values, self.speeds = self.values[rows], self.speeds[rows]
        self._variance, self._covariance = self._variance[rows], self._covariance[rows]
        self._speed_variance = self._speed_variance[rows]

    def xyxy(self) -> np.ndarray:
        """Corners, float64 (N, 4), pixels."""
        return xyxy_from_cxcywh(self.values)

    def _sizes(self) -> np.ndarray:
        return self.values[:, 2:].mean(1, keepdims=True)


def _centres_and_sizes(xyxy: np.ndarray) -> np.ndarray:
    corners = np.asarray(xyxy, np.float64)
    low, high = corners[:, :2], corners[:, 2:]
    return np.concatenate([(low + high) / 2, np.maximum(high - low, _MIN_SIZE_PX)], axis=1)


@dataclass(frozen=True)
class TrackerOptions:
    """How objects are followed.

    Attributes:
        min_iou: a detection continues a track only where it covers at least this intersection
            over union with the box predicted for it, (0, 1].
        min_hits: detections until a track gets its number, so that a single false alarm uses none.
        max_age_secs: a track not seen for longer is forgotten. Time, not frames: the rate varies.
    """

    min_iou: float = 0.1
    min_hits: int = 2
    max_age_secs: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.min_iou <= 1:
            raise ConfigError(f'min_iou of the tracker must lie in (0, 1], got {self.min_iou}')
        if self.min_hits < 1:
            raise ConfigError(f'min_hits of the tracker must be at least 1, got {self.min_hits}')
        if not self.max_age_secs > 0:
            raise ConfigError(
                f'max_age_secs of the tracker must be positive, got {self.max_age_secs}'
            )


class Tracker:
    """Follows boxes by motion and overlap, class by class, in the way of SORT.

    A. Bewley et al., Simple online and realtime tracking, ICIP 2016, with time in seconds instead
    of frames. Boxes are predicted at constant velocity and paired by the greatest sum of overlaps.

    Attributes:
        options: may be replaced at any time.

    Example:
        >>> tracker = Tracker(TrackerOptions(min_hits=1))
        >>> box = np.array([[10, 10, 50, 90]], np.float32)
        >>> seen = Detections(box, np.ones(1, np.float32), np.zeros(1, np.int32))
        >>> tracker(seen, stamp_ns=0).track_ids
        array([0], dtype=int32)
    """

    def __init__(self, options: TrackerOptions | None = None) -> None:
        self.options = options or TrackerOptions()
        self._next_id = 0
        self.reset()

    def reset(self) -> None:
        """Forget all tracks. Numbers go on: none is given twice."""
        self._motion = BoxMotion()
        self._class_ids = np.zeros(0, np.int32)
        self._track_ids = np.zeros(0, np.int32)
        self._hits = np.zeros(0, np.int64)
        self._seen_ns = np.zeros(0, np.int64)
        self._stamp_ns: int | None = None

    def __len__(self) -> int:
        """Tracks in memory, seen in the last image or not."""
        return len(self._track_ids)

    def __call__(self, detections: Detections, stamp_ns: int) -> Detections:
        """Number the objects of the next image.

        Args:
            detections: of this image; empty is fine, time goes on.
            stamp_ns: acquisition time in nanoseconds. A jump back resets the tracker; an image
                that is only late counts as taken with the one before.

        Returns:
            The same rows with track_ids, -1 for objects seen fewer than min_hits times.
        """
        stamp_ns = self._advance(stamp_ns)
        tracks, seen = self._match(detections)
        self._motion.update(tracks, detections.xyxy[seen])
        self._hits[tracks] += 1
        self._seen_ns[tracks] = stamp_ns
        track_of = np.full(len(detections), -1)
        track_of[seen] = tracks
        new = track_of < 0
        track_of[new] = len(self) + np.arange(np.count_nonzero(new))
        self._add(detections[new], stamp_ns)
        self._number()
        return replace(detections, track_ids=self._track_ids[track_of])

    def _advance(self, stamp_ns: int) -> int:
        """Drop tracks not seen for too long, predict the others, return their time."""
        if self._stamp_ns is not None and stamp_ns < self._stamp_ns - JUMP_BACK_NS:
            self.reset()
        last_ns = stamp_ns if self._stamp_ns is None else self._stamp_ns
        self._stamp_ns = stamp_ns = max(stamp_ns, last_ns)
        young = stamp_ns - self._seen_ns <= self.options.max_age_secs * 1e9
        self._motion.keep(young)
        self._class_ids, self._track_ids = self._class_ids[young], self._track_ids[young]
        self._hits, self._seen_ns = self._hits[young], self._seen_ns[young]
        self._motion.predict((stamp_ns - last_ns) / 1e9)
        return stamp_ns

    def _match(self, detections: Detections) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the tracks and of the detections that belong together.

        Unmatched rows are tried once more with wider boxes, so that small, fast or long occluded
        objects match if prediction and detection only just miss each other: F. Yang et al.,
        Hard to track objects with irregular motions and similar appearances?, WACV 2023.
        """
        predicted, found = self._motion.xyxy(), detections.xyxy.astype(np.float64)
        same_class = self._class_ids[:, None] == detections.class_ids
        iou = np.where(same_class, box_iou(predicted, found), 0.0)
        tracks, seen = best_pairs(iou, self.options.min_iou)
        if len(tracks) == min(iou.shape):
            return tracks, seen
        wide_iou = np.where(same_class, box_iou(_widened(predicted), _widened(found)), 0.0)
        wide_iou[tracks], wide_iou[:, seen] = 0.0, 0.0
        late_tracks, late_seen = best_pairs(wide_iou, self.options.min_iou)
        return np.append(tracks, late_tracks), np.append(seen, late_seen)

    def _add(self, detections: Detections, stamp_ns: int) -> None:
        n = len(detections)
        self._motion.add(detections.xyxy)
        self._class_ids = np.append(self._class_ids, detections.class_ids)
        self._track_ids = np.append(self._track_ids, np.full(n, -1, np.int32))
        self._hits = np.append(self._hits, np.ones(n, np.int64))
        self._seen_ns = np.append(self._seen_ns, np.full(n, stamp_ns, np.int64))

    def _number(self) -> None:
        """Number the tracks with enough detections."""
        earned = (self._track_ids < 0) & (self._hits >= self.options.min_hits)
        first, self._next_id = self._next_id, self._next_id + int(np.count_nonzero(earned))
        self._track_ids[earned] = np.arange(first, self._next_id)


def _widened(xyxy: np.ndarray) -> np.ndarray:
    margins = _MARGIN * (xyxy[:, 2:] - xyxy[:, :2])
    return np.concatenate([xyxy[:, :2] - margins, xyxy[:, 2:] + margins], axis=1)


def best_pairs(gain: np.ndarray, min_gain: float) -> tuple[np.ndarray, np.ndarray]:
    """Pair rows with columns so that the sum of gains is greatest.

    Uncontested pairs are taken at once; the Hungarian method solves the rest.

    Args:
        gain: float (N, M), not negative.
        min_gain: pairs below it are never made.

    Returns:
        Indices of the paired rows and columns, int64 (K,) each, ascending rows.
    """
    allowed = gain >= max(min_gain, np.finfo(float).tiny)
    alone = allowed & (allowed.sum(1, keepdims=True) == 1) & (allowed.sum(0) == 1)
    rows, columns = np.nonzero(alone)
    contested = allowed & ~alone
    left_rows = np.flatnonzero(contested.any(1))
    left_columns = np.flatnonzero(contested.any(0))
    if len(left_rows):
        cost = -np.where(contested, gain, 0.0)[np.ix_(left_rows, left_columns)]
        chosen = _min_cost_columns(cost)
        pairs = [(r, left_columns[c]) for r, c in zip(left_rows, chosen, strict=True) if c >= 0]
        pairs = [(r, c) for r, c in pairs if contested[r, c]]
        rows = np.append(rows, [r for r, _ in pairs]).astype(np.int64)
        columns = np.append(columns, [c for _, c in pairs]).astype(np.int64)
    order = np.argsort(rows)
    return rows[order], columns[order]


def _min_cost_columns(cost: np.ndarray) -> np.ndarray:
    """Column of each row, -1 for unpaired rows: int64 (N,)."""
    n, m = cost.shape
    if n > m:
        row_of = _min_cost_columns(cost.T)
        columns = np.full(n, -1)
        columns[row_of] = np.arange(m)
        return columns
    row_of = _augment_all(cost)
    columns = np.full(n, -1)
    columns[row_of[row_of >= 0]] = np.flatnonzero(row_of >= 0)
    return columns


def _augment_all(cost: np.ndarray) -> np.ndarray:
    """Row of each column, -1 for free ones.

    Shortest augmenting paths with potentials: R. Jonker and A. Volgenant, A shortest augmenting
    path algorithm for dense and sparse linear assignment problems, Computing 38, 1987.
    """
    n, m = cost.shape
    row_of, u, v = np.full(m, -1), np.zeros(n), np.zeros(m)
    for start in range(n):
        shortest, previous = np.full(m, np.inf), np.full(m, -1)
        done, row, column, reached = np.zeros(m, bool), start, -1, 0.0
        while True:
            through = reached + cost[row] - u[row] - v
            shorter = ~done & (through < shortest)
            shortest[shorter], previous[shorter] = through[shorter], column
            column = int(np.argmin(np.where(done, np.inf, shortest)))
            reached, row = shortest[column], row_of[column]
            if row < 0:
                break
            done[column] = True
        u[row_of[done]] += reached - shortest[done]
        u[start] += reached
        v[done] -= reached - shortest[done]
        _flip_path(row_of, previous, column, start)
    return row_of


def _flip_path(row_of: np.ndarray, previous: np.ndarray, column: int, start: int) -> None:
    """Give each column on the path the row of the previous one, in place."""
    while previous[column] >= 0:
        row_of[column] = row_of[previous[column]]
        column = previous[column]
    row_of[column] = start
