"""Images of a primary stream, each with the image of another stream that belongs to it."""

from __future__ import annotations

from collections import deque

from rs_ml_perception.core.stamps import JUMP_BACK_NS, PeriodMeter
from rs_ml_perception.ros.assembler import Assembler, Pending
from rs_ml_perception.ros.pairing import QUEUE, Pairing, create_pairing
from rs_ml_perception.ros.samples import Sample
from rs_ml_perception.ros.streams import TopicStream
from rs_ml_perception.ros.topic_choice import TopicChoice

EXACT_TRIALS = 5
"""Partners without an image of equal stamp after which stamps are taken for unshared."""


PATIENCE = 3
"""So many images in vain, and no more wait for a partner stream until it speaks again: one that is
published but silent would hold every image up."""


class PairedAssembler(Assembler):
    """Pairs images: exactly when stamps are shared, else within half a period."""

    def __init__(
        self, infos: dict[str, TopicStream], partner: TopicChoice, max_skew_ns: int
    ) -> None:
        super().__init__(infos, partner)
        self._max_skew_ns = max_skew_ns
        self._period = PeriodMeter()
        self._slop_ns = max_skew_ns
        self._unpaired_partners: deque[Sample] = deque(maxlen=QUEUE)
        self._unanswered = 0
        self._pairs: list[tuple[Sample, Sample]] = []
        self._pairing: Pairing = create_pairing(self._on_pair, slop_ns=max_skew_ns)

    def restart(self) -> None:
        self._slop_ns = self._max_skew_ns
        self._unanswered = 0
        self._unpaired_partners.clear()
        self._restart_pairing()

    def on_jump(self, stamp_ns: int) -> None:
        # A partner of the new time line may have come before its image.
        partners = self._unpaired_partners
        near = [p for p in partners if abs(p.stamp_ns - stamp_ns) < JUMP_BACK_NS]
        self._unpaired_partners = deque(near, QUEUE)
        self._restart_pairing()

    def wants_partner(self, entry: Pending) -> bool:
        return self._lacks_partner(entry) and self._unanswered < PATIENCE

    def why_missing(self, entry: Pending) -> str:
        """Why the entry goes out without the partner asked for, '' where it does not."""
        if not self._lacks_partner(entry):
            return ''
        return f'no {self.partner_name} on {self.partner_topic} for this stamp'

    def _lacks_partner(self, entry: Pending) -> bool:
        return bool(self._partner.role) and entry.partner is None

    def _release(self, count: int) -> None:
        self._unanswered += sum(map(self._lacks_partner, self._pending[:count]))
        super()._release(count)

    def _restart_pairing(self) -> None:
        """A new pairing that knows what still waits."""
        self._pairing = create_pairing(self._on_pair, slop_ns=self._slop_ns)
        for partner in tuple(self._unpaired_partners):
            self._pairing.add(1, partner)
        for entry in self._pending:
            entry.partner = None
            self._pairing.add(0, entry.sample)

    def _on_primary(self, sample: Sample) -> None:
        with self._lock:
            self._period.add(sample.stamp_ns)
            self.admit(sample)
            if self._partner.role:
                self._pairing.add(0, sample)
            self._take_pairs()

    def _on_partner(self, sample: Sample) -> None:
        with self._lock:
            self._unanswered = 0
            self._unpaired_partners.append(sample)
            self._pairing.add(1, sample)
            self._take_pairs()
            if self._stamps_are_unshared():
                self._slop_ns = self._period.period_ns // 2
                self._restart_pairing()
                self._take_pairs()

    def _stamps_are_unshared(self) -> bool:
        is_tried = len(self._unpaired_partners) > EXACT_TRIALS and len(self._period) > 2
        return self._slop_ns == 0 and is_tried

    def _on_pair(self, primary: Sample, partner: Sample) -> None:
        """Only store: message_filters calls this with its lock held."""
        self._pairs.append((primary, partner))

    def _take_pairs(self) -> None:
        pairs, self._pairs = self._pairs, []
        for primary, partner in pairs:
            newer = [p for p in self._unpaired_partners if p.stamp_ns > partner.stamp_ns]
            self._unpaired_partners = deque(newer, QUEUE)
            for entry in self._pending:
                if entry.sample is primary:
                    entry.partner = partner
        self._release_complete()
