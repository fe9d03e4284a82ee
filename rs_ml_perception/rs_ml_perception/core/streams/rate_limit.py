"""Thinning a stream of images out."""

from __future__ import annotations


class RateLimit:
    """Judges by stamps, so that a replay at any speed thins out alike."""

    def __init__(self) -> None:
        self._accepted_secs = float('-inf')

    def is_too_soon(self, stamp_ns: int, max_rate_hz: float) -> bool:
        """Whether an image comes too soon after the last one that did not; rate 0: never."""
        if max_rate_hz <= 0:
            return False
        stamp_secs = stamp_ns * 1e-9
        since_secs = stamp_secs - self._accepted_secs
        # A tenth of slack: 30 Hz thinned to 15 must not fall to 10 over jitter.
        if 0 <= since_secs < 0.9 / max_rate_hz:
            return True
        self._accepted_secs = stamp_secs
        return False
