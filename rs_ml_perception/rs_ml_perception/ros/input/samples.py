"""Received messages, decoded once for all nodes, and the frame sets they are joined to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.messages import (
    color_from_message,
    depth_from_message,
    infrared_from_message,
    stamp_of,
)
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.images.encodings import is_fast_path
from rs_ml_perception.core.objects.detections import Detections, Placements
from rs_ml_perception.core.objects.labels import LabelMap

T = TypeVar('T')


class TopicSample:
    """A stamped message of a topic.

    Attributes:
        msg: the message.
        stamp_ns: of its header.
        frame_id: of its header.
        received_secs: time.monotonic() of its arrival.
    """

    def __init__(self, msg: Any) -> None:
        self.msg = msg
        self.received_secs = time.monotonic()
        self.stamp_ns = stamp_of(msg)
        self.frame_id = msg.header.frame_id

    @property
    def header(self) -> Any:
        return self.msg.header


class Decoded(Generic[T]):
    """The content of a message: the first caller decodes, the others get the same object."""

    def __init__(self, msg: Any, decode: Callable[[Any], T]) -> None:
        self._msg = msg
        self._decode = decode
        self._lock = threading.Lock()
        self._content: T | InputError | None = None

    def get(self) -> T:
        """The content; raises the same InputError each time if it cannot be decoded."""
        with self._lock:
            if self._content is None:
                try:
                    self._content = self._decode(self._msg)
                except InputError as error:
                    self._content = error
            content = self._content
        if isinstance(content, InputError):
            raise content
        return content


class UnstampedSample(TopicSample):
    """A message without a header."""

    def __init__(self, msg: object) -> None:
        self.msg = msg
        self.received_secs = time.monotonic()
        self.stamp_ns = 0
        self.frame_id = ''


class ImageSample(TopicSample):
    """An Image or CompressedImage, decoded once; arrays are shared and read-only."""

    def __init__(self, msg: Any) -> None:
        super().__init__(msg)
        self._rgb = Decoded(msg, _shared_color)
        self._depth = Decoded(msg, _shared_depth)
        self._infrared = Decoded(msg, _shared_infrared)

    def rgb(self) -> np.ndarray:
        """uint8 (H, W, 3).

        Raises:
            InputError: the message holds no usable colour image.
        """
        return self._rgb.get()

    def depth(self) -> DepthImage:
        """The depth image.

        Raises:
            InputError: the message holds no usable depth.
        """
        return self._depth.get()

    def infrared(self) -> np.ndarray:
        """uint8 (H, W).

        Raises:
            InputError: the message holds no usable infrared image.
        """
        return self._infrared.get()


def _shared_color(msg: Any) -> np.ndarray:
    rgb = decode_color(msg)
    rgb.flags.writeable = False
    return rgb


def _shared_depth(msg: Any) -> DepthImage:
    depth = depth_from_message(msg)
    depth.values.flags.writeable = False
    return depth


def _shared_infrared(msg: Any) -> np.ndarray:
    infrared = infrared_from_message(msg)
    infrared.flags.writeable = False
    return infrared


def decode_color(msg: Any) -> np.ndarray:
    """sensor_msgs Image or CompressedImage to RGB."""
    if hasattr(msg, 'format') or is_fast_path(msg.encoding):
        return color_from_message(msg)
    return _with_cv_bridge(msg, 'rgb8')


def _with_cv_bridge(msg: Any, encoding: str) -> np.ndarray:
    """Decode encodings beyond the numpy path. Only this function imports cv_bridge."""
    try:
        from cv_bridge import CvBridge
    except ImportError as error:
        raise InputError(
            f'encoding {msg.encoding!r} needs cv_bridge: install ros-$ROS_DISTRO-cv-bridge '
            'or let the camera publish rgb8'
        ) from error
    try:
        return np.asarray(CvBridge().imgmsg_to_cv2(msg, encoding))
    except Exception as error:  # cv_bridge raises its own errors, OpenCV's and numpy's
        raise InputError(f'cv_bridge cannot convert {msg.encoding!r}: {error}') from error


class DetectionsSample(TopicSample):
    """Detections for the height node, from a message or from a node of the same process.

    Attributes:
        detections: the boxes.
        labels: names of their classes.
        color: the colour image they were found in, None if unknown.
        placements: of the detections, None if unknown.
        placed_in: the depth image that shows them, None if unknown.
    """

    def __init__(
        self,
        msg: Any,
        detections: Detections,
        labels: LabelMap,
        color: ImageSample | None = None,
        *,
        placements: Placements | None = None,
        placed_in: DepthImage | None = None,
    ) -> None:
        super().__init__(msg)
        self.detections = detections
        self.labels = labels
        self.color = color
        self.placements = placements
        self.placed_in = placed_in


@dataclass(frozen=True, eq=False)
class FrameSet:
    """One message of the primary stream with its partners.

    Attributes:
        primary: the message whose header the output carries.
        color: colour image, None for a node that does not use it.
        depth: depth image or None; may be the primary message itself.
        infra: left infrared image of depth, or None.
        detections: the primary message of a node that works on detections, else None.
        depth_is_raw: whether depth is in the view of the depth camera.
        color_info, depth_info: latest CameraInfo messages, None while unknown.
        timeline: number of the time line; a new one starts when stamps go back.
        missing: why a required or requested partner is missing, else ''.
    """

    primary: TopicSample
    color: ImageSample | None = None
    depth: ImageSample | None = None
    infra: ImageSample | None = None
    detections: DetectionsSample | None = None
    depth_is_raw: bool = False
    color_info: Any = None
    depth_info: Any = None
    timeline: int = 1
    missing: str = ''


class Consumer(Protocol):
    """A receiver of frame sets.

    The methods are called one at a time, by the executor or by another node's worker, and must be
    quick.
    """

    def on_received(self, sample: TopicSample) -> None:
        """Called for each message of the primary stream."""

    def on_frames(self, frames: FrameSet) -> None:
        """Called once for each of them, when its partners have been found or given up."""
