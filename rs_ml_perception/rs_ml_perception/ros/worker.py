"""The thread that processes frames, and the counts of what became of each."""

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

    def __init__(self, clock: Clock) -> None:
        self.note = ''
        self._clock = clock
        self._took_ms: deque[float] = deque(maxlen=TYPICAL_FRAMES)
        self._began_ms = 0.0

    def age_ms(self, sample: TopicSample) -> float:
        """Milliseconds of ROS time since the stamp; 0 for a stamp in the future (looped bag)."""
        return max(0.0, 1e-6 * (self._clock.now().nanoseconds - sample.stamp_ns))

    def begin(self, sample: TopicSample, limit_secs: float) -> None:
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

    def check_result(self, sample: TopicSample, limit_secs: float, budget_ms: float) -> None:
        """Its result is at hand: judge again, for the process may have been stopped meanwhile.

        A network that is slow every time does not make its results stale: what processing
        usually takes, or may take, comes on top of the limit.

        Raises:
            StaleError: the result is too old to go out.
        """
        usual_ms = statistics.median(self._took_ms) if self._took_ms else 0.0
        self._took_ms.append(self.age_ms(sample) - self._began_ms)
        self._check(sample, limit_secs, max(usual_ms, budget_ms))

    def _check(self, sample: TopicSample, limit_secs: float, allowed_ms: float) -> None:
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

    def _future(self, sample: TopicSample) -> str:
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


T = TypeVar('T')


class Mailbox(Generic[T]):
    """One slot. What is put while the slot is full comes back to be counted."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._item: T | None = None
        self._is_closed = False

    def put(self, item: T) -> T | None:
        """Store the item and return the one it replaces; a closed box returns the item itself."""
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
        """Wake the worker up for good; return what it will not see."""
        with self._condition:
            self._is_closed = True
            left, self._item = self._item, None
            self._condition.notify_all()
            return left


TAKE_TIMEOUT_SECS = 0.5
LOG_THROTTLE_SECS = 5.0


class UnsynchronisedError(Exception):
    """The partner a frame cannot do without never came."""


class OverdueError(Exception):
    """The node was deactivated while the frame was worked on, and did not wait for it."""


@dataclass(frozen=True)
class Limits:
    """When a frame is not worth processing: max_age_secs and max_rate_hz, 0 for no limit."""

    max_age_secs: float = 0.0
    max_rate_hz: float = 0.0


Process = Callable[[FrameSet], Mapping[str, float]]
"""Handles one frame set, publishes, returns milliseconds per stage."""

Report = Callable[[TopicSample, Outcome, str, float, float], None]
"""Called with (sample, outcome, detail, age_ms, latency_ms) once per frame."""


class FrameWorker:
    """Consumer of a frame synchronizer: keeps the latest frame set for its thread.

    Attributes:
        limits: may be replaced at any time.
        rejected: why the latest frame was rejected, '' once one went through.
        failure: what the latest frame raised, '' once one went through.
        first_failure: what the first frame that failed raised.
        is_overdue: nobody waits any more for the frame at hand.
        freshness: judges the age of frames.
        over_budget_since: monotonic time since which every frame took too long, None within.
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
        """Take on no more frames; one that was not begun is counted."""
        self._is_stopping.set()
        left = self._mailbox.close()
        if left is not None:
            self._drop(left, Outcome.SUPERSEDED, 'deactivated')

    def stop(self, timeout_secs: float) -> bool:
        """End the thread; False where the frame at hand takes longer: it is counted, unpublished.

        The thread then goes on by itself until it is through with the frame.
        """
        self.begin_to_stop()
        self._thread.join(timeout_secs)
        self.is_overdue = self._thread.is_alive()
        return not self.is_overdue

    def has_ended(self, timeout_secs: float) -> bool:
        """Whether the thread has ended, after a while at most."""
        self._thread.join(timeout_secs)
        return not self._thread.is_alive()

    def when_ended(self, action: Callable[[], None]) -> None:
        """Call the action once the thread is through with its frame."""

        def wait() -> None:
            self._thread.join()
            action()

        threading.Thread(target=wait, name='afterwards', daemon=True).start()

    def over_budget_secs(self) -> float:
        """For how long every frame has taken more than the budget."""
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
        self._tell(frames.primary, Outcome.PUBLISHED, '', age_ms, latency_ms)

    def check_result(self, frames: FrameSet, *, is_current: bool) -> None:
        """Whether a result may still go out.

        Args:
            frames: what it was made of.
            is_current: whether the node still works with this worker.

        Raises:
            OverdueError: nobody waits for it.
            StaleError: it is too old.
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
        self._tell(sample, reason, detail, self._age_ms(sample), self._latency_ms(sample))

    def _tell(
        self, sample: TopicSample, outcome: Outcome, detail: str, age_ms: float, latency_ms: float
    ) -> None:
        """Report what the counts hold already: a failure here must not book the frame again."""
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
