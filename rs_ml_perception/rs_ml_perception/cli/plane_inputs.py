"""Depth images for rs-ml-plane-rms: of files, of recordings and of a running camera."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.files import read_regular
from rs_ml_perception.core.frames.messages import camera_from_message, depth_from_message
from rs_ml_perception.core.geometry.camera import CameraModel, d435_depth_camera
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.images.image_files import MAX_FILE_BYTES
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.depth_frames import depth_frames
from rs_ml_perception.recordings.open_recording import is_recording, open_recording
from rs_ml_perception.recordings.pictures import MILLIMETRE, read_depth

RAW_SIZES = ((1280, 720), (848, 480), (640, 480))
"""Sizes of .raw files of uint16; the number of bytes decides."""

GIVEN, RECORDED, LIVE, GUESSED = 'argument', 'recording', 'camera_info', 'guess: typical D435'
"""Sources of intrinsics."""

Intrinsics = tuple[float, float, float, float]


@dataclass(frozen=True)
class UsedCamera:
    """A camera, and the source of its intrinsics."""

    model: CameraModel
    source: str

    @property
    def values(self) -> Intrinsics:
        """fx, fy, cx, cy in pixels."""
        return self.model.fx, self.model.fy, self.model.cx, self.model.cy


@dataclass(frozen=True, eq=False)
class DepthSource:
    """A depth image.

    Attributes:
        name: for the user.
        depth: the image.
        camera: intrinsics if the source has them.
    """

    name: str
    depth: DepthImage
    camera: UsedCamera | None = None


def read_depth_source(
    path: Path | None, *, topic: str, frame: int, wait_secs: float, depth_unit: float | None
) -> DepthSource:
    """Read the depth image that the flags name.

    Raises:
        RsMlError: there is none, or it is damaged.
    """
    if path is None:
        if not topic:
            raise ConfigError('there is no input: pass an image, a recording, or --topic TOPIC')
        return _live(topic, wait_secs)
    if is_recording(path):
        return _recorded(path, frame, topic)
    if topic:
        raise ConfigError(f'--topic {topic} is for recordings and running cameras, not {path}')
    if path.suffix == '.raw':
        depth = _read_raw(path, depth_unit or MILLIMETRE)
    elif path.suffix == '.npy':
        depth = _read_npy(path, depth_unit)
    else:
        depth = read_depth(path, metres_per_unit=depth_unit)
    return DepthSource(path.name, depth)


def choose_camera(given: object, source: DepthSource) -> UsedCamera:
    """The intrinsics given (Intrinsics, or path of a recording), else those of the source."""
    width, height = source.depth.width, source.depth.height
    if isinstance(given, tuple):
        return UsedCamera(CameraModel(width, height, *given), GIVEN)
    own = source.camera
    if isinstance(given, Path):
        own = _recorded(given, 0, '').camera
        if own is None:
            raise InputError(f'{given} holds no camera_info of depth: pass fx,fy,cx,cy')
        if (own.model.width, own.model.height) != (width, height):
            raise InputError(
                f'depth of {given} is {own.model.width}x{own.model.height}, the image '
                f'{width}x{height}: their intrinsics differ'
            )
    return own or UsedCamera(d435_depth_camera(width, height), GUESSED)


def _recorded(path: Path, number: int, topic: str) -> DepthSource:
    with open_recording(path) as recording:
        topics = camera_topics(recording)
        if topic and topic != topics.sensor_depth:
            info = f'{topic.rpartition("/")[0]}/camera_info'
            topics = replace(topics, sensor_depth=topic, sensor_depth_info=info, infra=None)
        if topic and topic not in {known.name for known in recording.topics}:
            raise InputError(f'{path} has no topic {topic}, only {recording.contents}')
        frame = next(islice(depth_frames(recording, topics=topics), number, None), None)
    if frame is None or frame.depth is None:
        raise InputError(f'{path} has no depth image {number}: count from 0')
    camera = None if frame.camera is None else UsedCamera(frame.camera, RECORDED)
    return DepthSource(path.name, frame.depth, camera)


def _read_raw(path: Path, metres_per_unit: float) -> DepthImage:
    data = read_regular(path, max_bytes=MAX_FILE_BYTES)
    for width, height in RAW_SIZES:
        if len(data) == 2 * width * height:
            values = np.frombuffer(data, np.dtype('<u2')).astype(np.uint16)
            return DepthImage(values.reshape(height, width), metres_per_unit)
    sizes = ', '.join(f'{width}x{height}' for width, height in RAW_SIZES)
    raise InputError(f'{path} holds {len(data)} bytes, known are 2 for {sizes}: convert to PNG')


def _read_npy(path: Path, metres_per_unit: float | None) -> DepthImage:
    """Whole numbers are millimetres, others metres, unless the unit is given; 0 and less: none."""
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f'{path} cannot be read as an array: {error}') from error
    if values.dtype.kind == 'f':
        return DepthImage(values.astype(np.float32), metres_per_unit or 1.0)
    if values.dtype.kind not in 'iu' or (values.size and values.max() > 65535):
        raise InputError(f'{path} is no depth: expected floats or 16 bit, got {values.dtype}')
    return DepthImage(np.maximum(values, 0).astype(np.uint16), metres_per_unit or MILLIMETRE)


def _live(topic: str, wait_secs: float) -> DepthSource:
    """The next image of a topic, with the camera_info next to it if that comes in time."""
    import rclpy
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import CameraInfo, Image

    found: dict[str, Any] = {}
    info_topic = f'{topic.rpartition("/")[0]}/camera_info'
    rclpy.init()
    try:
        node = rclpy.create_node('plane_rms')
        for kind, name in ((Image, topic), (CameraInfo, info_topic)):
            keep = partial(found.setdefault, name)
            node.create_subscription(kind, name, keep, qos_profile_sensor_data)
        end_secs = time.monotonic() + wait_secs
        while len(found) < 2 and time.monotonic() < end_secs:
            rclpy.spin_once(node, timeout_sec=0.1)
    finally:
        rclpy.shutdown()
    if topic not in found:
        raise InputError(f'nothing came on {topic} within {wait_secs:g} s: see ros2 topic list')
    camera = None
    if info_topic in found:
        camera = UsedCamera(camera_from_message(found[info_topic]), LIVE)
    return DepthSource(topic, depth_from_message(found[topic]), camera)
