"""Predictions of a network, in the pixels of the image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class DepthPrediction:
    """Depth along the optical axis (along the ray for panoramas).

    Attributes:
        depth_m: float32 (H, W), metres, NaN where the network did not look.
        intermediates_m: other maps of the network by name, of the same kind.
    """

    depth_m: np.ndarray
    intermediates_m: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class MaskPrediction:
    """A class for every pixel.

    Attributes:
        mask: uint8 (H, W) class ids, 255 where the network did not look.
        confidence: float32 (H, W) in 0..1: the confidence head, else the best probability.
    """

    mask: np.ndarray
    confidence: np.ndarray


@dataclass(frozen=True, eq=False)
class BoxPrediction:
    """Objects, the most certain first.

    Attributes:
        xyxy: float32 (N, 4) pixels [x_min, y_min, x_max, y_max], half-open.
        scores: float32 (N,) in 0..1.
        class_ids: int64 (N,).
    """

    xyxy: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray

    def __len__(self) -> int:
        return len(self.xyxy)

    def above(self, score: float) -> BoxPrediction:
        """Those of at least this score."""
        return self.chosen(self.scores >= score)

    def chosen(self, rows: np.ndarray) -> BoxPrediction:
        """Those of some rows, given by index or mask."""
        return BoxPrediction(self.xyxy[rows], self.scores[rows], self.class_ids[rows])


@dataclass(frozen=True, eq=False)
class DenoisePrediction:
    """Measured depth without its noise and holes.

    Attributes:
        depth_m: float32 (H, W), metres, 0 where there is none.
        confidence: float32 (H, W) in 0..1, or None where the network gives none.
    """

    depth_m: np.ndarray
    confidence: np.ndarray | None = None


Prediction = DepthPrediction | MaskPrediction | BoxPrediction | DenoisePrediction
