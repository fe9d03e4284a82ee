"""Colour images with their depth: the source of detection, segmentation and mono depth."""

from __future__ import annotations

from rs_ml_perception.core.stamps import PeriodMeter
from rs_ml_perception.ros.assembler import Assembler, Pending
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.inputs import COLOR_INFO, RAW_DEPTH_INFO
from rs_ml_perception.ros.pairing import Pairing, create_pairing
from rs_ml_perception.ros.samples import Sample
from rs_ml_perception.ros.streams import TopicStream

EXACT_TRIALS = 5
"""Depth images without a partner of equal stamp after which stamps are taken for unshared."""


class ColorAssembler(Assembler):
    """Pairs colour with depth: exactly when stamps are shared, else within half a period."""

    def __init__(
        self,
        color: TopicStream,
        infos: dict[str, TopicStream],
        depth_streams: dict[str, TopicStream],
        depth_source: str,
    ) -> None:
        super().__init__(infos, depth_streams, depth_source)
        self._color = color
        self._period = PeriodMeter()
        self._is_exact = True
        self._unpaired_depths = 0
        self._pairs: list[tuple[Sample, Sample]] = []
        self._pairing: Pairing = create_pairing(self._on_pair, slop_ns=0)

    @property
    def primary_topic(self) -> str:
        return self._color.topic

    @property
    def lost(self) -> int:
        return self._color.lost

    def start(self) -> None:
        super().start()
        self._color.attach(self._on_color)

    def stop(self) -> None:
        super().stop()
        self._color.detach(self._on_color)

    def on_jump(self) -> None:
        self._is_exact = True
        self._restart_pairing()

    def wants_depth(self, entry: Pending) -> bool:
        return bool(self._depth.role) and entry.depth is None

    def make_frames(self, entry: Pending) -> FrameSet:
        is_missing = self.wants_depth(entry)
        return FrameSet(
            primary=entry.sample,
            color=entry.sample,
            depth=entry.depth,
            depth_role=self._depth.role if entry.depth is not None else '',
            color_info=self._latest_info(COLOR_INFO),
            depth_info=self._latest_info(RAW_DEPTH_INFO),
            timeline=entry.timeline,
            missing=f'no depth on {self._depth.topic} for this stamp' if is_missing else '',
        )

    def _restart_pairing(self) -> None:
        self._unpaired_depths = 0
        slop_ns = 0 if self._is_exact else self._period.period_ns // 2
        self._pairing = create_pairing(self._on_pair, slop_ns=slop_ns)
        for entry in self._pending:
            entry.depth = None
            self._pairing.add(0, entry.sample)

    def _on_color(self, sample: Sample) -> None:
        with self._lock:
            self._period.add(sample.stamp_ns)
            self.admit(sample)
            if self._depth.role:
                self._pairing.add(0, sample)
            self._take_pairs()

    def _on_depth(self, sample: Sample) -> None:
        with self._lock:
            self._unpaired_depths += 1
            self._pairing.add(1, sample)
            self._take_pairs()
            if self._is_exact and self._unpaired_depths > EXACT_TRIALS and len(self._period) > 2:
                self._is_exact = False
                self._restart_pairing()

    def _on_pair(self, color: Sample, depth: Sample) -> None:
        """Only store: message_filters calls this with its lock held."""
        self._pairs.append((color, depth))

    def _take_pairs(self) -> None:
        pairs, self._pairs = self._pairs, []
        for color, depth in pairs:
            self._unpaired_depths = 0
            for entry in self._pending:
                if entry.sample is color:
                    entry.depth = depth
        self._release_complete()
