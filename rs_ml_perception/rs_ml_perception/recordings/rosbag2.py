"""rosbag2 recordings: directories, single .mcap and .db3 files."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection, ConnectionExtRosbag2

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.recordings.bag_reader import BagReader
from rs_ml_perception.recordings.message_types import message_types
from rs_ml_perception.recordings.messages import Message, Topic
from rs_ml_perception.recordings.recording import Recording


class Rosbag2Recording(Recording):
    """A rosbag2 in mcap or sqlite3, without ROS.

    Args:
        path: directory with metadata.yaml, or a single .mcap or .db3 file.

    Raises:
        InputError: it cannot be read, or is empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._bag = BagReader(path, message_types())
        topics = {connection.topic for connection in self._bag.connections}
        left_out = {
            _absolute(name) if name in topics else name: why
            for name, why in self._bag.left_out.items()
        }
        self._connections = self._group(left_out)
        self.topics = self._list_topics(left_out)
        self.left_out = left_out
        if not self.topics:
            self.close()
            raise InputError(f'recording {path} holds no messages{self._named()}: record it again')
        self.start_ns, self.end_ns = self._bag.time_span

    def _group(self, left_out: dict[str, str]) -> dict[str, list[Connection]]:
        """Connections by the absolute name of their topic, all of one type."""
        groups: dict[str, list[Connection]] = {}
        # Those with messages first, since a topic may have been announced with another type.
        for connection in sorted(self._bag.connections, key=lambda c: c.msgcount == 0):
            name = _absolute(connection.topic)
            group = groups.setdefault(name, [])
            if group and group[0].msgtype != connection.msgtype:
                if connection.msgcount:
                    left_out[f'{name} ({connection.msgtype})'] = (
                        f'most of the topic is {group[0].msgtype}'
                    )
                continue
            group.append(connection)
        return groups

    def _list_topics(self, left_out: dict[str, str]) -> tuple[Topic, ...]:
        announced: Counter[str] = Counter()
        for name, count in self._bag.announced.items():
            announced[_absolute(name)] += count
        known = {*self._connections, *left_out}
        for name in announced.keys() - known:
            if announced[name]:
                left_out[name] = f'{announced[name]} messages are announced, none is there'
        topics = []
        for name, group in sorted(self._connections.items()):
            count = max(sum(c.msgcount for c in group), announced[name])
            if count:
                profiles = (
                    connection.ext.offered_qos_profiles
                    for connection in group
                    if isinstance(connection.ext, ConnectionExtRosbag2)
                )
                qos = tuple(itertools.chain.from_iterable(profiles))
                topics.append(Topic(name, group[0].msgtype, count, qos))
        return tuple(topics)

    def _read(self, topics: Collection[str] | None) -> Iterator[Message]:
        wanted = [t for t in self.topics if topics is None or t.name in topics]
        delivered: Counter[str] = Counter()
        connections = [c for topic in wanted for c in self._connections[topic.name]]
        for connection, log_time_ns, data in self._bag.messages(connections):
            name = _absolute(connection.topic)
            delivered[name] += 1
            yield Message(name, connection.msgtype, log_time_ns, bytes(data))
        short = [topic for topic in wanted if delivered[topic.name] < topic.count]
        if short:
            name, count = short[0].name, short[0].count
            raise InputError(
                f'recording {self.path} announces {count} messages of {name} and holds '
                f'{delivered[name]}: it is incomplete, copy or record it again'
            )

    def _decode(self, message: Message) -> Any:
        return self._bag.deserialize(message.data, message.type)

    def _named(self) -> str:
        """The topics left out, as text."""
        named = '; '.join(f'{name} is left out: {why}' for name, why in self.left_out.items())
        return f' that can be used ({named})' if named else ''

    def close(self) -> None:
        self._bag.close()


def _absolute(name: str) -> str:
    """The absolute name; some tools omit the slash."""
    return name if name.startswith('/') else f'/{name}'
