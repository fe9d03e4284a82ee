"""What belongs together: one message of a primary stream and its partners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from rs_ml_perception.core.objects.detections import Detections
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.ros.samples import ImageSample, Sample


class DetectionsSample(Sample):
    """Detections on their way to the height node, decoded from a message or handed on as they are.

    Attributes:
        detections: the boxes.
        labels: names of their classes.
        color: the colour image they were found in, where it is at hand.
    """

    def __init__(
        self,
        msg: Any,
        detections: Detections,
        labels: LabelMap,
        color: ImageSample | None = None,
    ) -> None:
        super().__init__(msg)
        self.detections = detections
        self.labels = labels
        self.color = color


@dataclass(frozen=True, eq=False)
class FrameSet:
    """One message of the primary stream with what was found for it.

    Attributes:
        primary: the message whose header the output carries.
        color: colour image, None for a node that does not ask for it.
        depth: depth image, None where there is none; may be the primary message itself.
        infra: left infrared image of depth, None where there is none.
        depth_is_raw: whether depth is seen from the depth camera.
        color_info, depth_info: latest CameraInfo messages, None while unknown.
        timeline: counts how often stamps went back: what was tracked on another one is void.
        missing: why a partner is missing although asked for, '' otherwise.
    """

    primary: Sample
    color: ImageSample | None = None
    depth: ImageSample | None = None
    infra: ImageSample | None = None
    depth_is_raw: bool = False
    color_info: Any = None
    depth_info: Any = None
    timeline: int = 1
    missing: str = ''


class Consumer(Protocol):
    """A node as its source sees it.

    Both are called one at a time, by the executor or by another node's worker; they must be quick.
    """

    def on_received(self, sample: Sample) -> None:
        """A message of the primary stream has come."""

    def on_frames(self, frames: FrameSet) -> None:
        """It is as complete as it will be."""
