"""Which of several topics a node gets: the best that is published, or the one asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rs_ml_perception.core.streams.counters import Missed
from rs_ml_perception.ros.inputs import ALIGNED_DEPTH, INFRA, RAW_DEPTH
from rs_ml_perception.ros.samples import Sample
from rs_ml_perception.ros.streams import TopicStream

DEPTH_SOURCES = ('auto', 'aligned', 'raw', 'none')
_DEPTH_ROLES = {'aligned': (ALIGNED_DEPTH,), 'raw': (RAW_DEPTH,), 'none': ()}

PRIMARY_DEPTH_SOURCES = ('auto', 'raw', 'aligned')


class TopicChoice:
    """Listens to at most one topic.

    Args:
        roles: inputs by preference; the first that somebody publishes is taken.
        streams: by role.
        listener: gets every sample.
        fallback: role to listen to while nobody publishes any, '' for none.
        keeps: whether to stay with a topic whose publisher has gone, which may come back.

    Attributes:
        role: the input listened to, '' for none.
    """

    def __init__(
        self,
        roles: Sequence[str],
        streams: Mapping[str, TopicStream],
        listener: Callable[[Sample], None],
        *,
        fallback: str = '',
        keeps: bool = True,
    ) -> None:
        self.role = ''
        self._roles = tuple(roles)
        self._streams = streams
        self._listener = listener
        self._fallback = fallback
        self._keeps = keeps

    @property
    def topic(self) -> str:
        return self._streams[self.role].topic if self.role else ''

    @property
    def missed(self) -> Missed:
        """Messages sent on the topic listened to that never reached us."""
        return self._streams[self.role].missed if self.role else Missed()

    @property
    def has_publisher(self) -> bool:
        """Whether anybody publishes the topic listened to."""
        return bool(self.role) and self._streams[self.role].has_publisher

    @property
    def is_settled(self) -> bool:
        """Whether `choose` would stay with the topic."""
        return self._best() == self.role

    def choose(self, *, wanted: bool = True) -> bool:
        """Follow the publishers; True when the topic changed.

        Args:
            wanted: whether to listen to anything at all.
        """
        role = self._best() if wanted else ''
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
        published = (role for role in self._roles if self._streams[role].has_publisher)
        current = self.role if self._keeps else ''
        return next(published, current or self._fallback)


def depth_partner(
    wanted: str, streams: Mapping[str, TopicStream], listener: Callable[[Sample], None]
) -> TopicChoice:
    """Depth as a partner, as DEPTH_SOURCES says; auto takes aligned, else raw, if any."""
    if wanted == 'auto':
        return TopicChoice((ALIGNED_DEPTH, RAW_DEPTH), streams, listener)
    roles = _DEPTH_ROLES[wanted]
    return TopicChoice(roles, streams, listener, fallback=''.join(roles))


def depth_primary(
    wanted: str, streams: Mapping[str, TopicStream], listener: Callable[[Sample], None]
) -> TopicChoice:
    """Depth for its own sake, as PRIMARY_DEPTH_SOURCES says; auto takes raw, else aligned."""
    if wanted == 'auto':
        return TopicChoice((RAW_DEPTH, ALIGNED_DEPTH), streams, listener, fallback=RAW_DEPTH)
    roles = _DEPTH_ROLES[wanted]
    return TopicChoice(roles, streams, listener, fallback=''.join(roles))


def infrared_partner(
    mode: str, streams: Mapping[str, TopicStream], listener: Callable[[Sample], None]
) -> TopicChoice:
    """Infrared as the partner of depth: 'auto' while somebody publishes it, 'require', 'none'."""
    if mode == 'auto':
        # Waiting for a stream that has ended would delay every frame.
        return TopicChoice((INFRA,), streams, listener, keeps=False)
    roles = (INFRA,) if mode == 'require' else ()
    return TopicChoice(roles, streams, listener, fallback=''.join(roles))
