"""Heat maps of a detector to boxes, as the robot decodes them."""

from __future__ import annotations

import numpy as np
from rs_ml_perception.core.objects.boxes import (
    clip_boxes,
    heatmap_peaks,
    suppress_non_maxima,
    xyxy_from_cxcywh,
)

from rs_ml_training.prediction.results import BoxPrediction

DUPLICATE_IOU = 0.5
MAX_BOXES = 100
_CANDIDATES = 1000


def boxes_of(
    heatmap: np.ndarray, size: np.ndarray, offset: np.ndarray, model_size: tuple[int, int]
) -> BoxPrediction:
    """Objects of one picture, the most certain first.

    Args:
        heatmap: (h, w, C) scores.
        size: (h, w, 2) width and height in pixels of the network input.
        offset: (h, w, 2) x and y of the centre within its cell, in cells.
        model_size: (width, height) of the network input.

    Returns:
        At most MAX_BOXES boxes in pixels of the network input, clipped to it.
    """
    peaks = heatmap_peaks(heatmap, np.finfo(np.float32).tiny)
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
    first = suppress_non_maxima(
        found.xyxy, found.scores, found.class_ids, iou_threshold=DUPLICATE_IOU
    )[:MAX_BOXES]
    return BoxPrediction(found.xyxy[first], found.scores[first], found.class_ids[first])
