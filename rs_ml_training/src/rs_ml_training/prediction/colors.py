"""Depth, errors and normals as colours."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError

_OPENCV = {
    'viridis': cv2.COLORMAP_VIRIDIS,
    'turbo': cv2.COLORMAP_TURBO,
    'jet': cv2.COLORMAP_JET,
}
COLORMAPS = (*_OPENCV, 'greys')
"""'greys' is white near and black far, of the logarithm of depth, as BTS shows its maps."""

_PERCENTILES = (2, 98)


def common_range_m(*depths_m: np.ndarray | None) -> tuple[float, float]:
    """Range (near, far) that holds 96 % of the known depths of all maps; (0, 1) without any."""
    known = [d[np.isfinite(d) & (d > 0)] for d in depths_m if d is not None]
    values = np.concatenate(known) if known else np.empty(0)
    if not values.size:
        return 0.0, 1.0
    near, far = np.percentile(values, _PERCENTILES)
    return float(near), float(max(far, near + 1e-3))


def depth_picture(
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
    near, far = range_m or common_range_m(depth_m)
    if colormap == 'greys':
        near, far = np.log10(max(near, 1e-3)), np.log10(max(far, 2e-3))
        depth_m = np.log10(np.where(depth_m > 0, depth_m, np.nan))
        return painted((depth_m - near) / max(far - near, 1e-6), colormap)
    share = np.where(depth_m > 0, (depth_m - near) / max(far - near, 1e-6), np.nan)
    return painted(share, colormap)


def painted(share: np.ndarray, colormap: str) -> np.ndarray:
    """Colours of values in 0..1, clipped; NaN is black. uint8 (H, W, 3) RGB.

    Raises:
        ConfigError: no such colour map.
    """
    if colormap not in COLORMAPS:
        raise ConfigError(f'no colour map {colormap!r}; there are {", ".join(COLORMAPS)}')
    index = (np.clip(np.nan_to_num(share), 0, 1) * 255).astype(np.uint8)
    if colormap == 'greys':
        rgb = np.repeat(255 - index[..., None], 3, axis=2)
    else:
        rgb = cv2.applyColorMap(index, _OPENCV[colormap])[..., ::-1].copy()
    rgb[np.isnan(share)] = 0
    return rgb


def error_picture(
    depth_m: np.ndarray, truth_m: np.ndarray, limit: float = 0.5, relative: bool = True
) -> np.ndarray:
    """Absolute error in jet colours, unknown black, `limit` and more dark red.

    Args:
        depth_m: float32 (H, W), metres; NaN or 0 unknown.
        truth_m: the same of the truth.
        limit: error of the last colour, as share of the truth or in metres.
        relative: whether errors are divided by the truth.
    """
    known = np.isfinite(depth_m) & (depth_m > 0) & (truth_m > 0)
    error = np.abs(depth_m - truth_m) / (np.where(truth_m > 0, truth_m, 1) if relative else 1)
    return painted(np.where(known, error / limit, np.nan), 'jet')


def normals_picture(normals: np.ndarray) -> np.ndarray:
    """Unit normals (H, W, 3) in camera axes as RGB, uint8; facing the camera is light blue."""
    shown = (1 - normals) * 127.5
    return np.nan_to_num(np.clip(np.rint(shown), 0, 255)).astype(np.uint8)


def overlay(rgb: np.ndarray, mask: np.ndarray, colors: np.ndarray, share: float) -> np.ndarray:
    """A picture tinted with the colours of its classes; black ones leave it as it is."""
    tint = colors[mask]
    blended = cv2.addWeighted(rgb, 1 - share, tint, share, 0)
    clear = ~tint.any(axis=2)
    blended[clear] = rgb[clear]
    return blended


def palette(colors: Sequence[Sequence[int]], count: int) -> np.ndarray:
    """Colours by class id, uint8 (256, 3) RGB: those given, else distinct ones; 255 is black."""
    table = distinct_colors(count)
    if len(colors):
        table[: len(colors)] = np.asarray(colors, np.uint8)
    table[255] = 0
    return table


def distinct_colors(count: int) -> np.ndarray:
    """PASCAL VOC's colours by class id, uint8 (256, 3) RGB; black from `count` on."""
    ids = np.arange(256)
    channels = np.zeros((256, 3), int)
    for bit in range(8):
        for channel in range(3):
            channels[:, channel] |= ((ids >> (3 * bit + channel)) & 1) << (7 - bit)
    channels = np.roll(channels, -1, axis=0)  # class 0 is an object like any other
    channels[max(count, 0) :] = 0
    return channels.astype(np.uint8)


def side_by_side(*pictures: np.ndarray) -> np.ndarray:
    """Join uint8 (h, w, 3) pictures of one size, left to right."""
    return np.ascontiguousarray(np.concatenate(pictures, axis=1))
