"""Results drawn on a copy of their image."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

import cv2
import numpy as np

from rs_ml_perception.core.drawing.colormap import colorize_depth
from rs_ml_perception.core.drawing.text import Color, TextStyle, check_rgb, line_width, put_chip
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.objects.detections import Detections, Placements
from rs_ml_perception.core.objects.labels import UNLABELLED, LabelMap, class_color, palette
from rs_ml_perception.core.people.heights import HeightStatus, PersonHeights

__all__ = [
    'annotate_detections',
    'colorize_depth',
    'draw_heights',
    'overlay_mask',
    'transparent_ids',
]

Box = tuple[int, int, int, int]

_NO_LABELS = LabelMap({})
_BACKGROUND_NAMES = {'', 'background', '__background__', 'unlabelled', 'unlabeled', 'void'}
_STATUS_COLORS = {
    HeightStatus.OK: (46, 204, 113),
    HeightStatus.TRUNCATED: (241, 196, 15),
    HeightStatus.OCCLUDED: (241, 196, 15),
    HeightStatus.NOT_STANDING: (52, 152, 219),
    HeightStatus.NO_DEPTH: (149, 165, 166),
    HeightStatus.NOT_MEASURED: (149, 165, 166),
}


def annotate_detections(
    rgb: np.ndarray,
    detections: Detections,
    labels: LabelMap,
    placements: Placements | None = None,
) -> np.ndarray:
    """Draw boxes with class, score, track id and distance.

    Args:
        rgb: uint8 (H, W, 3), RGB.
        detections: boxes in pixels of rgb.
        labels: names of their classes; ids without a name are shown as numbers.
        placements: parallel to the detections; the distance shown is that from the camera.

    Returns:
        uint8 (H, W, 3), RGB, a new image.
    """
    check_rgb(rgb)
    colors = [class_color(int(class_id)) for class_id in detections.class_ids]
    texts = [_caption(detections, i, labels, placements) for i in range(len(detections))]
    return draw_captioned_boxes(rgb, detections.xyxy, texts, colors, captions_on_top=True)


def draw_heights(
    rgb: np.ndarray, heights: PersonHeights, labels: LabelMap | None = None
) -> np.ndarray:
    """Draw the box of each person with its height and the status of the height.

    Args:
        rgb: uint8 (H, W, 3), RGB.
        heights: boxes in pixels of rgb.
        labels: if given, the class is shown with the height.

    Returns:
        uint8 (H, W, 3), RGB, a new image: measured heights green, lower bounds yellow, people not
        standing blue, unknown heights grey.
    """
    check_rgb(rgb)
    colors = [_STATUS_COLORS[HeightStatus(status)] for status in heights.status]
    names = [(labels or _NO_LABELS).name(i) for i in heights.detections.class_ids]
    texts = [f'{name} {height_caption(heights, i)}'.strip() for i, name in enumerate(names)]
    xyxy = heights.detections.xyxy
    return draw_captioned_boxes(rgb, xyxy, texts, colors, captions_on_top=False)


def height_caption(heights: PersonHeights, index: int) -> str:
    """Height of one person in words, for example '1.78 m +-2 cm' or '>= 1.20 m truncated'."""
    status = HeightStatus(heights.status[index])
    if status in (HeightStatus.NO_DEPTH, HeightStatus.NOT_MEASURED):
        return status.name.lower().replace('_', ' ')
    metres = f'{heights.height_m[index]:.2f} m'
    if status is HeightStatus.OK:
        return f'{metres} +-{_centimetres(float(heights.height_stddev_m[index]))}'
    word = status.name.lower().replace('_', ' ')
    return f'{metres} {word}' if status is HeightStatus.NOT_STANDING else f'>= {metres} {word}'


def overlay_mask(
    rgb: np.ndarray,
    mask: np.ndarray,
    alpha: float = 0.5,
    colors: np.ndarray | None = None,
    *,
    transparent: Collection[int] = (UNLABELLED,),
) -> np.ndarray:
    """Tint the image with the colours of a class mask.

    Args:
        rgb: uint8 (H, W, 3), RGB.
        mask: uint8 (H, W), class ids.
        alpha: fraction of the class colour, 0 to 1.
        colors: uint8 (256, 3) RGB by class id; None: the palette of `core.objects.labels`.
        transparent: ids without a tint, see `transparent_ids`.

    Returns:
        uint8 (H, W, 3), RGB, a new image.

    Raises:
        InputError: mask and image differ in size, or the mask is not uint8.
    """
    check_rgb(rgb)
    if mask.shape != rgb.shape[:2] or mask.dtype != np.uint8:
        raise InputError(
            f'a mask over this image must be uint8 of shape {rgb.shape[:2]}, '
            f'got {mask.dtype} of shape {mask.shape}'
        )
    colors = _palette() if colors is None else colors
    tint = cv2.LUT(cv2.merge((mask, mask, mask)), np.ascontiguousarray(colors[None]))
    picture = cv2.addWeighted(rgb, 1 - alpha, tint, alpha, 0)
    if len(transparent):
        clear = np.zeros(256, np.uint8)
        clear[list(transparent)] = 255
        cv2.copyTo(rgb, cv2.LUT(mask, clear), picture)
    return picture


def transparent_ids(labels: LabelMap) -> tuple[int, ...]:
    """Ids without a tint in an overlay: 255 and background classes."""
    background = [i for i, name in labels.names.items() if name.lower() in _BACKGROUND_NAMES]
    return (*background, UNLABELLED)


@cache
def _palette() -> np.ndarray:
    return palette()


def draw_captioned_boxes(
    rgb: np.ndarray,
    xyxy: np.ndarray,
    texts: list[str],
    colors: list[Color],
    *,
    captions_on_top: bool,
) -> np.ndarray:
    """Draw boxes, and over all of them their captions, the first row's last.

    Args:
        rgb: uint8 (H, W, 3), RGB.
        xyxy: float (N, 4), pixels of rgb, half-open.
        texts: a caption for each box.
        colors: RGB of each box.
        captions_on_top: whether captions prefer the upper edge of their box.

    Returns:
        uint8 (H, W, 3), RGB, a new image.
    """
    picture, style = rgb.copy(), TextStyle.for_image(rgb.shape[0])
    boxes = [_whole_pixels(box, rgb.shape) for box in xyxy]
    for (x_min, y_min, x_max, y_max), color in reversed(list(zip(boxes, colors, strict=True))):
        corner = (x_max - 1, y_max - 1)
        cv2.rectangle(picture, (x_min, y_min), corner, color, line_width(rgb.shape[0]))
    places = _caption_places(boxes, texts, style, rgb.shape, captions_on_top)
    for text, color, (x, y) in reversed(list(zip(texts, colors, places, strict=True))):
        put_chip(picture, text, x, y, style, color)
    return picture


def _whole_pixels(xyxy: np.ndarray, shape: tuple[int, ...]) -> Box:
    """Half-open corners in whole pixels, with at least one pixel inside the image."""
    rows, columns = shape[:2]
    x_min, y_min, x_max, y_max = (round(float(v)) for v in xyxy)
    x_min, y_min = max(0, min(x_min, columns - 1)), max(0, min(y_min, rows - 1))
    return x_min, y_min, max(x_min + 1, min(x_max, columns)), max(y_min + 1, min(y_max, rows))


def _caption_places(
    boxes: list[Box], texts: list[str], style: TextStyle, shape: tuple[int, ...], on_top: bool
) -> list[tuple[int, int]]:
    """Upper left corners of the captions: the first free place of each box."""
    taken: list[Box] = []
    for (x_min, y_min, _, y_max), text in zip(boxes, texts, strict=True):
        width, height = style.size(text)
        above, inside = [y_min - height, y_min], [y_max - height, y_min + height, y_max]
        wanted = above + inside if on_top else inside + above
        x = max(0, min(x_min, shape[1] - width))
        chips = [(x, y, x + width, y + height) for y in wanted]
        chips = [chip for chip in chips if chip[1] >= 0 and chip[3] <= shape[0]]
        free = [chip for chip in chips if not any(_overlap(chip, other) for other in taken)]
        taken.append((free or chips or [(x, y_min, x + width, y_min + height)])[0])
    return [(chip[0], chip[1]) for chip in taken]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _caption(
    detections: Detections, index: int, labels: LabelMap, placements: Placements | None
) -> str:
    class_id, track_id = int(detections.class_ids[index]), int(detections.track_ids[index])
    words = [labels.name(class_id) or f'class {class_id}', f'{detections.scores[index]:.2f}']
    if track_id >= 0:
        words.append(f'#{track_id}')
    if placements is not None and placements.has_position[index]:
        words.append(f'{np.linalg.norm(placements.position_m[index]):.1f} m')
    return ' '.join(words)


def _centimetres(stddev_m: float) -> str:
    return f'{100 * stddev_m:.0f} cm' if np.isfinite(stddev_m) else '? cm'
