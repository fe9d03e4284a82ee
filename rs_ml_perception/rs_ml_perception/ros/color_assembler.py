"""Colour images with their depth: the source of detection, segmentation and mono depth."""

from __future__ import annotations

from collections.abc import Callable

from rs_ml_perception.core.streams.counters import Missed
from rs_ml_perception.core.streams.synchronizer import Synchronizer
from rs_ml_perception.ros.assembler import Assembler, Pending
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.inputs import COLOR_INFO, RAW_DEPTH, RAW_DEPTH_INFO
from rs_ml_perception.ros.samples import ImageSample
from rs_ml_perception.ros.streams import TopicStream
from rs_ml_perception.ros.topic_choice import depth_partner


class ColorAssembler(Assembler):
    """Colour is the primary stream, depth its partner."""

    def __init__(
        self,
        color: TopicStream,
        infos: dict[str, TopicStream],
        depth_streams: dict[str, TopicStream],
        depth_source: str,
        create: Callable[[], Synchronizer[Pending, ImageSample]],
    ) -> None:
        partner = depth_partner(depth_source, depth_streams, self._on_partner)
        super().__init__(infos, partner, create)
        self._color = color

    @property
    def primary_topic(self) -> str:
        return self._color.topic

    @property
    def primary_has_publisher(self) -> bool:
        return self._color.has_publisher

    @property
    def missed(self) -> Missed:
        return self._color.missed

    def start(self) -> None:
        super().start()
        self._color.attach(self._on_primary)

    def stop(self) -> None:
        super().stop()
        self._color.detach(self._on_primary)

    def make_frames(self, entry: Pending) -> FrameSet:
        return FrameSet(
            primary=entry.sample,
            color=entry.sample,
            depth=entry.partner,
            depth_is_raw=entry.partner is not None and self._partner.role == RAW_DEPTH,
            color_info=self._latest_info(COLOR_INFO),
            depth_info=self._latest_info(RAW_DEPTH_INFO),
            timeline=entry.timeline,
            missing=self.why_missing(entry),
        )
