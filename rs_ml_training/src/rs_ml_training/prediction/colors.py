"""Depth, errors, normals and classes as colours, most of them those of the robot side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rs_ml_perception.core.drawing import colormap as core
from rs_ml_perception.core.drawing.annotations import overlay_mask
from rs_ml_perception.core.objects.labels import palette as distinct_colors

GREYS = 'greys'
"""White near and black far, of the logarithm of depth, as BTS shows its maps."""

COLORMAPS = (*core.COLORMAPS, GREYS)


def depth_image(
    depth_m: np.ndarray, range_m: tuple[float, float] | None = None, colormap: str = 'viridis'
) -> np.ndarray:
    """Paint depth.

    Args:
        depth_m: float32 (H, W), metres; NaN or 0 unknown.
        range_m: distances of the first and last colour; None: those of the map itself.
        colormap: a name of COLORMAPS.

    Returns:
        uint8 (H, W, 3) RGB, unknown black.

    Raises:
        ConfigError: no such colour map.
    """
    near_m, far_m = range_m or core.depth_range_m(depth_m)
    if colormap == GREYS:
        return _greys(depth_m, max(near_m, 1e-3), max(far_m, 2e-3))
    return core.colorize_depth(depth_m, near_m, far_m, colormap)


def _greys(depth_m: np.ndarray, near_m: float, far_m: float) -> np.ndarray:
    known = depth_m > 0
    distance = np.log10(np.where(known, depth_m, 1.0) / near_m) / np.log10(far_m / near_m)
    grey = np.where(known, 255 * (1 - np.clip(distance, 0, 1)), 0).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def error_image(
    depth_m: np.ndarray, truth_m: np.ndarray, limit: float = 0.5, relative: bool = True
) -> np.ndarray:
    """Absolute error in jet colours, unknown black, `limit` and more dark red.

    Args:
        depth_m: float32 (H, W), metres; NaN or 0 unknown.
        truth_m: the same of the truth.
        limit: error of the last colour, as a fraction of the truth or in metres.
        relative: whether errors are divided by the truth.
    """
    known = np.isfinite(depth_m) & (depth_m > 0) & (truth_m > 0)
    error = np.abs(depth_m - truth_m) / (np.where(truth_m > 0, truth_m, 1) if relative else 1)
    return core.colorize(np.where(known, error, 0), 0.0, limit, known, 'jet')


def overlay(rgb: np.ndarray, mask: np.ndarray, colors: np.ndarray, share: float) -> np.ndarray:
    """An image tinted with the colours of its classes; black ones leave it as it is."""
    black = np.flatnonzero(~colors.any(axis=1)).tolist()
    return overlay_mask(rgb, mask, share, colors, transparent=black)


def palette(colors: Sequence[Sequence[int]], count: int) -> np.ndarray:
    """Colours by class id, uint8 (256, 3) RGB: those given, else distinct ones.

    Args:
        colors: of the first ids.
        count: of classes; ids from here on are black, as is 255.
    """
    table = distinct_colors()
    table[max(count, len(colors)) :] = 0
    if len(colors):
        table[: len(colors)] = np.asarray(colors, np.uint8)
    table[255] = 0
    return table


def side_by_side(*pictures: np.ndarray) -> np.ndarray:
    """Join uint8 (h, w, 3) images of one size, left to right."""
    return np.ascontiguousarray(np.concatenate(pictures, axis=1))
