"""Depth as an array for a network."""

from __future__ import annotations

import numpy as np


def known_depth_m(depth_m: np.ndarray) -> np.ndarray:
    """Depth with a channel axis, 0 where it is not a number or infinite.

    Args:
        depth_m: (H, W) of any float type [m].

    Returns:
        float32 (H, W, 1) [m].
    """
    finite = np.where(np.isfinite(depth_m), depth_m, np.float32(0))
    return finite.astype(np.float32, copy=False)[..., None]
