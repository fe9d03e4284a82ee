"""Outlines of boxed objects as a map that follows the image."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from rs_ml_perception.core.objects.boxes import box_iou

OBJECTS = 'objects'
"""Key of the map in `Sample.extra`: 0 nothing, i + 1 the i-th box of the sample as it was read."""
_MOST = 254

Polygon = np.ndarray
"""(P, 2) pixels; borders of the image are 0 and its size, as those of boxes."""


def painted(outlines: Sequence[Sequence[Polygon]], size: tuple[int, int]) -> np.ndarray:
    """The map of objects: small ones lie on large ones.

    Args:
        outlines: of each box its polygons [px], maybe none; boxes beyond the 254th are not drawn.
        size: (width, height) of the image.

    Returns:
        uint8 (H, W), see OBJECTS.
    """
    drawn = outlines[:_MOST]
    return filled(drawn, range(1, len(drawn) + 1), size)


def filled(
    outlines: Sequence[Sequence[Polygon]],
    values: Sequence[int],
    size: tuple[int, int],
    nothing: int = 0,
) -> np.ndarray:
    """A map of values within outlines: small ones lie on large ones.

    Args:
        outlines: each of any number of polygons [px].
        values: of the outlines.
        size: (width, height) of the map.
        nothing: value outside all of them.

    Returns:
        uint8 (H, W).
    """
    found = np.full((size[1], size[0]), nothing, np.uint8)
    areas = [sum(cv2.contourArea(p.astype(np.float32)) for p in parts) for parts in outlines]
    for index in np.argsort(areas)[::-1].tolist():
        if outlines[index]:
            # OpenCV counts from the middle of the first pixel.
            parts = [np.rint(p - 0.5).astype(np.int32) for p in outlines[index]]
            cv2.fillPoly(found, parts, values[index])
    return found


def traced(objects: np.ndarray, index: int) -> list[Polygon]:
    """Polygons of the i-th box in such a map; none where it has no outline."""
    mask = (objects == index + 1).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [c[:, 0].astype(np.float32) + 0.5 for c in contours if len(c) > 2]


def assigned(
    polygons: Sequence[Polygon], boxes: np.ndarray, least: float = 0.8
) -> list[list[Polygon]]:
    """Each polygon to the box that its extent overlaps best.

    Args:
        polygons: each (P, 2) pixels.
        boxes: (N, 4) pixels.
        least: intersection over union; polygons below it with every box are left out.
    """
    found: list[list[Polygon]] = [[] for _ in boxes]
    for polygon in polygons if len(boxes) else ():
        overlap = box_iou(extent(polygon)[None], boxes)[0]
        if overlap.max() >= least:
            found[int(overlap.argmax())].append(polygon)
    return found


def extent(polygon: Polygon) -> np.ndarray:
    """The smallest box around it, (4,) [px]."""
    return np.concatenate([polygon.min(axis=0), polygon.max(axis=0)])
