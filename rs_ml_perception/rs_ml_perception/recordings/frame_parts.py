"""Messages of a recording as the parts of a frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import ColorFromDepth, Frame, FrameBuilder, check_header
from rs_ml_perception.core.frames.messages import (
    color_from_message,
    depth_from_message,
    infrared_from_message,
)
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.recordings.messages import Message, Rejections
from rs_ml_perception.recordings.recording import Recording


class RecordedImage:
    """An image of a recording.

    Args:
        recording: an open recording.
        message: Image or CompressedImage.

    Attributes:
        message: as given.
        stamp_ns, frame_id: of its header.

    Raises:
        InputError: the bytes do not fit the definition, or the header is impossible.
    """

    def __init__(self, recording: Recording, message: Message) -> None:
        self.message = message
        self._decoded = recording.decode(message)
        self._rgb: np.ndarray | None = None
        self.stamp_ns = message.stamp_ns
        self.frame_id = self._decoded.header.frame_id
        check_header(self.stamp_ns, self.frame_id)

    def rgb(self) -> np.ndarray:
        """uint8 (H, W, 3); InputError if it is not colour."""
        if self._rgb is None:
            self._rgb = color_from_message(self._decoded)
        return self._rgb

    def depth(self) -> DepthImage:
        """The depth; InputError if it is not depth."""
        return depth_from_message(self._decoded)

    def infrared(self) -> np.ndarray:
        """uint8 (H, W); InputError if it is not infrared."""
        return infrared_from_message(self._decoded)


@dataclass(frozen=True, eq=False)
class RecordedParts:
    """Messages of one moment, see core.frames.frame.FrameParts."""

    primary: RecordedImage
    color: RecordedImage | None = None
    depth: RecordedImage | None = None
    infra: RecordedImage | None = None
    depth_is_raw: bool = False
    color_info: Any = None
    depth_info: Any = None

    def build(
        self,
        rejections: Rejections,
        topics: Mapping[str, str | None],
        color_from_depth: ColorFromDepth = lambda *_: None,
    ) -> Frame | None:
        """The frame without its unusable parts, None if its primary message is unusable.

        Args:
            rejections: receives unusable messages.
            topics: name of a part in core.frames.frame -> topic.
            color_from_depth: position of the depth camera.
        """
        builder = FrameBuilder(self, color_from_depth)
        frame = rejections.attempt(self.primary.message, lambda _: builder.build())
        for part, reason in builder.problems:
            rejections.reject(topics[part] or part, InputError(reason))
        return frame
