"""Depth in the frame of the colour camera, as librealsense's align block computes it.

Each depth pixel covers the rectangle of colour pixels between its two corners; where several fall
onto one, the nearest wins.
"""

from __future__ import annotations

import numpy as np

from rs_ml_training.synth.camera import Rig

_FAR_MM = np.iinfo(np.uint16).max
_WIDEST = 6
"""Colour pixels per depth pixel that are filled at most, in either direction."""


def registered(depth_m: np.ndarray, rig: Rig) -> np.ndarray:
    """Depth of the left imager as the colour camera would see it.

    Args:
        depth_m: float32 (H, W) [m], 0: none.
        rig: the cameras.

    Returns:
        float32 (Hc, Wc), whole millimetres [m], 0: none.
    """
    color = rig.color
    left, top, z_color = _projected(depth_m, rig, -0.5)
    right, bottom, _ = _projected(depth_m, rig, 0.5)
    shown = (right >= 0) & (bottom >= 0) & (left < color.width) & (top < color.height)
    shown &= (left > -_WIDEST) & (top > -_WIDEST) & (depth_m > 0)
    shown = np.flatnonzero(shown)
    right, bottom, left, top = (a.take(shown).astype(np.int32) for a in (right, bottom, left, top))
    millimetres = np.clip(np.rint(z_color.take(shown) * 1000), 1, _FAR_MM - 1).astype(np.uint16)
    # A margin around the picture spares a test for every pixel that is filled.
    nearest = np.full((color.height + 2 * _WIDEST, color.width + 2 * _WIDEST), _FAR_MM, np.uint16)
    place = (top + _WIDEST) * nearest.shape[1] + left + _WIDEST
    wide, high = np.minimum(right - left, _WIDEST - 1), np.minimum(bottom - top, _WIDEST - 1)
    for down in range(int(high.max(initial=-1)) + 1):
        for aside in range(int(wide.max(initial=-1)) + 1):
            covers = np.flatnonzero((high >= down) & (wide >= aside))
            target = place.take(covers) + (down * nearest.shape[1] + aside)
            np.minimum.at(nearest.ravel(), target, millimetres.take(covers))
    nearest = nearest[_WIDEST:-_WIDEST, _WIDEST:-_WIDEST]
    return np.where(nearest < _FAR_MM, nearest * np.float32(0.001), 0).astype(np.float32)


def _projected(
    depth_m: np.ndarray, rig: Rig, aside: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns and rows of the colour image that depth pixels have, and their depth there.

    Args:
        depth_m: float32 (H, W) [m].
        rig: the cameras.
        aside: what of each pixel: 0 its centre, -0.5 and 0.5 two of its corners.

    Returns:
        float32 (H, W) each; columns and rows are whole.
    """
    depth, color = rig.depth, rig.color
    turn, shift = np.float32(rig.color_from_depth[:3, :3]), np.float32(rig.color_from_depth[:3, 3])
    a = (np.arange(depth.width, dtype=np.float32) + np.float32(aside - depth.cx)) / depth.fx
    b = (np.arange(depth.height, dtype=np.float32) + np.float32(aside - depth.cy)) / depth.fy
    x, y, z = (
        depth_m * (row[0] * a + (row[1] * b + row[2])[:, None]) + s
        for row, s in zip(turn, shift, strict=True)
    )
    ahead = np.maximum(z, np.float32(1e-3))
    column = np.floor(x / ahead * np.float32(color.fx) + np.float32(color.cx + 0.5))
    row = np.floor(y / ahead * np.float32(color.fy) + np.float32(color.cy + 0.5))
    return column, row, z
