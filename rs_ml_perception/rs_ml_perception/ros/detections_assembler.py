"""Detections with the depth they were made from: the source of the height node."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rs_ml_perception.core.streams.counters import Missed
from rs_ml_perception.core.streams.stamps import StampHistory
from rs_ml_perception.core.streams.synchronizer import Synchronizer
from rs_ml_perception.ros.assembler import Assembler, Pending
from rs_ml_perception.ros.frame_sets import DetectionsSample, FrameSet
from rs_ml_perception.ros.inputs import COLOR_INFO, RAW_DEPTH, RAW_DEPTH_INFO
from rs_ml_perception.ros.local_channel import DetectionsInput
from rs_ml_perception.ros.samples import ImageSample, Sample
from rs_ml_perception.ros.streams import TopicStream
from rs_ml_perception.ros.topic_choice import depth_partner

COLOR_HISTORY = 15

NO_DEPTH = 'no depth topic is published: start the camera with depth'


class DetectionsAssembler(Assembler):
    """Detections are the primary stream, depth their partner, which they cannot do without.

    Depth is kept for longer than elsewhere, so that a late detection never meets a younger image.
    """

    primary_name: ClassVar[str] = 'detections'
    primary_remedy: ClassVar[str] = 'run detection_node, or remap detection/detections'

    def __init__(
        self,
        detections: DetectionsInput,
        color: TopicStream,
        infos: dict[str, TopicStream],
        depth_streams: dict[str, TopicStream],
        depth_source: str,
        create: Callable[[], Synchronizer[Pending, ImageSample]],
    ) -> None:
        partner = depth_partner(depth_source, depth_streams, self._on_partner)
        super().__init__(infos, partner, create)
        self._detections = detections
        self._color = color
        self._colors: StampHistory[Sample] = StampHistory(COLOR_HISTORY)
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
        """Subscribe to colour too while the function says so (somebody wants pictures)."""
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

    def why_missing(self, entry: Pending) -> str:
        if entry.partner is not None:
            return ''
        if not self.partner_topic:
            return NO_DEPTH
        return f'no depth on {self.partner_topic} within half a period of the detections'

    def make_frames(self, entry: Pending) -> FrameSet:
        return FrameSet(
            primary=entry.sample,
            color=self._color_of(entry.sample),
            depth=entry.partner,
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

    def _on_color(self, sample: Sample) -> None:
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
