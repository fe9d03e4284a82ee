"""Which message of one stream belongs to which of another."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rs_ml_perception.recordings.messages import Message
from rs_ml_perception.recordings.recording import Recording
from rs_ml_perception.recordings.stamp_clock import first_messages

MAX_WAITING = 30
"""Messages kept while their partner has not come: about a second."""


@dataclass(frozen=True)
class Pair:
    """A message of the primary stream.

    Attributes:
        primary: the message.
        partner: the nearest one of the other stream, None where none is near enough.
        gap_ns: stamp of the nearest one, near enough or not, minus that of the primary; None
            where there is none at all.
    """

    primary: Message
    partner: Message | None
    gap_ns: int | None


def period_ns(recording: Recording, topic: str) -> int:
    """Period of a topic by its first stamps, whatever gaps come later.

    Without different stamps the mean one by the number of messages.
    """
    stamps_ns = sorted(message.stamp_ns for message in first_messages(recording, topic))
    gaps_ns = sorted(b - a for a, b in itertools.pairwise(stamps_ns) if b > a)
    if gaps_ns:
        return gaps_ns[len(gaps_ns) // 2]
    count = recording.topic(topic).count
    return (recording.end_ns - recording.start_ns) // max(1, count - 1)


def half_period_ns(recording: Recording, topics: Sequence[str]) -> int:
    """Half the period of the slowest stream.

    A stream of one image has no period: its partner is as far as one period of the other one.
    """
    many = [name for name in topics if recording.topic(name).count > 1]
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
        primary: topic of what is yielded.
        partner: topic of what may belong to it; None: nothing does.
        skew_ns: how far the partner's stamp may be off.
        on_other: gets messages of other topics as they come.
    """
    waiting: deque[Message] = deque()
    partners: deque[Message] = deque(maxlen=MAX_WAITING)
    for message in messages:
        if message.topic == primary:
            waiting.append(message)
        elif message.topic == partner:
            partners.append(message)
        else:
            on_other(message)
        while waiting and (
            partner is None
            or len(waiting) > MAX_WAITING
            or _is_settled(waiting[0], partners, message, skew_ns)
        ):
            yield _paired(waiting.popleft(), partners, skew_ns)
    while waiting:
        yield _paired(waiting.popleft(), partners, skew_ns)


def _paired(message: Message, partners: deque[Message], skew_ns: int) -> Pair:
    nearest = min(partners, key=lambda p: abs(p.stamp_ns - message.stamp_ns), default=None)
    if nearest is None:
        return Pair(message, None, None)
    gap_ns = nearest.stamp_ns - message.stamp_ns
    return Pair(message, nearest if abs(gap_ns) <= skew_ns else None, gap_ns)


def _is_settled(message: Message, partners: deque[Message], newest: Message, skew_ns: int) -> bool:
    """Whether no partner that comes later can be nearer."""
    if any(partner.stamp_ns == message.stamp_ns for partner in partners):
        return True
    return (bool(partners) and partners[-1].stamp_ns > message.stamp_ns) or (
        newest.log_time_ns - message.log_time_ns > 2 * skew_ns + 1_000_000_000
    )
