"""Images with a caption and a legend, arranged in a grid."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rs_ml_perception.core.drawing.colormap import colormap_rgb
from rs_ml_perception.core.drawing.text import Color, TextStyle, put_text

_BAR_GREY = 38
_PAPER, _SLATE, _TILE_GREY = (22, 24, 28), (38, 41, 47), (70, 73, 79)
_BRIGHT, _DIM = (240, 240, 240), (165, 170, 178)
_TICKS = 5
_GAP_PX = 10


@dataclass(frozen=True, eq=False)
class PanelTile:
    """One image of a panel.

    Attributes:
        caption: above the image.
        note: on the right of the caption.
        picture: uint8 (H, W, 3), RGB.
        legend: names and colours below the image.
        scale_m: near and far end of the depth bar below the image, or None.
    """

    caption: str
    note: str
    picture: np.ndarray
    legend: list[tuple[str, Color]] | None = None
    scale_m: tuple[float, float] | None = None


def missing_tile(caption: str, text: str, size: tuple[int, int]) -> PanelTile:
    """A grey tile of size (width, height) with a text in its middle."""
    width, height = size
    picture = np.full((height, width, 3), _TILE_GREY, np.uint8)
    style = TextStyle.for_capitals(max(7, width / 45))
    text_width, text_height = style.size(text)
    x, y = (width - text_width) // 2, (height - text_height) // 2
    put_text(picture, text, x, y, style, _BRIGHT)
    return PanelTile(caption, '', picture)


def with_scale(
    picture: np.ndarray, low: float, high: float, *, unit: str = 'm', colormap: str = 'viridis'
) -> np.ndarray:
    """A picture above the bar of its colours, with values in it.

    Args:
        picture: uint8 (H, W, 3), RGB.
        low: value of the first colour.
        high: value of the last.
        unit: of the values.
        colormap: see `colorize`.
    """
    foot, style = _strip(picture.shape[1])
    _put_scale(foot, low, high, style, unit, colormap)
    return np.concatenate([picture, foot])


def with_legend(picture: np.ndarray, entries: list[tuple[str, Color]]) -> np.ndarray:
    """A picture above the names of its colours.

    Args:
        picture: uint8 (H, W, 3), RGB.
        entries: names and colours; those that do not fit are counted.
    """
    foot, style = _strip(picture.shape[1])
    _put_legend(foot, entries, style)
    return np.concatenate([picture, foot])


def fitted(
    picture: np.ndarray, size: tuple[int, int], interpolation: int = cv2.INTER_NEAREST
) -> np.ndarray:
    """Resize without distortion, centred between bars if the proportions differ.

    Args:
        picture: uint8 (H, W, 3).
        size: (width, height) of the result.
        interpolation: OpenCV's; nearest, since the mean of two colours is the colour of neither
            depth.
    """
    width, height = size
    scale = min(width / picture.shape[1], height / picture.shape[0])
    w, h = (max(1, round(scale * n)) for n in (picture.shape[1], picture.shape[0]))
    x, y = (width - w) // 2, (height - h) // 2
    whole = np.full((height, width, 3), _BAR_GREY, np.uint8)
    whole[y : y + h, x : x + w] = cv2.resize(picture, (w, h), interpolation=interpolation)
    return whole


def percent(fraction: float) -> str:
    """A fraction as a short text for captions."""
    return '<1 %' if 0 < fraction < 0.005 else f'{100 * fraction:.0f} %'


def render_grid(tiles: list[PanelTile], *, columns: int, title: str, note: str) -> np.ndarray:
    """Arrange tiles of one size in rows below a head line.

    Returns:
        uint8 RGB image.
    """
    rendered = [_render(tile) for tile in tiles]
    height, width = rendered[0].shape[:2]
    rows = -(-len(tiles) // columns)
    top = _head_height(width)
    panel_width = columns * (width + _GAP_PX) + _GAP_PX
    panel = np.full((top + rows * (height + _GAP_PX), panel_width, 3), _PAPER, np.uint8)
    style = TextStyle.for_capitals(top * 0.3)
    _put_line(panel[:top, _GAP_PX:-_GAP_PX], title, note, style)
    for i, picture in enumerate(rendered):
        x = _GAP_PX + i % columns * (width + _GAP_PX)
        y = top + i // columns * (height + _GAP_PX)
        panel[y : y + height, x : x + width] = picture
    return panel


def _head_height(tile_width: int) -> int:
    return max(24, tile_width // 16)


def _strip(width: int) -> tuple[np.ndarray, TextStyle]:
    """An empty line above or below an image, and the style of its text."""
    style = TextStyle.for_capitals(max(7, width / 66))
    return np.full((round(1.4 * style.line_height()), width, 3), _SLATE, np.uint8), style


def _render(tile: PanelTile) -> np.ndarray:
    head, style = _strip(tile.picture.shape[1])
    foot = head.copy()
    _put_line(head, tile.caption, tile.note, style)
    if tile.scale_m is not None:
        _put_scale(foot, *tile.scale_m, style)
    _put_legend(foot, tile.legend or [], style)
    return np.concatenate([head, tile.picture, foot])


def _put_line(strip: np.ndarray, left: str, right: str, style: TextStyle) -> None:
    y = (strip.shape[0] - style.line_height()) // 2
    put_text(strip, left, 0, y, style, _BRIGHT)
    put_text(strip, right, strip.shape[1] - style.size(right)[0], y, style, _DIM)


def _put_legend(strip: np.ndarray, entries: list[tuple[str, Color]], style: TextStyle) -> None:
    """Swatches with names from left to right; the rest is counted at the end."""
    y, side = (strip.shape[0] - style.line_height()) // 2, style.line_height() // 2
    room, x = strip.shape[1] - style.size('+99 more')[0], style.pad
    for i, (name, color) in enumerate(entries):
        width = side + style.size(name)[0]
        if x + width > room:
            put_text(strip, f'+{len(entries) - i} more', x, y, style, _DIM)
            return
        top = (strip.shape[0] - side) // 2
        strip[top : top + side, x : x + side] = color
        put_text(strip, name, x + side, y, style, _BRIGHT)
        x += width + style.pad


def _put_scale(
    strip: np.ndarray,
    low: float,
    high: float,
    style: TextStyle,
    unit: str = 'm',
    colormap: str = 'viridis',
) -> None:
    """A bar of the palette with values inside it; black is invalid."""
    height, width = strip.shape[:2]
    colors = colormap_rgb(colormap)[1:]
    bar = cv2.resize(colors[None], (width, height), interpolation=cv2.INTER_LINEAR)
    strip[:] = bar
    y = (height - style.line_height()) // 2
    for i, value in enumerate(np.linspace(low, high, _TICKS)):
        text = f'{value:.1f} {unit}'
        text_width = style.size(text)[0]
        x = round(i / (_TICKS - 1) * (width - text_width))
        luma = strip[height // 2, min(width - 1, x + text_width // 2)].mean()
        put_text(strip, text, x, y, style, (0, 0, 0) if luma > 110 else (255, 255, 255))
