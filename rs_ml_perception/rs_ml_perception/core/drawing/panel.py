"""One image of everything known about a frame, and images of depth before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np

from rs_ml_perception.core.drawing.annotations import (
    annotate_detections,
    draw_heights,
    overlay_mask,
    transparent_ids,
)
from rs_ml_perception.core.drawing.colormap import colorize_depth, depth_range_m
from rs_ml_perception.core.drawing.text import Color
from rs_ml_perception.core.drawing.tiles import (
    PanelTile,
    fitted,
    missing_tile,
    percent,
    render_grid,
    with_legend,
)
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.objects.detections import Detections, Placements
from rs_ml_perception.core.objects.labels import LabelMap, class_color
from rs_ml_perception.core.people.heights import PersonHeights

MISSING = {
    'color': 'no colour in this recording',
    'mask': 'no segmentation',
    'depth': 'no depth in this recording',
    'estimated_depth': 'no depth estimate',
}
"""Texts of tiles without an image."""

_MIN_FRACTION = 0.002
"""Classes on a smaller fraction of the mask are left out of its legend."""

_LEAST_MOVE = 0.01
"""Fraction of the distance, about the noise of a camera at two metres."""

_NEITHER: Color = (0, 0, 0)
_CHANGES: dict[str, Color] = {
    'as it was': (90, 94, 100),
    'moved by 1 % or more': (86, 156, 255),
    'filled': (80, 200, 120),
    'removed': (235, 90, 80),
}


def compose_panel(
    rgb: np.ndarray | None,
    *,
    detections: Detections | None = None,
    labels: LabelMap | None = None,
    placements: Placements | None = None,
    heights: PersonHeights | None = None,
    mask: np.ndarray | None = None,
    mask_labels: LabelMap | None = None,
    depth: DepthImage | None = None,
    estimated_depth_m: np.ndarray | None = None,
    denoised_depth_m: np.ndarray | None = None,
    title: str = '',
    note: str = '',
    range_m: tuple[float, float] | None = None,
    missing: Mapping[str, str] | None = None,
    tile_width: int = 640,
) -> np.ndarray:
    """Put a frame and its results side by side.

    Args:
        rgb: uint8 (H, W, 3), RGB.
        detections: in pixels of rgb.
        labels: names of their classes.
        placements: parallel to the detections.
        heights: in pixels of rgb.
        mask: uint8 (H, W), class ids.
        mask_labels: names of the classes of the mask.
        depth: of the camera, any size; the input of denoised depth, if there is any.
        estimated_depth_m: float32 (H, W), metres, NaN invalid, any size.
        denoised_depth_m: float32 of the size of depth, metres, NaN invalid; with it the panel has
            two more columns.
        title: on the left of the head line, for example the name of the recording.
        note: on its right, for example the stamp.
        range_m: near and far end of both depth images; None: those of this frame.
        missing: replaces texts of `MISSING`.
        tile_width: of each image, pixels.

    Returns:
        uint8 RGB image. Without denoised depth: colour with boxes, labels and heights next to the
        mask, above the depth of the camera and the estimated depth. With it: colour, mask and
        estimated depth above raw depth, denoised depth and the changes. A grey tile replaces a
        missing image.
    """
    size = (tile_width, _tile_height(tile_width, rgb, depth, estimated_depth_m))
    texts = {**MISSING, **(missing or {})}
    camera_depth_m = None if depth is None else depth.depth_m
    range_m = range_m or depth_range_m(camera_depth_m, denoised_depth_m, estimated_depth_m)
    color = _color_tile(rgb, detections, labels or LabelMap({}), placements, heights, size)
    scene = [
        color or missing_tile('colour', texts['color'], size),
        _mask_tile(rgb, mask, mask_labels or LabelMap({}), size)
        or missing_tile('segmentation', texts['mask'], size),
    ]
    depths_m = camera_depth_m, estimated_depth_m, denoised_depth_m
    tiles = [*scene, *_depth_tiles(depths_m, range_m, size, texts)]
    return render_grid(tiles, columns=-(-len(tiles) // 2), title=title, note=note)


def _depth_tiles(
    depths_m: tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None],
    range_m: tuple[float, float],
    size: tuple[int, int],
    texts: Mapping[str, str],
) -> list[PanelTile]:
    """Tiles of the camera's, the estimated and, if available, the denoised depth."""
    before_m, estimated_m, after_m = depths_m
    estimated = missing_tile('estimated depth', texts['estimated_depth'], size)
    if estimated_m is not None:
        estimated = depth_tile('estimated depth', estimated_m, range_m, size)
    if before_m is None:
        return [missing_tile('camera depth', texts['depth'], size), estimated]
    before = depth_tile('camera depth', before_m, range_m, size)
    if after_m is None:
        return [before, estimated]
    after = depth_tile('denoised depth', after_m, range_m, size)
    return [estimated, before, after, change_tile(before_m, after_m, size)]


def _tile_height(width: int, *pictures: np.ndarray | DepthImage | None) -> int:
    """Keep the proportions of the first image that is not None."""
    for picture in pictures:
        if isinstance(picture, DepthImage):
            picture = picture.values
        if picture is not None:
            return round(width * picture.shape[0] / picture.shape[1])
    return round(width * 3 / 4)


