"""Pairs each message of a primary stream with a message of another stream.

There is no ROS, clock or thread here: messages go in with stamps and times of arrival, and every
primary message comes out once, in order, with or without a partner.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from rs_ml_perception.core.streams.partner_buffer import FAR_NS, Partner, PartnerBuffer, Q, Stamped
from rs_ml_perception.core.streams.partner_counts import PartnerCounters, PartnerCounts

PATIENCE = 3
"""A silent stream delays at most three images by the timeout."""

EXACT_TRIALS = 5
"""Partners near a primary message but of other stamps, before stamps count as unshared."""

MISSED = 32
"""Remembered primary messages without partners, which may still arrive late."""

P = TypeVar('P', bound=Stamped)


@dataclass(frozen=True)
class SyncOptions:
    """Selection of partners.

    Attributes:
        max_skew_ns: maximum distance of the stamp of a partner, also while stamps are shared; 0:
            equal stamps while they are shared, else half the present period of the partner.
        takes_neighbours: whether half a period also applies while stamps are shared.
        timeout_secs: maximum wait of a message; partners leave the camera together.
        capacity: number of kept partners: a second of them, for images that take longer to arrive
            than their depth.
        suspect_secs: partners stamped this far ahead of primary messages that arrive with them are
            suspect; infinity if those usually take long.
        patience: after this many messages in a row that waited in vain, none waits until a partner
            shows that waiting helps.
    """

    max_skew_ns: int = 0
    takes_neighbours: bool = False
    timeout_secs: float = 0.25
    capacity: int = 30
    suspect_secs: float = 0.25
    patience: int = PATIENCE


@dataclass(frozen=True, eq=False)
class Match(Generic[P, Q]):
    """A primary message with its partner.

    Attributes:
        primary: the message.
        partner: its partner, or None.
        gap_ns: stamp of the nearest kept partner at any distance, minus that of the message; None
            if none is kept.
    """

    primary: P
    partner: Q | None
    gap_ns: int | None = None


class Synchronizer(Generic[P, Q]):
    """Pairs by stamp; not thread-safe.

    An equal stamp always wins. Without one a message waits until the partner stream has passed
    its stamp, the timeout is over, or waiting is known to be in vain; then the nearest partner
    within the tolerance is taken, if neighbours are allowed. Statistics of the streams come from
    their last messages, so that a disturbance has no lasting effect.

    Attributes:
        shares_stamps: whether both streams have the same stamps, None while unknown.
    """

    def __init__(self, options: SyncOptions) -> None:
        self.options = options
        self.shares_stamps: bool | None = None
        self._pending: list[P] = []
        self._missed: deque[P] = deque(maxlen=MISSED)
        self._strangers: set[int] = set()
        self._vain = 0
        self._counters = PartnerCounters()
        self._partners: PartnerBuffer[Q] = PartnerBuffer(
            options.capacity,
            self._counters,
            far_ns=max(FAR_NS, options.max_skew_ns),
            suspect_secs=options.suspect_secs,
        )

    @property
    def pending(self) -> tuple[P, ...]:
        """Waiting primary messages."""
        return tuple(self._pending)

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the partner that came last, None before the first."""
        return self._partners.newest_ns

    @property
    def is_patient(self) -> bool:
        """Whether messages wait for later partners."""
        return self._vain < self.options.patience

    def counts(self) -> PartnerCounts:
        """Counts of the messages so far."""
        return self._counters.snapshot(waiting=self._partners.waiting)

    def add_primary(self, message: P) -> None:
        """Add a message that needs a partner."""
        self._pending.append(message)
        # A zero stamp is not a time: such a message does not wait.
        if message.stamp_ns:
            self._partners.see_primary(message)

    def add_partner(self, sample: Q) -> None:
        """Add a possible partner."""
        lateness_secs = self._lateness_secs(sample)
        if lateness_secs <= self.options.timeout_secs:
            self._vain = 0
        self._partners.add(sample, lateness_secs)

    def take(self, now_secs: float, *, asks: bool = True, held: bool = False) -> list[Match[P, Q]]:
        """Messages that need not wait any longer, in order of arrival.

        Args:
            now_secs: now on the clock of `received_secs`.
            asks: whether partners are requested; if not, no message waits.
            held: whether something else is still missing: only timed-out messages are returned.
        """
        count = 0
        for index, message in enumerate(self._pending):
            is_over = now_secs - message.received_secs >= self.options.timeout_secs
            if is_over or (not held and not (asks and self._waits(message))):
                count = index + 1
        return self._release(count, now_secs, asks=asks)

    def flush(self, now_secs: float, *, asks: bool = True) -> list[Match[P, Q]]:
        """All waiting messages, as they are."""
        return self._release(len(self._pending), now_secs, asks=asks)

    def find(self, message: P) -> Q | None:
        """The partner of a message at present."""
        found = self._choose(message)
        return None if found is None else found.sample

    def jump(self, stamp_ns: int) -> None:
        """The primary stream has jumped in time: forget messages of other times."""
        self._partners.jump(stamp_ns)
        self._missed.clear()
        self._strangers.clear()

    def restart(self) -> None:
        """The partner stream will be another one: forget its statistics."""
        self._partners.restart()
        self._missed.clear()
        self._strangers.clear()
        self._vain = 0
        self.shares_stamps = None

    # Overridden by the synchronizer on top of message_filters.

    def _exact(self, message: P) -> Partner[Q] | None:
        """The partner of equal stamp."""
        return self._partners.same(message.stamp_ns)

    def _neighbour(self, message: P) -> Partner[Q] | None:
        """The nearest partner within the tolerance."""
        return self._partners.nearest(message.stamp_ns, self._tolerance_ns)

    # Waiting.

    def _waits(self, message: P) -> bool:
        """Whether a better partner may still arrive in time."""
        if not (message.stamp_ns and self.is_patient) or self._exact(message) is not None:
            return False
        newest_ns = self._partners.newest_near_ns(message.stamp_ns)
        if newest_ns is None:
            return True
        since_ns = message.stamp_ns - newest_ns
        if since_ns < 0:
            return False
        # The shortest recent distance: after a loss the next one may arrive early.
        period_ns = self._partners.period.shortest_ns
        if period_ns is None or self.shares_stamps is None:
            return True
        is_nearer = 2 * since_ns < period_ns
        return not is_nearer and period_ns - since_ns <= 1e9 * self.options.timeout_secs

    # Deciding.

    def _release(self, count: int, now_secs: float, *, asks: bool) -> list[Match[P, Q]]:
        released, self._pending = self._pending[:count], self._pending[count:]
        return [self._decide(m, now_secs) if asks else Match(m, None) for m in released]

    def _decide(self, message: P, now_secs: float) -> Match[P, Q]:
        if message.stamp_ns == 0:
            return Match(message, None)
        partner = self._choose(message)
        gap_ns = self._partners.gap_ns(message.stamp_ns)
        self._learn(message, partner)
        if partner is None:
            if now_secs - message.received_secs >= self.options.timeout_secs:
                self._vain += 1
            self._missed.append(message)
            self._counters.miss(self._partners.near_secs(gap_ns))
            return Match(message, None, gap_ns)
        self._vain = 0
        self._counters.pair(is_first=not partner.is_used)
        partner.is_used = True
        return Match(message, partner.sample, gap_ns)

    def _choose(self, message: P) -> Partner[Q] | None:
        return self._exact(message) or (self._neighbour(message) if self._takes() else None)

    def _takes(self) -> bool:
        """Whether partners of other stamps are taken at present."""
        options = self.options
        return bool(options.max_skew_ns or options.takes_neighbours or not self.shares_stamps)

    @property
    def _tolerance_ns(self) -> int:
        return self.options.max_skew_ns or self._partners.period.period_ns // 2

    def _learn(self, message: P, partner: Partner[Q] | None) -> None:
        """Update whether the streams share stamps."""
        if partner is not None and partner.stamp_ns == message.stamp_ns:
            self.shares_stamps = True
            self._strangers.clear()
            return
        near = self._neighbour(message)
        # A partner of another message proves nothing.
        if near is not None and not near.is_used:
            self._strangers.add(near.stamp_ns)
        is_first = self.shares_stamps is None and partner is not None
        if is_first or len(self._strangers) >= EXACT_TRIALS:
            self.shares_stamps = False

    def _lateness_secs(self, sample: Q) -> float:
        """Delay after its message, if that was released without it; else NaN."""
        reach_ns = self._tolerance_ns if self._takes() else 0
        late = [
            sample.received_secs - message.received_secs
            for message in self._missed
            if abs(message.stamp_ns - sample.stamp_ns) <= reach_ns
        ]
        return min(late, default=math.nan)
