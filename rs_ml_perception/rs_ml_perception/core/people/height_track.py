"""Heights averaged over the frames of one track."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

MAX_JUMP_M, MAX_SPEED_M_PER_SEC = 0.3, 4.0
"""Limits of the change of distance of one person; beyond them the tracker confused two persons."""


@dataclass
class _Estimate:
    height_m: float
    variance: float
    weight: float
    last_seen_ns: int
    range_m: float


class HeightTracks:
    """A robust running mean per track, forgetting the old.

    Args:
        memory: maximum weight of the mean, in frames.
        outlier_stddevs: measurements farther off count less, by Huber's rule.
        forget_after_secs: tracks are dropped this long after their last frame.
        max_tracks: above it the tracks not seen for longest are dropped.
    """

    def __init__(
        self,
        *,
        memory: float = 30.0,
        outlier_stddevs: float = 2.0,
        forget_after_secs: float = 10.0,
        max_tracks: int = 256,
    ) -> None:
        self._memory = memory
        self._outlier_stddevs = outlier_stddevs
        self._forget_after_ns = int(1e9 * forget_after_secs)
        self._max_tracks = max_tracks
        self._estimates: OrderedDict[int, _Estimate] = OrderedDict()

    def __len__(self) -> int:
        return len(self._estimates)

    def clear(self) -> None:
        self._estimates.clear()

    def measured(
        self,
        track_id: int,
        height_m: float,
        stddev_m: float,
        stamp_ns: int,
        *,
        range_m: float = math.nan,
    ) -> tuple[float, float]:
        """Add a full measurement; returns the averaged height and its standard deviation.

        Args:
            track_id: of the tracker.
            height_m: as measured in this frame.
            stddev_m: its standard deviation.
            stamp_ns: of the frame.
            range_m: horizontal distance from the camera; NaN: unknown and ignored.
        """
        estimate = self._same_person(track_id, range_m, stamp_ns)
        if estimate is None:
            estimate = _Estimate(height_m, stddev_m**2, 1.0, stamp_ns, range_m)
        else:
            self._update(estimate, height_m, stddev_m)
        self._remember(track_id, estimate, stamp_ns, range_m)
        # Errors of one camera and one floor repeat from frame to frame: at least a third of the
        # error of one measurement remains.
        fraction = max(1.0 / np.sqrt(estimate.weight), 1.0 / 3.0)
        return estimate.height_m, float(np.sqrt(estimate.variance) * fraction)

    def bounded(
        self,
        track_id: int,
        bound_m: float,
        stddev_m: float,
        stamp_ns: int,
        *,
        range_m: float = math.nan,
    ) -> tuple[float, float]:
        """Add a lower bound, which never changes a measured height."""
        estimate = self._same_person(track_id, range_m, stamp_ns)
        if estimate is None or bound_m > estimate.height_m:
            return bound_m, stddev_m
        self._remember(track_id, estimate, stamp_ns, range_m)
        return estimate.height_m, float(np.sqrt(estimate.variance))

    def _same_person(self, track_id: int, range_m: float, stamp_ns: int) -> _Estimate | None:
        """The estimate of a track, dropped if the track has jumped to another person.

        Only the distance is compared, since a turning camera moves everything else.
        """
        estimate = self._estimates.get(track_id)
        if estimate is None:
            return None
        secs = 1e-9 * abs(stamp_ns - estimate.last_seen_ns)
        if abs(range_m - estimate.range_m) > MAX_JUMP_M + MAX_SPEED_M_PER_SEC * secs:
            del self._estimates[track_id]
            return None
        return estimate

    def _update(self, estimate: _Estimate, height_m: float, stddev_m: float) -> None:
        error = height_m - estimate.height_m
        spread = np.sqrt(estimate.variance + stddev_m**2)
        trust = min(1.0, self._outlier_stddevs * spread / max(abs(error), 1e-9))
        trust *= min(1.0, estimate.variance / max(stddev_m**2, 1e-9)) if stddev_m > 0 else 1.0
        estimate.weight = min(estimate.weight + trust, self._memory)
        gain = trust / estimate.weight
        estimate.height_m += gain * error
        estimate.variance += gain * (max(stddev_m**2, 0.25 * error**2) - estimate.variance)

    def _remember(self, track_id: int, estimate: _Estimate, stamp_ns: int, range_m: float) -> None:
        estimate.last_seen_ns, estimate.range_m = stamp_ns, range_m
        self._estimates[track_id] = estimate
        self._estimates.move_to_end(track_id)
        while len(self._estimates) > self._max_tracks:
            self._estimates.popitem(last=False)
        for old_id, old in list(self._estimates.items()):
            if stamp_ns - old.last_seen_ns <= self._forget_after_ns:
                break  # in order of the last frame: the rest is newer
            del self._estimates[old_id]
