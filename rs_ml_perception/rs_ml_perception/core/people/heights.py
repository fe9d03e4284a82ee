"""Heights of the persons of one image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from rs_ml_perception.core.objects.detections import Detections, Placements, check_shape


class HeightStatus(IntEnum):
    """Validity of a height; numbers as in rs_ml_msgs/PersonHeight."""

    OK = 0
    TRUNCATED = 1
    OCCLUDED = 2
    NOT_STANDING = 3
    NO_DEPTH = 4
    NOT_MEASURED = 5


@dataclass(frozen=True, eq=False)
class PersonHeights:
    """Parallel arrays over N persons; points in the colour optical frame, metres.

    Attributes:
        detections: the N boxes.
        placements: position and extents of the N boxes.
        status: uint8 (N,), HeightStatus.
        height_m: float32 (N,), floor to top of the head along gravity; NaN with NO_DEPTH and
            NOT_MEASURED.
        height_stddev_m: float32 (N,).
        head_m: float64 (N, 3).
        feet_m: float64 (N, 3), below the head on the floor, or at the lowest visible point.
        method: uint8 (N,), UpMethod.
        num_points: int64 (N,), depth pixels used.
    """

    detections: Detections
    placements: Placements
    status: np.ndarray
    height_m: np.ndarray
    height_stddev_m: np.ndarray
    head_m: np.ndarray
    feet_m: np.ndarray
    method: np.ndarray
    num_points: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.detections)
        if len(self.placements) != n:
            raise ValueError(f'placements must have {n} rows, got {len(self.placements)}')
        for name in ('status', 'height_m', 'height_stddev_m', 'method', 'num_points'):
            check_shape(name, getattr(self, name), (n,))
        check_shape('head_m', self.head_m, (n, 3))
        check_shape('feet_m', self.feet_m, (n, 3))

    @classmethod
    def empty(cls) -> PersonHeights:
        """No persons."""
        floats, points = np.zeros(0, np.float32), np.zeros((0, 3))
        codes = np.zeros(0, np.uint8)
        return cls(
            Detections.empty(),
            Placements.unknown(0),
            codes,
            floats,
            floats,
            points,
            points,
            codes,
            np.zeros(0, np.int64),
        )

    def __len__(self) -> int:
        return len(self.detections)
