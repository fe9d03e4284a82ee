"""From a recording to frames: colour, with the depth and the cameras that belong to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from rs_ml_perception.core.camera import CameraModel
from rs_ml_perception.core.depth import DepthImage
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frame import Frame
from rs_ml_perception.core.messages import (
    camera_from_message,
    color_from_message,
    depth_from_message,
    extrinsics_from_message,
    stamp_of,
)
from rs_ml_perception.core.rigid import RigidTransform
from rs_ml_perception.recordings.camera_topics import CameraTopics, camera_topics
from rs_ml_perception.recordings.messages import Message
from rs_ml_perception.recordings.pairs import half_period_ns, paired_messages
from rs_ml_perception.recordings.recording import Recording
from rs_ml_perception.recordings.rejections import OnRejected, Rejections
from rs_ml_perception.recordings.transforms import lookup


def frames(
    recording: Recording,
    *,
    topics: CameraTopics | None = None,
    max_skew_ns: int | None = None,
    on_rejected: OnRejected | None = None,
) -> Iterator[Frame]:
    """Yield a frame for each colour image, or for each depth image where there is no colour.

    Depth belongs to the colour image of the same stamp, else to the nearest one.

    Args:
        recording: an open recording.
        topics: None: guessed, see `camera_topics`.
        max_skew_ns: farthest stamp of depth; None: half a period of the slower stream.
        on_rejected: gets messages that cannot be used, the frames go on; None: they raise.

    Raises:
        InputError: there are no images, or one cannot be used and on_rejected is None.
    """
    topics = topics or camera_topics(recording)
    if not topics.images:
        names = ', '.join(topic.name for topic in recording.topics)
        raise InputError(f'recording {recording.path} holds no images, only {names}')
    reader = _FrameReader(recording, topics, on_rejected)
    if not (topics.color and topics.depth):
        for message in recording.messages(reader.wanted):
            yield from reader.single(message)
        return
    skew_ns = half_period_ns(recording, topics.images) if max_skew_ns is None else max_skew_ns
    yield from reader.pairs(skew_ns)


@dataclass(frozen=True)
class _Cameras:
    """What is known beside the images."""

    camera: CameraModel | None = None
    depth_camera: CameraModel | None = None


class _FrameReader:
    def __init__(
        self, recording: Recording, topics: CameraTopics, on_rejected: OnRejected | None
    ) -> None:
        self._recording = recording
        self._topics = topics
        self._rejections = Rejections(on_rejected)
        self._cameras = _Cameras()
        self._color_from_depth: RigidTransform | None = None
        self._knows_extrinsics = topics.depth_is_aligned
        for name in (topics.color_info, topics.depth_info):
            if name:
                message = next(recording.messages([name]), None)
                if message is not None:
                    self._note_info(message)

    @property
    def wanted(self) -> list[str]:
        """Topics to read."""
        topics = self._topics
        names = (topics.color, topics.color_info, topics.depth, topics.depth_info)
        return [name for name in names if name]

    def single(self, message: Message) -> Iterator[Frame]:
        """Frames of a recording with one kind of image."""
        if message.topic not in self._topics.images:
            self._note_info(message)
            return
        frame = self._frame(
            *((message, None) if message.topic == self._topics.color else (None, message))
        )
        if frame is not None:
            yield frame

    def pairs(self, skew_ns: int) -> Iterator[Frame]:
        """Frames of a recording with colour and depth."""
        pairs = paired_messages(
            self._recording.messages(self.wanted),
            self._topics.color,
            self._topics.depth,
            skew_ns=skew_ns,
            on_other=self._note_info,
        )
        for color, depth in pairs:
            frame = self._frame(color, depth)
            if frame is not None:
                yield frame

    def _frame(self, color: Message | None, depth: Message | None) -> Frame | None:
        """Decode; None where the image that makes the frame is rejected."""
        primary = self._rejections.attempt(color or depth, self._recording.decode)
        if primary is None:
            return None
        base = Frame(
            camera=self._cameras.camera,
            stamp_ns=stamp_of(primary),
            frame_id=primary.header.frame_id,
        )
        if color is None:
            image = self._rejections.attempt(depth, lambda _: depth_from_message(primary))
            camera = self._cameras.depth_camera or self._cameras.camera
            return None if image is None else replace(base, depth=image, camera=camera)
        rgb = self._rejections.attempt(color, lambda _: color_from_message(primary))
        if rgb is None:
            return None
        frame = replace(base, rgb=rgb)
        return frame if depth is None else self._with_depth(frame, depth)

    def _with_depth(self, frame: Frame, message: Message) -> Frame:
        decoded = self._rejections.attempt(message, self._recording.decode)
        depth = (
            None
            if decoded is None
            else self._rejections.attempt(message, lambda _: depth_from_message(decoded))
        )
        if depth is None:
            return frame
        if self._topics.depth_is_aligned or decoded.header.frame_id == frame.frame_id:
            return self._rejections.attempt(message, lambda _: _aligned(frame, depth)) or frame
        self._find_extrinsics(message, frame.frame_id, decoded.header.frame_id)
        if self._color_from_depth is None or self._cameras.depth_camera is None:
            return frame
        return replace(
            frame,
            depth=depth,
            depth_camera=self._cameras.depth_camera,
            color_from_depth=self._color_from_depth,
        )

    def _find_extrinsics(self, message: Message, color_frame: str, depth_frame: str) -> None:
        """Look once where the depth camera sits: static TF, else the driver's extrinsics."""
        if self._knows_extrinsics:
            return
        self._knows_extrinsics = True
        transforms = self._recording.static_transforms
        self._color_from_depth = lookup(transforms, color_frame, depth_frame)
        if self._color_from_depth is None:
            extrinsics = self._recording.first(self._topics.extrinsics)
            if extrinsics is not None:
                self._color_from_depth = extrinsics_from_message(extrinsics)
        if self._color_from_depth is None:
            self._rejections.reject(
                message.topic,
                InputError(
                    f'{message.topic} is not aligned to colour, and neither /tf_static nor '
                    'extrinsics/depth_to_color says where the depth camera sits: '
                    'record one of them, or set align_depth.enable of the driver'
                ),
            )

    def _note_info(self, message: Message) -> None:
        camera = self._rejections.attempt(
            message, lambda m: camera_from_message(self._recording.decode(m))
        )
        if message.topic == self._topics.color_info:
            self._cameras = replace(self._cameras, camera=camera)
        if message.topic == self._topics.depth_info:
            self._cameras = replace(self._cameras, depth_camera=camera)


def _aligned(frame: Frame, depth: DepthImage) -> Frame:
    height, width = frame.rgb.shape[:2]
    if (depth.width, depth.height) != (width, height):
        raise InputError(
            f'aligned depth is {depth.width}x{depth.height}, its colour image {width}x{height}: '
            'record both with the same driver settings'
        )
    return replace(frame, depth=depth)
