"""Bags of librealsense (ROS 1 format), presented as the ROS 2 driver publishes them.

Layout: librealsense, doc/sample-data and src/media/ros/ros_file_format.h. Names, encodings, units
and frames: realsense2_camera 4.x.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.recordings.bag_reader import BagReader
from rs_ml_perception.recordings.message_types import message_types, one_line
from rs_ml_perception.recordings.messages import Message, Topic
from rs_ml_perception.recordings.realsense_messages import DriverMessages
from rs_ml_perception.recordings.realsense_streams import (
    DeviceStream,
    find_streams,
    in_order_of_stamps,
)
from rs_ml_perception.recordings.recording import Recording


class RealsenseBag(Recording):
    """A .bag of librealsense, realsense-viewer or rs-record.

    Log times are the stamps of the frames, so that the order is that of acquisition.

    Args:
        path: the file.
        camera: namespace of the topics, as the driver's default.

    Raises:
        InputError: it cannot be read, holds no stream, or is a bag of something else.
    """

    def __init__(self, path: Path, *, camera: str = '/camera/camera') -> None:
        self.path = path
        self._bag = BagReader(path)
        streams = self._find_streams(camera)
        if not streams:
            self.close()
            raise InputError(
                f'{path} holds no stream of a RealSense camera: it is a ROS 1 bag of something '
                'else, convert it with `rosbags-convert`'
            )
        self._streams = {stream.source: stream for stream in streams}
        self._types = {c.topic: c.msgtype for c in self._bag.connections}
        self._driver = DriverMessages(streams, camera)
        try:
            self.start_ns, self.end_ns = self._time_span()
        except InputError:
            self.close()
            raise
        self.topics = self._list_topics()

    def _find_streams(self, camera: str) -> list[DeviceStream]:
        try:
            return find_streams(self._bag, camera)
        except Exception as error:  # damaged intrinsics, extrinsics or units
            self.close()
            if isinstance(error, InputError):
                raise
            raise InputError(f'recording {self.path} is damaged: {one_line(error)}') from error

    def _read(self, topics: Collection[str] | None) -> Iterator[Message]:
        for message in self._latched():
            if topics is None or message.topic in topics:
                yield message
        wanted = [s for s in self._streams.values() if topics is None or s.names & set(topics)]
        for stamp_ns, (source, data) in in_order_of_stamps(self._samples(wanted)):
            decode = partial(self._bag.deserialize, data, self._types[source])
            for message in self._driver.convert(self._streams[source], decode, stamp_ns):
                if topics is None or message.topic in topics:
                    yield message

    def _decode(self, message: Message) -> Any:
        return message_types().deserialize_cdr(message.data, message.type)

    def _latched(self) -> list[Message]:
        return self._driver.latched(self.start_ns)

    def _samples(self, streams: list[DeviceStream]) -> Iterator[tuple[int, tuple[str, bytes]]]:
        """Yield (stamp, (topic in the bag, ROS 1 bytes)) as recorded."""
        topics = {stream.source for stream in streams}
        connections = [c for c in self._bag.connections if c.topic in topics]
        for connection, _, data in self._bag.messages(connections):
            yield _stamp_ns(data), (connection.topic, data)

    def _time_span(self) -> tuple[int, int]:
        """Stamps of the first and the last frame that can be read."""
        stamps = []
        try:
            for stamp_ns, _ in self._samples(list(self._streams.values())):
                stamps.append(stamp_ns)
        except InputError:
            if not stamps:
                raise
            # The frames before the damage are usable; it is reported when reached.
        if not stamps:
            raise InputError(f'recording {self.path} holds no frames: record it again')
        return min(stamps), max(stamps)

    def _list_topics(self) -> tuple[Topic, ...]:
        topics = [Topic(m.topic, m.type, 1) for m in self._latched()]
        for stream in self._streams.values():
            topics += [Topic(n, t, stream.count) for n, t in stream.outputs]
        return tuple(sorted(topics, key=lambda topic: topic.name))

    def close(self) -> None:
        self._bag.close()


def _stamp_ns(data: bytes) -> int:
    """Stamp of a ROS 1 message that begins with a header (seq, seconds, nanoseconds)."""
    seconds, nanoseconds = struct.unpack_from('<II', data, 4)
    return int(seconds * 1_000_000_000 + nanoseconds)
