"""The camera topics nodes may listen to, under names relative to the driver's."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu

from rs_ml_msgs.msg import DetectionArray
from rs_ml_perception.ros.qos import RELIABILITIES
from rs_ml_perception.ros.samples import ImageSample, Sample
from rs_ml_perception.ros.streams import TopicStream

TRANSPORTS = ('raw', 'compressed')

COLOR = 'color/image_raw'
COLOR_INFO = 'color/camera_info'
ALIGNED_DEPTH = 'aligned_depth_to_color/image_raw'
RAW_DEPTH = 'depth/image_rect_raw'
RAW_DEPTH_INFO = 'depth/camera_info'
INFRA = 'infra1/image_rect_raw'
ACCEL = 'accel/sample'
EXTRINSICS = 'extrinsics/depth_to_color'
DETECTIONS = 'detection/detections'

COMPRESSED_SUFFIX = {
    COLOR: 'compressed',
    INFRA: 'compressed',
    ALIGNED_DEPTH: 'compressedDepth',
    RAW_DEPTH: 'compressedDepth',
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
            0: equal stamps or, where the camera shares none, half a period.
    """

    reliability: str = RELIABILITIES[0]
    image_transport: str = TRANSPORTS[0]
    max_skew_ms: float = 0.0

    @property
    def max_skew_ns(self) -> int:
        return round(self.max_skew_ms * 1e6)


def create_stream(node: Node, role: str, options: StreamOptions) -> TopicStream | None:
    """The stream of a role; None where its message type is not installed."""
    if role in COMPRESSED_SUFFIX:
        return _image_stream(node, role, options)
    if role == EXTRINSICS:
        return _extrinsics_stream(node)
    return TopicStream(node, INFO_TYPES[role], role, reliability=options.reliability)


def _image_stream(node: Node, role: str, options: StreamOptions) -> TopicStream:
    is_compressed = options.image_transport == 'compressed'
    return TopicStream(
        node,
        CompressedImage if is_compressed else Image,
        _compressed_topic(node, role) if is_compressed else role,
        reliability=options.reliability,
        make_sample=ImageSample,
    )


def _compressed_topic(node: Node, role: str) -> str:
    """Beside the raw topic wherever that was remapped to, unless remapped itself."""
    own = f'{role}/{COMPRESSED_SUFFIX[role]}'
    remapped = node.resolve_topic_name(own)
    unmapped = f'{node.get_namespace().rstrip("/")}/{own}'
    if remapped != unmapped:
        return remapped
    return f'{node.resolve_topic_name(role)}/{COMPRESSED_SUFFIX[role]}'


def _extrinsics_stream(node: Node) -> TopicStream | None:
    """The only place that imports realsense2_camera_msgs."""
    try:
        messages = importlib.import_module('realsense2_camera_msgs.msg')
    except ImportError:
        return None
    return TopicStream(
        node, messages.Extrinsics, EXTRINSICS, is_latched=True, make_sample=UnstampedSample
    )


class UnstampedSample(Sample):
    """A message without a header."""

    def __init__(self, msg: object) -> None:
        self.msg = msg
        self.stamp_ns = 0
        self.frame_id = ''
