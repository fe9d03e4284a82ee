"""Pictures of depth for panels."""

from __future__ import annotations

import cv2
import numpy as np

from rs_ml_perception.core.drawing.colormap import colorize_depth, depth_range_m
from rs_ml_perception.core.drawing.text import Color
from rs_ml_perception.core.drawing.tiles import Tile, percent, render_grid

_BAR_GREY = 38
_LEAST_MOVE = 0.01
"""Share of the distance; a camera's noise is about as large at two metres."""

_NEITHER: Color = (0, 0, 0)
_CHANGES: dict[str, Color] = {
    'as it was': (90, 94, 100),
    'moved by 1 % or more': (86, 156, 255),
    'filled': (80, 200, 120),
    'removed': (235, 90, 80),
}


def depth_tile(
    caption: str, depth_m: np.ndarray | None, range_m: tuple[float, float], size: tuple[int, int]
) -> Tile | None:
    """A tile of depth between near and far end, None where there is none.

    Args:
        caption: what it is.
        depth_m: float32 (H, W), metres, NaN invalid, any size.
        range_m: distances of the palette's ends.
        size: (width, height) of the picture.
    """
    if depth_m is None:
        return None
    near_m, far_m = range_m
    picture = _fitted(colorize_depth(depth_m, near_m, far_m), size)
    valid = np.count_nonzero(depth_m > 0) / depth_m.size
    return Tile(caption, f'{percent(valid)} valid', picture, scale_m=(near_m, far_m))


def change_tile(before_m: np.ndarray, after_m: np.ndarray, size: tuple[int, int]) -> Tile:
    """What became of each pixel of a depth image.

    Args:
        before_m: float32 (H, W), metres, NaN invalid.
        after_m: the same after it was worked on.
        size: (width, height) of the picture.
    """
    had, has = before_m > 0, after_m > 0
    with np.errstate(invalid='ignore'):
        is_moved = np.abs(after_m - before_m) >= _LEAST_MOVE * before_m
    # In the order of _CHANGES.
    masks = [had & has & ~is_moved, had & has & is_moved, has & ~had, had & ~has]
    picture = np.full((*before_m.shape, 3), _NEITHER, np.uint8)
    for mask, color in zip(masks, _CHANGES.values(), strict=True):
        picture[mask] = color
    legend = [
        (f'{name} {percent(np.count_nonzero(mask) / mask.size)}', color)
        for mask, (name, color) in zip(masks, _CHANGES.items(), strict=True)
    ]
    return Tile('what denoising changed', '', _fitted(picture, size), legend)


def compose_denoised(
    before_m: np.ndarray, after_m: np.ndarray, *, title: str = '', tile_width: int = 640
) -> np.ndarray:
    """Raw depth, denoised depth in the same colours, and what changed, side by side.

    Args:
        before_m: float32 (H, W), metres, NaN invalid.
        after_m: the same after denoising.
        title: on the left of the head line.
        tile_width: of each picture, pixels.

    Returns:
        uint8 RGB picture.
    """
    size = tile_width, round(tile_width * before_m.shape[0] / before_m.shape[1])
    range_m = depth_range_m(before_m, after_m)
    pictures = [('camera depth', before_m), ('denoised depth', after_m)]
    tiles = [depth_tile(caption, depth_m, range_m, size) for caption, depth_m in pictures]
    tiles.append(change_tile(before_m, after_m, size))
    return render_grid(tiles, columns=3, title=title, note='')


def _fitted(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize without distortion, centred between bars where the proportions differ."""
    width, height = size
    scale = min(width / picture.shape[1], height / picture.shape[0])
    w, h = (max(1, round(scale * n)) for n in (picture.shape[1], picture.shape[0]))
    x, y = (width - w) // 2, (height - h) // 2
    fitted = np.full((height, width, 3), _BAR_GREY, np.uint8)
    # Nearest: a mean of the colours of two depths is the colour of neither.
    shown = cv2.resize(picture, (w, h), interpolation=cv2.INTER_NEAREST)
    fitted[y : y + h, x : x + w] = shown
    return fitted
