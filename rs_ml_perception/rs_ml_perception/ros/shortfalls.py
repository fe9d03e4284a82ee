"""Missing parts of results: logged once, counted, shown in diagnostics."""

from __future__ import annotations

from collections.abc import Sequence

from rclpy.impl.rcutils_logger import RcutilsLogger

from rs_ml_perception.core.errors import printable

LOG_THROTTLE_SECS = 5.0


class Shortfalls:
    """Parts of results that could not be made although somebody wants them.

    Attributes:
        latest: why parts of the latest result are missing.
        count: results since `reset` that lacked something.
    """

    def __init__(self, logger: RcutilsLogger) -> None:
        self._logger = logger
        self.reset()

    def reset(self) -> None:
        self.latest: tuple[str, ...] = ()
        self.count = 0

    def note(self, shortfalls: Sequence[str]) -> None:
        """A result has gone out, without these."""
        before, self.latest = self.latest, tuple(map(printable, shortfalls))
        self.count += bool(shortfalls)
        for text in self.latest:
            if text not in before:
                self._logger.warning(text, throttle_duration_sec=LOG_THROTTLE_SECS)
