"""Boxes that follow their image; every function also takes None and gives it back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from rs_ml_perception.core.objects.boxes import box_areas, clip_boxes

from rs_ml_training.data.sample import Boxes

Size = tuple[int, int]


def clipped(boxes: Boxes, size: Size) -> Boxes:
    """Boxes within an image of (width, height); gone where nothing is left."""
    inside = clip_boxes(boxes.xyxy, *size)
    keep = box_areas(inside) > 0
    return Boxes(inside[keep], boxes.class_ids[keep], boxes.is_crowd[keep])


def scaled(boxes: Boxes | None, factors: tuple[float, float], size: Size) -> Boxes | None:
    """Boxes of the image stretched by factors in x and y to a size."""
    if boxes is None:
        return None
    return clipped(replace(boxes, xyxy=boxes.xyxy * np.array([*factors] * 2, np.float32)), size)


def shifted(boxes: Boxes | None, pixels: tuple[int, int], size: Size) -> Boxes | None:
    """Boxes moved by pixels in x and y in an image of a size."""
    if boxes is None:
        return None
    return clipped(replace(boxes, xyxy=boxes.xyxy + np.array([*pixels] * 2, np.float32)), size)


def flipped(boxes: Boxes | None, axis: int, side: int) -> Boxes | None:
    """Boxes mirrored along an axis (0: x, 1: y) in an image with this side."""
    if boxes is None:
        return None
    xyxy = boxes.xyxy.copy()
    xyxy[:, axis], xyxy[:, axis + 2] = (
        side - boxes.xyxy[:, axis + 2],
        side - boxes.xyxy[:, axis],
    )
    return replace(boxes, xyxy=xyxy)


def moved(boxes: Boxes | None, matrix: np.ndarray, size: Size) -> Boxes | None:
    """Upright boxes around the corners moved by a matrix (2, 3) of pixel centres."""
    if boxes is None:
        return None
    x0, y0, x1, y1 = boxes.xyxy.T
    corners = np.stack([[x0, x1, x1, x0], [y0, y0, y1, y1]], axis=-1).transpose(1, 0, 2)
    # Borders of boxes lie between pixels, the matrix moves the centres of pixels.
    corners = (corners - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    xyxy = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    return clipped(replace(boxes, xyxy=xyxy.astype(np.float32)), size)


def rolled(boxes: Boxes | None, pixels: int, size: Size) -> Boxes | None:
    """Boxes of a panorama turned by pixels; one that lies over the seam becomes two."""
    if boxes is None:
        return None
    shift = np.array([pixels % size[0], 0] * 2, np.float32)
    turn = np.array([size[0], 0] * 2, np.float32)
    both = np.concatenate([boxes.xyxy + shift, boxes.xyxy + shift - turn])
    return clipped(Boxes(both, np.tile(boxes.class_ids, 2), np.tile(boxes.is_crowd, 2)), size)
