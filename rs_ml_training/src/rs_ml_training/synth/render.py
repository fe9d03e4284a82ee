"""Images of a scene by casting one ray per pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rs_ml_perception.core.camera import CameraModel
from rs_ml_perception.core.geometry import camera_rays

from rs_ml_training.synth.camera import CameraPose
from rs_ml_training.synth.scene import Primitive

LIGHT = np.array([-0.4, 0.3, 0.87])
"""Direction toward the lamp in world axes."""


@dataclass(frozen=True, eq=False)
class Rendering:
    """Exact images of a scene.

    Attributes:
        depth_m: float64 (H, W), along the optical axis; infinity where no ray ends.
        rgb: uint8 (H, W, 3).
        class_ids: uint8 (H, W), SynthClass; 255 where no ray ends.
        instance_ids: uint16 (H, W), 0 for what belongs to no instance.
    """

    depth_m: np.ndarray
    rgb: np.ndarray
    class_ids: np.ndarray
    instance_ids: np.ndarray


def render(primitives: Sequence[Primitive], camera: CameraModel, pose: CameraPose) -> Rendering:
    """Cast a ray through every pixel; primitives are only tried where they can appear."""
    directions = camera_rays(camera) @ pose.world_from_camera.T
    depth_m, nearest = _first_hits(primitives, directions, camera, pose)
    rgb = np.zeros((*depth_m.shape, 3), np.uint8)
    class_ids = np.full(depth_m.shape, 255, np.uint8)
    instance_ids = np.zeros(depth_m.shape, np.uint16)
    for index in np.unique(nearest[nearest >= 0]):
        primitive, seen = primitives[index], nearest == index
        points = pose.position + directions[seen] * depth_m[seen][:, None]
        rgb[seen] = _shade(primitive, points)
        class_ids[seen] = primitive.surface.class_id
        instance_ids[seen] = primitive.surface.instance_id
    return Rendering(depth_m, rgb, class_ids, instance_ids)


def instance_mask(
    primitives: Sequence[Primitive], camera: CameraModel, pose: CameraPose
) -> np.ndarray:
    """Where these primitives would be seen with nothing in front, bool (H, W)."""
    directions = camera_rays(camera) @ pose.world_from_camera.T
    return _first_hits(primitives, directions, camera, pose)[1] >= 0


def _first_hits(
    primitives: Sequence[Primitive],
    directions: np.ndarray,
    camera: CameraModel,
    pose: CameraPose,
) -> tuple[np.ndarray, np.ndarray]:
    depth_m = np.full(directions.shape[:2], np.inf)
    nearest = np.full(directions.shape[:2], -1, np.int32)
    for index, primitive in enumerate(primitives):
        window = _window(primitive, camera, pose)
        rays = directions[window]
        if rays.size == 0:
            continue
        t = primitive.intersect(pose.position, rays.reshape(-1, 3)).reshape(rays.shape[:2])
        closer = t < depth_m[window]
        depth_m[window][closer] = t[closer]
        nearest[window][closer] = index
    return depth_m, nearest


def _window(primitive: Primitive, camera: CameraModel, pose: CameraPose) -> tuple[slice, slice]:
    """Rows and columns outside which the primitive cannot be seen."""
    center, radius = primitive.bounding_sphere()
    x, y, z = pose.to_camera(center)
    if not np.isfinite(radius) or z - radius < 0.05:
        hidden = z + radius < 0
        return (slice(0, 0), slice(0, 0)) if hidden else (slice(None), slice(None))
    spans = []
    for centre, f, c, size in (
        (y, camera.fy, camera.cy, camera.height),
        (x, camera.fx, camera.cx, camera.width),
    ):
        ends = [c + f * (centre + s * radius) / (z + t * radius) for s in (-1, 1) for t in (-1, 1)]
        low, high = np.clip([np.floor(min(ends)), np.ceil(max(ends)) + 1], 0, size).astype(int)
        spans.append(slice(int(low), int(high)))
    return spans[0], spans[1]


def _shade(primitive: Primitive, points: np.ndarray) -> np.ndarray:
    """Lambert's law with some light from everywhere, uint8 (N, 3)."""
    brightness = 0.45 + 0.55 * np.clip(primitive.normals(points) @ LIGHT, 0.0, 1.0)
    color = np.asarray(primitive.surface.color) * brightness[:, None]
    return np.clip(255.0 * color, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class DepthNoise:
    """What a stereo camera makes of the exact depth.

    Attributes:
        relative_stddev: of each pixel, as a share of its depth.
        hole_share: of all pixels without a value, half of them single, half in patches.
        edge_share: of the pixels beside a jump in depth that lie somewhere between both sides.
        min_m, max_m: outside there is no value.
    """

    relative_stddev: float = 0.01
    hole_share: float = 0.10
    edge_share: float = 0.3
    min_m: float = 0.25
    max_m: float = 10.0


def measure_depth(
    depth_m: np.ndarray, rng: np.random.Generator, noise: DepthNoise | None = None
) -> np.ndarray:
    """A depth image as a camera delivers it: uint16 (H, W), millimetres, 0 invalid."""
    noise = DepthNoise() if noise is None else noise
    measured = _flying_pixels(depth_m, rng, noise.edge_share)
    measured = measured * (1.0 + rng.normal(0.0, noise.relative_stddev, depth_m.shape))
    invalid = _holes(depth_m.shape, rng, noise.hole_share)
    with np.errstate(invalid='ignore'):
        invalid |= ~((measured > noise.min_m) & (measured < noise.max_m))
    return np.where(invalid, 0, np.rint(1000.0 * measured)).astype(np.uint16)


def _flying_pixels(depth_m: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """Replace some pixels left or right of a jump by a mixture of both sides."""
    neighbour = np.roll(depth_m, 1, axis=1)
    neighbour[:, 0] = depth_m[:, 0]
    with np.errstate(invalid='ignore'):
        jump = np.abs(depth_m - neighbour) > 0.1
        jump &= np.isfinite(depth_m) & np.isfinite(neighbour)
    jump &= rng.random(depth_m.shape) < share
    mixed = depth_m.copy()
    part = rng.random(np.count_nonzero(jump))
    mixed[jump] = part * depth_m[jump] + (1 - part) * neighbour[jump]
    return mixed


def _holes(shape: tuple[int, int], rng: np.random.Generator, share: float) -> np.ndarray:
    holes = rng.random(shape) < 0.5 * share
    cell = 4
    rows, columns = -(-shape[0] // cell), -(-shape[1] // cell)
    patches = rng.random((rows, columns)) < 0.5 * share
    return holes | np.kron(patches, np.ones((cell, cell), bool))[: shape[0], : shape[1]]


def mask_box(mask: np.ndarray) -> np.ndarray | None:
    """Least half-open box [x_min, y_min, x_max, y_max] around a mask, float32; None if empty."""
    if not mask.any():
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)
