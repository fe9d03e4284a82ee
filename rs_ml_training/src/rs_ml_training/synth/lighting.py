"""Lamps, their shadows, and the light that surfaces send to a camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.synth.gbuffer import GBuffer, PosedCamera, camera_rays, gbuffer_of, ray_ends
from rs_ml_training.synth.materials import Rgb
from rs_ml_training.synth.numerics import column, dot, sampled
from rs_ml_training.synth.patterns import PatternBank
from rs_ml_training.synth.ray_scene import Hits, RayScene

MAX_LAMPS = 3
_OCCLUSION_REACH_M = 0.7
_LEAST_GLOSS = 0.1
_STEP = 2
"""Shadows are found for every second pixel of every second row."""


@dataclass(frozen=True)
class Lamp:
    """A small source of light.

    Attributes:
        position: world [m].
        color: RGB intensity; 1 lights a white surface at 1 m fully.
        ir: the same in the infrared.
        radius_m: how soft its shadows are.
    """

    position: tuple[float, float, float]
    color: Rgb
    ir: float
    radius_m: float


@dataclass(frozen=True)
class Lighting:
    """All light of a room.

    Attributes:
        lamps: up to three.
        ambient: RGB from everywhere.
        ambient_ir: the same in the infrared.
    """

    lamps: tuple[Lamp, ...]
    ambient: Rgb
    ambient_ir: float

    def __post_init__(self) -> None:
        if len(self.lamps) > MAX_LAMPS:
            raise ConfigError(f'up to {MAX_LAMPS} lamps can be lit, got {len(self.lamps)}')

    @property
    def colors(self) -> np.ndarray:
        """Intensity of the ambient light and of each lamp, float32 (L + 1, 3)."""
        return np.array([self.ambient, *(lamp.color for lamp in self.lamps)], np.float32)

    @property
    def infrared(self) -> np.ndarray:
        """The same in the infrared, float32 (L + 1, 1)."""
        return np.array([[self.ambient_ir], *([lamp.ir] for lamp in self.lamps)], np.float32)


@dataclass(frozen=True, eq=False)
class Shadows:
    """How much of each light arrives where one camera looks.

    Attributes:
        maps: float32 (h, w, 4): ambient, then each lamp, 0..1; every second pixel.
        sight: the camera.
    """

    maps: np.ndarray
    sight: PosedCamera

    def at(self, points: np.ndarray) -> np.ndarray:
        """Light at points (3, N), float32 (4, N); beyond the border as at the border."""
        turn, camera = np.asarray(self.sight.world_from_camera, np.float32), self.sight.camera
        x, y, z = turn.T @ (points - column(self.sight.position))
        z = np.maximum(z, 0.05)
        u = (x / z * camera.fx + camera.cx) / _STEP
        v = (y / z * camera.fy + camera.cy) / _STEP
        return cv2.transpose(sampled(self.maps, u, v))


def cast_shadows(scene: RayScene, sight: PosedCamera, hits: Hits, lighting: Lighting) -> Shadows:
    """Shadows and dark corners in the pixels of a camera, which show `hits`."""
    every = slice(None, None, _STEP)
    rays = camera_rays(sight.camera, sight.world_from_camera, every, every)
    places = np.arange(hits.face.size).reshape(sight.shape)[every, every]
    some = hits[places.ravel()]
    _, points = ray_ends(column(sight.position), rays, some)
    points = points.reshape(3, *places.shape)
    normals = scene.surface(some, rays).normals.reshape(points.shape)
    maps = np.ones((*places.shape, 1 + MAX_LAMPS), np.float32)
    maps[..., 0] = _openness(scene, points, normals)
    for index, lamp in enumerate(lighting.lamps):
        maps[..., index + 1] = _lit_share(scene, points, lamp)
    return Shadows(maps, sight)


def _lit_share(scene: RayScene, points: np.ndarray, lamp: Lamp) -> np.ndarray:
    """One ray per pixel to one of nine places of the lamp, then a mean over neighbours."""
    steps = np.array([(i - 1, j - 1, 0) for i in range(3) for j in range(3)], np.float32)
    step = _tiled(steps, 3, points.shape[1:]) * np.float32(lamp.radius_m)
    target = column(lamp.position) + step.reshape(3, -1)
    blocked = scene.blocked(points.reshape(3, -1), target)
    return cv2.blur((~blocked).astype(np.float32).reshape(points.shape[1:]), (3, 3))


def _openness(scene: RayScene, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Ambient occlusion: fraction of sixteen directions that are free over a short reach."""
    way = _tiled(_half_sphere(16), 4, points.shape[1:])
    way *= np.where(dot(way, normals) < 0, np.float32(-1), np.float32(1))
    way = (way + normals) * np.float32(_OCCLUSION_REACH_M / 2)
    start = (points + np.float32(0.005) * normals).reshape(3, -1)
    blocked = scene.blocked(start, start + way.reshape(3, -1))
    free = (~blocked).astype(np.float32).reshape(points.shape[1:])
    return 0.25 + 0.75 * cv2.blur(free, (4, 4))


