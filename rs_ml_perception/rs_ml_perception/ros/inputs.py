"""The camera topics nodes may listen to, under names relative to the driver's."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu

from rs_ml_msgs.msg import DetectionArray
from rs_ml_perception.ros.image_stream import ImageStream
from rs_ml_perception.ros.message_filters_synchronizer import SYNCHRONIZERS
from rs_ml_perception.ros.qos import RELIABILITIES
from rs_ml_perception.ros.samples import ImageSample, Sample
from rs_ml_perception.ros.streams import TopicStream

TRANSPORTS = ('auto', 'raw', 'compressed')
"""auto takes the published one, raw before compressed, for each image topic by itself."""

COLOR = 'color/image_raw'
COLOR_INFO = 'color/camera_info'
ALIGNED_DEPTH = 'aligned_depth_to_color/image_raw'
RAW_DEPTH = 'depth/image_rect_raw'
RAW_DEPTH_INFO = 'depth/camera_info'
INFRA = 'infra1/image_rect_raw'
ACCEL = 'accel/sample'
EXTRINSICS = 'extrinsics/depth_to_color'
DETECTIONS = 'detection/detections'

# PNG of 16 bit comes as `compressed` too.
_COLOR_SUFFIXES, _DEPTH_SUFFIXES = ('compressed',), ('compressedDepth', 'compressed')
COMPRESSED_SUFFIXES = {
    COLOR: _COLOR_SUFFIXES,
    INFRA: _COLOR_SUFFIXES,
    ALIGNED_DEPTH: _DEPTH_SUFFIXES,
    RAW_DEPTH: _DEPTH_SUFFIXES,
}

INFO_TYPES = {COLOR_INFO: CameraInfo, RAW_DEPTH_INFO: CameraInfo, ACCEL: Imu}
INFO_TYPES[DETECTIONS] = DetectionArray


@dataclass(frozen=True)
class StreamOptions:
    """How to subscribe and pair.

    Attributes:
        reliability: one of RELIABILITIES.
        image_transport: one of TRANSPORTS.
        max_skew_ms: a partner (depth of colour, infrared of depth) may be this far from its image;
            0: equal stamps or, where the camera shares none, half a period of the partner.
        synchronizer: one of SYNCHRONIZERS.
    """

    reliability: str = RELIABILITIES[0]
    image_transport: str = TRANSPORTS[0]
    max_skew_ms: float = 0.0
    synchronizer: str = SYNCHRONIZERS[0]

    @property
    def max_skew_ns(self) -> int:
        return round(self.max_skew_ms * 1e6)


def create_stream(
    node: Node, role: str, options: StreamOptions
) -> TopicStream | ImageStream | None:
    """The stream of a role; None where its message type is not installed."""
    if role in COMPRESSED_SUFFIXES:
        return _image_stream(node, role, options)
    if role == EXTRINSICS:
        return _extrinsics_stream(node)
    return TopicStream(
        node,
        INFO_TYPES[role],
        role,
        reliability=options.reliability,
        # Intrinsics may have been published once, before us.
        follows_durability=INFO_TYPES[role] is CameraInfo,
    )


def _image_stream(node: Node, role: str, options: StreamOptions) -> ImageStream:
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
            TopicStream(
                node, kind, topic, reliability=options.reliability, make_sample=ImageSample
            )
            for kind, topic in topics
        ]
    )


def _compressed_topic(node: Node, role: str, suffix: str) -> str:
    """Beside the raw topic wherever that was remapped to, unless remapped itself."""
    own = f'{role}/{suffix}'
    remapped = node.resolve_topic_name(own)
    unmapped = f'{node.get_namespace().rstrip("/")}/{own}'
    if remapped != unmapped:
        return remapped
    return f'{node.resolve_topic_name(role)}/{suffix}'


def _extrinsics_stream(node: Node) -> TopicStream | None:
    """The only place that imports realsense2_camera_msgs."""
    try:
        messages = importlib.import_module('realsense2_camera_msgs.msg')
    except ImportError:
        return None
    return TopicStream(
        node,
        messages.Extrinsics,
        EXTRINSICS,
        follows_durability=True,
        is_latched=True,
        make_sample=UnstampedSample,
    )


class UnstampedSample(Sample):
    """A message without a header."""

    def __init__(self, msg: object) -> None:
        self.msg = msg
        self.stamp_ns = 0
        self.frame_id = ''
