"""Which topic of a recording is which stream of the camera."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rs_ml_perception.recordings.messages import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    EXTRINSICS,
    IMAGE,
    IMU,
    Topic,
)
from rs_ml_perception.recordings.recording import Recording

# By preference; realsense2_camera's names first, in either namespace layout, then those of other
# drivers. D405: color/image_rect_raw until driver 4.57.
_COLOR = ('color/image_raw', 'color/image_rect_raw', 'rgb/image_raw', 'rgb/image_rect_color')
_ALIGNED = ('aligned_depth_to_color/image_raw', 'depth_registered/image_raw')
_DEPTH = ('depth/image_rect_raw', 'depth/image_raw', 'depth/image_rect', 'depth/image')
_INFRA = ('infra1/image_rect_raw', 'infra1/image_raw')

_DEPTH_ENCODINGS = ('16UC1', 'mono16', '32FC1')


@dataclass(frozen=True)
class CameraTopics:
    """Names of a camera's topics; None where the recording has none.

    Attributes:
        color: colour images, raw or compressed.
        color_info: camera_info of colour.
        depth: depth images, aligned to colour if the recording has such.
        depth_info: camera_info of depth.
        depth_is_aligned: whether depth pixels are colour pixels.
        sensor_depth: depth images as the sensor sees them, else those aligned to colour.
        sensor_depth_info: camera_info of these.
        infra: left infrared images, where sensor_depth is not aligned.
        extrinsics: the driver's extrinsics/depth_to_color.
        accel: accelerometer samples.
    """

    color: str | None = None
    color_info: str | None = None
    depth: str | None = None
    depth_info: str | None = None
    depth_is_aligned: bool = False
    sensor_depth: str | None = None
    sensor_depth_info: str | None = None
    infra: str | None = None
    extrinsics: str | None = None
    accel: str | None = None

    @property
    def images(self) -> tuple[str, ...]:
        """Colour and depth, as far as they are there."""
        return tuple(name for name in (self.color, self.depth) if name)


def camera_topics(recording: Recording) -> CameraTopics:
    """Guess the camera's topics by their names, then by the encoding of the first image."""
    topics = recording.topics
    images = [t for t in topics if t.type in (IMAGE, COMPRESSED_IMAGE)]
    aligned = _find(images, _ALIGNED)
    raw = _find(images, _DEPTH)
    depth = aligned or raw or _by_encoding(recording, depth=True)
    sensor_depth = raw or depth
    color = _find(images, _COLOR) or _by_encoding(recording, depth=False)
    return CameraTopics(
        color=color,
        color_info=_info_of(topics, color),
        depth=depth,
        depth_info=_info_of(topics, depth),
        depth_is_aligned=aligned is not None,
        sensor_depth=sensor_depth,
        sensor_depth_info=_info_of(topics, sensor_depth),
        # What the colour camera sees is nothing the infrared camera could help with.
        infra=None if sensor_depth == aligned else _find(images, _INFRA),
        extrinsics=_find([t for t in topics if t.type == EXTRINSICS], ('depth_to_color',)),
        accel=_find([t for t in topics if t.type == IMU], ('accel/sample', 'imu')),
    )


def _find(topics: Iterable[Topic], endings: tuple[str, ...]) -> str | None:
    """The first topic with the best ending, raw before compressed."""
    topics = list(topics)
    for suffix in ('', '/compressedDepth', '/compressed'):
        for ending in endings:
            for topic in topics:
                if topic.name.endswith('/' + ending + suffix):
                    return topic.name
    return None


def _by_encoding(recording: Recording, *, depth: bool) -> str | None:
    for topic in recording.topics:
        if topic.type == IMAGE:
            encoding = recording.first(topic.name).encoding
            if (encoding in _DEPTH_ENCODINGS) == depth:
                return topic.name
    return None


def _info_of(topics: Iterable[Topic], image: str | None) -> str | None:
    """The camera_info beside an image topic."""
    if image is None:
        return None
    base = image.removesuffix('/compressed').removesuffix('/compressedDepth')
    wanted = base.rpartition('/')[0] + '/camera_info'
    return next((t.name for t in topics if t.type == CAMERA_INFO and t.name == wanted), None)
