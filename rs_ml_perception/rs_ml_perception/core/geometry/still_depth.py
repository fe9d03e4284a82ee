"""Depth of still pixels, smoothed over time."""

from __future__ import annotations

import numpy as np

_LONGEST_GAP_NS = 500_000_000
"""After a longer pause nothing is known to be still."""


class StillDepth:
    """A recursive mean of each pixel that starts again where depth changes.

    A change beyond the gate passes at once, so nothing leaves a ghost; below it, the result
    differs from the present image by `weight` times the gate at most.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the images before."""
        self._past_m: np.ndarray | None = None
        self._stamp_ns = 0

    def __call__(
        self, depth_m: np.ndarray, stamp_ns: int, weight: float, gate_per_m: float
    ) -> float:
        """Smooth `depth_m` in place.

        Images without time (stamp 0), after a pause or a step back in time, or of another size
        are the first of their kind.

        Args:
            depth_m: float32 (H, W), metres, NaN where invalid; such pixels stay so.
            stamp_ns: acquisition time.
            weight: of the past, 0 to 1.
            gate_per_m: largest change of a still pixel over depth squared.

        Returns:
            The fraction of the valid pixels that were smoothed.
        """
        past_m, gap_ns = self._past_m, stamp_ns - self._stamp_ns
        follows = past_m is not None and 0 < gap_ns <= _LONGEST_GAP_NS
        self._stamp_ns = stamp_ns
        if past_m is None or not follows or past_m.shape != depth_m.shape:
            self._past_m = depth_m.copy()
            return 0.0
        past_m -= depth_m
        with np.errstate(invalid='ignore'):
            is_still = np.abs(past_m) <= np.float32(gate_per_m) * np.square(depth_m)
        past_m *= np.float32(weight)
        past_m[~is_still] = 0
        depth_m += past_m
        np.copyto(past_m, depth_m)
        valid = np.count_nonzero(np.isfinite(depth_m))
        return float(np.count_nonzero(is_still) / valid) if valid else 0.0
