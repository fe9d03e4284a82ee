"""Counters of a stream: the outcome of every frame, and messages that were never received."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

WINDOW_FRAMES = 300
"""Frames in the window of percentiles: 10 s at 30 Hz."""

FPS_WINDOW_SECS = 5.0


class Outcome(str, Enum):
    """The outcome of a frame."""

    PUBLISHED = 'published'
    STALE = 'stale'
    SUPERSEDED = 'superseded'
    UNSYNCHRONISED = 'unsynchronised'
    REJECTED = 'rejected'
    ERROR = 'error'


DROPPED = tuple(outcome for outcome in Outcome if outcome is not Outcome.PUBLISHED)


@dataclass(frozen=True)
class FrameCounts:
    """Counts at one moment: received = sum of outcomes + in_flight.

    Attributes:
        received: messages of the primary stream.
        outcomes: frames per Outcome.
        fps: published per second over the last seconds.
        latency_ms: (p50, p95) from reception to publication, wall time; NaN before the first.
        age_ms: (p50, p95) from stamp to publication, ROS time; NaN before the first.
        stage_ms: mean per stage over the last frames.
        last_detail: reason of the latest dropped frame, '' if none was dropped.
    """

    received: int
    outcomes: Mapping[Outcome, int]
    fps: float
    latency_ms: tuple[float, float]
    age_ms: tuple[float, float]
    stage_ms: Mapping[str, float]
    last_detail: str

    @property
    def published(self) -> int:
        return self.outcomes[Outcome.PUBLISHED]

    @property
    def dropped(self) -> dict[str, int]:
        """Frames per reason, without reasons that did not occur."""
        return {o.value: self.outcomes[o] for o in DROPPED if self.outcomes[o]}

    @property
    def in_flight(self) -> int:
        return self.received - sum(self.outcomes.values())


class FrameCounters:
    """Counts frames; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Start from zero."""
        with self._lock:
            self._received = 0
            self._outcomes: Counter[Outcome] = Counter()
            self._latency_ms: deque[float] = deque(maxlen=WINDOW_FRAMES)
            self._age_ms: deque[float] = deque(maxlen=WINDOW_FRAMES)
            self._published_at: deque[float] = deque(maxlen=WINDOW_FRAMES)
            self._stages: deque[Mapping[str, float]] = deque(maxlen=WINDOW_FRAMES)
            self._last_detail = ''

    def receive(self) -> None:
        with self._lock:
            self._received += 1

    def publish(
        self, *, latency_ms: float, age_ms: float, stage_ms: Mapping[str, float] | None = None
    ) -> None:
        """Count one frame as published."""
        with self._lock:
            self._outcomes[Outcome.PUBLISHED] += 1
            self._latency_ms.append(latency_ms)
            self._age_ms.append(age_ms)
            self._published_at.append(time.monotonic())
            self._stages.append(stage_ms or {})

    def drop(self, reason: Outcome, detail: str = '') -> None:
        """Count one frame as dropped."""
        if reason is Outcome.PUBLISHED:
            raise ValueError('published is no reason to drop a frame: call publish')
        with self._lock:
            self._outcomes[reason] += 1
            self._last_detail = detail or reason.value

    def snapshot(self) -> FrameCounts:
        """Consistent counts of this moment."""
        with self._lock:
            return FrameCounts(
                received=self._received,
                outcomes={outcome: self._outcomes[outcome] for outcome in Outcome},
                fps=self._fps(time.monotonic()),
                latency_ms=_percentiles(self._latency_ms),
                age_ms=_percentiles(self._age_ms),
                stage_ms=_means(self._stages),
                last_detail=self._last_detail,
            )

    def _fps(self, now: float) -> float:
        recent = [t for t in self._published_at if now - t <= FPS_WINDOW_SECS]
        if len(recent) < 2:
            return 0.0
        return (len(recent) - 1) / max(recent[-1] - recent[0], 1e-6)


def _percentiles(values: deque[float]) -> tuple[float, float]:
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return float('nan'), float('nan')
    p50, p95 = np.percentile(known, (50, 95))
    return float(p50), float(p95)


def _means(rows: deque[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: sum(row.get(name, 0.0) for row in rows) / len(rows) for name in names}


@dataclass(frozen=True)
class Missed:
    """Messages of a stream that never arrived.

    Attributes:
        lost: reported lost by the middleware.
        overwritten: sent, not reported lost and not received: overwritten in the queue of the
            reader by newer ones. None: not counted, since the middleware gives no numbers or
            several publishers share the topic.
    """

    lost: int = 0
    overwritten: int | None = None

    def since(self, before: Missed) -> Missed:
        """The messages missed after `before` was taken."""
        overwritten = self.overwritten
        if overwritten is not None:
            overwritten = max(0, overwritten - (before.overwritten or 0))
        return Missed(max(0, self.lost - before.lost), overwritten)


class SequenceGaps:
    """Counts missing sequence numbers.

    A message does not name its publisher, so a gap only counts once the graph shows that there was
    one publisher all the time: a late start of the reader, a restarted publisher or two
    alternating ones are not losses.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._unconfirmed = 0
        self._confirmed = 0
        self._is_numbered = False
        self._publishers: frozenset[Hashable] = frozenset()

    @property
    def missed(self) -> int | None:
        """Confirmed number of missing messages; None if it cannot be known."""
        if not self._is_numbered or len(self._publishers) > 1:
            return None
        return self._confirmed

    def add(self, number: int | None) -> None:
        """Add the number of a received message; None: the middleware gives none."""
        self._is_numbered = number is not None
        if number is None:
            return
        if self._last is not None and number > self._last:
            self._unconfirmed += number - self._last - 1
        self._last = number

    def confirm(self, publishers: Collection[Hashable]) -> None:
        """Update the publishers of the topic; call it regularly."""
        now = frozenset(publishers)
        if not now or now == self._publishers or not self._publishers:
            # A publisher that has just gone sent all earlier messages.
            if len(now) <= 1:
                self._confirmed += self._unconfirmed
        else:
            self._last = None
        if len(now) > 1:
            self._last = None
        self._unconfirmed = 0
        self._publishers = now or self._publishers

    def restart(self) -> None:
        """The reader restarts: messages sent in between do not count."""
        self._last = None
