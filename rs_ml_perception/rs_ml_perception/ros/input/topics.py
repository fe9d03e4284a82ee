"""The camera topics, their streams, and the choice among topics that serve the same input."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu

from rs_ml_msgs.msg import DetectionArray
from rs_ml_perception.core.streams.counters import Missed
from rs_ml_perception.ros.input.message_filters_synchronizer import SYNCHRONIZERS
from rs_ml_perception.ros.input.samples import ImageSample, TopicSample, UnstampedSample
from rs_ml_perception.ros.input.streams import ImageStream, TopicStream
from rs_ml_perception.ros.qos import RELIABILITIES

TRANSPORTS = ('auto', 'raw', 'compressed')
"""auto takes the published transport of each image topic, raw before compressed."""

COLOR = 'color/image_raw'
COLOR_INFO = 'color/camera_info'
ALIGNED_DEPTH = 'aligned_depth_to_color/image_raw'
RAW_DEPTH = 'depth/image_rect_raw'
RAW_DEPTH_INFO = 'depth/camera_info'
INFRA = 'infra1/image_rect_raw'
ACCEL = 'accel/sample'
EXTRINSICS = 'extrinsics/depth_to_color'
DETECTIONS = 'detection/detections'

# 16-bit PNG is published as `compressed` too.
_COLOR_SUFFIXES, _DEPTH_SUFFIXES = ('compressed',), ('compressedDepth', 'compressed')
COMPRESSED_SUFFIXES = {
    COLOR: _COLOR_SUFFIXES,
    INFRA: _COLOR_SUFFIXES,
    ALIGNED_DEPTH: _DEPTH_SUFFIXES,
    RAW_DEPTH: _DEPTH_SUFFIXES,
}

INFO_TYPES = {
    COLOR_INFO: CameraInfo,
    RAW_DEPTH_INFO: CameraInfo,
    ACCEL: Imu,
    DETECTIONS: DetectionArray,
}

DEPTH_SOURCES = ('auto', 'aligned', 'raw', 'none')
PRIMARY_DEPTH_SOURCES = ('auto', 'raw', 'aligned')
_DEPTH_ROLES = {'aligned': (ALIGNED_DEPTH,), 'raw': (RAW_DEPTH,), 'none': ()}


READINGS_DEPTH = 100
"""Accelerometer readings kept between two polls: 0.25 s at the 400 Hz of the fastest camera."""


@dataclass(frozen=True)
class StreamOptions:
    """How to subscribe and pair.

    Attributes:
        reliability: one of RELIABILITIES.
        image_transport: one of TRANSPORTS.
        max_skew_ms: largest difference of the stamps of partners (colour and depth, depth and
            infrared); 0: equal stamps or, if the camera shares none, half a period of the partner.
        synchronizer: one of SYNCHRONIZERS.
    """

    reliability: str = RELIABILITIES[0]
    image_transport: str = TRANSPORTS[0]
    max_skew_ms: float = 0.0
    synchronizer: str = SYNCHRONIZERS[0]

    @property
    def max_skew_ns(self) -> int:
        return round(self.max_skew_ms * 1e6)


def create_image_stream(node: Node, role: str, options: StreamOptions) -> ImageStream:
    """The images of a role, a key of COMPRESSED_SUFFIXES, on the transport that is published."""
    topics: list[tuple[type, str]] = []
    if options.image_transport != 'compressed':
        topics.append((Image, role))
    if options.image_transport != 'raw':
        topics += [
            (CompressedImage, _compressed_topic(node, role, suffix))
            for suffix in COMPRESSED_SUFFIXES[role]
        ]
    return ImageStream(
        [
            TopicStream(node, kind, topic, ImageSample, reliability=options.reliability)
            for kind, topic in topics
        ]
    )


def create_stream(node: Node, role: str, options: StreamOptions) -> TopicStream[TopicSample]:
    """The messages of a role, a key of INFO_TYPES."""
    return TopicStream(
        node,
        INFO_TYPES[role],
        role,
        TopicSample,
        reliability=options.reliability,
        # Intrinsics may have been published once, earlier.
        follows_durability=INFO_TYPES[role] is CameraInfo,
        polled_depth=READINGS_DEPTH if role == ACCEL else 0,
        keeps_latest=INFO_TYPES[role] is CameraInfo,
    )


def create_extrinsics_stream(node: Node) -> TopicStream[TopicSample] | None:
    """The driver's extrinsics; None where realsense2_camera_msgs is not installed."""
    try:
        messages = importlib.import_module('realsense2_camera_msgs.msg')
    except ImportError:
        return None
    return TopicStream(
        node,
        messages.Extrinsics,
        EXTRINSICS,
        UnstampedSample,
        follows_durability=True,
        is_latched=True,
    )


