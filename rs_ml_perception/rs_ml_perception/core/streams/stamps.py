"""Lookup by time stamp, jumps in time, periods and rate limits of a stream."""

from __future__ import annotations

import bisect
import itertools
from collections import deque
from typing import Generic, TypeVar

T = TypeVar('T')

JUMP_BACK_NS = 100_000_000
"""A stamp this far behind its predecessor starts a new time line (looped bag, camera restart)."""

DEFAULT_PERIOD_NS = 33_333_333


class StampHistory(Generic[T]):
    """The most recent items of a stream, looked up by stamp. Not thread-safe.

    Beyond capacity the first item to arrive is dropped, not the oldest stamp: otherwise a stamp in
    the future would stay for ever.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._stamps_ns: list[int] = []
        self._items: dict[int, T] = {}

    def __len__(self) -> int:
        return len(self._stamps_ns)

    def add(self, stamp_ns: int, item: T) -> None:
        """Add an item; an equal stamp replaces the item."""
        if stamp_ns in self._items:
            del self._items[stamp_ns]
        else:
            bisect.insort(self._stamps_ns, stamp_ns)
        self._items[stamp_ns] = item
        if len(self._items) > self._capacity:
            first_ns = next(iter(self._items))
            del (
                self._items[first_ns],
                self._stamps_ns[bisect.bisect_left(self._stamps_ns, first_ns)],
            )

    def add_or_restart(self, stamp_ns: int, item: T) -> None:
        """Add an item; one that goes back in time removes all later ones.

        So a new time line does not mix with the old one, and a single stamp in the future removes
        nothing else.
        """
        if self._stamps_ns and stamp_ns < self._stamps_ns[-1] - JUMP_BACK_NS:
            count = bisect.bisect_left(self._stamps_ns, stamp_ns)
            for later_ns in self._stamps_ns[count:]:
                del self._items[later_ns]
            del self._stamps_ns[count:]
        self.add(stamp_ns, item)

    def nearest(self, stamp_ns: int, *, tolerance_ns: int) -> tuple[int, T] | None:
        """The item closest to the stamp, as (its stamp - stamp, item); None beyond tolerance."""
        index = bisect.bisect_left(self._stamps_ns, stamp_ns)
        candidates = self._stamps_ns[max(0, index - 1) : index + 1]
        if not candidates:
            return None
        best_ns = min(candidates, key=lambda candidate_ns: abs(candidate_ns - stamp_ns))
        skew_ns = best_ns - stamp_ns
        return (skew_ns, self._items[best_ns]) if abs(skew_ns) <= tolerance_ns else None

    def around(self, stamp_ns: int) -> tuple[tuple[int, T] | None, tuple[int, T] | None]:
        """The (stamp, item) at or before the stamp, and the one at or after it."""
        before = bisect.bisect_right(self._stamps_ns, stamp_ns) - 1
        after = bisect.bisect_left(self._stamps_ns, stamp_ns)
        return self._entry(before), self._entry(after)

    def _entry(self, index: int) -> tuple[int, T] | None:
        if not 0 <= index < len(self._stamps_ns):
            return None
        found_ns = self._stamps_ns[index]
        return found_ns, self._items[found_ns]

    def clear(self) -> None:
        self._stamps_ns.clear()
        self._items.clear()


class JumpDetector:
    """Detects stamps that go back by more than jitter."""

    def __init__(self, jump_back_ns: int = JUMP_BACK_NS) -> None:
        self._jump_back_ns = jump_back_ns
        self._newest_ns: int | None = None

    def __call__(self, stamp_ns: int) -> bool:
        """Add a stamp; True if it starts a new time line."""
        newest_ns = self._newest_ns
        if newest_ns is not None and stamp_ns < newest_ns - self._jump_back_ns:
            self._newest_ns = stamp_ns
            return True
        self._newest_ns = stamp_ns if newest_ns is None else max(newest_ns, stamp_ns)
        return False


class PeriodMeter:
    """Period of a stream over its last stamps."""

    def __init__(self, window: int = 15) -> None:
        self._stamps_ns: deque[int] = deque(maxlen=window)

    def add(self, stamp_ns: int) -> None:
        """Add a stamp; one that goes back starts over, a repeated one is ignored."""
        if self._stamps_ns and stamp_ns < self._stamps_ns[-1]:
            self._stamps_ns.clear()
        if not self._stamps_ns or stamp_ns > self._stamps_ns[-1]:
            self._stamps_ns.append(stamp_ns)

    def __len__(self) -> int:
        return len(self._stamps_ns)

    @property
    def period_ns(self) -> int:
        """Median in nanoseconds; 30 Hz while fewer than three stamps are known."""
        gaps = self._gaps_ns()
        return gaps[len(gaps) // 2] if len(gaps) > 1 else DEFAULT_PERIOD_NS

    @property
    def shortest_ns(self) -> int | None:
        """Shortest distance of neighbours; None while fewer than three stamps are known."""
        gaps = self._gaps_ns()
        return gaps[0] if len(gaps) > 1 else None

    def _gaps_ns(self) -> list[int]:
        return sorted(b - a for a, b in itertools.pairwise(self._stamps_ns))


class RateLimit:
    """Limits the rate by stamps, so that replays at any speed are thinned alike."""

    def __init__(self) -> None:
        self._accepted_secs = float('-inf')

    def is_too_soon(self, stamp_ns: int, max_rate_hz: float) -> bool:
        """Whether an image follows the last accepted one too closely; rate 0: never."""
        if max_rate_hz <= 0:
            return False
        stamp_secs = stamp_ns * 1e-9
        since_secs = stamp_secs - self._accepted_secs
        # A tenth of slack: 30 Hz thinned to 15 must not fall to 10 over jitter.
        if 0 <= since_secs < 0.9 / max_rate_hz:
            return True
        self._accepted_secs = stamp_secs
        return False
