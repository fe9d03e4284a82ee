"""A pinhole camera, and how it follows what is done to its images."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole without distortion; pixel centres at integer coordinates.

    Attributes:
        width, height: size of the image [px].
        fx, fy, cx, cy: focal lengths and principal point [px].
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def rays(self) -> np.ndarray:
        """Directions of all pixels in the optical frame with z = 1, float64 (H, W, 3)."""
        u, v = np.meshgrid(np.arange(self.width), np.arange(self.height))
        x, y = (u - self.cx) / self.fx, (v - self.cy) / self.fy
        return np.stack([x, y, np.ones_like(x)], axis=-1)

    def resized(self, width: int, height: int) -> Intrinsics:
        """The camera of the image stretched to width x height; the half pixel is accounted for."""
        sx, sy = width / self.width, height / self.height
        return Intrinsics(
            width,
            height,
            self.fx * sx,
            self.fy * sy,
            (self.cx + 0.5) * sx - 0.5,
            (self.cy + 0.5) * sy - 0.5,
        )

    def cropped(self, x: int, y: int, width: int, height: int) -> Intrinsics:
        """The camera of the part that starts at (x, y); negative or larger: padding."""
        return replace(self, width=width, height=height, cx=self.cx - x, cy=self.cy - y)

    def flipped(self) -> Intrinsics:
        """The camera of the image mirrored left to right."""
        return replace(self, cx=self.width - 1 - self.cx)
