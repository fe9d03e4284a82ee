"""From a recording to frames: colour, with the depth and the cameras that belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import COLOR, COLOR_INFO, DEPTH, DEPTH_INFO, Frame
from rs_ml_perception.core.frames.messages import extrinsics_from_message
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.recordings.camera_topics import CameraTopics, camera_topics
from rs_ml_perception.recordings.frame_parts import RecordedImage, RecordedParts
from rs_ml_perception.recordings.messages import Message, OnRejected, Rejections
from rs_ml_perception.recordings.pairs import half_period_ns, paired_messages
from rs_ml_perception.recordings.recording import Recording, lookup
from rs_ml_perception.recordings.stamp_clock import StampClock, first_messages


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
        on_rejected: called with unusable messages, frames continue; None: InputError is raised.

    Raises:
        InputError: there are no images, or one cannot be used and on_rejected is None.
    """
    topics = topics or camera_topics(recording)
    if not topics.images:
        raise InputError(f'recording {recording.path} holds no images, only {recording.contents}')
    reader = _FrameReader(recording, topics, on_rejected)
    if not (topics.color and topics.depth):
        for message in reader.messages():
            yield from reader.single(message)
        return
    skew_ns = half_period_ns(recording, topics.images) if max_skew_ns is None else max_skew_ns
    yield from reader.pairs(topics.color, topics.depth, skew_ns)


class _FrameReader:
    def __init__(
        self, recording: Recording, topics: CameraTopics, on_rejected: OnRejected | None
    ) -> None:
        self._recording = recording
        self._topics = topics
        self._rejections = Rejections(on_rejected)
        self._infos: dict[str | None, Any] = {}
        self._pose: RigidTransform | None = None
        self._has_looked = False
        for name in (topics.color_info, topics.depth_info):
            for message in first_messages(recording, name, 1) if name else ():
                self._note_info(message)

    def messages(self) -> Iterator[Message]:
        """Images with possible stamps, and camera_info."""
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

    def pairs(self, color: str, depth: str, skew_ns: int) -> Iterator[Frame]:
        """Frames of a recording with colour and depth."""
        pairs = paired_messages(
            self.messages(), color, depth, skew_ns=skew_ns, on_other=self._note_info
        )
        total, lonely_gaps_ns = 0, []
        for pair in pairs:
            total += 1
            if pair.partner is None:
                lonely_gaps_ns.append(pair.gap_ns)
            frame = self._frame(pair.primary, pair.partner)
            if frame is not None:
                yield frame
        if lonely_gaps_ns:
            self._note_lonely(depth, lonely_gaps_ns, total, skew_ns)

    def _note_lonely(
        self, depth: str, gaps_ns: Sequence[int | None], total: int, skew_ns: int
    ) -> None:
        """Report how many images had no depth, and by how much the nearest was off."""
        known = sorted(gap for gap in gaps_ns if gap is not None)
        off = f', the nearest is {known[len(known) // 2] / 1e6:+.0f} ms off' if known else ''
        self._rejections.note(
            depth,
            f'{len(gaps_ns)} of {total} colour images have no depth within '
            f'{skew_ns / 1e6:.0f} ms{off}',
        )

    def _frame(self, color: Message | None, depth: Message | None) -> Frame | None:
        """Decode; None if the primary image is rejected."""
        color_image, depth_image = self._image(color), self._image(depth)
        primary = color_image if color else depth_image
        if primary is None:
            return None
        parts = RecordedParts(
            primary=primary,
            color=color_image,
            depth=depth_image,
            depth_is_raw=self._is_raw(primary, depth_image),
            color_info=self._infos.get(self._topics.color_info),
            depth_info=self._infos.get(self._topics.depth_info),
        )
        return parts.build(self._rejections, self._part_topics, self._color_from_depth)

    def _image(self, message: Message | None) -> RecordedImage | None:
        if message is None:
            return None
        return self._rejections.attempt(message, lambda m: RecordedImage(self._recording, m))

    def _is_raw(self, primary: RecordedImage, depth: RecordedImage | None) -> bool:
        """Whether depth has the pixels of the depth camera; without colour it always has."""
        if depth is None or depth is primary:
            return True
        return not self._topics.depth_is_aligned and depth.frame_id != primary.frame_id

    @property
    def _part_topics(self) -> dict[str, str | None]:
        topics = self._topics
        return {
            COLOR: topics.color,
            DEPTH: topics.depth,
            COLOR_INFO: topics.color_info,
            DEPTH_INFO: topics.depth_info,
        }

    def _color_from_depth(self, color_frame: str, depth_frame: str, _: int) -> Any:
        """Position of the depth camera, looked up once: static TF, else extrinsics."""
        if not self._has_looked:
            self._has_looked = True
            self._pose = self._find_pose(color_frame, depth_frame)
        return self._pose

    def _find_pose(self, color_frame: str, depth_frame: str) -> RigidTransform | None:
        topics = self._topics
        pose = lookup(self._recording.static_transforms, color_frame, depth_frame)
        extrinsics = None if pose else self._recording.first(topics.extrinsics)
        if extrinsics is not None:
            pose = extrinsics_from_message(extrinsics)
        if pose is None:
            raise InputError(
                f'{topics.depth} is not aligned to colour, and neither /tf_static nor '
                'extrinsics/depth_to_color says where the depth camera sits: '
                'record one of them, or set align_depth.enable of the driver'
            )
        if topics.depth is not None and topics.depth_info is None:
            self._rejections.note(topics.depth, 'it has no camera_info, depth is not used')
        return pose

    def _note_info(self, message: Message) -> None:
        self._infos[message.topic] = self._rejections.attempt(message, self._recording.decode)
