"""Boxes as a head predicts them, and the forms in which heads write corners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.objects.boxes import xyxy_from_cxcywh, xyxy_from_yxyx

CORNER_FORMS = ('xyxy', 'yxyx', 'cxcywh')


@dataclass(frozen=True, eq=False)
class RawBoxes:
    """Boxes as the head predicts them, unordered and unclipped.

    Attributes:
        xyxy: float32 (N, 4), pixels of the network input.
        scores: float32 (N,).
        class_ids: int32 (N,).
    """

    xyxy: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray


def corners_px(boxes: np.ndarray, form: str, unit: str, model_size: tuple[int, int]) -> np.ndarray:
    """Corners in pixels of the network input, float32 (N, 4).

    Args:
        boxes: (N, 4).
        form: one of CORNER_FORMS: corners, or centre and size.
        unit: 'pixel' or 'fraction' of the input.
        model_size: (width, height) of the input in pixels.
    """
    if form == 'cxcywh':
        boxes = xyxy_from_cxcywh(boxes)
    elif form == 'yxyx':
        boxes = xyxy_from_yxyx(boxes)
    if unit == 'fraction':
        boxes = boxes * np.array([*model_size, *model_size])
    return boxes.astype(np.float32)
