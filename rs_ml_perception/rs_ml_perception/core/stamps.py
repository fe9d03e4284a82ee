"""Looking up what was seen at a time, and noticing when time jumps."""

from __future__ import annotations

import bisect
import itertools
from collections import deque
from typing import Generic, TypeVar

T = TypeVar('T')

JUMP_BACK_NS = 100_000_000
"""A stamp this far behind its predecessor is a new beginning (looped bag, camera restart)."""

DEFAULT_PERIOD_NS = 33_333_333


class StampHistory(Generic[T]):
    """The last items of a stream by stamp, oldest first. Not thread-safe."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._stamps_ns: list[int] = []
        self._items: list[T] = []

    def __len__(self) -> int:
        return len(self._stamps_ns)

    @property
    def newest_ns(self) -> int | None:
        return self._stamps_ns[-1] if self._stamps_ns else None

    @property
    def period_ns(self) -> int:
        """Median distance between neighbours; 30 Hz while fewer than three items are known."""
        gaps = sorted(b - a for a, b in itertools.pairwise(self._stamps_ns))
        return gaps[len(gaps) // 2] if len(gaps) > 1 else DEFAULT_PERIOD_NS

    def add(self, stamp_ns: int, item: T) -> None:
        """Insert in order; an equal stamp replaces the item, the oldest beyond capacity goes."""
        index = bisect.bisect_left(self._stamps_ns, stamp_ns)
        if index < len(self._stamps_ns) and self._stamps_ns[index] == stamp_ns:
            self._items[index] = item
            return
        self._stamps_ns.insert(index, stamp_ns)
        self._items.insert(index, item)
        if len(self._stamps_ns) > self._capacity:
            del self._stamps_ns[0], self._items[0]

    def add_or_restart(self, stamp_ns: int, item: T) -> None:
        """Add; an item that starts a new time line is alone in it."""
        if self._stamps_ns and stamp_ns < self._stamps_ns[-1] - JUMP_BACK_NS:
            self.clear()
        self.add(stamp_ns, item)

    def nearest(self, stamp_ns: int, *, tolerance_ns: int) -> tuple[int, T] | None:
        """The item closest to the stamp, as (its stamp - stamp, item); None beyond tolerance."""
        index = bisect.bisect_left(self._stamps_ns, stamp_ns)
        candidates = [i for i in (index - 1, index) if 0 <= i < len(self._stamps_ns)]
        if not candidates:
            return None
        best = min(candidates, key=lambda i: abs(self._stamps_ns[i] - stamp_ns))
        skew_ns = self._stamps_ns[best] - stamp_ns
        return (skew_ns, self._items[best]) if abs(skew_ns) <= tolerance_ns else None

    def around(self, stamp_ns: int) -> tuple[tuple[int, T] | None, tuple[int, T] | None]:
        """The (stamp, item) at or before the stamp, and the one at or after it."""
        before = bisect.bisect_right(self._stamps_ns, stamp_ns) - 1
        after = bisect.bisect_left(self._stamps_ns, stamp_ns)
        return self._entry(before), self._entry(after)

    def _entry(self, index: int) -> tuple[int, T] | None:
        if not 0 <= index < len(self._stamps_ns):
            return None
        return self._stamps_ns[index], self._items[index]

    def drop_until(self, stamp_ns: int) -> None:
        """Forget every item up to and including the stamp."""
        count = bisect.bisect_right(self._stamps_ns, stamp_ns)
        del self._stamps_ns[:count], self._items[:count]

    def clear(self) -> None:
        self._stamps_ns.clear()
        self._items.clear()


class JumpDetector:
    """Tells when a stream's stamps go back by more than jitter."""

    def __init__(self, jump_back_ns: int = JUMP_BACK_NS) -> None:
        self._jump_back_ns = jump_back_ns
        self._newest_ns: int | None = None

    def __call__(self, stamp_ns: int) -> bool:
        """Note a stamp; True when it starts a new time line."""
        newest_ns = self._newest_ns
        if newest_ns is not None and stamp_ns < newest_ns - self._jump_back_ns:
            self._newest_ns = stamp_ns
            return True
        self._newest_ns = stamp_ns if newest_ns is None else max(newest_ns, stamp_ns)
        return False


class PeriodMeter:
    """Median period of a stream over its last stamps."""

    def __init__(self, window: int = 15) -> None:
        self._stamps_ns: deque[int] = deque(maxlen=window)

    def add(self, stamp_ns: int) -> None:
        if self._stamps_ns and stamp_ns <= self._stamps_ns[-1]:
            self._stamps_ns.clear()
        self._stamps_ns.append(stamp_ns)

    def __len__(self) -> int:
        return len(self._stamps_ns)

    @property
    def period_ns(self) -> int:
        """Nanoseconds; 30 Hz while fewer than three stamps are known."""
        stamps = list(self._stamps_ns)
        gaps = sorted(b - a for a, b in itertools.pairwise(stamps))
        return gaps[len(gaps) // 2] if len(gaps) > 1 else DEFAULT_PERIOD_NS
