"""Local planar guidance: a coarse map of planes becomes a map of depths at full resolution."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

LARGEST_TILT_RAD = math.pi / 3
SMALLEST_RATIO = 0.05
"""Least n.(u, v, 1): a plane that is nearly seen edge-on within its patch ends here, because
beyond it lies infinity and then a point behind the camera."""


@keras.saving.register_keras_serializable('rs_ml')
class LocalPlanarGuidance(keras.layers.Layer):
    """Planes of k x k patches to depths (arXiv 1907.10326, section 3.3, equation 2).

    The three channels, each in 0..1, are a plane in the coordinates of its patch: tilt
    theta = 60 deg * c0 away from the viewing direction, azimuth phi = 360 deg * c1, distance c2.
    With n = (sin theta cos phi, sin theta sin phi, cos theta) and (u, v) the pixel's place in the
    patch, from its centre and in units of k, depth = c2 / n.(u, v, 1). A plane seen by a pinhole
    has an inverse depth linear in (u, v) and is therefore reproduced exactly.

    Args:
        scale: k, pixels of a patch per side.

    Input: float (B, h, w, 3), each 0..1. Output: float (B, k h, k w, 1) in units of c2.
    """

    def __init__(self, scale: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        along = (np.arange(scale) - (scale - 1) / 2) / scale
        v, u = np.meshgrid(along, along, indexing='ij')
        self._u = u.reshape(1, 1, 1, -1).astype(np.float32)
        self._v = v.reshape(1, 1, 1, -1).astype(np.float32)

    def call(self, planes: Any) -> Any:
        theta = planes[..., 0:1] * LARGEST_TILT_RAD
        phi = planes[..., 1:2] * (2 * math.pi)
        u, v = (ops.cast(part, planes.dtype) for part in (self._u, self._v))
        sideways = ops.cos(phi) * u + ops.sin(phi) * v
        ratio = ops.sin(theta) * sideways + ops.cos(theta)
        depths = planes[..., 2:3] / ops.maximum(ratio, SMALLEST_RATIO)
        return ops.depth_to_space(depths, self.scale)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, _ = input_shape
        sides = (side and side * self.scale for side in (height, width))
        return batch, *sides, 1

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), 'scale': self.scale}
