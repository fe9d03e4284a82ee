"""Topics and serialised messages of a recording, and messages that are rejected."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rosbags.interfaces import Qos, QosDurability

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.recordings.message_types import one_line

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED_IMAGE = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
IMU = 'sensor_msgs/msg/Imu'
TF_MESSAGE = 'tf2_msgs/msg/TFMessage'
EXTRINSICS = 'realsense2_camera_msgs/msg/Extrinsics'
TEXT = 'std_msgs/msg/String'

IMAGE_TYPES = (IMAGE, COMPRESSED_IMAGE)
HEADER_FIRST = (IMAGE, COMPRESSED_IMAGE, CAMERA_INFO, IMU)

LATCHED_SUFFIXES = (
    '/tf_static',
    '/extrinsics/depth_to_color',
    '/label_info',
    '/robot_description',
)
"""Topics that are transient local by convention, for recordings without QoS."""


OnRejected = Callable[[str, InputError], None]
"""Called with the topic or file and the reason."""


@dataclass(frozen=True)
class Topic:
    """One topic of a recording.

    Attributes:
        name: absolute name.
        type: 'package/msg/Type'.
        count: number of messages.
        qos: profiles offered by the publishers, () if not recorded.
    """

    name: str
    type: str
    count: int
    qos: tuple[Qos, ...] = ()

    @property
    def is_latched(self) -> bool:
        """Whether a late subscriber should still get the last message."""
        if self.qos:
            return any(qos.durability == QosDurability.TRANSIENT_LOCAL for qos in self.qos)
        return self.name.endswith(LATCHED_SUFFIXES)


@dataclass(frozen=True)
class Message:
    """One serialised message.

    Attributes:
        topic: absolute name.
        type: 'package/msg/Type'.
        log_time_ns: when it was recorded.
        data: CDR bytes with their encapsulation header, as rclpy publishes them.
        problem: why there are none, '' for a usable message.
    """

    topic: str
    type: str
    log_time_ns: int
    data: bytes
    problem: str = ''

    @property
    def stamp_ns(self) -> int:
        """Acquisition time of a message that begins with a header, else the log time."""
        if self.type not in HEADER_FIRST or len(self.data) < 12:
            return self.log_time_ns
        order = '<' if self.data[1] & 1 else '>'
        seconds, nanoseconds = struct.unpack_from(order + 'iI', self.data, 4)
        return int(seconds * 1_000_000_000 + nanoseconds)


@dataclass(frozen=True)
class Rejections:
    """Handling of unusable messages.

    Attributes:
        on_rejected: receives them; None: InputError is raised.
    """

    on_rejected: OnRejected | None

    def attempt(self, message: Message, convert: Callable[[Message], Any]) -> Any | None:
        """The converted message, or None if it is rejected.

        Raises:
            InputError: it is unusable and on_rejected is None.
        """
        try:
            return convert(message)
        except InputError as error:
            self.reject(message.topic, error)
        except Exception as error:  # only this message is lost
            reason = f'{message.topic}: unexpected {type(error).__name__}: {one_line(error)}'
            self.reject(message.topic, InputError(reason))
        return None

    def reject(self, topic: str, error: InputError) -> None:
        """Report an unusable message.

        Raises:
            InputError: on_rejected is None.
        """
        if self.on_rejected is None:
            raise error
        self.on_rejected(topic, error)

    def note(self, topic: str, reason: str) -> None:
        """Report something missing from images that can be used; never raises."""
        if self.on_rejected is not None:
            self.on_rejected(topic, InputError(f'{topic}: {reason}'))
