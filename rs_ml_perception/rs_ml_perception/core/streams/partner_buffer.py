"""The most recent messages of a partner stream, and statistics of them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from rs_ml_perception.core.streams.partner_counts import Arrival, PartnerCounters
from rs_ml_perception.core.streams.stamps import JUMP_BACK_NS, PeriodMeter

FAR_NS = 1_000_000_000
"""A partner stamped this far from the primary stream is of another clock."""


class Stamped(Protocol):
    """The part of a message used for pairing: acquisition time and monotonic arrival."""

    @property
    def stamp_ns(self) -> int: ...

    @property
    def received_secs(self) -> float: ...


Q = TypeVar('Q', bound=Stamped)


class Partner(Generic[Q]):
    """A kept partner.

    Attributes:
        was_near: whether its stamp was near the primary stream once.
        is_late: whether its primary message was released before it.
        is_used: whether it was paired.
    """

    def __init__(self, sample: Q) -> None:
        self.sample = sample
        self.stamp_ns = sample.stamp_ns
        self.was_near = self.is_late = self.is_used = False


class PartnerBuffer(Generic[Q]):
    """Keeps the most recent partners by arrival and classifies each.

    Args:
        capacity: partners kept.
        counters: counts the partners.
        far_ns: maximum distance of a stamp from the primary stream.
        suspect_secs: maximum lead over it at arrival.

    Attributes:
        period: of the stream, from partners near the primary stream.
    """

    def __init__(
        self, capacity: int, counters: PartnerCounters, *, far_ns: int, suspect_secs: float
    ) -> None:
        self.period = PeriodMeter()
        self._capacity = capacity
        self._far_ns = far_ns
        self._suspect_secs = suspect_secs
        self._counters = counters
        self._kept: deque[Partner[Q]] = deque()
        self._primary_period = PeriodMeter()
        self._latest: Stamped | None = None

    @property
    def kept(self) -> tuple[Partner[Q], ...]:
        """In order of arrival."""
        return tuple(self._kept)

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the most recent partner, None before the first."""
        return self._kept[-1].stamp_ns if self._kept else None

    @property
    def waiting(self) -> int:
        """Number of unpaired partners."""
        return sum(not partner.is_used for partner in self._kept)

    def see_primary(self, message: Stamped) -> None:
        """Add a message of the primary stream."""
        self._latest = message
        self._primary_period.add(message.stamp_ns)
        for partner in self._kept:
            partner.was_near |= self._is_near(partner.stamp_ns, message.stamp_ns)

    def add(self, sample: Q, lateness_secs: float) -> None:
        """Keep a partner; `lateness_secs` after its message was released without it, else NaN."""
        partner, latest = Partner(sample), self._latest
        partner.was_near = latest is None or self._is_of_the_present(sample, latest)
        partner.is_late = not math.isnan(lateness_secs)
        if partner.was_near:
            self.period.add(sample.stamp_ns)
        offset_secs = math.nan if latest is None else self._offset_secs(sample, latest)
        # In a replay faster than real time a partner may arrive a period ahead.
        ahead_secs = max(self._suspect_secs, 1.5e-9 * self._primary_period.period_ns)
        arrival = Arrival(
            offset_secs,
            lateness_secs,
            is_far=not partner.was_near,
            is_ahead=offset_secs > ahead_secs,
        )
        self._counters.receive(sample.received_secs, arrival)
        self._kept.append(partner)
        while len(self._kept) > self._capacity:
            self._count(self._kept.popleft())

    def same(self, stamp_ns: int) -> Partner[Q] | None:
        """The most recent partner of equal stamp."""
        return next((p for p in reversed(self._kept) if p.stamp_ns == stamp_ns), None)

    def nearest(self, stamp_ns: int, tolerance_ns: int) -> Partner[Q] | None:
        """The partner of the nearest stamp within the tolerance."""
        found = min(self._kept, key=lambda p: abs(p.stamp_ns - stamp_ns), default=None)
        is_within = found is not None and abs(found.stamp_ns - stamp_ns) <= tolerance_ns
        return found if is_within else None

    def gap_ns(self, stamp_ns: int) -> int | None:
        """The nearest stamp at any distance minus this one; None if no partner is kept."""
        return min((p.stamp_ns - stamp_ns for p in self._kept), key=abs, default=None)

    def near_secs(self, gap_ns: int | None) -> float:
        """A gap in seconds, NaN for a far one."""
        if gap_ns is None or abs(gap_ns) > self._far_ns:
            return math.nan
        return 1e-9 * gap_ns

    def newest_near_ns(self, stamp_ns: int) -> int | None:
        """Stamp of the most recent partner on the same clock."""
        stamps_ns = (partner.stamp_ns for partner in reversed(self._kept))
        return next((ns for ns in stamps_ns if self._is_near(ns, stamp_ns)), None)

    def jump(self, stamp_ns: int) -> None:
        """The primary stream has jumped in time: forget partners of other times."""
        self._forget(lambda partner: abs(partner.stamp_ns - stamp_ns) >= JUMP_BACK_NS)
        self._primary_period = PeriodMeter()
        self._latest = None

    def restart(self) -> None:
        """Start another partner stream."""
        self._forget(lambda _: True)
        self.period = PeriodMeter()
        self._counters.forget_recent()

    def _is_of_the_present(self, sample: Q, latest: Stamped) -> bool:
        """Whether a stamp is near the present stamps of the primary stream.

        Those lie between its last stamp and that plus the elapsed time, or plus one period in a
        replay faster than real time.
        """
        elapsed_ns = int(1e9 * (sample.received_secs - latest.received_secs))
        reach_ns = max(elapsed_ns, self._primary_period.period_ns)
        since_ns = sample.stamp_ns - latest.stamp_ns
        return -self._far_ns <= since_ns <= reach_ns + self._far_ns

    def _offset_secs(self, sample: Q, latest: Stamped) -> float:
        """Stamp of a partner minus the present stamp of the primary stream."""
        elapsed_secs = max(0.0, sample.received_secs - latest.received_secs)
        since_secs = 1e-9 * (sample.stamp_ns - latest.stamp_ns)
        return since_secs - min(elapsed_secs, 1e-9 * self._primary_period.period_ns)

    def _is_near(self, partner_ns: int, primary_ns: int) -> bool:
        return abs(partner_ns - primary_ns) <= self._far_ns

    def _forget(self, is_over: Callable[[Partner[Q]], bool]) -> None:
        kept: deque[Partner[Q]] = deque()
        for partner in self._kept:
            if is_over(partner):
                self._count(partner)
            else:
                kept.append(partner)
        self._kept = kept

    def _count(self, partner: Partner[Q]) -> None:
        """Count a partner that is no longer kept."""
        if not partner.is_used:
            self._counters.drop(is_far=not partner.was_near, is_late=partner.is_late)