def _compressed_topic(node: Node, role: str, suffix: str) -> str:
    """The topic next to the remapped raw topic, unless it is remapped itself."""
    own = f'{role}/{suffix}'
    remapped = node.resolve_topic_name(own)
    unmapped = f'{node.get_namespace().rstrip("/")}/{own}'
    if remapped != unmapped:
        return remapped
    return f'{node.resolve_topic_name(role)}/{suffix}'


class TopicChoice:
    """Listens to at most one topic.

    Args:
        roles: inputs in order of preference; the first with a publisher is taken.
        streams: by role.
        listener: gets every sample.
        fallback: role to listen to while none has a publisher, '' for none.
        keeps: whether to stay with a topic whose publisher has gone, as it may come back.

    Attributes:
        role: the input listened to, '' for none.
    """

    def __init__(
        self,
        roles: Sequence[str],
        streams: Mapping[str, ImageStream],
        listener: Callable[[ImageSample], None],
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
        """Messages sent on the current topic that never arrived."""
        return self._streams[self.role].missed if self.role else Missed()

    @property
    def has_publisher(self) -> bool:
        """Whether the current topic has a publisher."""
        return bool(self.role) and self._streams[self.role].has_publisher

    @property
    def is_settled(self) -> bool:
        """Whether `choose` would keep the topic."""
        return self._best() == self.role

    def choose(self, *, wanted: bool = True) -> bool:
        """Follow the publishers; returns whether the topic changed.

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
    wanted: str, streams: Mapping[str, ImageStream], listener: Callable[[ImageSample], None]
) -> TopicChoice:
    """Depth as a partner; `wanted` is one of DEPTH_SOURCES, auto prefers aligned to raw."""
    if wanted == 'auto':
        return TopicChoice((ALIGNED_DEPTH, RAW_DEPTH), streams, listener)
    roles = _DEPTH_ROLES[wanted]
    return TopicChoice(roles, streams, listener, fallback=''.join(roles))


def depth_primary(
    wanted: str, streams: Mapping[str, ImageStream], listener: Callable[[ImageSample], None]
) -> TopicChoice:
    """Depth as primary; `wanted` is one of PRIMARY_DEPTH_SOURCES, auto prefers raw to aligned."""
    if wanted == 'auto':
        return TopicChoice((RAW_DEPTH, ALIGNED_DEPTH), streams, listener, fallback=RAW_DEPTH)
    roles = _DEPTH_ROLES[wanted]
    return TopicChoice(roles, streams, listener, fallback=''.join(roles))


def infrared_partner(
    mode: str, streams: Mapping[str, ImageStream], listener: Callable[[ImageSample], None]
) -> TopicChoice:
    """Infrared as a partner; mode is 'auto' (while it has a publisher), 'require' or 'none'."""
    if mode == 'auto':
        # Waiting for a stream that ended would delay every frame.
        return TopicChoice((INFRA,), streams, listener, keeps=False)
    roles = (INFRA,) if mode == 'require' else ()
    return TopicChoice(roles, streams, listener, fallback=''.join(roles))
