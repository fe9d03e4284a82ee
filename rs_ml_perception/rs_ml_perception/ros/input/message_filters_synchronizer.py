"""Pairing by the rules of message_filters: `synchronizer: message_filters`.

It pairs equal stamps, or stamps within max_skew_ms if that is set. Order, waiting and counts are
those of our own synchronizer, so that messages that message_filters drops are counted too.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.streams.partner_buffer import Partner, Q
from rs_ml_perception.core.streams.synchronizer import Match, P, Synchronizer, SyncOptions

SYNCHRONIZERS = ('own', 'message_filters')


def create_synchronizer(name: str, options: SyncOptions) -> Synchronizer[Any, Any]:
    """The synchronizer of that name, one of SYNCHRONIZERS.

    Raises:
        ConfigError: message_filters is asked for and not installed.
    """
    return Synchronizer(options) if name == 'own' else MessageFiltersSynchronizer(options)


def has_message_filters() -> bool:
    return importlib.util.find_spec('message_filters') is not None


def check_synchronizer(name: str) -> None:
    """Raise ConfigError unless the synchronizer of that name can be made here."""
    if name == 'message_filters' and not has_message_filters():
        raise ConfigError(
            "synchronizer 'message_filters' is not installed: install "
            "ros-$ROS_DISTRO-message-filters, or set synchronizer to 'own'"
        )


class MessageFiltersSynchronizer(Synchronizer[P, Q]):
    """TimeSynchronizer or ApproximateTimeSynchronizer, fed with our samples.

    ApproximateTimeSynchronizer compares with `<`, so it never pairs at slop 0; TimeSynchronizer
    serves equal stamps. Neither forgets a stamp of the future, so both are rebuilt after a jump.
    """

    def __init__(self, options: SyncOptions) -> None:
        super().__init__(options)
        check_synchronizer('message_filters')
        self._pairs: list[tuple[P, Q]] = []
        self._build()

    def add_primary(self, message: P) -> None:
        super().add_primary(message)
        self._inputs[0].signalMessage(message)

    def add_partner(self, sample: Q) -> None:
        super().add_partner(sample)
        self._inputs[1].signalMessage(sample)

    def jump(self, stamp_ns: int) -> None:
        super().jump(stamp_ns)
        self._build()

    def restart(self) -> None:
        super().restart()
        self._build()

    def _build(self) -> None:
        """Create the filters, and feed them the messages that still wait."""
        filters = importlib.import_module('message_filters')
        self._inputs = [filters.SimpleFilter(), filters.SimpleFilter()]
        capacity, skew_ns = self.options.capacity, self.options.max_skew_ns
        if skew_ns:
            engine = filters.ApproximateTimeSynchronizer(self._inputs, capacity, skew_ns * 1e-9)
        else:
            engine = filters.TimeSynchronizer(self._inputs, capacity)
        # An exception in the callback would leave its lock held for ever, so it only stores.
        engine.registerCallback(lambda *pair: self._pairs.append(pair))
        for partner in self._partners.kept:
            self._inputs[1].signalMessage(partner.sample)
        for message in self._pending:
            self._inputs[0].signalMessage(message)

    def _exact(self, message: P) -> Partner[Q] | None:
        found = next((partner for paired, partner in self._pairs if paired is message), None)
        return next((p for p in self._partners.kept if p.sample is found), None)

    def _neighbour(self, message: P) -> Partner[Q] | None:
        """None: message_filters has paired near partners already."""
        return None

    def _release(self, count: int, now_secs: float, *, asks: bool) -> list[Match[P, Q]]:
        released = super()._release(count, now_secs, asks=asks)
        self._pairs = [pair for pair in self._pairs if any(pair[0] is m for m in self._pending)]
        return released
