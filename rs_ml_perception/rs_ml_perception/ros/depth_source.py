"""Which depth a node gets: aligned by the driver, raw, or none."""

from __future__ import annotations

from collections.abc import Callable

from rs_ml_perception.ros.inputs import ALIGNED_DEPTH, RAW_DEPTH
from rs_ml_perception.ros.samples import Sample
from rs_ml_perception.ros.streams import TopicStream

DEPTH_SOURCES = ('auto', 'aligned', 'raw', 'none')


class DepthSource:
    """Listens to at most one depth topic.

    Attributes:
        role: the input listened to, '' for none.
    """

    def __init__(
        self,
        wanted: str,
        streams: dict[str, TopicStream],
        listener: Callable[[Sample], None],
    ) -> None:
        self.role = ''
        self._wanted = wanted
        self._streams = streams
        self._listener = listener

    @property
    def topic(self) -> str:
        return self._streams[self.role].topic if self.role else ''

    def choose(self) -> bool:
        """Follow the wish or, with 'auto', the publishers; True when the topic changed."""
        role = self._best()
        if role == self.role:
            return False
        self.stop()
        self.role = role
        if role:
            self._streams[role].attach(self._listener)
        return True

    def stop(self) -> None:
        """Listen to nothing."""
        if self.role:
            self._streams[self.role].detach(self._listener)
        self.role = ''

    def _best(self) -> str:
        if self._wanted != 'auto':
            return {'aligned': ALIGNED_DEPTH, 'raw': RAW_DEPTH, 'none': ''}[self._wanted]
        order = (ALIGNED_DEPTH, RAW_DEPTH)
        return next((role for role in order if self._streams[role].has_publisher), self.role)
