"""Depth images with their infrared image: the source of denoising."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rs_ml_perception.core.streams.counters import Missed
from rs_ml_perception.core.streams.synchronizer import Synchronizer
from rs_ml_perception.ros.assembler import Assembler, Pending
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.inputs import COLOR_INFO, RAW_DEPTH, RAW_DEPTH_INFO
from rs_ml_perception.ros.samples import ImageSample
from rs_ml_perception.ros.streams import TopicStream
from rs_ml_perception.ros.topic_choice import depth_primary, infrared_partner


class DepthAssembler(Assembler):
    """Depth is the primary stream, the left infrared image its partner.

    Only unaligned depth has one: aligned depth is seen from the colour camera.
    """

    partner_name: ClassVar[str] = 'infrared'
    primary_remedy: ClassVar[str] = 'start the camera with depth, or remap depth/image_rect_raw'

    def __init__(
        self,
        streams: dict[str, TopicStream],
        infos: dict[str, TopicStream],
        depth_source: str,
        infrared: str,
        create: Callable[[], Synchronizer[Pending, ImageSample]],
    ) -> None:
        super().__init__(infos, infrared_partner(infrared, streams, self._on_partner), create)
        self._primary = depth_primary(depth_source, streams, self._on_primary)
        self._raw_topic = streams[RAW_DEPTH].topic

    @property
    def primary_topic(self) -> str:
        return self._primary.topic or self._raw_topic

    @property
    def primary_has_publisher(self) -> bool:
        return self._primary.has_publisher

    @property
    def missed(self) -> Missed:
        return self._primary.missed

    @property
    def is_raw(self) -> bool:
        """Whether depth comes as the sensor sees it."""
        return self._primary.role == RAW_DEPTH

    def follow_topics(self) -> bool:
        if not self._primary.is_settled:
            # What waits is of the old topic, and so are its intrinsics.
            self._release_all()
        has_changed = self._primary.choose()
        return self._partner.choose(wanted=self.is_raw) or has_changed

    def stop(self) -> None:
        super().stop()
        self._primary.stop()

    def make_frames(self, entry: Pending) -> FrameSet:
        return FrameSet(
            primary=entry.sample,
            depth=entry.sample,
            infra=entry.partner,
            depth_is_raw=self.is_raw,
            color_info=self._latest_info(COLOR_INFO),
            depth_info=self._latest_info(RAW_DEPTH_INFO),
            timeline=entry.timeline,
            missing=self.why_missing(entry),
        )

    def _needed_infos(self) -> list[TopicStream]:
        return [self._infos[RAW_DEPTH_INFO if self.is_raw else COLOR_INFO]]
