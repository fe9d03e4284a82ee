"""Non-maximum suppression."""

from __future__ import annotations

import numpy as np

from rs_ml_perception.core.objects.boxes import box_iou


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
