"""The dot projector between the imagers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from rs_ml_training.synth.gbuffer import GBuffer
from rs_ml_training.synth.numerics import column, dot, sampled
from rs_ml_training.synth.ray_scene import RayScene

_PX_PER_UNIT = 1000
_HALF_X, _HALF_Y = 1.15, 0.72
"""How far the pattern reaches, tangents: a little beyond the view of the imagers."""
_SPACING = 0.0205
"""Mean distance of neighbouring dots, tangent: about 5,000 within the imagers' view."""
_DOT_SIGMA = 0.0022
PATTERNS = 8
"""Devices that differ in their dots."""


@dataclass(frozen=True, eq=False)
class Projector:
    """A pattern of dots projected onto surfaces.

    Attributes:
        position: (3,), world [m].
        world_from_camera: (3, 3), optical axes of the projector, parallel to the imagers'.
        power: brightness of a dot on a white surface at 1 m.
        pattern: which device's dots, below PATTERNS.
    """

    position: np.ndarray
    world_from_camera: np.ndarray
    power: float
    pattern: int = 0

    def at(self, view: GBuffer, scene: RayScene) -> np.ndarray:
        """Light of the dots on the surfaces of a view, float32 (N,); nothing in shadow."""
        turn, position = np.asarray(self.world_from_camera, np.float32), column(self.position)
        way = view.points - position
        squared = np.maximum(dot(way, way), np.float32(0.01))
        dots = _looked_up(dot_pattern(self.pattern), turn.T @ way)
        facing = np.abs(dot(way, view.surface.normals)) / np.sqrt(squared)
        light = np.float32(self.power) * dots * facing / squared
        lit = np.flatnonzero((dots > 0.004) & view.seen)
        light[lit[scene.blocked(view.points.take(lit, axis=1), position)]] = 0
        light[view.unseen] = 0
        return light


def _looked_up(pattern: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Brightness at points (3, N) of the projector's frame, float32 (N,), 0..1; spoils them."""
    x, y, z = points
    behind = np.flatnonzero(z <= 0.02)
    z[behind] = 1
    u = (x / z + _HALF_X) * _PX_PER_UNIT
    v = (y / z + _HALF_Y) * _PX_PER_UNIT
    u[behind] = v[behind] = -10
    found = sampled(pattern, u, v, border=cv2.BORDER_CONSTANT)
    return found.astype(np.float32) / 255


@lru_cache(maxsize=PATTERNS)
def dot_pattern(number: int) -> np.ndarray:
    """Dots on a disturbed honeycomb, none where it says nothing, uint8.

    Rows and columns are tangents times a thousand; the middle is straight ahead.
    """
    rng = np.random.default_rng([4335, number])
    width, height = round(2 * _HALF_X * _PX_PER_UNIT), round(2 * _HALF_Y * _PX_PER_UNIT)
    step = _SPACING * _PX_PER_UNIT
    rows, columns = np.indices((int(height / (step * 0.866)), int(width / step)))
    x = (columns + 0.5 * (rows % 2) + 0.5) * step + rng.normal(0, 0.2 * step, rows.shape)
    y = (rows + 0.5) * step * 0.866 + rng.normal(0, 0.2 * step, rows.shape)
    canvas = np.zeros((height, width), np.float32)
    inside = (x > 0) & (x < width - 1) & (y > 0) & (y < height - 1)
    u, v = x[inside].astype(int), y[inside].astype(int)
    canvas[v, u] = rng.uniform(0.5, 1.0, len(u))
    blurred = cv2.GaussianBlur(canvas, (0, 0), _DOT_SIGMA * _PX_PER_UNIT)
    peak = 1 / (2 * np.pi * (_DOT_SIGMA * _PX_PER_UNIT) ** 2)
    return cv2.convertScaleAbs(blurred, alpha=255 / peak)
