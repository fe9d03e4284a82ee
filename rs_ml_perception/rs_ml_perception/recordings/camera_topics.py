"""Mapping the topics of a recording to the streams of a camera."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.recordings.messages import (
    CAMERA_INFO,
    EXTRINSICS,
    IMAGE,
    IMAGE_TYPES,
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
_ACCEL = ('accel/sample', 'imu')

_OF_NODES = ('rs_ml_msgs/msg/InferenceStats', 'rs_ml_msgs/msg/FrameReport')
_DEPTH_ENCODINGS = ('16UC1', 'mono16', '32FC1')
_TRANSPORTS = ('', '/compressedDepth', '/compressed')
"""Ends of image topics, best first."""


@dataclass(frozen=True)
class CameraTopics:
    """Names of the topics of a camera; None if not recorded.

    Attributes:
        color: colour images, raw or compressed.
        color_info: camera_info of colour.
        depth: depth images, aligned to colour if recorded.
        depth_info: camera_info of depth.
        depth_is_aligned: whether depth pixels are colour pixels.
        sensor_depth: depth images of the sensor, else those aligned to colour.
        sensor_depth_info: their camera_info.
        infra: left infrared images, if sensor_depth is not aligned.
        extrinsics: the driver's extrinsics/depth_to_color.
        accel: accelerometer samples.
        camera: namespace of the camera.
        others: namespaces of further cameras in the recording.
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
    camera: str = '/'
    others: tuple[str, ...] = ()

    @property
    def images(self) -> tuple[str, ...]:
        """Topics of colour and depth, if recorded."""
        return tuple(name for name in (self.color, self.depth) if name)

    def note(self, option: str) -> str:
        """The camera in use and the option for another, '' if there is only one.

        Args:
            option: flag that chooses a camera.
        """
        if not self.others:
            return ''
        others = ', '.join(self.others)
        return f'camera {self.camera} is used; {option} chooses another: {others}'


def camera_topics(recording: Recording) -> CameraTopics:
    """Guess the topics of one camera by their names, then by the encoding of the first image.

    All are in one namespace: that of `recording.camera`, else of the camera with most streams, the
    first by name among equals.

    Raises:
        InputError: there is no camera of that name.
    """
    cameras = _Cameras(recording.topics)
    chosen = cameras.choose(recording.camera)
    own = cameras.own_topics(chosen)
    images = [topic for topic in own if topic.type in IMAGE_TYPES]
    aligned = _find(images, _ALIGNED)
    raw = _find(images, _DEPTH)
    color = _find(images, _COLOR) or _by_encoding(recording, images, chosen, depth=False)
    depth = aligned or raw or _by_encoding(recording, images, color or chosen, depth=True)
    sensor_depth = raw or depth
    color_info = _info_of(own, color)

    def depth_info(name: str | None) -> str | None:
        # Aligned depth has the pixels of the colour camera.
        return _info_of(own, name) or (color_info if name and name == aligned else None)

    return CameraTopics(
        color=color,
        color_info=color_info,
        depth=depth,
        depth_info=depth_info(depth),
        depth_is_aligned=aligned is not None,
        sensor_depth=sensor_depth,
        sensor_depth_info=depth_info(sensor_depth),
        # Infrared does not have the pixels of depth aligned to colour.
        infra=None if sensor_depth == aligned else _find(images, _INFRA),
        extrinsics=_find([t for t in own if t.type == EXTRINSICS], ('depth_to_color',)),
        accel=_find([t for t in own if t.type == IMU], _ACCEL),
        camera=(chosen if cameras.are_known else _parent(color or depth or '')) or '/',
        others=cameras.others(chosen, color, depth),
    )


def recording_notes(recording: Recording, option: str) -> Iterator[str]:
    """Yield remarks on a recording for the user: topics left out, and the camera in use.

    Args:
        recording: an open recording.
        option: flag that chooses a camera.
    """
    recording.static_transforms  # noqa: B018 - fills left_out
    for name, reason in recording.left_out.items():
        yield f'{name} is left out: {reason}'
    note = camera_topics(recording).note(option)
    if note:
        yield note


def raw_name(topic: str) -> str:
    """The name of an image topic without its transport."""
    return topic.removesuffix('/compressedDepth').removesuffix('/compressed')


