"""A RealSense camera on this machine, without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import BackendError, InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage

WAIT_MS = 5000


def camera_frames(serial: str = '') -> Iterator[Frame]:
    """Yield colour with unaligned depth from a camera until it is unplugged.

    Args:
        serial: serial number; '': the first camera found.

    Raises:
        BackendError: pyrealsense2 is not installed.
        InputError: no such camera, or it stopped sending.
    """
    rs = import_pyrealsense2()
    color, depth = (rs.stream.color, rs.format.rgb8), (rs.stream.depth, rs.format.z16)
    with _running(rs, serial, color, depth) as (pipeline, profile):
        yield from _frames(rs, pipeline, profile)


def depth_camera_frames(serial: str = '') -> Iterator[Frame]:
    """Yield depth with the left infrared image, else as `camera_frames`."""
    rs = import_pyrealsense2()
    depth, left = (rs.stream.depth, rs.format.z16), (rs.stream.infrared, 1, rs.format.y8, 0)
    with _running(rs, serial, depth, left) as (pipeline, profile):
        yield from _depth_frames(rs, pipeline, profile)


@contextmanager
def _running(rs: Any, serial: str, *streams: tuple[Any, ...]) -> Iterator[tuple[Any, Any]]:
    """(pipeline, profile) of a camera that is stopped at the end."""
    require_camera(rs, serial)
    config = rs.config()
    for stream in streams:
        config.enable_stream(*stream)
    if serial:
        config.enable_device(serial)
    pipeline = rs.pipeline()
    try:
        profile = pipeline.start(config)
    except RuntimeError as error:
        raise InputError(
            f'RealSense camera {serial} does not start ({error}): plug it into a USB 3 port, '
            'and end other programs that use it'
        ) from error
    try:
        yield pipeline, profile
    finally:
        pipeline.stop()


def require_camera(rs: Any, serial: str) -> None:
    """Fail at once if a camera is missing; librealsense would wait 15 seconds for it.

    Args:
        rs: pyrealsense2.
        serial: serial number; '': any camera.

    Raises:
        InputError: it is not connected; the message lists those that are.
    """
    number = rs.camera_info.serial_number
    connected = [device.get_info(number) for device in rs.context().query_devices()]
    if not connected or (serial and serial not in connected):
        raise InputError(
            f'no RealSense camera {serial or "found"}: connected are '
            f'{", ".join(connected) or "none"} (a D4xx wants a USB 3 port)'
        )


def _frames(rs: Any, pipeline: Any, profile: Any) -> Iterator[Frame]:
    color = profile.get_stream(rs.stream.color).as_video_stream_profile()
    depth = profile.get_stream(rs.stream.depth).as_video_stream_profile()
    camera = camera_from_intrinsics(color.get_intrinsics())
    depth_camera = camera_from_intrinsics(depth.get_intrinsics())
    color_from_depth = rigid_from_extrinsics(depth.get_extrinsics_to(color))
    unit_m = profile.get_device().first_depth_sensor().get_depth_scale()
    while True:
        frames = _wait(pipeline)
        picture = frames.get_color_frame()
        # librealsense reuses the buffers.
        yield Frame(
            rgb=np.array(picture.get_data()),
            depth=DepthImage(np.array(frames.get_depth_frame().get_data()), unit_m),
            camera=camera,
            depth_camera=depth_camera,
            color_from_depth=color_from_depth,
            stamp_ns=int(1e6 * picture.get_timestamp()),
            frame_id='camera_color_optical_frame',
        )


def _depth_frames(rs: Any, pipeline: Any, profile: Any) -> Iterator[Frame]:
    depth = profile.get_stream(rs.stream.depth).as_video_stream_profile()
    camera = camera_from_intrinsics(depth.get_intrinsics())
    unit_m = profile.get_device().first_depth_sensor().get_depth_scale()
    while True:
        frames = _wait(pipeline)
        picture = frames.get_depth_frame()
        yield Frame(
            depth=DepthImage(np.array(picture.get_data()), unit_m),
            infrared=np.array(frames.get_infrared_frame(1).get_data()),
            camera=camera,
            depth_camera=camera,
            stamp_ns=int(1e6 * picture.get_timestamp()),
            frame_id='camera_depth_optical_frame',
        )


def _wait(pipeline: Any) -> Any:
    try:
        return pipeline.wait_for_frames(WAIT_MS)
    except RuntimeError as error:
        raise InputError(f'the RealSense camera stopped sending: {error}') from error


def camera_from_intrinsics(intrinsics: Any) -> CameraModel:
    """From rs2_intrinsics."""
    return CameraModel(
        width=intrinsics.width,
        height=intrinsics.height,
        fx=intrinsics.fx,
        fy=intrinsics.fy,
        cx=intrinsics.ppx,
        cy=intrinsics.ppy,
        distortion_model=str(intrinsics.model).removeprefix('distortion.'),
        distortion=tuple(intrinsics.coeffs),
    )


def rigid_from_extrinsics(extrinsics: Any) -> RigidTransform:
    """From rs2_extrinsics, whose rotation is column-major."""
    rotation = np.array(extrinsics.rotation).reshape(3, 3, order='F')
    return RigidTransform(rotation, np.array(extrinsics.translation))


def import_pyrealsense2() -> Any:
    """The module.

    Raises:
        BackendError: it is not installed, or the libusb it is linked to is not.
    """
    try:
        import pyrealsense2
    except ModuleNotFoundError as error:
        raise BackendError('pyrealsense2 is not installed: pip install pyrealsense2') from error
    except ImportError as error:
        raise BackendError(
            f'pyrealsense2 cannot be imported ({error}): sudo apt-get install libusb-1.0-0'
        ) from error
    return pyrealsense2
