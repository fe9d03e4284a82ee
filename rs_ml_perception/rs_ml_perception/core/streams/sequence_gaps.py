"""Messages that were sent and never received, by the sequence numbers of their publisher."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass


@dataclass(frozen=True)
class Missed:
    """Messages of a stream that never reached the reader.

    Attributes:
        lost: reported lost by the middleware.
        overwritten: sent, not reported lost, and yet not received: overwritten in the reader's
            queue by younger ones. None: not counted, since the middleware gives no numbers or
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
    """Counts the numbers that a reader never saw.

    A message does not say who sent it, so a gap is believed only once the graph shows that one
    publisher was there all the time: neither a late start of the reader nor a restarted publisher
    nor two that take turns count as losses.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._unconfirmed = 0
        self._confirmed = 0
        self._is_numbered = False
        self._publishers: frozenset[Hashable] = frozenset()

    @property
    def missed(self) -> int | None:
        """Numbers never seen, as far as confirmed; None where they cannot be known."""
        if not self._is_numbered or len(self._publishers) > 1:
            return None
        return self._confirmed

    def add(self, number: int | None) -> None:
        """Note the number of a message received; None: the middleware gives none."""
        self._is_numbered = number is not None
        if number is None:
            return
        if self._last is not None and number > self._last:
            self._unconfirmed += number - self._last - 1
        self._last = number

    def confirm(self, publishers: Collection[Hashable]) -> None:
        """Update the publishers of the topic; call it now and then."""
        now = frozenset(publishers)
        if not now or now == self._publishers or not self._publishers:
            # A publisher that has just gone sent all that came before.
            if len(now) <= 1:
                self._confirmed += self._unconfirmed
        else:
            self._last = None
        if len(now) > 1:
            self._last = None
        self._unconfirmed = 0
        self._publishers = now or self._publishers

    def restart(self) -> None:
        """The reader begins again: messages sent in between do not count."""
        self._last = None
