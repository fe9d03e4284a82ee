"""Detections, from a topic or inside the process, with their depth: the source of heights."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

from rclpy.node import Node

from rs_ml_perception.core.streams.counters import Missed
from rs_ml_perception.core.streams.stamps import StampHistory
from rs_ml_perception.core.streams.synchronizer import Synchronizer
from rs_ml_perception.ros.input.frame_synchronizer import FrameSynchronizer, Pending
from rs_ml_perception.ros.input.samples import DetectionsSample, FrameSet, ImageSample, TopicSample
from rs_ml_perception.ros.input.streams import ImageStream, TopicStream
from rs_ml_perception.ros.input.topics import COLOR_INFO, RAW_DEPTH, RAW_DEPTH_INFO, depth_partner
from rs_ml_perception.ros.output.result_messages import read_detections

COLOR_HISTORY = 15
"""Colour images kept until the detections made from them arrive."""

NO_DEPTH = 'no depth topic is published: start the camera with depth'

DetectionsListener = Callable[[DetectionsSample], None]


class DetectionsInput(Protocol):
    """A source of detections: a topic, or a node of the same process."""

    @property
    def topic(self) -> str:
        """Absolute name."""

    @property
    def missed(self) -> Missed:
        """Messages sent that never arrived."""

    @property
    def has_publisher(self) -> bool:
        """Whether detections are published."""

    def attach(self, listener: DetectionsListener) -> None:
        """Call the listener with all detections from now on."""

    def detach(self, listener: DetectionsListener) -> None:
        """Stop calling the listener."""


class LocalDetections:
    """Detections of a node of this process. Listeners are called in the sender's thread."""

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
        """Whether the detection node is configured."""
        return self._node.count_publishers(self.topic) > 0

    @property
    def has_listener(self) -> bool:
        return bool(self._listeners)

    def send(self, sample: DetectionsSample) -> None:
        """Call every listener."""
        for listener in self._listeners:
            listener(sample)


class TopicDetections:
    """Detections from a topic."""

    def __init__(self, stream: TopicStream[TopicSample]) -> None:
        self.topic = stream.topic
        self.stream = stream
        self._forwards: dict[DetectionsListener, Callable[[TopicSample], None]] = {}

    @property
    def missed(self) -> Missed:
        return self.stream.missed

    @property
    def has_publisher(self) -> bool:
        return self.stream.has_publisher

    def attach(self, listener: DetectionsListener) -> None:
        def forward(sample: TopicSample) -> None:
            listener(DetectionsSample(sample.msg, *read_detections(sample.msg.detections)))

        self._forwards[listener] = forward
        self.stream.attach(forward)

    def detach(self, listener: DetectionsListener) -> None:
        if listener in self._forwards:
            self.stream.detach(self._forwards.pop(listener))


class DetectionsSynchronizer(FrameSynchronizer[DetectionsSample]):
    """Detections are the primary stream, depth is the partner that they require.

    Depth is kept longer than elsewhere, so that a late detection gets no later image.
    """

    primary_name: ClassVar[str] = 'detections'
    primary_remedy: ClassVar[str] = 'run detection_node, or remap detection/detections'

    def __init__(
        self,
        detections: DetectionsInput,
        color: ImageStream,
        infos: dict[str, TopicStream[TopicSample]],
        depth_streams: dict[str, ImageStream],
        depth_source: str,
        create: Callable[[], Synchronizer[Pending[DetectionsSample], ImageSample]],
    ) -> None:
        partner = depth_partner(depth_source, depth_streams, self._on_partner)
        super().__init__(infos, partner, create)
        self._detections = detections
        self._color = color
        self._colors: StampHistory[ImageSample] = StampHistory(COLOR_HISTORY)
        self._wants_color: Callable[[], bool] = lambda: False
        self._listens_to_color = False

    @property
    def primary_topic(self) -> str:
        return self._detections.topic

    @property
    def primary_has_publisher(self) -> bool:
        return self._detections.has_publisher

    @property
    def missed(self) -> Missed:
        return self._detections.missed

    @property
    def asks_for_partner(self) -> bool:
        return True

    def want_color_while(self, wants_color: Callable[[], bool]) -> None:
        """Subscribe to colour too while the function is true (annotated images are wanted)."""
        self._wants_color = wants_color

    def start(self) -> None:
        super().start()
        self._detections.attach(self._on_primary)

    def stop(self) -> None:
        super().stop()
        self._detections.detach(self._on_primary)
        self._follow_color(wanted=False)

    def tick(self) -> None:
        """Follow the topics and give up on late partners; call it often."""
        with self._lock:
            if self.is_running:
                self._follow_color(wanted=self._wants_color())
        super().tick()

    def notes(self) -> tuple[str, ...]:
        return super().notes() if self.partner_topic else (NO_DEPTH,)

    def why_missing(self, entry: Pending[DetectionsSample]) -> str:
        if entry.partner is not None:
            return ''
        if not self.partner_topic:
            return NO_DEPTH
        return f'no depth on {self.partner_topic} within half a period of the detections'

    def make_frames(self, entry: Pending[DetectionsSample]) -> FrameSet:
        return FrameSet(
            primary=entry.sample,
            color=self._color_of(entry.sample),
            depth=entry.partner,
            detections=entry.sample,
            depth_is_raw=entry.partner is not None and self._partner.role == RAW_DEPTH,
            color_info=self._latest_info(COLOR_INFO),
            depth_info=self._latest_info(RAW_DEPTH_INFO),
            timeline=entry.timeline,
            missing=self.why_missing(entry),
        )

    def _color_of(self, sample: DetectionsSample) -> ImageSample | None:
        if sample.color is not None:
            return sample.color
        found = self._colors.nearest(sample.stamp_ns, tolerance_ns=0)
        return found[1] if found is not None else None

    def _on_color(self, sample: ImageSample) -> None:
        with self._lock:
            self._colors.add_or_restart(sample.stamp_ns, sample)

    def _follow_color(self, *, wanted: bool) -> None:
        if wanted == self._listens_to_color:
            return
        self._listens_to_color = wanted
        if wanted:
            self._color.attach(self._on_color)
        else:
            self._color.detach(self._on_color)
            self._colors.clear()
