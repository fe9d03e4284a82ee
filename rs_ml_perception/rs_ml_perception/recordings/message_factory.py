"""Building the messages a RealSense driver publishes, without ROS."""

from __future__ import annotations

from typing import Any

import numpy as np

from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform, quaternion_xyzw
from rs_ml_perception.core.images.compressed import CompressedBytes
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.recordings.message_types import message_types
from rs_ml_perception.recordings.messages import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    EXTRINSICS,
    IMAGE,
    IMU,
    TEXT,
    TF_MESSAGE,
    Message,
)


def make(name: str, **fields: Any) -> Any:
    """A message object of 'package/msg/Type'; every field must be given."""
    return message_types().types[name](**fields)


def serialise(topic: str, name: str, log_time_ns: int, content: Any) -> Message:
    """The message as CDR bytes on a topic."""
    data = bytes(message_types().serialize_cdr(content, name))
    return Message(topic, name, log_time_ns, data)


def header(stamp_ns: int, frame_id: str) -> Any:
    """A std_msgs/Header."""
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    stamp = make('builtin_interfaces/msg/Time', sec=seconds, nanosec=nanoseconds)
    return make('std_msgs/msg/Header', stamp=stamp, frame_id=frame_id)


def image(header: Any, encoding: str, pixels: np.ndarray) -> Any:
    """A packed sensor_msgs/Image of an array (H, W) or (H, W, C)."""
    rows = np.ascontiguousarray(pixels).reshape(pixels.shape[0], -1).view(np.uint8)
    return image_of_rows(header, encoding, pixels.shape[1], rows)


def image_of_rows(header: Any, encoding: str, width: int, rows: np.ndarray) -> Any:
    """A sensor_msgs/Image of uint8 (H, step), padding included."""
    return make(
        IMAGE,
        header=header,
        height=rows.shape[0],
        width=width,
        encoding=encoding,
        is_bigendian=0,
        step=rows.shape[1],
        data=rows.ravel(),
    )


def compressed_image(header: Any, compressed: CompressedBytes) -> Any:
    """A sensor_msgs/CompressedImage."""
    data = np.frombuffer(compressed.data, np.uint8)
    return make(COMPRESSED_IMAGE, header=header, format=compressed.format, data=data)


def depth_image(header: Any, depth: DepthImage) -> Any:
    """16UC1 in millimetres, truncated like in the driver, or 32FC1 in metres."""
    if depth.values.dtype == np.float32:
        return image(header, '32FC1', depth.values * np.float32(depth.metres_per_unit))
    if depth.metres_per_unit == 0.001:
        return image(header, '16UC1', depth.values)
    millimetres = depth.values.astype(np.float64) * (depth.metres_per_unit / 0.001)
    return image(header, '16UC1', np.minimum(millimetres, 65535).astype(np.uint16))


def camera_info(header: Any, camera: CameraModel) -> Any:
    """A sensor_msgs/CameraInfo with P = K and R = I, as in the driver."""
    K = camera.matrix
    return make(
        CAMERA_INFO,
        header=header,
        height=camera.height,
        width=camera.width,
        distortion_model=camera.distortion_model or 'plumb_bob',
        d=np.array(camera.distortion or 5 * (0.0,), np.float64),
        k=K.ravel(),
        r=np.eye(3).ravel(),
        p=np.insert(K, 3, 0.0, axis=1).ravel(),
        binning_x=0,
        binning_y=0,
        roi=make(
            'sensor_msgs/msg/RegionOfInterest',
            x_offset=0,
            y_offset=0,
            height=0,
            width=0,
            do_rectify=False,
        ),
    )


def imu(header: Any, angular_velocity: np.ndarray | None, linear_acceleration: np.ndarray) -> Any:
    """A sensor_msgs/Imu without orientation; rad/s (None: not measured) and m/s2."""
    zeros = np.zeros(9)
    unknown = np.array([-1.0] + 8 * [0.0])  # sensor_msgs/Imu: no estimate
    return make(
        IMU,
        header=header,
        orientation=make('geometry_msgs/msg/Quaternion', x=0.0, y=0.0, z=0.0, w=0.0),
        orientation_covariance=unknown,
        angular_velocity=vector(zeros[:3] if angular_velocity is None else angular_velocity),
        angular_velocity_covariance=unknown if angular_velocity is None else zeros,
        linear_acceleration=vector(linear_acceleration),
        linear_acceleration_covariance=zeros,
    )


def extrinsics(color_from_depth: RigidTransform) -> Any:
    """The driver's Extrinsics of extrinsics/depth_to_color; its rotation is column-major."""
    return make(
        EXTRINSICS,
        rotation=color_from_depth.rotation.flatten(order='F'),
        translation=np.ascontiguousarray(color_from_depth.translation_m),
    )


def tf_message(stamp_ns: int, transforms: dict[tuple[str, str], RigidTransform]) -> Any:
    """A tf2_msgs/TFMessage of {(parent, child): parent_from_child}."""
    stamped = [
        _stamped(stamp_ns, parent, child, parent_from_child)
        for (parent, child), parent_from_child in transforms.items()
    ]
    return make(TF_MESSAGE, transforms=stamped)


def text(content: str) -> Any:
    """A std_msgs/String."""
    return make(TEXT, data=content)


def vector(xyz: np.ndarray) -> Any:
    """A geometry_msgs/Vector3."""
    x, y, z = (float(value) for value in xyz)
    return make('geometry_msgs/msg/Vector3', x=x, y=y, z=z)


def _stamped(stamp_ns: int, parent: str, child: str, pose: RigidTransform) -> Any:
    x, y, z, w = quaternion_xyzw(pose.rotation)
    transform = make(
        'geometry_msgs/msg/Transform',
        translation=vector(pose.translation_m),
        rotation=make('geometry_msgs/msg/Quaternion', x=x, y=y, z=z, w=w),
    )
    return make(
        'geometry_msgs/msg/TransformStamped',
        header=header(stamp_ns, parent),
        child_frame_id=child,
        transform=transform,
    )
