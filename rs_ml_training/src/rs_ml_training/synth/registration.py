"""Depth in the frame of the colour camera, as librealsense's align block computes it.

Each depth pixel covers the rectangle of colour pixels between its two corners; where several fall
onto one, the nearest wins.
"""

from __future__ import annotations

import numpy as np

from rs_ml_training.synth.rig import Rig

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
    known = np.flatnonzero(depth_m > 0)
    z = depth_m.ravel()[known]
    # Far ones first: among equal targets the last assignment stays.
    order = np.argsort(np.rint(z * 1000).astype(np.uint16), kind='stable')[::-1]
    rows, columns = np.divmod(known[order].astype(np.int32), np.int32(rig.depth.width))
    z, half = z[order], np.float32(0.5)
    left, top, z_color = _projected(columns - half, rows - half, z, rig)
    right, bottom, _ = _projected(columns + half, rows + half, z, rig)
    millimetres = np.clip(np.rint(z_color * 1000), 1, _FAR_MM - 1).astype(np.uint16)
    shown = (right >= 0) & (bottom >= 0) & (left < color.width) & (top < color.height)
    shown &= (left > -_WIDEST) & (top > -_WIDEST)
    right, bottom, left, top, millimetres = (
        values[shown] for values in (right, bottom, left, top, millimetres)
    )
    # A margin around the picture spares a test for every pixel that is filled.
    nearest = np.full((color.height + 2 * _WIDEST, color.width + 2 * _WIDEST), _FAR_MM, np.uint16)
    place = (top + _WIDEST) * nearest.shape[1] + left + _WIDEST
    wide, high = np.minimum(right - left, _WIDEST - 1), np.minimum(bottom - top, _WIDEST - 1)
    for down in range(int(high.max(initial=-1)) + 1):
        for aside in range(int(wide.max(initial=-1)) + 1):
            covers = np.flatnonzero((high >= down) & (wide >= aside))
            found = np.full_like(nearest, _FAR_MM)
            found.ravel()[place[covers] + (down * nearest.shape[1] + aside)] = millimetres[covers]
            np.minimum(nearest, found, out=nearest)
    nearest = nearest[_WIDEST:-_WIDEST, _WIDEST:-_WIDEST]
    return np.where(nearest < _FAR_MM, nearest * np.float32(0.001), 0).astype(np.float32)


def _projected(
    u: np.ndarray, v: np.ndarray, z: np.ndarray, rig: Rig
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns and rows of the colour image (int32) of points of the depth image; their depth."""
    depth, color = rig.depth, rig.color
    turn, shift = np.float32(rig.color_from_depth[:3, :3]), rig.color_from_depth[:3, 3]
    x, y = (
        (u - np.float32(depth.cx)) * (z / np.float32(depth.fx)),
        (v - np.float32(depth.cy)) * (z / np.float32(depth.fy)),
    )
    x, y, z = (
        row[0] * x + row[1] * y + row[2] * z + np.float32(s)
        for row, s in zip(turn, shift, strict=True)
    )
    ahead = np.maximum(z, np.float32(1e-3))
    column = np.floor(x / ahead * np.float32(color.fx) + np.float32(color.cx + 0.5))
    row = np.floor(y / ahead * np.float32(color.fy) + np.float32(color.cy + 0.5))
    limit = 2**20
    return (
        np.clip(column, -limit, limit).astype(np.int32),
        np.clip(row, -limit, limit).astype(np.int32),
        z,
    )
