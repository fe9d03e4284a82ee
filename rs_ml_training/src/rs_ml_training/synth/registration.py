"""Depth in the frame of the colour camera, as librealsense's align block computes it.

Each depth pixel covers the rectangle of colour pixels between its two corners; where several fall
onto one, the nearest wins.
"""

from __future__ import annotations

import numpy as np

from rs_ml_training.intrinsics import Intrinsics
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
    rows, columns = np.nonzero(depth_m > 0)
    z = depth_m[rows, columns]
    first, z_color = _projected(columns - 0.5, rows - 0.5, z, rig)
    last, _ = _projected(columns + 0.5, rows + 0.5, z, rig)
    nearest = np.full(color.height * color.width, _FAR_MM, np.uint16)
    millimetres = np.clip(np.rint(z_color * 1000), 1, _FAR_MM - 1).astype(np.uint16)
    # Far ones first: among equal targets the last assignment stays.
    order = np.argsort(millimetres, kind='stable')[::-1]
    first, last, millimetres = first[order], last[order], millimetres[order]
    size = np.minimum(last - first, _WIDEST - 1)
    for down in range(int(size[:, 1].max(initial=-1)) + 1):
        for right in range(int(size[:, 0].max(initial=-1)) + 1):
            covered = (size[:, 1] >= down) & (size[:, 0] >= right)
            _fill(nearest, first[covered] + [right, down], millimetres[covered], color)
    known = nearest < _FAR_MM
    depth = np.where(known, nearest * np.float32(0.001), 0).astype(np.float32)
    return depth.reshape(color.height, color.width)


def _projected(
    u: np.ndarray, v: np.ndarray, z: np.ndarray, rig: Rig
) -> tuple[np.ndarray, np.ndarray]:
    """Colour pixels (N, 2) of points of the depth image, and their depth there."""
    depth, color = rig.depth, rig.color
    turn, shift = np.float32(rig.color_from_depth[:3, :3]), rig.color_from_depth[:3, 3]
    x = ((u - depth.cx) / depth.fx * z).astype(np.float32)
    y = ((v - depth.cy) / depth.fy * z).astype(np.float32)
    points = np.stack([x, y, z], axis=-1) @ turn.T + np.float32(shift)
    ahead = np.maximum(points[:, 2], 1e-3)
    columns = points[:, 0] / ahead * color.fx + color.cx
    rows = points[:, 1] / ahead * color.fy + color.cy
    pixels = np.floor(np.stack([columns, rows], axis=-1) + 0.5)
    return np.clip(pixels, -(2**20), 2**20).astype(np.int32), points[:, 2]


def _fill(
    nearest: np.ndarray, pixels: np.ndarray, millimetres: np.ndarray, camera: Intrinsics
) -> None:
    column, row = pixels.T
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    place = row[inside] * camera.width + column[inside]
    found = np.full_like(nearest, _FAR_MM)
    found[place] = millimetres[inside]
    np.minimum(nearest, found, out=nearest)