class _Cameras:
    """The cameras of a recording by namespace, the one with most streams first.

    Attributes:
        names: namespaces, '' for the root.
        are_known: whether topics have names of drivers; if not, all may be of one camera.
    """

    def __init__(self, topics: Iterable[Topic]) -> None:
        # Topics of our own nodes belong to no camera.
        ours = {_parent(topic.name) for topic in topics if topic.type in _OF_NODES}
        self._topics = [
            topic for topic in topics if not any(_is_below(topic.name, name) for name in ours)
        ]
        images = [topic.name for topic in self._topics if topic.type in IMAGE_TYPES]
        has_color = {_namespace(name, _COLOR) for name in images}
        has_depth = {_namespace(name, _ALIGNED + _DEPTH) for name in images}
        known = {name for name in has_color | has_depth if name is not None}
        self.are_known = bool(known)
        self.names = sorted(
            known or {_parent(name) for name in images},
            key=lambda name: (name not in has_color, name not in has_depth, name),
        )

    def choose(self, wanted: str) -> str:
        """The namespace to use.

        Raises:
            InputError: there is no camera of that name.
        """
        if not wanted:
            return self.names[0] if self.are_known else ''
        prefix = wanted.strip('/')
        prefix = f'/{prefix}' if prefix else ''
        for name in (*(n for n in self.names if n == prefix), *self.names):
            if name == prefix or _is_below(name, prefix):
                return name
        known = ', '.join(name or '/' for name in self.names) or 'none'
        raise InputError(f'the recording holds no camera {wanted}: pass one of {known}')

    def others(self, chosen: str, *used: str | None) -> tuple[str, ...]:
        """Namespaces of the other cameras."""
        taken = {chosen} if self.are_known else {_parent(name) for name in used if name}
        return tuple(name or '/' for name in self.names if name not in taken)

    def own_topics(self, chosen: str) -> list[Topic]:
        """Topics of the camera first, then those that belong to no other."""
        if not self.are_known:
            return [t for t in self._topics if _is_below(t.name, chosen)]
        own = [t for t in self._topics if self._camera_of(t.name) == chosen]
        # An image of unknown name may be of any of several cameras.
        is_only = len(self.names) == 1
        strays = [
            topic
            for topic in self._topics
            if self._camera_of(topic.name) is None and (is_only or topic.type not in IMAGE_TYPES)
        ]
        return own + strays

    def _camera_of(self, topic: str) -> str | None:
        """The innermost namespace of a topic."""
        return max((name for name in self.names if _is_below(topic, name)), key=len, default=None)


def _namespace(name: str, endings: Sequence[str] = _COLOR + _ALIGNED + _DEPTH) -> str | None:
    """The part of an image topic before a known ending; None without one."""
    raw = raw_name(name)
    found = (raw.removesuffix(f'/{ending}') for ending in endings if raw.endswith(f'/{ending}'))
    return next(found, None)


def _parent(name: str) -> str:
    return raw_name(name).rpartition('/')[0]


def _is_below(name: str, namespace: str) -> bool:
    return name.startswith(f'{namespace}/')


def _find(topics: Iterable[Topic], endings: tuple[str, ...]) -> str | None:
    """The first topic with the best ending, raw before compressed."""
    topics = list(topics)
    for transport in _TRANSPORTS:
        for ending in endings:
            for topic in topics:
                if topic.name.endswith(f'/{ending}{transport}'):
                    return topic.name
    return None


def _by_encoding(
    recording: Recording, images: Sequence[Topic], near: str, *, depth: bool
) -> str | None:
    """The raw image topic of that kind with the longest common prefix with `near`."""
    found = []
    for topic in images:
        encoding = _encoding(recording, topic) if topic.type == IMAGE else ''
        if encoding and (encoding in _DEPTH_ENCODINGS) == depth:
            found.append(topic.name)
    return max(found, key=lambda name: _common_parts(name, near), default=None)


def _encoding(recording: Recording, topic: Topic) -> str:
    try:
        image = recording.first(topic.name)
    except InputError:  # damaged; reported when it is read
        return ''
    return '' if image is None else str(image.encoding)


def _common_parts(name: str, other: str) -> int:
    parts = zip(name.split('/'), other.split('/'), strict=False)
    return next((i for i, (one, two) in enumerate(parts) if one != two), len(other.split('/')))


def _info_of(topics: Iterable[Topic], image: str | None) -> str | None:
    """The camera_info next to an image topic."""
    if image is None:
        return None
    wanted = f'{_parent(image)}/camera_info'
    return next((t.name for t in topics if t.type == CAMERA_INFO and t.name == wanted), None)


def choose_depth(topics: CameraTopics, depth_source: str) -> CameraTopics:
    """The topics as a node with this parameter listens to them.

    Args:
        topics: of the recording.
        depth_source: 'auto', 'aligned', 'raw' or 'none', see the parameter of the nodes.
    """
    if depth_source == 'auto':
        return topics
    aligned = topics.depth if topics.depth_is_aligned else None
    raw = topics.sensor_depth if topics.sensor_depth != aligned else None
    depth = {'aligned': aligned, 'raw': raw, 'none': None}[depth_source]
    info = topics.depth_info if depth == topics.depth else topics.sensor_depth_info
    info = info if depth else None
    return replace(
        topics,
        depth=depth,
        depth_info=info,
        depth_is_aligned=depth is not None and depth == aligned,
        sensor_depth=depth,
        sensor_depth_info=info,
        infra=topics.infra if depth and depth == raw else None,
    )
