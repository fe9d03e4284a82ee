"""Detections with the depth they were made from: the source of the height node."""

from __future__ import annotations

from collections.abc import Callable

from rs_ml_perception.core.sequence_gaps import Missed
from rs_ml_perception.core.stamps import StampHistory
from rs_ml_perception.ros.assembler import Assembler, Pending
from rs_ml_perception.ros.frame_sets import DetectionsSample, FrameSet
from rs_ml_perception.ros.inputs import COLOR_INFO, RAW_DEPTH_INFO
from rs_ml_perception.ros.local_channel import DetectionsInput
from rs_ml_perception.ros.samples import ImageSample, Sample
from rs_ml_perception.ros.streams import TopicStream
from rs_ml_perception.ros.topic_choice import depth_partner

DEPTH_HISTORY = 45
"""Depth images kept: detections may come 1.5 s late at 30 Hz (28 MB of 640x480)."""

COLOR_HISTORY = 15


class DetectionsAssembler(Assembler):
    """Finds the depth of the same stamp, else the nearest within half a period.

    A late detection therefore never meets a younger depth image.
    """

    def __init__(
        self,
        detections: DetectionsInput,
        color: TopicStream,
        infos: dict[str, TopicStream],
        depth_streams: dict[str, TopicStream],
        depth_source: str,
        max_skew_ns: int,
    ) -> None:
        super().__init__(infos, depth_partner(depth_source, depth_streams, self._on_partner))
        self._max_skew_ns = max_skew_ns
        self._detections = detections
        self._color = color
        self._depths: StampHistory[Sample] = StampHistory(DEPTH_HISTORY)
        self._colors: StampHistory[Sample] = StampHistory(COLOR_HISTORY)
        self._wants_color: Callable[[], bool] = lambda: False
        self._listens_to_color = False

    @property
    def primary_topic(self) -> str:
        return self._detections.topic

    @property
    def missed(self) -> Missed:
        return self._detections.missed

    def want_color_while(self, wants_color: Callable[[], bool]) -> None:
        """Subscribe to colour too while the function says so (somebody wants pictures)."""
        self._wants_color = wants_color

    def start(self) -> None:
        super().start()
        self._detections.attach(self._on_detections)

    def stop(self) -> None:
        super().stop()
        self._detections.detach(self._on_detections)
        self._follow_color(wanted=False)
        self._depths.clear()

    def tick(self) -> None:
        """Follow the topics and give up on late partners; call it often."""
        with self._lock:
            if self.is_running:
                self._follow_color(wanted=self._wants_color())
        super().tick()

    def wants_partner(self, entry: Pending) -> bool:
        stamp_ns = entry.sample.stamp_ns
        if self._depths.nearest(stamp_ns, tolerance_ns=0) is not None:
            return False
        newest_ns = self._depths.newest_ns
        return newest_ns is None or newest_ns < stamp_ns

    def make_frames(self, entry: Pending) -> FrameSet:
        stamp_ns = entry.sample.stamp_ns
        tolerance_ns = self._max_skew_ns or self._depths.period_ns // 2
        found = self._depths.nearest(stamp_ns, tolerance_ns=tolerance_ns)
        depth = found[1] if found is not None else None
        return FrameSet(
            primary=entry.sample,
            color=self._color_of(entry.sample),
            depth=depth,
            depth_role=self._partner.role if depth is not None else '',
            color_info=self._latest_info(COLOR_INFO),
            depth_info=self._latest_info(RAW_DEPTH_INFO),
            timeline=entry.timeline,
            missing='' if depth is not None else self._why_missing(),
        )

    def _why_missing(self) -> str:
        if not self._partner.topic:
            return 'no depth topic is published: start the camera with depth'
        return f'no depth on {self._partner.topic} within half a period of the detections'

    def _color_of(self, sample: DetectionsSample) -> ImageSample | None:
        if sample.color is not None:
            return sample.color
        found = self._colors.nearest(sample.stamp_ns, tolerance_ns=0)
        return found[1] if found is not None else None

    def _on_detections(self, sample: DetectionsSample) -> None:
        with self._lock:
            self.admit(sample)
            self._release_complete()

    def _on_partner(self, sample: Sample) -> None:
        with self._lock:
            self._depths.add_or_restart(sample.stamp_ns, sample)
            self._release_complete()

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
