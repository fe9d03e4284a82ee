"""Axis-aligned boxes in pixels, and the cells and heat maps of the heads that predict them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_AROUND = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))


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


def box_intersections(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Area that every pair has in common: (N, 4) and (M, 4) to (N, M)."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common: np.ndarray = np.prod(np.maximum(bottom_right - top_left, 0), axis=2)
    return common


def box_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of every pair: (N, 4) and (M, 4) to (N, M), 0 for empty boxes."""
    overlap = box_intersections(a, b)
    union = box_areas(a)[:, None] + box_areas(b)[None, :] - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


def suppress_non_maxima(
    xyxy: np.ndarray, scores: np.ndarray, class_ids: np.ndarray, *, iou_threshold: float
) -> np.ndarray:
    """Indices of the boxes to keep, best score first.

    Greedy suppression per class: a box is removed if a better one of its class overlaps it by
    more than the threshold. Equal scores keep their order, so results are reproducible.

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


def cell_centres(
    size: tuple[int, int], strides: Sequence[int], offset: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Reference points of a head's cells, stride after stride, row by row.

    Args:
        size: (width, height) of the network input in pixels; of a stride there are
            ceil(width / stride) x ceil(height / stride) cells.
        strides: side of a cell in pixels, in the order of the head.
        offset: position of the point in its cell, in cells: 0 the upper left corner, 0.5 the
            centre.

    Returns:
        float32 (N, 2) x and y in pixels of the input, and float32 (N,) the stride of each.
    """
    points, steps = [], []
    for stride in strides:
        columns, rows = (-(-length // stride) for length in size)
        ys, xs = np.mgrid[0:rows, 0:columns]
        cells = np.stack([xs.ravel(), ys.ravel()], axis=1)
        points.append((cells + np.float32(offset)) * np.float32(stride))
        steps.append(np.full(rows * columns, stride, np.float32))
    return np.concatenate(points).astype(np.float32), np.concatenate(steps)


def expected_distances(logits: np.ndarray) -> np.ndarray:
    """Mean of distributions over whole distances 0, 1, ... (arXiv 2006.04388, equation 5).

    Args:
        logits: float (..., bins); bin i is the distance of i cells.

    Returns:
        float32 (...), in cells.
    """
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True)).astype(np.float32)
    bins = np.arange(logits.shape[-1], dtype=np.float32)
    return (weights @ bins) / weights.sum(axis=-1)


@dataclass(frozen=True, eq=False)
class Peaks:
    """Parallel arrays, in reading order.

    Attributes:
        rows, columns, channels: int64 (N,).
        values: (N,), of the map's dtype.
    """

    rows: np.ndarray
    columns: np.ndarray
    channels: np.ndarray
    values: np.ndarray


def heatmap_peaks(heat: np.ndarray, min_value: float) -> Peaks:
    """Cells above their eight neighbours in their channel.

    Of equal neighbours the first in reading order counts, so that low-precision arithmetic does
    not detect an object twice. Cells below the minimum are skipped.

    Args:
        heat: float (h, w, channels).
        min_value: minimum height of a peak.
    """
    padded = np.pad(heat, ((1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    rows, columns, channels = np.nonzero(heat >= min_value)
    values = heat[rows, columns, channels]
    is_peak = np.ones(len(values), bool)
    for down, right in _AROUND:
        neighbours = padded[rows + 1 + down, columns + 1 + right, channels]
        is_earlier = (down, right) < (0, 0)
        is_peak &= values > neighbours if is_earlier else values >= neighbours
    return Peaks(rows[is_peak], columns[is_peak], channels[is_peak], values[is_peak])
