"""Colour images with their depth: the source of detection, segmentation and mono depth."""

from __future__ import annotations

from rs_ml_perception.core.sequence_gaps import Missed
from rs_ml_perception.ros.assembler import Pending
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.inputs import COLOR_INFO, RAW_DEPTH_INFO
from rs_ml_perception.ros.paired_assembler import PairedAssembler
from rs_ml_perception.ros.streams import TopicStream
from rs_ml_perception.ros.topic_choice import depth_partner


class ColorAssembler(PairedAssembler):
    """Colour is the primary stream, depth its partner."""

    def __init__(
        self,
        color: TopicStream,
        infos: dict[str, TopicStream],
        depth_streams: dict[str, TopicStream],
        depth_source: str,
        max_skew_ns: int,
    ) -> None:
        partner = depth_partner(depth_source, depth_streams, self._on_partner)
        super().__init__(infos, partner, max_skew_ns)
        self._color = color

    @property
    def primary_topic(self) -> str:
        return self._color.topic

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
            depth_role=self._partner.role if entry.partner is not None else '',
            color_info=self._latest_info(COLOR_INFO),
            depth_info=self._latest_info(RAW_DEPTH_INFO),
            timeline=entry.timeline,
            missing=self.why_missing(entry),
        )
