"""Pairing two streams by stamp.

message_filters does it where it is installed; where it is not, OwnPairing does, with the same
interface and the same test suite. Both are rebuilt by their owner when time jumps, and both only
hand over: in message_filters an exception in the callback leaves a lock held for ever.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, Protocol

from rs_ml_perception.core.stamps import StampHistory
from rs_ml_perception.ros.samples import Sample

QUEUE = 10

OnPair = Callable[[Sample, Sample], None]


class Pairing(Protocol):
    """Gets samples of stream 0 and stream 1, calls back with pairs."""

    def add(self, stream: int, sample: Sample) -> None: ...


def create_pairing(on_pair: OnPair, *, slop_ns: int) -> Pairing:
    """A pairing of two streams.

    Args:
        on_pair: called with (sample of stream 0, sample of stream 1); must only hand over.
        slop_ns: largest difference of stamps; 0 pairs equal stamps only.
    """
    if has_message_filters():
        return MessageFiltersPairing(on_pair, slop_ns=slop_ns)
    return OwnPairing(on_pair, slop_ns=slop_ns)


def has_message_filters() -> bool:
    return importlib.util.find_spec('message_filters') is not None


class MessageFiltersPairing:
    """TimeSynchronizer or ApproximateTimeSynchronizer, fed by hand.

    ApproximateTimeSynchronizer compares with `<`, so it never pairs at slop 0: equal stamps are
    the business of TimeSynchronizer.
    """

    def __init__(self, on_pair: OnPair, *, slop_ns: int) -> None:
        filters = importlib.import_module('message_filters')
        self._inputs = [filters.SimpleFilter(), filters.SimpleFilter()]
        if slop_ns == 0:
            self._synchroniser: Any = filters.TimeSynchronizer(self._inputs, QUEUE)
        else:
            self._synchroniser = filters.ApproximateTimeSynchronizer(
                self._inputs, QUEUE, slop_ns * 1e-9
            )
        self._synchroniser.registerCallback(on_pair)

    def add(self, stream: int, sample: Sample) -> None:
        self._inputs[stream].signalMessage(sample)


class OwnPairing:
    """Each arrival looks for its nearest partner; both and all before them are then done with."""

    def __init__(self, on_pair: OnPair, *, slop_ns: int) -> None:
        self._on_pair = on_pair
        self._slop_ns = slop_ns
        self._waiting: tuple[StampHistory[Sample], StampHistory[Sample]] = (
            StampHistory(QUEUE),
            StampHistory(QUEUE),
        )

    def add(self, stream: int, sample: Sample) -> None:
        found = self._waiting[1 - stream].nearest(sample.stamp_ns, tolerance_ns=self._slop_ns)
        if found is None:
            self._waiting[stream].add(sample.stamp_ns, sample)
            return
        partner = found[1]
        self._waiting[1 - stream].drop_until(partner.stamp_ns)
        self._waiting[stream].drop_until(sample.stamp_ns)
        self._on_pair(*((sample, partner) if stream == 0 else (partner, sample)))
