"""Raw depth images, converted to metres on demand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rs_ml_perception.core.errors import InputError

LEAST_M, MOST_M = 5e-4, 1e4
"""Range of distances measured by any camera; their squares do not overflow."""


@dataclass(frozen=True, eq=False)
class DepthImage:
    """Distance along the optical axis in units of the sensor.

    It stays raw because most tasks use a few boxes, whose pixels are converted faster than the
    whole image.

    Attributes:
        values: (H, W); uint16 with 0 invalid, or float32 with NaN invalid.
        metres_per_unit: 0.001 for 16UC1 from realsense2_camera, 1 for 32FC1 (REP-118).
    """

    values: np.ndarray
    metres_per_unit: float

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.dtype not in (np.uint16, np.float32):
            raise InputError(
                'depth must be uint16 or float32 of shape (H, W), '
                f'got {self.values.dtype} of shape {self.values.shape}'
            )

    @property
    def height(self) -> int:
        return int(self.values.shape[0])

    @property
    def width(self) -> int:
        return int(self.values.shape[1])

    @cached_property
    def depth_m(self) -> np.ndarray:
        """float32 (H, W), metres, NaN where invalid."""
        return self.window_m(0, 0, self.width, self.height)

    @property
    def resolution_m(self) -> float:
        """Step of the distances; 0 for float32."""
        return self.metres_per_unit if self.values.dtype == np.uint16 else 0.0

    def window_m(self, x_min: int, y_min: int, x_max: int, y_max: int) -> np.ndarray:
        """Metres of the half-open window: float32 (y_max - y_min, x_max - x_min), NaN invalid."""
        return self.to_metres(self.values[y_min:y_max, x_min:x_max])

    def to_metres(self, values: np.ndarray) -> np.ndarray:
        """Convert values of this image (any shape) to float32 metres, NaN where invalid."""
        depth_m = values.astype(np.float32)
        if self.metres_per_unit != 1.0:
            depth_m *= np.float32(self.metres_per_unit)
        # 0 is invalid in both encodings; +-Inf means out of range in REP-117.
        depth_m[~((depth_m >= LEAST_M) & (depth_m <= MOST_M))] = np.nan
        return depth_m
