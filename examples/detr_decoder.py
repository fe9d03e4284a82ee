"""A decoder: the outputs of DETR (Carion et al. 2020, arXiv 2005.12872) to boxes.

The decoder `detr` of the package does the same, by options; this one shows the function.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from rs_ml_perception.tasks.decoders.boxes import BOX_DECODERS, BoxDecoder, RawBoxes


def decode_detr(
    outputs: Mapping[str, np.ndarray],
    model_size: tuple[int, int],
    min_score: float,
    options: Mapping[str, Any],
) -> RawBoxes:
    """A set of queries, each a class and a box; the last class is 'no object'.

    `logits` (1, N, C + 1); `boxes` (1, N, 4): centre x, y, width, height as fractions of the
    input.
    """
    logits, boxes = outputs['logits'][0], outputs['boxes'][0]
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = (odds / odds.sum(axis=1, keepdims=True))[:, :-1]
    class_ids, scores = probabilities.argmax(axis=1), probabilities.max(axis=1)
    keep = scores >= min_score
    centre, half = boxes[keep, :2], boxes[keep, 2:] / 2
    xyxy = np.hstack([centre - half, centre + half]) * np.array([*model_size, *model_size])
    return RawBoxes(
        xyxy.astype(np.float32), scores[keep].astype(np.float32), class_ids[keep].astype(np.int32)
    )


BOX_DECODERS['own_detr'] = BoxDecoder(
    decode_detr, outputs=('logits', 'boxes'), suppresses=True, options={}
)