def _color_tile(
    rgb: np.ndarray | None,
    detections: Detections | None,
    labels: LabelMap,
    placements: Placements | None,
    heights: PersonHeights | None,
    size: tuple[int, int],
) -> PanelTile | None:
    if rgb is None:
        return None
    # Scaled before drawing, so that lines and text come out sharp.
    picture = _resized(rgb, size)
    scale = (size[0] / rgb.shape[1], size[1] / rgb.shape[0])
    if detections is not None:
        picture = annotate_detections(picture, _scaled(detections, scale), labels, placements)
    if heights is not None:
        scaled = replace(heights, detections=_scaled(heights.detections, scale))
        picture = draw_heights(picture, scaled)
    return PanelTile('colour', _found(detections, heights), picture, _counts(detections, labels))


def _mask_tile(
    rgb: np.ndarray | None, mask: np.ndarray | None, labels: LabelMap, size: tuple[int, int]
) -> PanelTile | None:
    if mask is None:
        return None
    clear = transparent_ids(labels)
    shown = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
    base = np.zeros((*shown.shape, 3), np.uint8) if rgb is None else _resized(rgb, size)
    picture = overlay_mask(base, shown, 0.55, transparent=clear)
    covered = 1 - np.isin(mask, clear).mean()
    return PanelTile(
        'segmentation', f'{percent(covered)} labelled', picture, mask_legend(mask, labels)
    )


def draw_mask(rgb: np.ndarray, mask: np.ndarray, labels: LabelMap) -> np.ndarray:
    """The image tinted with the classes of its mask, above their names.

    Args:
        rgb: uint8 (H, W, 3), RGB.
        mask: uint8 (H, W), class ids.
        labels: their names.
    """
    tinted = overlay_mask(rgb, mask, transparent=transparent_ids(labels))
    return with_legend(tinted, mask_legend(mask, labels))


def mask_legend(mask: np.ndarray, labels: LabelMap) -> list[tuple[str, Color]]:
    """Names with fractions, and colours, of the classes of a mask; the largest come first.

    Args:
        mask: uint8 (H, W), class ids.
        labels: their names; background classes are left out.
    """
    clear = transparent_ids(labels)
    fractions = np.bincount(mask.ravel(), minlength=256) / mask.size
    descending = (int(i) for i in np.argsort(-fractions))
    present = [i for i in descending if fractions[i] >= _MIN_FRACTION and i not in clear]
    return [
        (f'{labels.name(i) or f"class {i}"} {percent(fractions[i])}', class_color(i))
        for i in present
    ]


def _resized(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    shrinks = size[0] < rgb.shape[1]
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _scaled(detections: Detections, scale: tuple[float, float]) -> Detections:
    return replace(detections, xyxy=detections.xyxy * np.array(scale * 2, np.float32))


def _found(detections: Detections | None, heights: PersonHeights | None) -> str:
    if detections is None:
        return 'detection not run'
    objects = f'{len(detections)} object{"" if len(detections) == 1 else "s"}'
    if heights is None:
        return objects
    return f'{objects}, {len(heights)} height{"" if len(heights) == 1 else "s"}'


def _counts(detections: Detections | None, labels: LabelMap) -> list[tuple[str, Color]]:
    counts = Counter(() if detections is None else detections.class_ids.tolist())
    return [
        (f'{n} x {labels.name(i) or f"class {i}"}', class_color(i))
        for i, n in counts.most_common()
    ]


def depth_tile(
    caption: str, depth_m: np.ndarray, range_m: tuple[float, float], size: tuple[int, int]
) -> PanelTile:
    """A tile of depth between near and far end.

    Args:
        caption: above the image.
        depth_m: float32 (H, W), metres, NaN invalid, any size.
        range_m: distances of the palette's ends.
        size: (width, height) of the image.
    """
    near_m, far_m = range_m
    picture = fitted(colorize_depth(depth_m, near_m, far_m), size)
    valid = np.count_nonzero(depth_m > 0) / depth_m.size
    return PanelTile(caption, f'{percent(valid)} valid', picture, scale_m=(near_m, far_m))


def change_tile(before_m: np.ndarray, after_m: np.ndarray, size: tuple[int, int]) -> PanelTile:
    """A tile of the changes of each pixel of a depth image.

    Args:
        before_m: float32 (H, W), metres, NaN invalid.
        after_m: the same after processing.
        size: (width, height) of the image.
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
    return PanelTile('what denoising changed', '', fitted(picture, size), legend)


def compose_denoised(
    before_m: np.ndarray, after_m: np.ndarray, *, title: str = '', tile_width: int = 640
) -> np.ndarray:
    """Raw depth, denoised depth in the same colours, and the changes, side by side.

    Args:
        before_m: float32 (H, W), metres, NaN invalid.
        after_m: the same after denoising.
        title: on the left of the head line.
        tile_width: of each image, pixels.

    Returns:
        uint8 RGB image.
    """
    size = tile_width, round(tile_width * before_m.shape[0] / before_m.shape[1])
    range_m = depth_range_m(before_m, after_m)
    pictures = [('camera depth', before_m), ('denoised depth', after_m)]
    tiles = [depth_tile(caption, depth_m, range_m, size) for caption, depth_m in pictures]
    tiles.append(change_tile(before_m, after_m, size))
    return render_grid(tiles, columns=3, title=title, note='')