def _tiled(vectors: np.ndarray, side: int, shape: tuple[int, ...]) -> np.ndarray:
    """Vectors (side * side, 3) over every side x side pixels, (3, *shape)."""
    tile = vectors.T.reshape(3, side, side)
    times = (1, *(-(-size // side) for size in shape))
    return np.tile(tile, times)[:, : shape[0], : shape[1]].copy()


def _half_sphere(count: int) -> np.ndarray:
    """Evenly spread unit vectors (a Fibonacci sphere), shuffled, float32 (count, 3)."""
    place = (np.arange(count) * 7 % count) + 0.5
    z, turn = 1 - 2 * place / count, np.pi * (1 + 5**0.5) * place
    flat = np.sqrt(1 - z * z)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=-1).astype(np.float32)


def arriving(view: GBuffer, lighting: Lighting, shadows: Shadows | None) -> np.ndarray:
    """Fraction of each light that a surface receives, float32 (L + 1, N): ambient, then lamps."""
    shape = 1 + len(lighting.lamps), view.points.shape[1]
    shares = np.ones(shape, np.float32) if shadows is None else shadows.at(view.points)
    shares = shares[: shape[0]]
    for share, lamp in zip(shares[1:], lighting.lamps, strict=True):
        way = column(lamp.position) - view.points
        squared = np.maximum(dot(way, way), np.float32(0.04))
        facing = dot(way, view.surface.normals)
        share *= np.maximum(facing, 0) / (squared * np.sqrt(squared))
    return shares


def highlights(
    view: GBuffer, gloss: np.ndarray, lighting: Lighting
) -> tuple[np.ndarray, np.ndarray]:
    """Shine of lamps on glossy surfaces (Blinn and Phong, 64th power).

    Returns:
        Places (R,) of rays that meet gloss, and how much of each lamp they show, float32 (L, R).
    """
    rows = np.flatnonzero((gloss > _LEAST_GLOSS) & view.seen)
    eye, points, normals = (
        a.take(rows, axis=1) for a in (view.directions, view.points, view.surface.normals)
    )
    eye /= -np.sqrt(dot(eye, eye))
    gloss = gloss[rows]
    shine = np.empty((len(lighting.lamps), len(rows)), np.float32)
    for index, lamp in enumerate(lighting.lamps):
        way = column(lamp.position) - points
        squared = np.maximum(dot(way, way), np.float32(0.04))
        half = way / np.sqrt(squared) + eye
        facing = np.maximum(dot(half, normals), 0)
        # The 64th power of the cosine, without a root: squares of numerator and denominator.
        power = facing * facing / (dot(half, half) + np.float32(1e-6))
        for _ in range(5):
            power *= power
        shine[index] = gloss * power / squared
    return rows, shine


def secondary_view(
    scene: RayScene, bank: PatternBank, view: GBuffer, rows: np.ndarray, *, mirrored: bool
) -> GBuffer:
    """The view behind clear surfaces, or in mirrors, for some rays of a view."""
    directions = view.directions.take(rows, axis=1)
    if mirrored:
        normals = view.surface.normals.take(rows, axis=1)
        directions -= 2 * dot(directions, normals) * normals
        start = view.points.take(rows, axis=1) + np.float32(0.003) * normals
    else:
        start = view.origin if view.origin.shape[1] == 1 else view.origin.take(rows, axis=1)
    hits = scene.cast(start, directions, solid=True)
    return gbuffer_of(scene, bank, start, directions, hits, 0.0024)
