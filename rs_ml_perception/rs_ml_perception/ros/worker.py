"""The thread that processes the latest frame set, drops stale ones and counts every outcome."""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from rclpy.clock import Clock, ROSClock
from rclpy.impl.rcutils_logger import RcutilsLogger

from rs_ml_perception.core.errors import InputError, printable
from rs_ml_perception.core.frames.frame import check_header
from rs_ml_perception.core.streams.counters import FrameCounters, Outcome
from rs_ml_perception.core.streams.stamps import RateLimit
from rs_ml_perception.ros.guards import traceback_text
from rs_ml_perception.ros.input.samples import FrameSet, TopicSample

TAKE_TIMEOUT_SECS = 0.5
LOG_THROTTLE_SECS = 5.0

TYPICAL_FRAMES = 20
"""The processing times of so many frames say which is usual."""

AHEAD_SECS = 0.5
"""A stamp this far in the future is reported: /clock and the stamps of a replay differ by less."""

T = TypeVar('T')

Process = Callable[[FrameSet], Mapping[str, float]]
"""Processes and publishes one frame set; returns milliseconds per stage."""

Report = Callable[[TopicSample, Outcome, str, float, float], None]
"""Called with (sample, outcome, detail, age_ms, latency_ms) once per frame."""


class UnsynchronisedError(Exception):
    """A message that the frame requires never came."""


class OverdueError(Exception):
    """The node was deactivated without waiting for the frame in progress."""


@dataclass(frozen=True)
class Limits:
    """Limits beyond which a frame is not processed; 0 for no limit."""

    max_age_secs: float = 0.0
    max_rate_hz: float = 0.0


class StaleError(Exception):
    """A frame is too old; the text is the detail of its report, `advice` is for the log."""

    def __init__(self, detail: str, advice: str) -> None:
        super().__init__(detail)
        self.advice = advice


class Freshness:
    """Checks the age of frames in ROS time, one frame at a time.

    Attributes:
        note: the fault in the stamps of the latest frame, '' for none.
    """

    def __init__(self, clock: Clock) -> None:
        self.note = ''
        self._clock = clock
        self._took_ms: deque[float] = deque(maxlen=TYPICAL_FRAMES)
        self._began_ms = 0.0

    def age_ms(self, sample: TopicSample) -> float:
        """Milliseconds of ROS time since the stamp; 0 for a stamp in the future (looped bag)."""
        return max(0.0, 1e-6 * (self._clock.now().nanoseconds - sample.stamp_ns))

    def begin(self, sample: TopicSample, limit_secs: float) -> None:
        """Check a frame whose processing begins.

        Args:
            sample: the primary message.
            limit_secs: largest age; 0: no limit.

        Raises:
            StaleError: it is older.
        """
        self.note = self._future(sample)
        self._began_ms = self.age_ms(sample)
        self._check(sample, limit_secs, 0.0)

    def check_result(self, sample: TopicSample, limit_secs: float, budget_ms: float) -> None:
        """Check the same frame before its result is published: the process may have been stopped.

        A network that is always slow does not make its results stale: the usual processing time,
        or the budget where that is longer, is added to the limit.

        Raises:
            StaleError: the result is too old.
        """
        usual_ms = statistics.median(self._took_ms) if self._took_ms else 0.0
        self._took_ms.append(self.age_ms(sample) - self._began_ms)
        self._check(sample, limit_secs, max(usual_ms, budget_ms))

    def _check(self, sample: TopicSample, limit_secs: float, allowed_ms: float) -> None:
        age_ms = self.age_ms(sample)
        if limit_secs <= 0 or age_ms <= 1e3 * limit_secs + allowed_ms:
            return
        # Age that did not accumulate in this process comes from clocks or transport.
        lag_secs = 1e-3 * age_ms - (time.monotonic() - sample.received_secs)
        if lag_secs > limit_secs:
            self.note = f'stale: stamps lag {self._clock_name} by {lag_secs:.1f} s'
            self.note += f', max_age_secs is {limit_secs:g}: {self._remedy}'
            raise StaleError(f'{1e-3 * age_ms:.1f} s old', self.note)
        waited = f'stale: {1e-3 * age_ms:.1f} s old, most of it spent in this process'
        advice = f'{waited}, which is overloaded or was stopped; max_age_secs is {limit_secs:g}'
        raise StaleError(f'{1e-3 * age_ms:.1f} s old', advice)

    def _future(self, sample: TopicSample) -> str:
        """Why the age of the frame is unknown: its stamp is in the future."""
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
    def _is_simulated(self) -> bool:
        """Whether /clock sets the time."""
        return isinstance(self._clock, ROSClock) and self._clock.ros_time_is_active

    @property
    def _remedy(self) -> str:
        if self._is_simulated:
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
        return '/clock' if self._is_simulated else "this computer's clock"


class Mailbox(Generic[T]):
    """One slot from the executor to the worker: the latest item wins, latency stays bounded."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._item: T | None = None
        self._is_closed = False

    def put(self, item: T) -> T | None:
        """Store the item; returns the one it replaces, or the item itself once closed."""
        with self._condition:
            if self._is_closed:
                return item
            replaced, self._item = self._item, item
            self._condition.notify()
            return replaced

    def take(self, timeout_secs: float) -> T | None:
        """Wait for an item; None after the time-out or once closed."""
        with self._condition:
            if self._item is None and not self._is_closed:
                self._condition.wait(timeout_secs)
            item, self._item = self._item, None
            return item

    def close(self) -> T | None:
        """Accept no more items and wake the worker; returns the item it will not get."""
        with self._condition:
            self._is_closed = True
            left, self._item = self._item, None
            self._condition.notify_all()
            return left


class FrameWorker:
    """Consumer of a frame synchronizer; its thread works on the latest frame set.

    Attributes:
        limits: may be replaced at any time.
        rejected: why the latest frame was rejected, '' after a success.
        failure: the exception of the latest frame, '' after a success.
        first_failure: the first exception of any frame.
        is_overdue: whether the node was deactivated without waiting for the current frame.
        freshness: checks the age of frames.
        over_budget_since: monotonic time since which every frame exceeded the budget, or None.
    """

    def __init__(
        self,
        process: Process,
        *,
        counters: FrameCounters,
        report: Report,
        clock: Clock,
        logger: RcutilsLogger,
        limits: Limits,
        budget_ms: Callable[[], float],
    ) -> None:
        self.limits = limits
        self.rejected = ''
        self.failure = ''
        self.first_failure = ''
        self.is_overdue = False
        self.over_budget_since: float | None = None
        self._process = process
        self._counters = counters
        self._report = report
        self.freshness = Freshness(clock)
        self._logger = logger
        self._budget_ms = budget_ms
        self._mailbox: Mailbox[FrameSet] = Mailbox()
        self._is_stopping = threading.Event()
        self._rate_limit = RateLimit()
        self._thread = threading.Thread(target=self._run, name='frames', daemon=True)
        self._thread.start()

    def on_received(self, _: TopicSample) -> None:
        self._counters.receive()

    def on_frames(self, frames: FrameSet) -> None:
        if self._rate_limit.is_too_soon(frames.primary.stamp_ns, self.limits.max_rate_hz):
            self._drop(frames, Outcome.SUPERSEDED, 'max_rate_hz')
            return
        replaced = self._mailbox.put(frames)
        if replaced is not None:
            why = 'deactivated' if self._is_stopping.is_set() else 'a newer frame came first'
            self._drop(replaced, Outcome.SUPERSEDED, why)

    def begin_to_stop(self) -> None:
        """Accept no more frames; one that still waits is counted as dropped."""
        self._is_stopping.set()
        left = self._mailbox.close()
        if left is not None:
            self._drop(left, Outcome.SUPERSEDED, 'deactivated')

    def stop(self, timeout_secs: float) -> bool:
        """End the thread after the current frame.

        Returns:
            False where that takes longer. The frame is then counted and not published, and the
            thread ends when it is done.
        """
        self.begin_to_stop()
        self._thread.join(timeout_secs)
        self.is_overdue = self._thread.is_alive()
        return not self.is_overdue

    def has_ended(self, timeout_secs: float) -> bool:
        """Wait for the end of the thread, at most this long; whether it has ended."""
        self._thread.join(timeout_secs)
        return not self._thread.is_alive()

    def when_ended(self, action: Callable[[], None]) -> None:
        """Call the action, in another thread, when this one has ended."""

        def wait() -> None:
            self._thread.join()
            action()

        threading.Thread(target=wait, name='afterwards', daemon=True).start()

    def over_budget_secs(self) -> float:
        """How long every frame has exceeded the budget."""
        since = self.over_budget_since
        return 0.0 if since is None else time.monotonic() - since

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            frames = self._mailbox.take(TAKE_TIMEOUT_SECS)
            if frames is not None:
                self._handle(frames)

    def _handle(self, frames: FrameSet) -> None:
        try:
            self._handle_checked(frames)
        except OverdueError:
            self._drop(frames, Outcome.SUPERSEDED, 'deactivated')
        except StaleError as error:
            self._logger.warning(error.advice, throttle_duration_sec=LOG_THROTTLE_SECS)
            self._drop(frames, Outcome.STALE, str(error))
        except UnsynchronisedError as error:
            self._drop(frames, Outcome.UNSYNCHRONISED, printable(str(error)))
        except InputError as error:
            self.rejected = printable(str(error))
            self._logger.error(
                f'rejected: {self.rejected}', throttle_duration_sec=LOG_THROTTLE_SECS
            )
            self._drop(frames, Outcome.REJECTED, self.rejected)
        except Exception as error:
            self.failure = printable(f'{type(error).__name__}: {error}')
            self.first_failure = self.first_failure or self.failure
            self._logger.error(
                f'frame failed:\n{traceback_text()}',
                throttle_duration_sec=LOG_THROTTLE_SECS,
            )
            self._drop(frames, Outcome.ERROR, self.failure)

    def _handle_checked(self, frames: FrameSet) -> None:
        check_header(frames.primary.stamp_ns, frames.primary.frame_id)
        self.freshness.begin(frames.primary, self.limits.max_age_secs)
        stage_ms = self._process(frames)
        self.rejected = self.failure = ''
        self._note_budget(sum(stage_ms.values()))
        age_ms, latency_ms = self._age_ms(frames.primary), self._latency_ms(frames.primary)
        self._counters.publish(latency_ms=latency_ms, age_ms=age_ms, stage_ms=stage_ms)
        self._report_outcome(frames.primary, Outcome.PUBLISHED, '', age_ms, latency_ms)

    def check_result(self, frames: FrameSet, *, is_current: bool) -> None:
        """Check that a result may still be published.

        Args:
            frames: its messages.
            is_current: whether the node still uses this worker.

        Raises:
            OverdueError: the node was deactivated meanwhile.
            StaleError: the result is too old.
        """
        if self.is_overdue or not is_current:
            raise OverdueError
        limit_secs = self.limits.max_age_secs
        self.freshness.check_result(frames.primary, limit_secs, self._budget_ms())

    def _note_budget(self, processing_ms: float) -> None:
        if processing_ms <= self._budget_ms():
            self.over_budget_since = None
        elif self.over_budget_since is None:
            self.over_budget_since = time.monotonic()

    def _drop(self, frames: FrameSet, reason: Outcome, detail: str) -> None:
        self._counters.drop(reason, detail)
        sample = frames.primary
        self._report_outcome(
            sample, reason, detail, self._age_ms(sample), self._latency_ms(sample)
        )

    def _report_outcome(
        self, sample: TopicSample, outcome: Outcome, detail: str, age_ms: float, latency_ms: float
    ) -> None:
        """Report an outcome that is counted already: an exception must not count it twice."""
        try:
            self._report(sample, outcome, detail, age_ms, latency_ms)
        except Exception:
            self._logger.error(
                f'frame report failed:\n{traceback_text()}',
                throttle_duration_sec=LOG_THROTTLE_SECS,
            )

    def _age_ms(self, sample: TopicSample) -> float:
        return self.freshness.age_ms(sample)

    def _latency_ms(self, sample: TopicSample) -> float:
        return 1e3 * (time.monotonic() - sample.received_secs)
