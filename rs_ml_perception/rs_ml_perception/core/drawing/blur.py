"""People and heads blurred beyond recognition."""

from __future__ import annotations

import cv2
import numpy as np

PEOPLE, HEADS = 'people', 'heads'

_MARGIN = 0.1
"""By this fraction of its longer side a box grows each way, as boxes cut off hair and hands."""

_HEAD_OF_HEIGHT, _HEAD_OF_WIDTH = 0.25, 0.7
"""The head lies in the upper quarter of the box of a person, or in the upper 0.7 of its width if
that is more, as in a box of head and shoulders."""

_CELLS = 4
"""Mosaic cells along the shorter side of a box."""


def head_boxes(xyxy: np.ndarray) -> np.ndarray:
    """The upper parts of boxes of people that contain the heads, float (N, 4)."""
    heads = np.array(xyxy, np.float64).reshape(-1, 4)
    width, height = heads[:, 2] - heads[:, 0], heads[:, 3] - heads[:, 1]
    deep = np.maximum(_HEAD_OF_HEIGHT * height, _HEAD_OF_WIDTH * width)
    heads[:, 3] = heads[:, 1] + np.minimum(deep, height)
    return heads


def blur_boxes(rgb: np.ndarray, xyxy: np.ndarray) -> np.ndarray:
    """Replace boxes by a mosaic of few cells, smoothed by a Gaussian.

    Args:
        rgb: uint8 (H, W, 3) or (H, W).
        xyxy: float (N, 4), pixels; each grows by a tenth of its longer side each way.

    Returns:
        A new image of the same shape.
    """
    picture = rgb.copy()
    rows, columns = rgb.shape[:2]
    for box in np.asarray(xyxy, np.float64).reshape(-1, 4):
        margin = _MARGIN * max(box[2] - box[0], box[3] - box[1])
        corners = np.concatenate([np.floor(box[:2] - margin), np.ceil(box[2:] + margin)])
        left, top, right, bottom = np.clip(corners, 0, [columns, rows] * 2).astype(int)
        if right > left and bottom > top:
            picture[top:bottom, left:right] = _mosaic(picture[top:bottom, left:right])
    return picture


def _mosaic(part: np.ndarray) -> np.ndarray:
    height, width = part.shape[:2]
    cell = max(1.0, min(width, height) / _CELLS)
    cells = max(1, round(width / cell)), max(1, round(height / cell))
    coarse = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
    blocks = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
    return cv2.GaussianBlur(blocks, (0, 0), max(0.5, cell / 3))
