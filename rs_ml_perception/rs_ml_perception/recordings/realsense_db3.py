"""Recordings of librealsense 2.59 and later: sqlite3 of ROS 2 with other names.

Images are compressed, depth has the unit of the sensor, and the true stamps are in a text message
after each frame. They are presented as the driver publishes them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.messages import color_from_message
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.compressed import decode_compressed_depth
from rs_ml_perception.recordings.message_types import message_types
from rs_ml_perception.recordings.messages import IMU, Message, Topic
from rs_ml_perception.recordings.realsense_messages import DriverMessages
from rs_ml_perception.recordings.realsense_streams import (
    DEFAULT_DEPTH_UNIT_M,
    DeviceStream,
    driver_name,
    in_order_of_stamps,
    make_stream,
)
from rs_ml_perception.recordings.recording import Recording

_FRAMES = re.compile(
    r'^(?P<stream>(?P<sensor>/device_\d+/sensor_\d+)/(?P<kind>[A-Za-z]+)_(?P<index>\d+))'
    r'/(?P<what>image|imu)/data(?:/compressed|/compressedDepth)?$'
)

_UNSTAMPED = 'its metadata are missing, when it was taken is not known'


def is_realsense_db3(recording: Recording) -> bool:
    """Whether librealsense wrote this rosbag2."""
    return any(_FRAMES.match(topic.name) for topic in recording.topics)


class RealsenseDb3(Recording):
    """A .db3 of librealsense on the topics of the driver; log times are the stamps of the frames.

    Args:
        inner: the file, opened as a rosbag2; closed with this.
        camera: namespace of the topics, as the driver's default.

    Raises:
        InputError: no stream the driver would publish, or no frames.
    """

    def __init__(self, inner: Recording, *, camera: str = '/camera/camera') -> None:
        self.path = inner.path
        self._inner = inner
        matches = [(topic, _FRAMES.match(topic.name)) for topic in inner.topics]
        found = [self._stream(topic, match, camera) for topic, match in matches if match]
        streams = [stream for stream in found if stream is not None]
        if not streams:
            raise InputError(f'recording {self.path} holds no stream of colour, depth or IMU')
        self._streams = {stream.source: stream for stream in streams}
        self._driver = DriverMessages(streams, camera)
        samples = self._samples(list(self._streams))
        stamps = [stamp_ns for stamp_ns, sample in samples if not sample.problem]
        if not stamps:
            raise InputError(f'recording {self.path} holds no frames: record it again')
        self.start_ns, self.end_ns = min(stamps), max(stamps)
        self.topics = tuple(sorted(self._list_topics(), key=lambda topic: topic.name))

    def _read(self, topics: Collection[str] | None) -> Iterator[Message]:
        for message in self._driver.latched(self.start_ns):
            if topics is None or message.topic in topics:
                yield message
        wanted = [
            source
            for source, stream in self._streams.items()
            if topics is None or stream.names & set(topics)
        ]
        for stamp_ns, sample in in_order_of_stamps(self._samples(wanted)):
            stream, decode = self._streams[sample.topic], partial(self._unpacked, sample)
            for message in self._driver.convert(stream, decode, stamp_ns):
                if topics is None or message.topic in topics:
                    yield message

    def _unpacked(self, sample: Message) -> Any:
        return _unpacked(self._inner.decode(sample), sample.type)

    def _decode(self, message: Message) -> Any:
        return message_types().deserialize_cdr(message.data, message.type)

    def close(self) -> None:
        self._inner.close()

    def _samples(self, sources: list[str]) -> Iterator[tuple[int, Message]]:
        """Yield (stamp, frame) as recorded: each frame is followed by its metadata."""
        source_of = {_metadata_topic(source): source for source in sources}
        waiting: dict[str, Message] = {}
        newest_ns = 0
        for message in self._inner.messages([*sources, *source_of]):
            frame = waiting.pop(source_of.get(message.topic, message.topic), None)
            stamp_ns = None
            if message.topic in source_of:
                stamp_ns = self._stamp_ns(message)
            else:
                waiting[message.topic] = message
            if frame is not None and stamp_ns is not None:
                newest_ns = max(newest_ns, stamp_ns)
                yield stamp_ns, frame
            elif frame is not None:
                yield newest_ns, replace(frame, problem=_UNSTAMPED)
        for frame in waiting.values():
            yield newest_ns, replace(frame, problem=_UNSTAMPED)

    def _stamp_ns(self, metadata: Message) -> int | None:
        """The stamp in the text stored with a frame, None without one."""
        try:
            return round(float(_fields(self._inner.decode(metadata).data)['timestamp']) * 1e6)
        except (InputError, KeyError, ValueError, OverflowError):
            return None

    def _list_topics(self) -> Iterator[Topic]:
        for message in self._driver.latched(self.start_ns):
            yield Topic(message.topic, message.type, 1)
        for stream in self._streams.values():
            for name, type_name in stream.outputs:
                yield Topic(name, type_name, stream.count)

    def _stream(self, topic: Topic, match: re.Match[str], camera: str) -> DeviceStream | None:
        name = driver_name(match['kind'], int(match['index']))
        if name is None:
            return None
        prefix = match['stream']
        poses = [t.name for t in self._inner.topics if t.name.startswith(f'{prefix}/tf/')]
        unit = self._text(f'{match["sensor"]}/option/Depth_Units/value')
        return make_stream(
            topic.name,
            topic.count,
            name,
            camera,
            info=_camera_info(_fields(self._text(f'{prefix}/camera_info'))),
            stream_from_reference=_rigid(_fields(self._text(poses[0]) if poses else '')),
            metres_per_unit=float(unit) if unit else DEFAULT_DEPTH_UNIT_M,
        )

    def _text(self, topic: str) -> str:
        message = self._inner.first(topic)
        return '' if message is None else message.data


def _metadata_topic(source: str) -> str:
    return f'{source.partition("/data")[0]}/metadata'


def _fields(text: str) -> dict[str, str]:
    """Parse 'a=1;b=2'."""
    return dict(part.split('=', 1) for part in text.split(';') if '=' in part)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(',') if number]


def _camera_info(fields: dict[str, str]) -> SimpleNamespace | None:
    if not fields:
        return None
    fx, fy, cx, cy = (float(fields[key]) for key in ('fx', 'fy', 'ppx', 'ppy'))
    return SimpleNamespace(
        K=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        D=_numbers(fields['coeffs']),
        distortion_model=fields['model'],
    )


def _rigid(fields: dict[str, str]) -> RigidTransform:
    if not fields:
        return RigidTransform.identity()
    rotation = np.reshape(_numbers(fields['rotation']), (3, 3), order='F')
    return RigidTransform(rotation, np.array(_numbers(fields['translation'])))


def _unpacked(message: Any, type_name: str) -> Any:
    """An IMU sample unchanged; a compressed image as the fields of a raw one."""
    if type_name == IMU or not hasattr(message, 'format'):
        return message
    if 'compressedDepth' in message.format:
        return _raw('16UC1', decode_compressed_depth(message.format, message.data).values)
    rgb = color_from_message(message)
    if message.format.startswith('mono8'):
        return _raw('mono8', cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    return _raw('rgb8', rgb)


def _raw(encoding: str, pixels: np.ndarray) -> SimpleNamespace:
    rows = np.ascontiguousarray(pixels).reshape(pixels.shape[0], -1).view(np.uint8)
    return SimpleNamespace(
        encoding=encoding,
        height=pixels.shape[0],
        width=pixels.shape[1],
        step=rows.shape[1],
        data=rows.ravel(),
    )
