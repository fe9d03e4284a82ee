"""Where detected objects are, and how large, as far as depth tells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.detections import check_shape


@dataclass(frozen=True, eq=False)
class Placements:
    """Parallel to a Detections of N objects; NaN where nothing is known.

    Attributes:
        has_position: bool (N,).
        position_m: float64 (N, 3), centre of the visible surface in the colour optical frame.
        width_m: float32 (N,), horizontal extent of the visible surface across the view.
        height_extent_m: float32 (N,), vertical extent of the visible surface across the view.
    """

    has_position: np.ndarray
    position_m: np.ndarray
    width_m: np.ndarray
    height_extent_m: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.has_position)
        check_shape('position_m', self.position_m, (n, 3))
        check_shape('width_m', self.width_m, (n,))
        check_shape('height_extent_m', self.height_extent_m, (n,))

    @classmethod
    def unknown(cls, n: int) -> Placements:
        """N objects of which nothing is known."""
        nan = np.full(n, np.nan, np.float32)
        return cls(np.zeros(n, bool), np.full((n, 3), np.nan), nan, nan.copy())

    def __len__(self) -> int:
        return len(self.has_position)

    def __getitem__(self, index: np.ndarray | slice) -> Placements:
        """Select rows by a slice, a boolean mask or an index array."""
        return Placements(
            self.has_position[index],
            self.position_m[index],
            self.width_m[index],
            self.height_extent_m[index],
        )
