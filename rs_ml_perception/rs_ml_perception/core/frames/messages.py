"""From ROS messages to the types of core.

rclpy and rosbags name the fields alike, so messages of both are accepted and neither is imported.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rs_ml_perception.core.errors import InputError, shortened
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.compressed import (
    decode_compressed_color,
    decode_compressed_depth,
)
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.images.encodings import (
    ImageFields,
    decode_color,
    decode_depth,
    decode_infrared,
)

MAX_FRAME_ID = 256
"""Characters."""


def stamp_ns(stamp: Any) -> int:
    """Nanoseconds of a builtin_interfaces/Time."""
    return int(stamp.sec * 1_000_000_000 + stamp.nanosec)


def stamp_of(message: Any) -> int:
    """Nanoseconds of a message with a header."""
    return stamp_ns(message.header.stamp)


def check_frame_id(frame_id: str) -> None:
    """Raise InputError for an impossible name, which would spoil logs, diagnostics and TF."""
    if len(frame_id) > MAX_FRAME_ID or not frame_id.isprintable():
        raise InputError(
            f'frame_id must be a printable name of at most {MAX_FRAME_ID} characters, got '
            f'{len(frame_id)}: {shortened(frame_id, MAX_FRAME_ID)!r}'
        )


def color_from_message(message: Any) -> np.ndarray:
    """uint8 (H, W, 3) RGB from a sensor_msgs Image or CompressedImage.

    Raises:
        InputError: it is no colour image or damaged.
    """
    check_frame_id(message.header.frame_id)
    if hasattr(message, 'format'):
        return decode_compressed_color(message.format, message.data)
    return decode_color(_image_fields(message))


def depth_from_message(message: Any) -> DepthImage:
    """Depth from a sensor_msgs Image or CompressedImage.

    Raises:
        InputError: it is no depth image or damaged.
    """
    check_frame_id(message.header.frame_id)
    if hasattr(message, 'format'):
        return decode_compressed_depth(message.format, message.data)
    return decode_depth(_image_fields(message))


def infrared_from_message(message: Any) -> np.ndarray:
    """uint8 (H, W) brightness from a sensor_msgs Image or CompressedImage.

    Raises:
        InputError: it is no infrared image or damaged.
    """
    check_frame_id(message.header.frame_id)
    if hasattr(message, 'format'):
        # All three channels of a grey image are equal.
        return np.ascontiguousarray(decode_compressed_color(message.format, message.data)[:, :, 1])
    return decode_infrared(_image_fields(message))


def camera_from_message(info: Any) -> CameraModel:
    """Intrinsics of the image a sensor_msgs/CameraInfo describes, its ROI and binning applied.

    Raises:
        InputError: NaN or zero focal lengths (an uncalibrated camera).
    """
    K = np.asarray(info.k, np.float64)
    model = CameraModel(
        width=int(info.width),
        height=int(info.height),
        fx=float(K[0]),
        fy=float(K[4]),
        cx=float(K[2]),
        cy=float(K[5]),
        distortion_model=info.distortion_model,
        distortion=tuple(float(value) for value in info.d),
    )
    roi = info.roi
    if roi.width and roi.height:
        model = model.cropped(roi.x_offset, roi.y_offset, roi.width, roi.height)
    bin_x, bin_y = max(info.binning_x, 1), max(info.binning_y, 1)
    if bin_x > 1 or bin_y > 1:
        model = model.resized(model.width // bin_x, model.height // bin_y)
    return model


def transform_from_message(transform: Any) -> RigidTransform:
    """parent_from_child of a geometry_msgs/Transform.

    Raises:
        InputError: its quaternion has no length.
    """
    q, t = transform.rotation, transform.translation
    return RigidTransform.from_quaternion(
        np.array([q.x, q.y, q.z, q.w]), np.array([t.x, t.y, t.z])
    )


def extrinsics_from_message(extrinsics: Any) -> RigidTransform:
    """color_from_depth of realsense2_camera_msgs/Extrinsics; its rotation is column-major.

    Raises:
        InputError: it holds no rotation.
    """
    rotation = np.asarray(extrinsics.rotation, np.float64).reshape(3, 3, order='F')
    return RigidTransform(rotation, np.asarray(extrinsics.translation, np.float64))


def _image_fields(image: Any) -> ImageFields:
    return ImageFields(
        encoding=image.encoding,
        width=int(image.width),
        height=int(image.height),
        step=int(image.step),
        data=image.data,
        is_bigendian=bool(image.is_bigendian),
    )
