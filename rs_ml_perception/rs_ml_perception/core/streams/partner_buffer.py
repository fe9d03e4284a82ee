"""The last messages of a partner stream, and its properties by them."""

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
    """As much of a message as pairing looks at: acquisition time, and monotonic arrival."""

    @property
    def stamp_ns(self) -> int: ...

    @property
    def received_secs(self) -> float: ...


Q = TypeVar('Q', bound=Stamped)


class Partner(Generic[Q]):
    """A partner that is kept.

    Attributes:
        was_near: its stamp was near the primary stream once.
        is_late: the message it belongs to went without it.
        is_used: it went with a message.
    """

    def __init__(self, sample: Q) -> None:
        self.sample = sample
        self.stamp_ns = sample.stamp_ns
        self.was_near = self.is_late = self.is_used = False


class PartnerBuffer(Generic[Q]):
    """Keeps the partners that came last, regardless of their stamps, and judges each.

    Args:
        capacity: partners kept.
        counters: gets the counts.
        far_ns: how far a stamp may be from the primary stream.
        suspect_secs: how far ahead of it, at arrival.

    Attributes:
        period: of the stream, by the partners near the primary stream.
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
        """Stamp of the partner that came last, None before the first."""
        return self._kept[-1].stamp_ns if self._kept else None

    @property
    def waiting(self) -> int:
        """Partners that went with nothing yet."""
        return sum(not partner.is_used for partner in self._kept)

    def see_primary(self, message: Stamped) -> None:
        """The primary stream has got as far as this message."""
        self._latest = message
        self._primary_period.add(message.stamp_ns)
        for partner in self._kept:
            partner.was_near |= self._is_near(partner.stamp_ns, message.stamp_ns)

    def add(self, sample: Q, lateness_secs: float) -> None:
        """Keep a partner; it came so long after a message that went without it, NaN for none."""
        partner, latest = Partner(sample), self._latest
        partner.was_near = latest is None or self._is_of_the_present(sample, latest)
        partner.is_late = not math.isnan(lateness_secs)
        if partner.was_near:
            self.period.add(sample.stamp_ns)
        offset_secs = math.nan if latest is None else self._offset_secs(sample, latest)
        # In a replay faster than time a partner may come a period ahead.
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
            self._book(self._kept.popleft())

    def same(self, stamp_ns: int) -> Partner[Q] | None:
        """The partner of equal stamp that came last."""
        return next((p for p in reversed(self._kept) if p.stamp_ns == stamp_ns), None)

    def nearest(self, stamp_ns: int, tolerance_ns: int) -> Partner[Q] | None:
        """The partner of the nearest stamp within the tolerance."""
        found = min(self._kept, key=lambda p: abs(p.stamp_ns - stamp_ns), default=None)
        is_within = found is not None and abs(found.stamp_ns - stamp_ns) <= tolerance_ns
        return found if is_within else None

    def gap_ns(self, stamp_ns: int) -> int | None:
        """The nearest stamp, however far, minus this one; None where no partner is kept."""
        return min((p.stamp_ns - stamp_ns for p in self._kept), key=abs, default=None)

    def near_secs(self, gap_ns: int | None) -> float:
        """A gap in seconds, NaN for a far one."""
        if gap_ns is None or abs(gap_ns) > self._far_ns:
            return math.nan
        return 1e-9 * gap_ns

    def newest_near_ns(self, stamp_ns: int) -> int | None:
        """Stamp of the partner that came last, those of another clock left out."""
        stamps_ns = (partner.stamp_ns for partner in reversed(self._kept))
        return next((ns for ns in stamps_ns if self._is_near(ns, stamp_ns)), None)

    def jump(self, stamp_ns: int) -> None:
        """The primary stream goes on at another time: forget partners of other times."""
        self._forget(lambda partner: abs(partner.stamp_ns - stamp_ns) >= JUMP_BACK_NS)
        self._primary_period = PeriodMeter()
        self._latest = None

    def restart(self) -> None:
        """Another partner stream begins."""
        self._forget(lambda _: True)
        self.period = PeriodMeter()
        self._counters.forget_recent()

    def _is_of_the_present(self, sample: Q, latest: Stamped) -> bool:
        """Whether a stamp is near where the primary stream may have got by now.

        That is somewhere between its last stamp and as much later as time has gone on, or a period
        later where a replay is faster than time.
        """
        elapsed_ns = int(1e9 * (sample.received_secs - latest.received_secs))
        reach_ns = max(elapsed_ns, self._primary_period.period_ns)
        since_ns = sample.stamp_ns - latest.stamp_ns
        return -self._far_ns <= since_ns <= reach_ns + self._far_ns

    def _offset_secs(self, sample: Q, latest: Stamped) -> float:
        """Stamp of a partner minus that of the primary stream at this moment."""
        elapsed_secs = max(0.0, sample.received_secs - latest.received_secs)
        since_secs = 1e-9 * (sample.stamp_ns - latest.stamp_ns)
        return since_secs - min(elapsed_secs, 1e-9 * self._primary_period.period_ns)

    def _is_near(self, partner_ns: int, primary_ns: int) -> bool:
        return abs(partner_ns - primary_ns) <= self._far_ns

    def _forget(self, is_over: Callable[[Partner[Q]], bool]) -> None:
        kept: deque[Partner[Q]] = deque()
        for partner in self._kept:
            if is_over(partner):
                self._book(partner)
            else:
                kept.append(partner)
        self._kept = kept

    def _book(self, partner: Partner[Q]) -> None:
        """Close the account of a partner that leaves."""
        if not partner.is_used:
            self._counters.drop(is_far=not partner.was_near, is_late=partner.is_late)
