"""The messages that a RealSense driver publishes, as CDR bytes, without ROS."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import cv2
import numpy as np
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore
from rs_ml_perception.core.camera import CameraModel

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED_IMAGE = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
IMU = 'sensor_msgs/msg/Imu'
TF_MESSAGE = 'tf2_msgs/msg/TFMessage'
EXTRINSICS = 'realsense2_camera_msgs/msg/Extrinsics'
TEXT = 'std_msgs/msg/String'

_EXTRINSICS_FIELDS = 'float64[9] rotation\nfloat64[3] translation\n'
_IDENTITY = (0.0, 0.0, 0.0, 1.0)
# REP-103: x right, y down, z forward in the body's x forward, y left, z up; (x, y, z, w).
_BODY_FROM_OPTICAL = (-0.5, 0.5, -0.5, 0.5)
_ORIGIN = (0.0, 0.0, 0.0)


@functools.cache
def message_types() -> Typestore:
    """The definitions that the messages are written with."""
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(_EXTRINSICS_FIELDS, EXTRINSICS))
    return store


def image(stamp_ns: int, frame_id: str, encoding: str, pixels: np.ndarray) -> bytes:
    """A sensor_msgs/Image.

    Args:
        stamp_ns: of the header [ns].
        frame_id: optical frame.
        encoding: rgb8, mono8 or 16UC1, as the pixels are.
        pixels: (H, W) or (H, W, 3).
    """
    rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1).view(np.uint8)
    return _serialised(
        IMAGE,
        header=_header(stamp_ns, frame_id),
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=rows.shape[1],
        data=rows.ravel(),
    )


def compressed_image(stamp_ns: int, frame_id: str, layout: str, data: bytes) -> bytes:
    """A sensor_msgs/CompressedImage; see `data.bag_compression` for layout and data."""
    return _serialised(
        COMPRESSED_IMAGE,
        header=_header(stamp_ns, frame_id),
        format=layout,
        data=np.frombuffer(data, np.uint8),
    )


def accelerometer(stamp_ns: int, frame_id: str, acceleration: np.ndarray) -> bytes:
    """A sensor_msgs/Imu of (3,) [m/s2] with neither orientation nor rotation rate."""
    unknown = np.array([-1.0] + 8 * [0.0])  # sensor_msgs/Imu: this estimate is not there
    return _serialised(
        IMU,
        header=_header(stamp_ns, frame_id),
        orientation=_make('geometry_msgs/msg/Quaternion', x=0.0, y=0.0, z=0.0, w=0.0),
        orientation_covariance=unknown,
        angular_velocity=_vector(_ORIGIN),
        angular_velocity_covariance=unknown,
        linear_acceleration=_vector(acceleration),
        linear_acceleration_covariance=np.zeros(9),
    )


def extrinsics(color_from_depth: np.ndarray) -> bytes:
    """The driver's Extrinsics of (4, 4) [m]; its rotation is column-major."""
    return _serialised(
        EXTRINSICS,
        rotation=color_from_depth[:3, :3].flatten(order='F'),
        translation=color_from_depth[:3, 3].copy(),
    )


def text(content: str) -> bytes:
    """A std_msgs/String."""
    return _serialised(TEXT, data=content)


def camera_info(stamp_ns: int, frame_id: str, camera: CameraModel) -> bytes:
    """A sensor_msgs/CameraInfo of a pinhole: no distortion, R = I, P = K, as the driver's."""
    K = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]], np.float64)
    whole = {'x_offset': 0, 'y_offset': 0, 'height': 0, 'width': 0, 'do_rectify': False}
    return _serialised(
        CAMERA_INFO,
        header=_header(stamp_ns, frame_id),
        height=camera.height,
        width=camera.width,
        distortion_model='plumb_bob',
        d=np.zeros(5),
        k=K.ravel(),
        r=np.eye(3).ravel(),
        p=np.insert(K, 3, 0.0, axis=1).ravel(),
        binning_x=0,
        binning_y=0,
        roi=_make('sensor_msgs/msg/RegionOfInterest', **whole),
    )


def static_transforms(
    stamp_ns: int,
    name: str,
    streams: Iterable[str],
    link_from_stream: Mapping[str, np.ndarray] | None = None,
) -> bytes:
    """The driver's tree `name`_link -> `name`_STREAM_frame -> `name`_STREAM_optical_frame.

    Args:
        stamp_ns: of the headers [ns].
        name: of the camera.
        streams: as color, depth, infra1.
        link_from_stream: float64 (4, 4) by stream, body axes (x forward, y left, z up) [m]; those
            that are not there look from where the link is, as the streams of a data set do that
            share their pixels.
    """
    transforms = []
    for stream in streams:
        pose = (link_from_stream or {}).get(stream, np.eye(4))
        frame = f'{name}_{stream}_frame'
        turn = _quaternion_xyzw(pose[:3, :3])
        transforms.append(_transform(stamp_ns, f'{name}_link', frame, turn, pose[:3, 3]))
        optical = f'{name}_{stream}_optical_frame'
        transforms.append(_transform(stamp_ns, frame, optical, _BODY_FROM_OPTICAL, _ORIGIN))
    return _serialised(TF_MESSAGE, transforms=transforms)


def _quaternion_xyzw(rotation: np.ndarray) -> tuple[float, ...]:
    turn = cv2.Rodrigues(np.asarray(rotation, np.float64))[0].ravel()
    angle = float(np.linalg.norm(turn))
    if angle == 0:
        return _IDENTITY
    return (*(turn / angle * np.sin(angle / 2)).tolist(), float(np.cos(angle / 2)))


def _transform(
    stamp_ns: int,
    parent: str,
    child: str,
    xyzw: Iterable[float],
    translation_m: Iterable[float],
) -> Any:
    rotation = dict(zip('xyzw', xyzw, strict=True))
    transform = _make(
        'geometry_msgs/msg/Transform',
        translation=_vector(translation_m),
        rotation=_make('geometry_msgs/msg/Quaternion', **rotation),
    )
    return _make(
        'geometry_msgs/msg/TransformStamped',
        header=_header(stamp_ns, parent),
        child_frame_id=child,
        transform=transform,
    )


def _vector(xyz: Iterable[float]) -> Any:
    x, y, z = (float(value) for value in xyz)
    return _make('geometry_msgs/msg/Vector3', x=x, y=y, z=z)


def _header(stamp_ns: int, frame_id: str) -> Any:
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    stamp = _make('builtin_interfaces/msg/Time', sec=seconds, nanosec=nanoseconds)
    return _make('std_msgs/msg/Header', stamp=stamp, frame_id=frame_id)


def _make(name: str, **fields: Any) -> Any:
    return message_types().types[name](**fields)


def _serialised(name: str, **fields: Any) -> bytes:
    return bytes(message_types().serialize_cdr(_make(name, **fields), name))
