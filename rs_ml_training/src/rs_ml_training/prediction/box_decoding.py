"""Outputs of detectors to boxes, as the robot side decodes them."""

from __future__ import annotations

from functools import cache

import numpy as np
from rs_ml_perception.core.objects.boxes import (
    cell_centres,
    clip_boxes,
    expected_distances,
    heatmap_peaks,
    suppress_non_maxima,
    xyxy_from_cxcywh,
    xyxy_from_edges,
)

from rs_ml_training.prediction.results import BoxPrediction

STRIDES = (8, 16, 32, 64)
CELL_IOU, PEAK_IOU = 0.6, 0.5
"""Boxes of one class that overlap more are one object."""
MAX_BOXES = 100
MIN_SCORE = 0.01
_CANDIDATES = 1000


def boxes_of_cells(
    scores: np.ndarray, distances: np.ndarray, model_size: tuple[int, int]
) -> BoxPrediction:
    """Objects of one image, the most certain first.

    Args:
        scores: (N, C) logits of the cells of STRIDES.
        distances: (N, 4 * bins) logits, of the distances to left, top, right and bottom.
        model_size: (width, height) of the network input.

    Returns:
        At most MAX_BOXES boxes in pixels of the network input, of at least MIN_SCORE.
    """
    best = scores.max(axis=1)
    order = np.argsort(-best, kind='stable')[:_CANDIDATES]
    kept = order[best[order] >= np.log(MIN_SCORE / (1 - MIN_SCORE))]
    points, strides = _cells(model_size)
    reach = expected_distances(distances[kept].reshape(len(kept), 4, -1)) * strides[kept, None]
    found = BoxPrediction(
        xyxy_from_edges(points[kept], reach).astype(np.float32),
        (1 / (1 + np.exp(-best[kept]))).astype(np.float32),
        scores[kept].argmax(axis=1).astype(np.int64),
    )
    return _distinct(found, CELL_IOU)


@cache
def _cells(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    return cell_centres(size, STRIDES)


def boxes_of_peaks(
    heatmap: np.ndarray, size: np.ndarray, offset: np.ndarray, model_size: tuple[int, int]
) -> BoxPrediction:
    """Objects of one image, the most certain first.

    Args:
        heatmap: (h, w, C) scores.
        size: (h, w, 2) width and height in pixels of the network input.
        offset: (h, w, 2) x and y of the centre within its cell, in cells.
        model_size: (width, height) of the network input.

    Returns:
        At most MAX_BOXES boxes in pixels of the network input, clipped to it.
    """
    peaks = heatmap_peaks(heatmap, float(np.finfo(np.float32).tiny))
    order = np.argsort(-peaks.values, kind='stable')[:_CANDIDATES]
    rows, columns = peaks.rows[order], peaks.columns[order]
    stride = np.float32(model_size[0] // heatmap.shape[1])
    centres = (np.stack([columns, rows], axis=1) + offset[rows, columns]) * stride
    xyxy = xyxy_from_cxcywh(np.concatenate([centres, size[rows, columns]], axis=1))
    found = BoxPrediction(
        clip_boxes(xyxy.astype(np.float32), *model_size),
        peaks.values[order].astype(np.float32),
        peaks.channels[order],
    )
    return _distinct(found, PEAK_IOU)


def _distinct(found: BoxPrediction, iou: float) -> BoxPrediction:
    """The first MAX_BOXES that do not overlap a better one of their class."""
    first = suppress_non_maxima(found.xyxy, found.scores, found.class_ids, iou_threshold=iou)
    return found.chosen(first[:MAX_BOXES])
