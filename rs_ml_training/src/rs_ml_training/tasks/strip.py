"""Pictures side by side, for TensorBoard and run folders."""

from __future__ import annotations

import cv2
import numpy as np


def colored_depth(depth_m: np.ndarray, range_m: tuple[float, float]) -> np.ndarray:
    """Viridis of a depth map (h, w), near dark; unknown black. uint8 (h, w, 3) RGB."""
    low, high = range_m
    share = (np.nan_to_num(depth_m) - low) / max(high - low, 1e-6)
    bgr = cv2.applyColorMap((np.clip(share, 0, 1) * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    bgr[~(depth_m > 0)] = 0
    return np.ascontiguousarray(bgr[..., ::-1])


def palette(count: int) -> np.ndarray:
    """Distinct colours by class id, uint8 (256, 3) RGB; 255 is black. PASCAL VOC's bit pattern."""
    ids = np.arange(256)
    channels = np.zeros((256, 3), int)
    for bit in range(8):
        for channel in range(3):
            channels[:, channel] |= ((ids >> (3 * bit + channel)) & 1) << (7 - bit)
    channels = np.roll(channels, -1, axis=0)  # class 0 is an object like any other
    channels[max(count, 0) :] = 0
    return channels.astype(np.uint8)


def depth_range(depth_m: np.ndarray) -> tuple[float, float]:
    """Range that holds 96 % of the known depths; (0, 1) where none is known."""
    known = depth_m[depth_m > 0]
    return tuple(np.percentile(known, (2, 98))) if known.size else (0.0, 1.0)


def side_by_side(*pictures: np.ndarray) -> np.ndarray:
    """Join uint8 (h, w, 3) pictures of one size, left to right."""
    return np.ascontiguousarray(np.concatenate(pictures, axis=1))
