"""Streams of a librealsense bag and their names in the driver."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from rosbags.interfaces import Connection

from rs_ml_perception.core.frames.messages import transform_from_message
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.recordings.bag_reader import BagReader
from rs_ml_perception.recordings.messages import CAMERA_INFO, IMAGE, IMU

_FRAMES = re.compile(
    r'^(?P<sensor>/device_\d+/sensor_\d+)/(?P<kind>[A-Za-z]+)_(?P<index>\d+)/(?:image|imu)/data$'
)
DEFAULT_DEPTH_UNIT_M = 0.001
REORDER_NS = 500_000_000

T = TypeVar('T')


@dataclass(frozen=True, eq=False)
class DeviceStream:
    """One stream of the bag.

    Attributes:
        source: the topic in the bag that holds its frames.
        count: number of frames.
        name: in the driver: color, depth, infra1, infra2, accel, gyro.
        topic: the driver's topic.
        info_topic: the driver's camera_info topic, '' for the IMU.
        frame_id: its optical frame.
        info: decoded sensor_msgs/CameraInfo of ROS 1, None for the IMU.
        stream_from_reference: extrinsics; the reference is that of the bag, usually depth.
        metres_per_unit: of a depth stream.
    """

    source: str
    count: int
    name: str
    topic: str
    info_topic: str
    frame_id: str
    info: Any | None
    stream_from_reference: RigidTransform
    metres_per_unit: float

    @property
    def outputs(self) -> list[tuple[str, str]]:
        """(topic, type) of the messages of each frame."""
        if not self.info_topic:
            return [(self.topic, IMU)]
        return [(self.info_topic, CAMERA_INFO), (self.topic, IMAGE)]

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.outputs}


def in_order_of_stamps(samples: Iterable[tuple[int, T]]) -> Iterator[tuple[int, T]]:
    """Sort pairs (stamp in ns, anything) in the order of arrival by stamp.

    Streams lag each other by less than REORDER_NS, which bounds the memory.
    """
    heap: list[tuple[int, int, T]] = []
    newest_ns = 0
    for order, (stamp_ns, sample) in enumerate(samples):
        newest_ns = max(newest_ns, stamp_ns)
        heapq.heappush(heap, (stamp_ns, order, sample))
        while heap[0][0] < newest_ns - REORDER_NS:
            oldest_ns, _, oldest = heapq.heappop(heap)
            yield oldest_ns, oldest
    for stamp_ns, _, sample in sorted(heap, key=lambda entry: entry[:2]):
        yield stamp_ns, sample


def find_streams(bag: BagReader, camera: str) -> list[DeviceStream]:
    """The streams with frames that the driver publishes."""
    streams = []
    for connection in bag.connections:
        match = _FRAMES.match(connection.topic)
        name = driver_name(match['kind'], int(match['index'])) if match else None
        if match and name and connection.msgcount:
            streams.append(_stream(bag, connection, match, name, camera))
    return streams


def driver_name(kind: str, index: int) -> str | None:
    """Name in the driver of a stream of librealsense; None if not published."""
    if kind == 'Infrared':
        return f'infra{index}' if index else 'infra'
    known = {'Depth': 'depth', 'Color': 'color', 'Accel': 'accel', 'Gyro': 'gyro'}
    return known.get(kind) if index == 0 else None


def _stream(
    bag: BagReader, source: Connection, match: re.Match[str], name: str, camera: str
) -> DeviceStream:
    prefix = f'{match["sensor"]}/{match["kind"]}_{match["index"]}'
    unit = bag.first(f'{match["sensor"]}/option/Depth Units/value')
    return make_stream(
        source.topic,
        source.msgcount,
        name,
        camera,
        info=bag.first(f'{prefix}/info/camera_info'),
        stream_from_reference=_rigid(bag.first(f'{prefix}/tf/0')),
        # Stored as float32: 0.0010000000475.
        metres_per_unit=DEFAULT_DEPTH_UNIT_M if unit is None else round(float(unit.data), 9),
    )


def make_stream(
    source: str,
    count: int,
    name: str,
    camera: str,
    *,
    info: Any | None,
    stream_from_reference: RigidTransform,
    metres_per_unit: float,
) -> DeviceStream:
    """A stream with the names of the driver; see DeviceStream."""
    is_imu = name in ('accel', 'gyro')
    leaf = 'sample' if is_imu else 'image_raw' if name == 'color' else 'image_rect_raw'
    return DeviceStream(
        source=source,
        count=count,
        name=name,
        topic=f'{camera}/{name}/{leaf}',
        info_topic='' if is_imu else f'{camera}/{name}/camera_info',
        frame_id=f'camera_{name}_optical_frame',
        info=None if is_imu else info,
        stream_from_reference=stream_from_reference,
        metres_per_unit=metres_per_unit,
    )


def _rigid(transform: Any | None) -> RigidTransform:
    if transform is None:
        return RigidTransform(np.eye(3), np.zeros(3))
    return transform_from_message(transform)
