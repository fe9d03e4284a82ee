"""From a recording to frames of depth without colour, with infrared images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import COLOR_INFO, DEPTH_INFO, INFRARED, Frame
from rs_ml_perception.recordings.camera_topics import CameraTopics, camera_topics
from rs_ml_perception.recordings.frame_parts import RecordedImage, RecordedParts
from rs_ml_perception.recordings.messages import Message, OnRejected, Rejections
from rs_ml_perception.recordings.pairs import half_period_ns, paired_messages
from rs_ml_perception.recordings.recording import Recording
from rs_ml_perception.recordings.stamp_clock import StampClock, first_messages


def depth_frames(
    recording: Recording,
    *,
    topics: CameraTopics | None = None,
    max_skew_ns: int | None = None,
    on_rejected: OnRejected | None = None,
) -> Iterator[Frame]:
    """Yield a frame without colour for each depth image, that of the sensor if recorded.

    Infrared belongs to the depth image of the same stamp, else to the nearest within half a
    period. Intrinsics are those of the depth image.

    Args:
        recording: an open recording.
        topics: None: guessed, see `camera_topics`.
        max_skew_ns: farthest stamp of infrared; None: half a period.
        on_rejected: called with unusable messages, frames continue; None: InputError is raised.

    Raises:
        InputError: there is no depth, or a message cannot be used and on_rejected is None.
    """
    topics = topics or camera_topics(recording)
    if topics.sensor_depth is None:
        raise InputError(
            f'recording {recording.path} holds no depth images, only {recording.contents}'
        )
    skew_ns = half_period_ns(recording, [topics.sensor_depth])
    skew_ns = skew_ns if max_skew_ns is None else max_skew_ns
    reader = _DepthReader(recording, topics, on_rejected)
    yield from reader.frames(topics.sensor_depth, skew_ns)


class _DepthReader:
    def __init__(
        self, recording: Recording, topics: CameraTopics, on_rejected: OnRejected | None
    ) -> None:
        self._recording = recording
        self._topics = topics
        self._rejections = Rejections(on_rejected)
        self._is_aligned = topics.depth_is_aligned and topics.sensor_depth == topics.depth
        self._info: Any = None
        info = topics.sensor_depth_info
        for message in first_messages(recording, info, 1) if info else ():
            self._note_info(message)

    def frames(self, depth: str, skew_ns: int) -> Iterator[Frame]:
        """A frame of each usable depth image, with its infrared image."""
        topics = self._topics
        images = [depth, *([topics.infra] if topics.infra else [])]
        wanted = [*images, *([topics.sensor_depth_info] if topics.sensor_depth_info else [])]
        clock = StampClock(self._recording, depth)
        messages = self._recording.messages(wanted)
        pairs = paired_messages(
            clock.believable(messages, images, self._rejections.reject),
            depth,
            topics.infra,
            skew_ns=skew_ns,
            on_other=self._note_info,
        )
        for pair in pairs:
            frame = self._frame(pair.primary, pair.partner)
            if frame is not None:
                yield frame

    def _frame(self, depth: Message, infra: Message | None) -> Frame | None:
        depth_image, infra_image = self._image(depth), self._image(infra)
        if depth_image is None:
            return None
        parts = RecordedParts(
            primary=depth_image,
            depth=depth_image,
            infra=infra_image,
            depth_is_raw=not self._is_aligned,
            depth_info=self._info,
            color_info=self._info,
        )
        info = COLOR_INFO if self._is_aligned else DEPTH_INFO
        topics = {INFRARED: self._topics.infra, info: self._topics.sensor_depth_info}
        return parts.build(self._rejections, topics)

    def _image(self, message: Message | None) -> RecordedImage | None:
        if message is None:
            return None
        return self._rejections.attempt(message, lambda m: RecordedImage(self._recording, m))

    def _note_info(self, message: Message) -> None:
        self._info = self._rejections.attempt(message, self._recording.decode)
