"""Counters of a stream that is paired with another one, and notes on its faults."""

from __future__ import annotations

import math
import statistics
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

RECENT = 30
"""Messages in the window of notes: a second at 30 Hz, five at 6 Hz."""

FEWEST = 5
"""Messages before a note is given, since a single loss is harmless."""

SILENCE_SECS = 1.0
"""A partner stream without messages for this long is silent."""


class PartnerDrop(str, Enum):
    """Reason for a partner without a primary message.

    FAR: stamped far from the primary stream. LATE: its primary message was released before it.
    UNUSED: there was no primary message at its time.
    """

    FAR = 'far'
    LATE = 'late'
    UNUSED = 'unused'


@dataclass(frozen=True)
class Arrival:
    """Facts about a stream from the arrival of one message.

    Attributes:
        offset_secs: its stamp minus that of the primary stream at this moment; NaN while unknown.
        lateness_secs: how long after a message that went without it it came; NaN: after none.
        is_far: stamped so far away that it is of another clock.
        is_ahead: stamped so far ahead that it may be.
    """

    offset_secs: float = math.nan
    lateness_secs: float = math.nan
    is_far: bool = False
    is_ahead: bool = False


@dataclass(frozen=True)
class PartnerCounts:
    """Counts at one moment: received = used + all dropped + waiting.

    Attributes:
        received: messages of the partner stream.
        used: partners paired with a primary message.
        dropped: partners that never will be, by reason.
        waiting: partners kept for later primary messages.
        paired, without: primary messages released with a partner, and without.
        recent, recent_without: the last primary messages, and those of them without a partner.
        recent_received, recent_far, recent_ahead: the last partners, and those of them stamped
            far away, and ahead.
        offset_secs: stamp of a partner minus that of the primary stream when it came: median of
            the last ones, of the far ones where there are any; NaN while unknown.
        lateness_secs: delay of late partners after their primary message; NaN: none.
        nearest_secs: stamp of the nearest partner minus that of a message without a partner,
            median; NaN if there was none near.
        last_secs: arrival of the last partner; -inf before the first.
    """

    received: int
    used: int
    dropped: Mapping[PartnerDrop, int]
    waiting: int
    paired: int
    without: int
    recent: int
    recent_without: int
    recent_received: int
    recent_far: int
    recent_ahead: int
    offset_secs: float
    lateness_secs: float
    nearest_secs: float
    last_secs: float

    @property
    def is_ending(self) -> bool:
        """Whether most of the last primary messages had no partner."""
        return self.recent >= FEWEST and 2 * self.recent_without > self.recent

    @property
    def is_astray(self) -> bool:
        """Whether several partners are stamped by another clock."""
        return self.recent_far >= FEWEST

    @property
    def is_suspect(self) -> bool:
        """Whether most partners are stamped ahead of messages that arrive at the same time."""
        return self.recent_ahead >= FEWEST and 2 * self.recent_ahead > self.recent_received


class PartnerCounters:
    """Counts; written by the synchronizer."""

    def __init__(self) -> None:
        self._received = self._used = self._paired = self._without = 0
        self._dropped: Counter[PartnerDrop] = Counter()
        self.forget_recent()

    def forget_recent(self) -> None:
        """Start another stream: later notes only concern that one."""
        self._misses: deque[float | None] = deque(maxlen=RECENT)
        self._arrivals: deque[Arrival] = deque(maxlen=RECENT)
        self._last_secs = -math.inf

    def receive(self, received_secs: float, arrival: Arrival) -> None:
        """Count an arriving partner."""
        self._received += 1
        self._last_secs = received_secs
        self._arrivals.append(arrival)

    def pair(self, *, is_first: bool) -> None:
        """Count a primary message with a partner, which may have served another one before."""
        self._paired += 1
        self._used += is_first
        self._misses.append(None)

    def miss(self, nearest_secs: float) -> None:
        """Count a primary message without a partner; NaN: no partner is near."""
        self._without += 1
        self._misses.append(nearest_secs)

    def drop(self, *, is_far: bool, is_late: bool) -> None:
        """Count an unused partner that is no longer kept."""
        late_or_unused = PartnerDrop.LATE if is_late else PartnerDrop.UNUSED
        self._dropped[PartnerDrop.FAR if is_far else late_or_unused] += 1

    def snapshot(self, *, waiting: int) -> PartnerCounts:
        """Counts of this moment."""
        far = [arrival for arrival in self._arrivals if arrival.is_far]
        misses = [miss for miss in self._misses if miss is not None]
        return PartnerCounts(
            received=self._received,
            used=self._used,
            dropped={reason: self._dropped[reason] for reason in PartnerDrop},
            waiting=waiting,
            paired=self._paired,
            without=self._without,
            recent=len(self._misses),
            recent_without=len(misses),
            recent_received=len(self._arrivals),
            recent_far=len(far),
            recent_ahead=sum(arrival.is_ahead for arrival in self._arrivals),
            offset_secs=_median(arrival.offset_secs for arrival in far or self._arrivals),
            lateness_secs=_median(arrival.lateness_secs for arrival in self._arrivals),
            nearest_secs=_median(misses),
            last_secs=self._last_secs,
        )


def partner_notes(
    counts: PartnerCounts,
    now_secs: float,
    *,
    partner: str,
    topic: str,
    primaries: str,
    timeout_secs: float,
) -> tuple[str, ...]:
    """Sentences on the causes of missing partners.

    Args:
        counts: of the pairing.
        now_secs: now on the clock of arrivals.
        partner: name of the partners ('depth').
        topic: their topic.
        primaries: name of the primary messages ('images').
        timeout_secs: maximum wait of a primary message.
    """
    if counts.is_ending:
        why = _why_missing(counts, now_secs, topic=topic, timeout_secs=timeout_secs)
        count = f'{counts.recent_without} of the last {counts.recent} {primaries}'
        return (f'{count} went without {partner}: {why}',)
    if counts.is_astray:
        count = f'{counts.recent_far} of the last {counts.recent_received} messages on {topic}'
        return (f'{count} are left out: {_apart(counts)}',)
    if counts.is_suspect:
        ahead = f'{topic} is stamped {counts.offset_secs:.2f} s ahead of the {primaries} that come'
        return (f'{ahead} with it: unless those take so long, {partner} is of another moment',)
    return ()


def _why_missing(
    counts: PartnerCounts, now_secs: float, *, topic: str, timeout_secs: float
) -> str:
    if now_secs - counts.last_secs > SILENCE_SECS:
        return f'nothing comes on {topic}'
    if counts.is_astray:
        return f'{topic}: {_apart(counts)}'
    if not math.isnan(counts.lateness_secs):
        late = f'{topic} comes {counts.lateness_secs:.2f} s after them'
        return f'{late}, the wait is {timeout_secs:g} s'
    if counts.is_suspect:
        return f'{topic} is stamped {counts.offset_secs:.2f} s ahead of the messages around it'
    if not math.isnan(counts.nearest_secs):
        nearest = f'the nearest on {topic} is stamped {1e3 * counts.nearest_secs:+.0f} ms off'
        return f'{nearest}: max_skew_ms says how far it may be'
    return f'nothing on {topic} was stamped near them'


def _apart(counts: PartnerCounts) -> str:
    where = 'ahead of' if counts.offset_secs > 0 else 'behind'
    return (
        f'stamped {abs(counts.offset_secs):.1f} s {where} the primary stream: both need the same '
        'clock (global_time_enabled of both sensors alike), else restart the camera'
    )


def _median(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return statistics.median(known) if known else math.nan
