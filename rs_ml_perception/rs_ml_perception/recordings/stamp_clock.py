"""Stamps of a recording compared with its log times: their lag, and impossible stamps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.recordings.messages import Message
from rs_ml_perception.recordings.recording import Recording

MAX_DEVIATION_NS = 10_000_000_000
"""Maximum deviation of a stamp from the others of its time."""

NUM_FOR_PERIOD, NUM_FOR_LAG = 30, 9
"""Messages at the beginning used for the typical values of a recording."""

NUM_AGREEING = 5
"""This many consistent stamps in a row mean that the clock was set, not damage."""


def first_messages(recording: Recording, topic: str, count: int = NUM_FOR_PERIOD) -> list[Message]:
    """The first readable messages of a topic."""
    found = []
    try:
        for message in islice(recording.messages([topic]), count):
            found.append(message)
    except InputError:
        pass  # reported when the recording is read
    return found


def stamp_lag_ns(recording: Recording, topic: str | None) -> int:
    """Typical delay of the log times of a topic after its stamps.

    Args:
        recording: an open recording.
        topic: one with headers; None: 0.
    """
    messages = first_messages(recording, topic, NUM_FOR_LAG) if topic else []
    lags_ns = sorted(message.log_time_ns - message.stamp_ns for message in messages)
    return lags_ns[len(lags_ns) // 2] if lags_ns else 0


class StampClock:
    """Checks stamps by the log times of their messages.

    Args:
        recording: an open recording.
        primary: topic whose stamps define the clock of the others; None: any.

    Attributes:
        lag_ns: delay of log times after stamps.
    """

    def __init__(self, recording: Recording, primary: str | None) -> None:
        self.lag_ns = stamp_lag_ns(recording, primary)
        self._primary = primary
        self._strange_lags_ns: deque[int] = deque(maxlen=NUM_AGREEING)

    def problem(self, message: Message) -> str:
        """Why a stamp is impossible, '' if it is not."""
        if message.stamp_ns == 0:
            return 'the header has a zero stamp: the camera driver must set it'
        lag_ns = message.log_time_ns - message.stamp_ns
        off_ns = lag_ns - self.lag_ns
        if abs(off_ns) <= MAX_DEVIATION_NS:
            self._strange_lags_ns.clear()
            return ''
        if message.topic == self._primary and self._was_set(lag_ns):
            self.lag_ns = lag_ns
            return ''
        side = 'before' if off_ns > 0 else 'after'
        return (
            f'its stamp, {message.stamp_ns / 1e9:.3f} s, cannot be true: it is '
            f'{abs(off_ns) / 1e9:.1f} s {side} those that were recorded with it'
        )

    def believable(
        self,
        messages: Iterable[Message],
        judged: Collection[str],
        on_strange: Callable[[str, InputError], None],
    ) -> Iterator[Message]:
        """Yield messages; those of the checked topics only with possible stamps.

        Args:
            messages: in the order of their log times.
            judged: checked topics.
            on_strange: called with the topic and the reason for the others.
        """
        for message in messages:
            problem = self.problem(message) if message.topic in judged else ''
            if problem:
                on_strange(message.topic, InputError(f'{message.topic}: {problem}'))
            else:
                yield message

    def _was_set(self, lag_ns: int) -> bool:
        self._strange_lags_ns.append(lag_ns)
        strange = self._strange_lags_ns
        is_agreed = max(strange) - min(strange) <= MAX_DEVIATION_NS
        return len(strange) == NUM_AGREEING and is_agreed
