"""Depth as an array for a network."""

from __future__ import annotations

import numpy as np

from rs_ml_training.data.sample import Sample


def known_depth_m(depth_m: np.ndarray) -> np.ndarray:
    """Depth with a channel axis, 0 where it is not a number or infinite.

    Args:
        depth_m: (H, W) of any float type [m].

    Returns:
        float32 (H, W, 1) [m].
    """
    finite = np.where(np.isfinite(depth_m), depth_m, np.float32(0))
    return finite.astype(np.float32, copy=False)[..., None]


def measured_m(sample: Sample) -> np.ndarray:
    """Measured depth of a sample, float32 (H, W, 1) [m], 0 where there is none."""
    if sample.raw_depth_m is None:
        return np.zeros((*sample.size[::-1], 1), np.float32)
    return known_depth_m(sample.raw_depth_m)
