"""One image input, raw or compressed, by what is published."""

from __future__ import annotations

from collections.abc import Sequence

from rs_ml_perception.core.streams.counters import Missed
from rs_ml_perception.ros.samples import Sample
from rs_ml_perception.ros.streams import Listener, TopicStream


class ImageStream:
    """Behaves as the TopicStream of the first transport that somebody publishes.

    A transport whose publisher goes away is kept until another one is published.

    Args:
        transports: topics of the same images, by preference.
    """

    def __init__(self, transports: Sequence[TopicStream]) -> None:
        self._transports = tuple(transports)
        self._current = self._transports[0]
        self._listeners: list[Listener] = []

    @property
    def topic(self) -> str:
        return self._current.topic

    @property
    def problem(self) -> str:
        return self._current.problem

    @property
    def received(self) -> int:
        return sum(stream.received for stream in self._transports)

    @property
    def missed(self) -> Missed:
        return self._current.missed

    @property
    def latest(self) -> Sample | None:
        return self._current.latest

    @property
    def is_refresh_due(self) -> bool:
        return self._current.is_refresh_due

    @property
    def has_publisher(self) -> bool:
        return any(stream.has_publisher for stream in self._transports)

    def attach(self, listener: Listener) -> None:
        """See TopicStream."""
        self._follow()
        self._listeners.append(listener)
        self._current.attach(listener)

    def detach(self, listener: Listener) -> None:
        """See TopicStream."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            self._current.detach(listener)

    def refresh(self) -> None:
        """Follow the publishers; call it now and then."""
        self._follow()
        self._current.refresh()

    def _follow(self) -> None:
        published = (stream for stream in self._transports if stream.has_publisher)
        wanted = next(published, self._current)
        if wanted is self._current:
            return
        for listener in self._listeners:
            self._current.detach(listener)
            wanted.attach(listener)
        self._current = wanted
