"""Lamps, their shadows, and the light that surfaces send to a camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rs_ml_training.errors import ConfigError
from rs_ml_training.synth.lookup import sampled
from rs_ml_training.synth.materials import Rgb
from rs_ml_training.synth.patterns import PatternBank
from rs_ml_training.synth.traced import TracedScene
from rs_ml_training.synth.view import Sight, View, camera_rays, look

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
    sight: Sight

    def at(self, points: np.ndarray) -> np.ndarray:
        """What arrives at points (N, 3), float32 (N, 4); beyond the border as at the border."""
        turn, camera = np.asarray(self.sight.world_from_camera, np.float32), self.sight.camera
        x, y, z = ((points - np.float32(self.sight.position)) @ turn).T
        z = np.maximum(z, 0.05)
        u = (x / z * camera.fx + camera.cx) / _STEP
        v = (y / z * camera.fy + camera.cy) / _STEP
        return sampled(self.maps, u, v)


def cast_shadows(
    scene: TracedScene, bank: PatternBank, sight: Sight, lighting: Lighting
) -> Shadows:
    """Shadows and dark corners as a camera shows them."""
    every = slice(None, None, _STEP)
    rays = camera_rays(sight.camera, sight.world_from_camera, every, every)
    view = look(scene, bank, sight.position, rays, _STEP / sight.camera.fx)
    shape = len(range(sight.camera.height)[every]), len(range(sight.camera.width)[every])
    points = view.points.reshape(*shape, 3)
    maps = np.ones((*shape, 1 + MAX_LAMPS), np.float32)
    maps[..., 0] = _openness(scene, points, view.surface.normals.reshape(*shape, 3))
    for index, lamp in enumerate(lighting.lamps):
        maps[..., index + 1] = _lit_share(scene, points, lamp)
    return Shadows(maps, sight)


def _lit_share(scene: TracedScene, points: np.ndarray, lamp: Lamp) -> np.ndarray:
    """One ray per pixel to one of nine places of the lamp, then a mean over neighbours."""
    steps = np.array([(i - 1, j - 1) for i in range(3) for j in range(3)], np.float32)
    rows, columns = np.indices(points.shape[:2])
    step = steps[(rows % 3) * 3 + columns % 3] * np.float32(lamp.radius_m)
    target = np.float32(lamp.position) + np.concatenate(
        [step, np.zeros((*step.shape[:2], 1), np.float32)], axis=-1
    )
    blocked = scene.blocked(points.reshape(-1, 3), target.reshape(-1, 3))
    return cv2.blur((~blocked).astype(np.float32).reshape(points.shape[:2]), (3, 3))


def _openness(scene: TracedScene, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Ambient occlusion: share of sixteen directions that are free over a short reach."""
    directions = _half_sphere(16)
    rows, columns = np.indices(points.shape[:2])
    way = directions[(rows % 4) * 4 + columns % 4]
    way = way * np.where(np.einsum('hwi,hwi->hw', way, normals) < 0, -1, 1)[..., None]
    way = (way + normals) * np.float32(_OCCLUSION_REACH_M / 2)
    start = (points + np.float32(0.005) * normals).reshape(-1, 3)
    blocked = scene.blocked(start, start + way.reshape(-1, 3))
    free = (~blocked).astype(np.float32).reshape(points.shape[:2])
    return 0.25 + 0.75 * cv2.blur(free, (4, 4))


def _half_sphere(count: int) -> np.ndarray:
    """Evenly spread unit vectors (a Fibonacci sphere), shuffled, float32 (count, 3)."""
    place = (np.arange(count) * 7 % count) + 0.5
    z, turn = 1 - 2 * place / count, np.pi * (1 + 5**0.5) * place
    flat = np.sqrt(1 - z * z)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=-1).astype(np.float32)


def arriving(view: View, lighting: Lighting, shadows: Shadows | None) -> np.ndarray:
    """Share of each light that a surface receives, float32 (N, L + 1): ambient, then lamps."""
    count = len(view.points)
    shares = np.ones((count, 4), np.float32) if shadows is None else shadows.at(view.points)
    shares = shares[:, : len(lighting.lamps) + 1].copy()
    for index, lamp in enumerate(lighting.lamps):
        way = np.float32(lamp.position) - view.points
        squared = np.maximum(np.einsum('ij,ij->i', way, way), 0.04)
        facing = np.einsum('ij,ij->i', way, view.surface.normals)
        shares[:, index + 1] *= np.maximum(facing, 0) / (squared * np.sqrt(squared))
    return shares


def highlights(view: View, gloss: np.ndarray, lighting: Lighting) -> tuple[np.ndarray, np.ndarray]:
    """Shine of lamps on glossy surfaces (Blinn and Phong, 64th power).

    Returns:
        Places (R,) of rays that meet gloss, and how much of each lamp they show, float32 (R, L).
    """
    rows = np.flatnonzero((gloss > _LEAST_GLOSS) & view.seen)
    eye, points, normals = -view.directions[rows], view.points[rows], view.surface.normals[rows]
    eye /= np.sqrt(np.einsum('ij,ij->i', eye, eye))[:, None]
    shine = np.empty((len(rows), len(lighting.lamps)), np.float32)
    for index, lamp in enumerate(lighting.lamps):
        way = np.float32(lamp.position) - points
        squared = np.maximum(np.einsum('ij,ij->i', way, way), 0.04)
        half = way / np.sqrt(squared)[:, None] + eye
        facing = np.maximum(np.einsum('ij,ij->i', half, normals), 0)
        # The 64th power of the cosine, without a root: squares of numerator and denominator.
        power = facing * facing / (np.einsum('ij,ij->i', half, half) + np.float32(1e-6))
        for _ in range(5):
            power *= power
        shine[:, index] = gloss[rows] * power / squared
    return rows, shine


def secondary_view(
    scene: TracedScene, bank: PatternBank, view: View, rows: np.ndarray, *, mirrored: bool
) -> View:
    """What lies behind clear surfaces, or what mirrors show, for some rays of a view."""
    directions = view.directions[rows]
    if not mirrored:
        start = view.origin if view.origin.ndim == 1 else view.origin[rows]
        return look(scene, bank, start, directions, 0.0024, solid=True)
    normals = view.surface.normals[rows]
    facing = np.einsum('ij,ij->i', directions, normals)
    bounced = directions - 2 * facing[:, None] * normals
    start = view.points[rows] + np.float32(0.003) * normals
    return look(scene, bank, start, bounced, 0.0024, solid=True)
