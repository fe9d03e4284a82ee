"""Heat maps of a detector to boxes, by the decoder that exported models carry."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from rs_ml_training.prediction.results import BoxPrediction

if TYPE_CHECKING:
    from rs_ml_training.networks.centernet.decode import PeakDecoder

MAX_BOXES = 100


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
        At most MAX_BOXES boxes in pixels of the network input.
    """
    maps = {'heatmap': heatmap, 'size': size, 'offset': offset}
    stride = model_size[0] // heatmap.shape[1]
    found = _decoder(min(MAX_BOXES, heatmap.size), stride)({n: m[None] for n, m in maps.items()})
    arrays = {name: np.asarray(value)[0] for name, value in found.items()}
    keep = arrays['scores'] > 0
    scale = np.array([*model_size, *model_size], np.float32)
    xyxy = arrays['boxes'][:, [1, 0, 3, 2]] * scale
    return BoxPrediction(
        xyxy[keep], arrays['scores'][keep], arrays['classes'][keep].astype(np.int64)
    )


@cache
def _decoder(max_boxes: int, stride: int) -> PeakDecoder:
    from rs_ml_training.networks.centernet.decode import PeakDecoder

    return PeakDecoder(max_boxes=max_boxes, min_score=0.0, stride=stride)
