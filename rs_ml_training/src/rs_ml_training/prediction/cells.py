"""Class scores and distances of a detector's cells to boxes, as the robot decodes them."""

from __future__ import annotations

from functools import cache

import numpy as np
from rs_ml_perception.core.objects.boxes import (
    cell_centres,
    expected_distances,
    suppress_non_maxima,
    xyxy_from_edges,
)

from rs_ml_training.prediction.results import BoxPrediction

STRIDES = (8, 16, 32, 64)
DUPLICATE_IOU = 0.6
MAX_BOXES = 100
MIN_SCORE = 0.01
_CANDIDATES = 1000


def boxes_of(
    scores: np.ndarray, distances: np.ndarray, model_size: tuple[int, int]
) -> BoxPrediction:
    """Objects of one picture, the most certain first.

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
    first = suppress_non_maxima(
        found.xyxy, found.scores, found.class_ids, iou_threshold=DUPLICATE_IOU
    )[:MAX_BOXES]
    return BoxPrediction(found.xyxy[first], found.scores[first], found.class_ids[first])


@cache
def _cells(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    return cell_centres(size, STRIDES)
