"""From a recording to frames: colour, with the depth and the cameras that belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rs_ml_perception.core.camera import CameraModel
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frame import Frame
from rs_ml_perception.core.frame_checks import check_alignment, check_same_size, check_size
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
from rs_ml_perception.recordings.stamp_clock import StampClock, first_messages
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
        for message in reader.messages():
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
            for message in first_messages(recording, name, 1) if name else ():
                self._note_info(message)

    def messages(self) -> Iterator[Message]:
        """Images with stamps that can be true, and camera_info."""
        topics = self._topics
        clock = StampClock(self._recording, topics.images[0])
        infos = [name for name in (topics.color_info, topics.depth_info) if name]
        messages = self._recording.messages([*topics.images, *infos])
        yield from clock.believable(messages, topics.images, self._rejections.reject)

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
            self.messages(),
            self._topics.color,
            self._topics.depth,
            skew_ns=skew_ns,
            on_other=self._note_info,
        )
        total, lonely_gaps_ns = 0, []
        for pair in pairs:
            total += 1
            if pair.partner is None:
                lonely_gaps_ns.append(pair.gap_ns)
            frame = self._frame(pair.primary, pair.partner)
            if frame is not None:
                yield frame
        self._note_lonely(lonely_gaps_ns, total, skew_ns)

    def _note_lonely(self, gaps_ns: Sequence[int | None], total: int, skew_ns: int) -> None:
        """Say how many images had no depth, and by how much the nearest was off."""
        if gaps_ns:
            known = sorted(gap for gap in gaps_ns if gap is not None)
            off = f', the nearest is {known[len(known) // 2] / 1e6:+.0f} ms off' if known else ''
            self._rejections.note(
                self._topics.depth,
                f'{len(gaps_ns)} of {total} colour images have no depth within '
                f'{skew_ns / 1e6:.0f} ms{off}',
            )

    def _frame(self, color: Message | None, depth: Message | None) -> Frame | None:
        """Decode; None where the image that makes the frame is rejected."""
        primary = self._rejections.attempt(color or depth, self._recording.decode)
        if primary is None:
            return None
        base = Frame(stamp_ns=stamp_of(primary), frame_id=primary.header.frame_id)
        if color is None:
            return self._depth_frame(base, depth, primary)
        rgb = self._rejections.attempt(color, lambda _: color_from_message(primary))
        if rgb is None:
            return None
        camera = self._fitting(self._topics.color_info, self._cameras.camera, rgb.shape[1::-1])
        frame = replace(base, rgb=rgb, camera=camera)
        if depth is None:
            return frame
        return self._rejections.attempt(depth, lambda m: self._with_depth(frame, m)) or frame

    def _depth_frame(self, base: Frame, message: Message, decoded: Any) -> Frame | None:
        image = self._rejections.attempt(message, lambda _: depth_from_message(decoded))
        if image is None:
            return None
        topic, camera = self._topics.depth_info, self._cameras.depth_camera
        size = (image.width, image.height)
        return replace(base, depth=image, camera=self._fitting(topic, camera, size))

    def _fitting(
        self, topic: str | None, camera: CameraModel | None, size: tuple[int, ...]
    ) -> CameraModel | None:
        """The camera model, None where it is of an image of another size."""
        if camera is None:
            return None
        try:
            check_size('its image', *size, topic, camera)
        except InputError as error:
            self._rejections.reject(topic, error)
            return None
        return camera

    def _with_depth(self, frame: Frame, message: Message) -> Frame:
        decoded = self._recording.decode(message)
        depth = depth_from_message(decoded)
        skew_ns = message.stamp_ns - frame.stamp_ns
        frame = replace(self._with_known_lens(frame), depth_skew_ns=skew_ns)
        if self._topics.depth_is_aligned or decoded.header.frame_id == frame.frame_id:
            check_alignment(decoded.header.frame_id, frame.frame_id)
            check_same_size(depth, frame.rgb.shape[1], frame.rgb.shape[0])
            return replace(frame, depth=depth)
        self._find_extrinsics(message, frame.frame_id, decoded.header.frame_id)
        if self._color_from_depth is None or self._cameras.depth_camera is None:
            return frame
        depth_camera = self._cameras.depth_camera
        check_size('depth image', depth.width, depth.height, self._topics.depth_info, depth_camera)
        if depth_camera.lens_problem:
            raise InputError(f'{self._topics.depth_info}: {depth_camera.lens_problem}')
        return replace(
            frame,
            depth=depth,
            depth_camera=depth_camera,
            color_from_depth=self._color_from_depth,
        )

    def _with_known_lens(self, frame: Frame) -> Frame:
        """Without a camera whose pixels cannot be turned into directions."""
        if frame.camera is None or not frame.camera.lens_problem:
            return frame
        self._rejections.note(self._topics.color_info, frame.camera.lens_problem)
        return replace(frame, camera=None)

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
