"""Colour images with their depth: the source of detection, segmentation and mono depth."""

from __future__ import annotations

from collections import deque

from rs_ml_perception.core.stamps import JUMP_BACK_NS, PeriodMeter
from rs_ml_perception.ros.assembler import Assembler, Pending
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.inputs import COLOR_INFO, RAW_DEPTH_INFO
from rs_ml_perception.ros.pairing import QUEUE, Pairing, create_pairing
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
        max_skew_ns: int,
    ) -> None:
        super().__init__(infos, depth_streams, depth_source)
        self._max_skew_ns = max_skew_ns
        self._color = color
        self._period = PeriodMeter()
        self._slop_ns = max_skew_ns
        self._unpaired_depths: deque[Sample] = deque(maxlen=QUEUE)
        self._pairs: list[tuple[Sample, Sample]] = []
        self._pairing: Pairing = create_pairing(self._on_pair, slop_ns=max_skew_ns)

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

    def restart(self) -> None:
        self._slop_ns = self._max_skew_ns
        self._unpaired_depths.clear()
        self._restart_pairing()

    def on_jump(self, stamp_ns: int) -> None:
        # Depth of the new time line may have come before its colour.
        near = [d for d in self._unpaired_depths if abs(d.stamp_ns - stamp_ns) < JUMP_BACK_NS]
        self._unpaired_depths = deque(near, QUEUE)
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
        """A new pairing that knows what still waits."""
        self._pairing = create_pairing(self._on_pair, slop_ns=self._slop_ns)
        for depth in tuple(self._unpaired_depths):
            self._pairing.add(1, depth)
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
            self._unpaired_depths.append(sample)
            self._pairing.add(1, sample)
            self._take_pairs()
            if self._stamps_are_unshared():
                self._slop_ns = self._period.period_ns // 2
                self._restart_pairing()
                self._take_pairs()

    def _stamps_are_unshared(self) -> bool:
        is_tried = len(self._unpaired_depths) > EXACT_TRIALS and len(self._period) > 2
        return self._slop_ns == 0 and is_tried

    def _on_pair(self, color: Sample, depth: Sample) -> None:
        """Only store: message_filters calls this with its lock held."""
        self._pairs.append((color, depth))

    def _take_pairs(self) -> None:
        pairs, self._pairs = self._pairs, []
        for color, depth in pairs:
            newer = [d for d in self._unpaired_depths if d.stamp_ns > depth.stamp_ns]
            self._unpaired_depths = deque(newer, QUEUE)
            for entry in self._pending:
                if entry.sample is color:
                    entry.depth = depth
        self._release_complete()
