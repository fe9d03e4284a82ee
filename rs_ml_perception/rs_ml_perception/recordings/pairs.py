"""Pairing the messages of two streams of a recording."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rs_ml_perception.core.streams.stamps import JumpDetector
from rs_ml_perception.core.streams.synchronizer import Match, Synchronizer, SyncOptions
from rs_ml_perception.recordings.messages import Message
from rs_ml_perception.recordings.recording import Recording
from rs_ml_perception.recordings.stamp_clock import first_messages

MAX_KEPT = 30
"""Partners kept for messages that were recorded later: about a second."""

WAIT_SECS = 1.0
"""Maximum delay of the recording of a partner, in addition to the allowed skew."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """A message with its log time as arrival."""

    message: Message

    @property
    def stamp_ns(self) -> int:
        return self.message.stamp_ns

    @property
    def received_secs(self) -> float:
        return 1e-9 * self.message.log_time_ns


@dataclass(frozen=True)
class Pair:
    """A message of the primary stream.

    Attributes:
        primary: the message.
        partner: the nearest one of the other stream, None if none is near enough.
        gap_ns: stamp of the nearest one at any distance minus that of the primary; None if there
            is none.
    """

    primary: Message
    partner: Message | None
    gap_ns: int | None


def period_ns(recording: Recording, topic: str) -> int:
    """Period of a topic from its first stamps, unaffected by later gaps.

    If all stamps are equal, the mean period from the number of messages.
    """
    stamps_ns = sorted(message.stamp_ns for message in first_messages(recording, topic))
    gaps_ns = sorted(b - a for a, b in itertools.pairwise(stamps_ns) if b > a)
    if gaps_ns:
        return gaps_ns[len(gaps_ns) // 2]
    count = recording.count(topic)
    return (recording.end_ns - recording.start_ns) // max(1, count - 1)


def half_period_ns(recording: Recording, topics: Sequence[str]) -> int:
    """Half the period of the slowest stream.

    A stream of one image has no period: its partner is within one period of the other stream.
    """
    many = [name for name in topics if recording.count(name) > 1]
    periods = [period_ns(recording, name) for name in many or topics]
    return max(periods) // (2 if len(many) == len(topics) else 1)


def paired_messages(
    messages: Iterable[Message],
    primary: str,
    partner: str | None,
    *,
    skew_ns: int,
    on_other: Callable[[Message], None],
) -> Iterator[Pair]:
    """Every message of a primary topic with the nearest one of the partner topic, in order.

    Args:
        messages: of a recording, oldest first.
        primary: topic of the yielded messages.
        partner: topic of their partners; None: no partners.
        skew_ns: maximum difference of the stamps.
        on_other: called with messages of other topics in order.
    """
    sync: Synchronizer[Recorded, Recorded] = Synchronizer(
        SyncOptions(
            max_skew_ns=max(1, skew_ns),
            timeout_secs=WAIT_SECS + 2e-9 * skew_ns,
            capacity=MAX_KEPT,
            patience=sys.maxsize,
        )
    )
    has_jumped = JumpDetector()
    for message in messages:
        recorded = Recorded(message)
        if message.topic == primary:
            if message.stamp_ns and has_jumped(message.stamp_ns):
                yield from _pairs(sync.flush(recorded.received_secs))
                sync.jump(message.stamp_ns)
            sync.add_primary(recorded)
        elif message.topic == partner:
            sync.add_partner(recorded)
        else:
            on_other(message)
        asks = partner is not None
        yield from _pairs(sync.take(recorded.received_secs, asks=asks))
    yield from _pairs(sync.flush(math.inf))


def _pairs(matches: Iterable[Match[Recorded, Recorded]]) -> Iterator[Pair]:
    for match in matches:
        partner = None if match.partner is None else match.partner.message
        yield Pair(match.primary.message, partner, match.gap_ns)
