"""A brush that paints what looks like the pixel under it."""

from __future__ import annotations

import cv2
import numpy as np


def flooded(rgb: np.ndarray, x: int, y: int, side: int, threshold: int) -> np.ndarray:
    """Pixels near a point that are connected with it and of similar colour.

    Args:
        rgb: uint8 (H, W, 3).
        x: column of the point [px].
        y: row of the point [px].
        side: of the square around the point that the brush reaches [px].
        threshold: greatest difference in each channel from the colour of the point.

    Returns:
        bool (H, W); nothing for a point beyond the picture.
    """
    height, width = rgb.shape[:2]
    painted = np.zeros((height, width), bool)
    if not (0 <= x < width and 0 <= y < height):
        return painted
    top, left = max(y - side // 2, 0), max(x - side // 2, 0)
    square = np.ascontiguousarray(rgb[top : y + side // 2 + 1, left : x + side // 2 + 1])
    mask = np.zeros((square.shape[0] + 2, square.shape[1] + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY | 255 << 8
    limit = (threshold,) * 3
    cv2.floodFill(square, mask, (x - left, y - top), 0, limit, limit, flags)
    inside = mask[1:-1, 1:-1] > 0
    painted[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return painted


def erased(labels: np.ndarray, x: int, y: int, radius: int = 5) -> np.ndarray:
    """Labels with a disc set to 0, uint8 (H, W)."""
    return cv2.circle(labels.copy(), (x, y), radius, 0, cv2.FILLED)
