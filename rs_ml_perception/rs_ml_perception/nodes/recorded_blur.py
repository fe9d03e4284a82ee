"""Messages to be recorded, with people blurred."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage, Image, PointCloud2

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.messages import color_from_message
from rs_ml_perception.core.images.compressed import encode_compressed_color
from rs_ml_perception.ros.output.images import COMPRESSED, compressed_image, image

DEPTH_ENCODINGS = ('16UC1', '32FC1')
NO_PICTURES = ('/mask', '/depth/confidence')
"""Endings of topics whose grey values are no brightness."""

_COLORS = ('rgb', 'rgba')
_UNREADABLE = ('Packet', 'FFMPEGPacket', 'CompressedVideo', 'CompressedPointCloud2')
"""Names of message types with pixels that cannot be decoded here."""


class MessageBlur:
    """Blurs people in images; everything else stays as it is.

    Args:
        blur: image uint8 (H, W, 3) to one without recognizable people; may raise InputError.
    """

    def __init__(self, blur: Callable[[np.ndarray], np.ndarray]) -> None:
        self._blur = blur

    def __call__(self, topic: str, type_name: str, data: bytes) -> bytes:
        """The message to record.

        Args:
            topic: of the message.
            type_name: such as sensor_msgs/msg/Image.
            data: serialized.

        Raises:
            InputError: it may show people and cannot be blurred, so it must not be recorded.
        """
        name = type_name.rpartition('/')[2]
        if name in _UNREADABLE:
            raise InputError(f'people are not blurred in {type_name}')
        blur = {'Image': self._image, 'CompressedImage': self._compressed}.get(name)
        if name == 'PointCloud2':
            _check_colorless(deserialize_message(data, PointCloud2))
        if blur is None or topic.removesuffix(COMPRESSED).endswith(NO_PICTURES):
            return data
        blurred = blur(data)
        return data if blurred is None else serialize_message(blurred)

    def _image(self, data: bytes) -> Any:
        msg = deserialize_message(data, Image)
        if msg.encoding in DEPTH_ENCODINGS:
            return None
        rgb = self._blurred(color_from_message(msg))
        if rgb is None:
            return None
        is_grey = msg.encoding == 'mono8'
        pixels = np.ascontiguousarray(rgb[..., 0]) if is_grey else rgb
        return image(pixels, 'mono8' if is_grey else 'rgb8', msg.header)

    def _compressed(self, data: bytes) -> Any:
        msg = deserialize_message(data, CompressedImage)
        if 'compressedDepth' in msg.format:
            return None
        rgb = self._blurred(color_from_message(msg))
        if rgb is None:
            return None
        return compressed_image(encode_compressed_color(rgb), msg.header)

    def _blurred(self, rgb: np.ndarray) -> np.ndarray | None:
        """The blurred image; None if nobody is in it, so that its bytes stay."""
        blurred = self._blur(rgb)
        return None if np.array_equal(blurred, rgb) else blurred


def _check_colorless(cloud: Any) -> None:
    if any(field.name in _COLORS for field in cloud.fields):
        raise InputError('people are not blurred in coloured points')
