"""The surfaces that one camera sees, before any light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from rs_ml_perception.core.geometry.camera import CameraModel

from rs_ml_training.synth.numerics import dot
from rs_ml_training.synth.patterns import PatternBank
from rs_ml_training.synth.ray_scene import Hits, RayScene, SurfacePoints

_BAND = 32
"""Rows that are looked at together."""


@dataclass(frozen=True, eq=False)
class GBuffer:
    """Surfaces by pixel, row by row; N is width x height, or the number of rays.

    Attributes:
        origin: float32 (3, 1) or (3, N), where rays start, world.
        directions: float32 (3, N), world; of length 1 along the optical axis.
        hits: where they end.
        surface: of the points.
        points: float32 (3, N), world.
        tone: float32 (N,), of the surface's pattern, 0..1.
    """

    origin: np.ndarray
    directions: np.ndarray
    hits: Hits
    surface: SurfacePoints
    points: np.ndarray
    tone: np.ndarray

    @cached_property
    def seen(self) -> np.ndarray:
        """Where rays end, bool (N,)."""
        return self.hits.face >= 0

    @cached_property
    def unseen(self) -> np.ndarray:
        """Which rays never end, int64 (R,)."""
        return np.flatnonzero(~self.seen)


@dataclass(frozen=True, eq=False)
class PosedCamera:
    """A camera somewhere in the world.

    Attributes:
        camera: its pixels.
        position: (3,) [m].
        world_from_camera: (3, 3).
    """

    camera: CameraModel
    position: np.ndarray
    world_from_camera: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.camera.height, self.camera.width


def camera_rays(
    camera: CameraModel,
    world_from_camera: np.ndarray,
    rows: slice = slice(None),
    columns: slice = slice(None),
) -> np.ndarray:
    """World directions of pixels row by row, float32 (3, N), 1 along the optical axis."""
    x = (np.arange(camera.width, dtype=np.float32)[columns] - camera.cx) / camera.fx
    y = (np.arange(camera.height, dtype=np.float32)[rows] - camera.cy) / camera.fy
    turn = np.asarray(world_from_camera, np.float32)
    across, down = turn[:, :1] * x, turn[:, 1:2] * y + turn[:, 2:]
    return (down[:, :, None] + across[:, None]).reshape(3, -1)


@dataclass(frozen=True, eq=False)
class RenderedImage:
    """Light and distance in the pixels of a camera.

    Attributes:
        t: float32 (H, W), exact depth, infinite where nothing is.
        face: int32 (H, W), of the scene, -1 where nothing is.
        light: float32 (H, W, C).
    """

    t: np.ndarray
    face: np.ndarray
    light: np.ndarray


def first_hits(scene: RayScene, sight: PosedCamera) -> Hits:
    """The surface in each pixel of a camera, row by row."""
    return scene.cast(sight.position, camera_rays(sight.camera, sight.world_from_camera))


def render(
    scene: RayScene,
    bank: PatternBank,
    sight: PosedCamera,
    hits: Hits,
    shade: Callable[[GBuffer], np.ndarray],
) -> RenderedImage:
    """Shade band by band: bands that fit into a core's cache are much faster.

    Args:
        scene: the surfaces.
        bank: patterns of its side.
        sight: the camera.
        hits: of the rays through its pixels.
        shade: gives the light (C, N) of a view of N rays.
    """
    width, bands = sight.camera.width, []
    for top in range(0, sight.camera.height, _BAND):
        rays = camera_rays(sight.camera, sight.world_from_camera, slice(top, top + _BAND))
        some = hits[top * width : (top + _BAND) * width]
        bands.append(
            shade(gbuffer_of(scene, bank, sight.position, rays, some, 1 / sight.camera.fx))
        )
    light = cv2.merge([np.concatenate(c).reshape(sight.shape) for c in zip(*bands, strict=True)])
    return RenderedImage(
        hits.t.reshape(sight.shape),
        hits.face.reshape(sight.shape),
        light.reshape(*sight.shape, -1),
    )


def gbuffer_of(
    scene: RayScene,
    bank: PatternBank,
    origin: np.ndarray,
    directions: np.ndarray,
    hits: Hits,
    pixel_rad: float,
) -> GBuffer:
    """Trace rays.

    Args:
        scene: the surfaces.
        bank: patterns of its side.
        origin: (3,) or (3, N), world [m].
        directions: (3, N), world.
        hits: where they end.
        pixel_rad: angle between neighbouring rays.
    """
    origin = np.asarray(origin, np.float32).reshape(3, -1)
    surface = scene.surface(hits, directions)
    t, points = ray_ends(origin, directions, hits)
    table = scene.materials
    repeat = table.repeat_m.take(surface.material)
    # Surfaces seen at a slant are sampled more coarsely, but not as coarsely as they recede.
    slant = np.abs(dot(surface.normals, directions))
    footprint = t * np.float32(pixel_rad) / (repeat * np.sqrt(np.maximum(slant, 0.05)))
    tone = bank.sample(table.pattern.take(surface.material), surface.uv / repeat, footprint)
    return GBuffer(origin, directions, hits, surface, points, tone)


def ray_ends(
    origin: np.ndarray, directions: np.ndarray, hits: Hits
) -> tuple[np.ndarray, np.ndarray]:
    """How far rays go (N,) and where they end (3, N); far away where they never end."""
    t = np.where(hits.face >= 0, hits.t, np.float32(50.0))
    return t, origin + t * directions
