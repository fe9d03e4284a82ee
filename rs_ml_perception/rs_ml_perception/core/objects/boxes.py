"""Axis-aligned boxes in pixels: conversions, overlap and non-maximum suppression."""

from __future__ import annotations

import numpy as np


def xyxy_from_cxcywh(boxes: np.ndarray) -> np.ndarray:
    """Corners of boxes given by centre and size: (N, 4) to (N, 4), same unit."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def xyxy_from_edges(points: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Corners (N, 4) of boxes around points (N, 2); all in the same unit.

    Args:
        points: x and y within each box.
        distances: (N, 4), from the point to the left, top, right and bottom edge.
    """
    return np.concatenate([points - distances[:, :2], points + distances[:, 2:]], axis=1)


def xyxy_from_yxyx(boxes: np.ndarray) -> np.ndarray:
    """Reorder [y_min, x_min, y_max, x_max], as TensorFlow writes boxes, (N, 4)."""
    return boxes[:, [1, 0, 3, 2]]


def clip_boxes(xyxy: np.ndarray, width: int, height: int) -> np.ndarray:
    """Limit boxes, float (N, 4), to the half-open image of width x height pixels."""
    return np.clip(xyxy, 0, np.array([width, height, width, height], xyxy.dtype))


def box_areas(xyxy: np.ndarray) -> np.ndarray:
    """Areas in square pixels, (N,); 0 for a box whose corners are swapped."""
    sizes = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0)
    return sizes[:, 0] * sizes[:, 1]


def box_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of every pair: (N, 4) and (M, 4) to (N, M), 0 for empty boxes."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = np.prod(np.maximum(bottom_right - top_left, 0), axis=2)
    union = box_areas(a)[:, None] + box_areas(b)[None, :] - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


def suppress_non_maxima(
    xyxy: np.ndarray, scores: np.ndarray, class_ids: np.ndarray, *, iou_threshold: float
) -> np.ndarray:
    """Indices of the boxes to keep, best score first.

    Greedy suppression per class: a box goes when a better one of its class overlaps it by more
    than the threshold. Equal scores keep their order, so the result is the same on every machine.

    Args:
        xyxy: float (N, 4), pixels.
        scores: float (N,).
        class_ids: int (N,).
        iou_threshold: in [0, 1]; 1 keeps everything.

    Returns:
        int64 (K,).
    """
    order = np.argsort(-scores, kind='stable')
    boxes, classes = xyxy[order], class_ids[order]
    overlaps = (box_iou(boxes, boxes) > iou_threshold) & (classes[:, None] == classes[None, :])
    alive = np.ones(len(order), bool)
    for i in range(len(order)):
        if alive[i]:
            alive[i + 1 :] &= ~overlaps[i, i + 1 :]
    return order[alive]
