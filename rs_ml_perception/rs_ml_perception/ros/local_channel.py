"""Detections inside one process: handed on as they are, without DDS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from rs_ml_msgs.msg import DetectionArray
from rs_ml_perception.core.detections import Detections
from rs_ml_perception.core.labels import LabelMap
from rs_ml_perception.ros.frame_sets import DetectionsSample
from rs_ml_perception.ros.samples import Sample
from rs_ml_perception.ros.streams import TopicStream

DetectionsListener = Callable[[DetectionsSample], None]


class DetectionsInput(Protocol):
    """Where the height node's detections come from."""

    topic: str

    def attach(self, listener: DetectionsListener) -> None: ...

    def detach(self, listener: DetectionsListener) -> None: ...


class LocalDetections:
    """A channel inside the process. Listeners are called in the sender's thread."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._listeners: tuple[DetectionsListener, ...] = ()

    def attach(self, listener: DetectionsListener) -> None:
        self._listeners = (*self._listeners, listener)

    def detach(self, listener: DetectionsListener) -> None:
        self._listeners = tuple(known for known in self._listeners if known != listener)

    @property
    def has_listener(self) -> bool:
        return bool(self._listeners)

    def send(self, sample: DetectionsSample) -> None:
        """Hand the sample to every listener."""
        for listener in self._listeners:
            listener(sample)


class TopicDetections:
    """The same from a topic."""

    def __init__(self, stream: TopicStream) -> None:
        self.topic = stream.topic
        self.stream = stream
        self._forwards: dict[DetectionsListener, Callable[[Sample], None]] = {}

    def attach(self, listener: DetectionsListener) -> None:
        def forward(sample: Sample) -> None:
            listener(DetectionsSample(sample.msg, *read_detections(sample.msg)))

        self._forwards[listener] = forward
        self.stream.attach(forward)

    def detach(self, listener: DetectionsListener) -> None:
        if listener in self._forwards:
            self.stream.detach(self._forwards.pop(listener))


def read_detections(msg: DetectionArray) -> tuple[Detections, LabelMap]:
    """rs_ml_msgs/DetectionArray to boxes and the names they carry."""
    rows = msg.detections
    boxes = [(d.x_min, d.y_min, d.x_max, d.y_max) for d in rows]
    detections = Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([d.score for d in rows], np.float32),
        np.array([d.class_id for d in rows], np.int32),
        np.array([d.track_id for d in rows], np.int32),
    )
    return detections, LabelMap({d.class_id: d.label for d in rows})
