"""The dialogs of labelling, each from an image to a mask or label map, or to nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import cv2
import numpy as np

from rs_ml_training.labelling.outlines import (
    CIRCLE_RANGES,
    EDGE_RANGES,
    CircleOptions,
    EdgeOptions,
    circles,
    edges,
    enclosed,
    outlines,
)
from rs_ml_training.labelling.screen import Screen


def flooded(rgb: np.ndarray, x: int, y: int, side: int, threshold: int) -> np.ndarray:
    """Pixels near a point that are connected with it and of similar colour.

    Args:
        rgb: uint8 (H, W, 3).
        x: column of the point [px].
        y: row of the point [px].
        side: of the square around the point that the brush reaches [px].
        threshold: greatest difference in each channel from the colour of the point.

    Returns:
        bool (H, W); nothing for a point beyond the image.
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


YES, DONE, SKIP = '1', 'q', 'n'
OBJECT, HOLE = 1, 2
MIN_OBJECT_AREA = 1000.0
MIN_HOLE_AREA = 20.0
BLUR = 7
BRUSH_STARTS = {'side': 13, 'threshold': 5}
BRUSH_RANGES = {'side': (1, 30), 'threshold': (1, 255)}
_MARK = 255, 0, 0
_PALETTE = np.array([(0, 0, 0), (0, 200, 0), (255, 60, 60), (60, 120, 255), (255, 220, 0)])

Find = Callable[[Mapping[str, int]], tuple[np.ndarray, list[np.ndarray]]]
"""From where the sliders stand to an image to look at and the outlines found."""


def mask_of_object(rgb: np.ndarray, screen: Screen) -> np.ndarray | None:
    """Drag a rectangle, tune the edges within, choose outlines of the object.

    Args:
        rgb: uint8 (H, W, 3).
        screen: the user.

    Returns:
        bool (H, W), or None if nothing was chosen.
    """
    x, y, width, height = screen.rectangle(rgb, 'drag a rectangle around the object, Enter')
    if not width or not height:
        return None
    part = rgb[y : y + height, x : x + width]

    def find(values: Mapping[str, int]) -> tuple[np.ndarray, list[np.ndarray]]:
        found = edges(part, EdgeOptions(**values))
        return cv2.cvtColor(found, cv2.COLOR_GRAY2RGB), outlines(found, MIN_OBJECT_AREA)

    found = tuned(find, asdict(EdgeOptions()), EDGE_RANGES, screen)
    moved = [outline + np.array([x, y], np.int32) for outline in found]
    picked = chosen(rgb, moved, screen)
    return enclosed(picked, (rgb.shape[1], rgb.shape[0])) if picked else None


def labels_of_holes(
    rgb: np.ndarray, mask: np.ndarray, screen: Screen, *, by_circles: bool = False
) -> np.ndarray | None:
    """Tune edges or circles within the box of an object, choose its holes, confirm.

    Args:
        rgb: uint8 (H, W, 3).
        mask: bool (H, W), the object.
        screen: the user.
        by_circles: look for circles, not for edges.

    Returns:
        uint8 (H, W): 0 background, 1 object, 2 hole; None if it was not confirmed.
    """
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    if not width:
        return None
    part = np.ascontiguousarray(rgb[y : y + height, x : x + width])

    def find(values: Mapping[str, int]) -> tuple[np.ndarray, list[np.ndarray]]:
        if by_circles:
            found = circles(part, CircleOptions(**values))
            return cv2.drawContours(part.copy(), found, -1, _MARK, 1), found
        edge_map = edges(part, EdgeOptions(**values), BLUR)
        found = outlines(edge_map, MIN_HOLE_AREA, inner=True)
        return cv2.cvtColor(edge_map, cv2.COLOR_GRAY2RGB), found

    starts = asdict(CircleOptions() if by_circles else EdgeOptions())
    found = tuned(find, starts, CIRCLE_RANGES if by_circles else EDGE_RANGES, screen)
    holes = enclosed(chosen(part, found, screen), (width, height))
    labels = mask.astype(np.uint8) * np.uint8(OBJECT)
    labels[y : y + height, x : x + width][holes] = HOLE
    title = f'{YES}: save, {DONE}: leave this image out'
    return labels if _answer(painted(rgb, labels), title, screen) == YES else None


def labels_by_brush(rgb: np.ndarray, labels: np.ndarray, screen: Screen) -> np.ndarray | None:
    """Paint classes with the magic brush, erase with the middle button.

    Args:
        rgb: uint8 (H, W, 3).
        labels: uint8 (H, W) to begin with.
        screen: the user; keys 1 to 9 choose the class, s saves.

    Returns:
        uint8 (H, W), or None if it was left out.
    """
    screen.sliders(BRUSH_STARTS, BRUSH_RANGES)
    class_id, labels = 1, labels.copy()
    while True:
        title = f'class {class_id}: left paints, middle erases, s saves, {DONE} leaves it out'
        screen.show(painted(rgb, labels), title)
        key = screen.key()
        values = screen.values()
        for click in screen.clicks():
            if click.button == 'middle':
                labels = erased(labels, click.x, click.y)
            else:
                labels[flooded(rgb, click.x, click.y, **values)] = class_id
        if key in ('s', DONE):
            return labels if key == 's' else None
        class_id = int(key) if key and key in '123456789' else class_id


def tuned(
    find: Find, starts: Mapping[str, int], ranges: Mapping[str, tuple[int, int]], screen: Screen
) -> list[np.ndarray]:
    """The outlines found where the user leaves the sliders."""
    screen.sliders(starts, ranges)
    while True:
        picture, found = find(screen.values())
        screen.show(picture, f'{len(found)} outlines; {DONE}: take these')
        if screen.key() == DONE:
            return found


def chosen(rgb: np.ndarray, found: Sequence[np.ndarray], screen: Screen) -> list[np.ndarray]:
    """The outlines that the user accepts, one after the other."""
    screen.sliders({}, {})
    picked = []
    for number, outline in enumerate(found, 1):
        picture = cv2.drawContours(rgb.copy(), [outline], -1, _MARK, 2)
        title = f'{number} of {len(found)}; {YES}: it is one, {SKIP}: it is none, {DONE}: enough'
        answer = _answer(picture, title, screen)
        if answer == DONE:
            break
        if answer == YES:
            picked.append(outline)
    return picked


def painted(rgb: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The image with its classes in colours, uint8 (H, W, 3)."""
    colors = _PALETTE[labels % len(_PALETTE)]
    mixed = np.where(labels[..., None] > 0, rgb // 2 + colors // 2, rgb)
    return mixed.astype(np.uint8)


def _answer(picture: np.ndarray, title: str, screen: Screen) -> str:
    while True:
        screen.show(picture, title)
        key = screen.key()
        if key in (YES, DONE, SKIP):
            return key
