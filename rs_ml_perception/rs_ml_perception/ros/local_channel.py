"""Detections inside one process: handed on as they are, without DDS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rclpy.node import Node

from rs_ml_perception.core.streams.counters import Missed
from rs_ml_perception.ros.frame_sets import DetectionsSample
from rs_ml_perception.ros.result_values import read_detections
from rs_ml_perception.ros.samples import Sample
from rs_ml_perception.ros.streams import TopicStream

DetectionsListener = Callable[[DetectionsSample], None]


class DetectionsInput(Protocol):
    """Where the height node's detections come from."""

    topic: str
    missed: Missed
    has_publisher: bool

    def attach(self, listener: DetectionsListener) -> None: ...

    def detach(self, listener: DetectionsListener) -> None: ...


class LocalDetections:
    """A channel inside the process. Listeners are called in the sender's thread."""

    missed = Missed(overwritten=0)

    def __init__(self, node: Node, topic: str) -> None:
        self.topic = node.resolve_topic_name(topic)
        self._node = node
        self._listeners: tuple[DetectionsListener, ...] = ()

    def attach(self, listener: DetectionsListener) -> None:
        self._listeners = (*self._listeners, listener)

    def detach(self, listener: DetectionsListener) -> None:
        self._listeners = tuple(known for known in self._listeners if known != listener)

    @property
    def has_publisher(self) -> bool:
        """Whether the sender publishes: the detection node is configured."""
        return self._node.count_publishers(self.topic) > 0

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

    @property
    def missed(self) -> Missed:
        return self.stream.missed

    @property
    def has_publisher(self) -> bool:
        return self.stream.has_publisher

    def attach(self, listener: DetectionsListener) -> None:
        def forward(sample: Sample) -> None:
            listener(DetectionsSample(sample.msg, *read_detections(sample.msg.detections)))

        self._forwards[listener] = forward
        self.stream.attach(forward)

    def detach(self, listener: DetectionsListener) -> None:
        if listener in self._forwards:
            self.stream.detach(self._forwards.pop(listener))
