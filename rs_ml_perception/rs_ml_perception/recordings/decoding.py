"""From decoded messages to the types of core."""

from __future__ import annotations

from typing import Any

import numpy as np

from rs_ml_perception.core.camera import CameraModel
from rs_ml_perception.core.compressed import decode_compressed_color, decode_compressed_depth
from rs_ml_perception.core.depth import DepthImage
from rs_ml_perception.core.encodings import decode_color, decode_depth
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.rigid import RigidTransform


def stamp_of(message: Any) -> int:
    """Nanoseconds of a message with a header."""
    stamp = message.header.stamp
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def color_from_message(message: Any) -> np.ndarray:
    """uint8 (H, W, 3) RGB from a sensor_msgs Image or CompressedImage.

    Raises:
        InputError: it is no colour image or damaged.
    """
    if hasattr(message, 'format'):
        return decode_compressed_color(message.format, message.data)
    return decode_color(**_image_fields(message))


def depth_from_message(message: Any) -> DepthImage:
    """Depth from a sensor_msgs Image or CompressedImage.

    Raises:
        InputError: it is no depth image or damaged.
    """
    if hasattr(message, 'format'):
        return decode_compressed_depth(message.format, message.data)
    return decode_depth(**_image_fields(message))


def camera_from_message(info: Any) -> CameraModel:
    """Intrinsics from a sensor_msgs/CameraInfo (rosbags and rclpy name the fields alike).

    Raises:
        InputError: it is not calibrated.
    """
    K = np.asarray(info.k, np.float64)
    return CameraModel(
        width=int(info.width),
        height=int(info.height),
        fx=float(K[0]),
        fy=float(K[4]),
        cx=float(K[2]),
        cy=float(K[5]),
        distortion_model=info.distortion_model,
        distortion=tuple(float(value) for value in info.d),
    )


def extrinsics_from_message(extrinsics: Any) -> RigidTransform:
    """color_from_depth of the driver's Extrinsics; its rotation is column-major."""
    rotation = np.asarray(extrinsics.rotation, np.float64).reshape(3, 3, order='F')
    if not np.isfinite(rotation).all():
        raise InputError(f'extrinsics hold no rotation: {rotation.tolist()}')
    return RigidTransform(rotation, np.asarray(extrinsics.translation, np.float64))


def _image_fields(image: Any) -> dict[str, Any]:
    return {
        'encoding': image.encoding,
        'width': int(image.width),
        'height': int(image.height),
        'step': int(image.step),
        'data': image.data,
        'is_bigendian': bool(image.is_bigendian),
    }
