"""The messages that a RealSense driver publishes, as CDR bytes, without ROS."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from rs_ml_training.intrinsics import Intrinsics

IMAGE = 'sensor_msgs/msg/Image'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
TF_MESSAGE = 'tf2_msgs/msg/TFMessage'

_IDENTITY = (0.0, 0.0, 0.0, 1.0)
# REP-103: x right, y down, z forward in the body's x forward, y left, z up; (x, y, z, w).
_BODY_FROM_OPTICAL = (-0.5, 0.5, -0.5, 0.5)


@functools.cache
def message_types() -> Typestore:
    """The definitions that the messages are written with."""
    return get_typestore(Stores.ROS2_JAZZY)


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


def camera_info(stamp_ns: int, frame_id: str, camera: Intrinsics) -> bytes:
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


def static_transforms(stamp_ns: int, name: str, streams: Iterable[str]) -> bytes:
    """The driver's tree `name`_link -> `name`_STREAM_frame -> `name`_STREAM_optical_frame.

    All streams of a data set share their pixels, so that they look from one place.
    """
    transforms = []
    for stream in streams:
        frame = f'{name}_{stream}_frame'
        transforms.append(_turned(stamp_ns, f'{name}_link', frame, _IDENTITY))
        optical = f'{name}_{stream}_optical_frame'
        transforms.append(_turned(stamp_ns, frame, optical, _BODY_FROM_OPTICAL))
    return _serialised(TF_MESSAGE, transforms=transforms)


def _turned(stamp_ns: int, parent: str, child: str, xyzw: tuple[float, ...]) -> Any:
    rotation = dict(zip('xyzw', xyzw, strict=True))
    transform = _make(
        'geometry_msgs/msg/Transform',
        translation=_make('geometry_msgs/msg/Vector3', x=0.0, y=0.0, z=0.0),
        rotation=_make('geometry_msgs/msg/Quaternion', **rotation),
    )
    return _make(
        'geometry_msgs/msg/TransformStamped',
        header=_header(stamp_ns, parent),
        child_frame_id=child,
        transform=transform,
    )


def _header(stamp_ns: int, frame_id: str) -> Any:
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    stamp = _make('builtin_interfaces/msg/Time', sec=seconds, nanosec=nanoseconds)
    return _make('std_msgs/msg/Header', stamp=stamp, frame_id=frame_id)


def _make(name: str, **fields: Any) -> Any:
    return message_types().types[name](**fields)


def _serialised(name: str, **fields: Any) -> bytes:
    return bytes(message_types().serialize_cdr(_make(name, **fields), name))
