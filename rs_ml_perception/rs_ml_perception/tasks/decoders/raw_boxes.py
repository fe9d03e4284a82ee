"""The common result of all detection heads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class RawBoxes:
    """Boxes as the head gives them, unordered and unclipped.

    Attributes:
        xyxy: float32 (N, 4), pixels of the network input.
        scores: float32 (N,).
        class_ids: int32 (N,).
    """

    xyxy: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray
