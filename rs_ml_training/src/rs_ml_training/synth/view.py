"""What one camera sees of a scene, before any light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rs_ml_training.intrinsics import Intrinsics
from rs_ml_training.synth.patterns import PatternBank
from rs_ml_training.synth.traced import Hits, SurfacePoints, TracedScene

_BAND = 160
"""Rows that are looked at together."""


@dataclass(frozen=True, eq=False)
class View:
    """Surfaces by pixel, row by row; N is width x height, or the number of rays.

    Attributes:
        origin: float32 (3,) or (N, 3), where rays start, world.
        directions: float32 (N, 3), world; of length 1 along the optical axis.
        hits: where they end.
        surface: what lies there.
        points: float32 (N, 3), world.
        tone: float32 (N,), of the surface's pattern, 0..1.
    """

    origin: np.ndarray
    directions: np.ndarray
    hits: Hits
    surface: SurfacePoints
    points: np.ndarray
    tone: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """Where rays end, bool (N,)."""
        return self.hits.face >= 0


@dataclass(frozen=True, eq=False)
class Sight:
    """A camera somewhere in the world.

    Attributes:
        camera: its pixels.
        position: (3,) [m].
        world_from_camera: (3, 3).
    """

    camera: Intrinsics
    position: np.ndarray
    world_from_camera: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.camera.height, self.camera.width


def camera_rays(
    camera: Intrinsics,
    world_from_camera: np.ndarray,
    rows: slice = slice(None),
    columns: slice = slice(None),
) -> np.ndarray:
    """World directions of pixels row by row, float32 (N, 3), 1 along the optical axis."""
    x = (np.arange(camera.width, dtype=np.float32)[columns] - camera.cx) / camera.fx
    y = (np.arange(camera.height, dtype=np.float32)[rows] - camera.cy) / camera.fy
    turn = np.asarray(world_from_camera, np.float32)
    across, down = x[:, None] * turn[:, 0], y[:, None] * turn[:, 1] + turn[:, 2]
    return (down[:, None] + across[None]).reshape(-1, 3).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Picture:
    """What reaches the pixels of a camera.

    Attributes:
        t: float32 (H, W), exact depth, infinite where nothing is.
        face: int32 (H, W), of the scene, -1 where nothing is.
        light: float32 (H, W, C).
    """

    t: np.ndarray
    face: np.ndarray
    light: np.ndarray


def taken(
    scene: TracedScene, bank: PatternBank, sight: Sight, shade: Callable[[View], np.ndarray]
) -> Picture:
    """Look and shade band by band, which keeps memory small.

    Args:
        scene: what is there.
        bank: patterns of its side.
        sight: the camera.
        shade: gives the light (N, C) of a view of N rays.
    """
    parts = []
    for top in range(0, sight.camera.height, _BAND):
        rays = camera_rays(sight.camera, sight.world_from_camera, slice(top, top + _BAND))
        view = look(scene, bank, sight.position, rays, 1 / sight.camera.fx)
        parts.append((view.hits.t, view.hits.face, shade(view)))
    t, face, light = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Picture(
        t.reshape(sight.shape), face.reshape(sight.shape), light.reshape(*sight.shape, -1)
    )


def look(
    scene: TracedScene,
    bank: PatternBank,
    origin: np.ndarray,
    directions: np.ndarray,
    pixel_rad: float,
    *,
    solid: bool = False,
) -> View:
    """Cast rays and gather what they meet.

    Args:
        scene: what is there.
        bank: patterns of its side.
        origin: (3,) or (N, 3), world [m].
        directions: (N, 3), world.
        pixel_rad: angle between neighbouring rays.
        solid: look through what is clear.
    """
    origin = np.asarray(origin, np.float32)
    hits = scene.cast(origin, directions, solid=solid)
    surface = scene.surface(hits, directions)
    t = np.where(hits.face >= 0, hits.t, np.float32(50.0))
    points = origin + t[:, None] * directions
    table = scene.materials
    repeat = table.repeat_m[surface.material]
    # Surfaces seen at a slant are sampled more coarsely, but not as coarsely as they recede.
    slant = np.abs(np.einsum('ij,ij->i', surface.normals, directions))
    footprint = t * np.float32(pixel_rad) / (repeat * np.sqrt(np.maximum(slant, 0.05)))
    tone = bank.sample(table.pattern[surface.material], surface.uv / repeat[:, None], footprint)
    return View(origin, directions, hits, surface, points, tone)
