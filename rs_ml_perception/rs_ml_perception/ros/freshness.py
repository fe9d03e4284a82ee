"""The age of a frame, whether it is too old, and why."""

from __future__ import annotations

import statistics
import time
from collections import deque

from rclpy.clock import ROSClock

from rs_ml_perception.ros.input.samples import Sample

TYPICAL_FRAMES = 20

AHEAD_SECS = 0.5
"""A stamp so far in the future is reported: /clock and the stamps of a replay differ by less."""


class StaleError(Exception):
    """A frame is too old: the detail for its report, and `advice` for the log."""

    def __init__(self, detail: str, advice: str) -> None:
        super().__init__(detail)
        self.advice = advice


class Freshness:
    """Judges frames by ROS time; one frame at a time.

    Attributes:
        note: what is wrong with the stamps of the latest frame, '' for nothing.
    """

    def __init__(self, clock: ROSClock) -> None:
        self.note = ''
        self._clock = clock
        self._took_ms: deque[float] = deque(maxlen=TYPICAL_FRAMES)
        self._began_ms = 0.0

    def age_ms(self, sample: Sample) -> float:
        """Milliseconds of ROS time since the stamp; 0 for a stamp in the future (looped bag)."""
        return max(0.0, 1e-6 * (self._clock.now().nanoseconds - sample.stamp_ns))

    def begin(self, sample: Sample, limit_secs: float) -> None:
        """A frame's turn has come.

        Args:
            sample: the primary message.
            limit_secs: how old it may be, 0: as old as it likes.

        Raises:
            StaleError: it is older.
        """
        self.note = self._future(sample)
        self._began_ms = self.age_ms(sample)
        self._check(sample, limit_secs, 0.0)

    def check_result(self, sample: Sample, limit_secs: float, budget_ms: float) -> None:
        """Its result is at hand: judge again, for the process may have been stopped meanwhile.

        A network that is slow every time does not make its results stale: what processing
        usually takes, or may take, comes on top of the limit.

        Raises:
            StaleError: the result is too old to go out.
        """
        usual_ms = statistics.median(self._took_ms) if self._took_ms else 0.0
        self._took_ms.append(self.age_ms(sample) - self._began_ms)
        self._check(sample, limit_secs, max(usual_ms, budget_ms))

    def _check(self, sample: Sample, limit_secs: float, allowed_ms: float) -> None:
        age_ms = self.age_ms(sample)
        if limit_secs <= 0 or age_ms <= 1e3 * limit_secs + allowed_ms:
            return
        # The part that did not pass in this process is due to clocks or transport.
        lag_secs = 1e-3 * age_ms - (time.monotonic() - sample.received_secs)
        if lag_secs > limit_secs:
            self.note = f'stale: stamps lag {self._clock_name} by {lag_secs:.1f} s'
            self.note += f', max_age_secs is {limit_secs:g}: {self._remedy}'
            raise StaleError(f'{1e-3 * age_ms:.1f} s old', self.note)
        waited = f'stale: {1e-3 * age_ms:.1f} s old, most of it spent in this process'
        advice = f'{waited}, which is overloaded or was stopped; max_age_secs is {limit_secs:g}'
        raise StaleError(f'{1e-3 * age_ms:.1f} s old', advice)

    def _future(self, sample: Sample) -> str:
        """The problem of a stamp of the future: its age cannot be known."""
        now_ns = self._clock.now().nanoseconds
        if now_ns == 0:
            return 'use_sim_time is set, and nothing comes on /clock: age is not known'
        ahead_secs = 1e-9 * (sample.stamp_ns - now_ns)
        if ahead_secs <= AHEAD_SECS:
            return ''
        return (
            f'stamps are {ahead_secs:.1f} s ahead of {self._clock_name}, age is not known: both '
            'need the same clock'
        )

    @property
    def _remedy(self) -> str:
        if self._clock.ros_time_is_active:
            return (
                'the log times of the recording are of another clock than its stamps: replay it '
                'in lockstep, or set max_age_secs to 0'
            )
        return (
            'replay recordings with --clock and use_sim_time, synchronize the clocks of camera '
            'and computer, or set max_age_secs to 0'
        )

    @property
    def _clock_name(self) -> str:
        return '/clock' if self._clock.ros_time_is_active else "this computer's clock"
