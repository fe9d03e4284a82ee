"""rosbag2 recordings: directories, single .mcap and .db3 files."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.recordings.bag_reader import BagReader
from rs_ml_perception.recordings.message_types import message_types
from rs_ml_perception.recordings.messages import Message, Topic
from rs_ml_perception.recordings.recording import Recording

_REMEDY = 'it is no rosbag2, or was cut off; try `ros2 bag reindex`'


class Rosbag2Recording(Recording):
    """A rosbag2 in mcap or sqlite3, without ROS.

    Args:
        path: directory with metadata.yaml, or a single .mcap or .db3 file.

    Raises:
        InputError: it cannot be read, or is empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._bag = BagReader(path, _REMEDY, default_typestore=message_types())
        reader = self._bag.opened
        self.topics = _topics(reader)
        self.start_ns = reader.start_time
        self.end_ns = reader.end_time - 1  # rosbags ends half-open
        if not self.topics:
            self.close()
            raise InputError(f'recording {path} holds no messages: record it again')

    def messages(self, topics: Collection[str] | None = None) -> Iterator[Message]:
        reader = self._bag.opened
        chosen = [c for c in reader.connections if topics is None or c.topic in topics]
        if not chosen:
            return
        try:
            for connection, log_time_ns, data in reader.messages(chosen):
                yield Message(connection.topic, connection.msgtype, log_time_ns, bytes(data))
        except Exception as error:  # rosbags raises whatever the damage leads to
            reason = str(error) or type(error).__name__
            raise InputError(f'recording {self.path} is damaged: {reason}') from error

    def _decode(self, message: Message) -> Any:
        return self._bag.opened.deserialize(message.data, message.type)

    def close(self) -> None:
        self._bag.close()


def _topics(reader: AnyReader) -> tuple[Topic, ...]:
    topics = []
    for name, info in sorted(reader.topics.items()):
        if info.msgcount:
            connection = info.connections[0]
            qos = tuple(q for c in info.connections for q in c.ext.offered_qos_profiles)
            topics.append(Topic(name, connection.msgtype, info.msgcount, qos))
    return tuple(topics)
