"""Surface normals of depth maps, and the loss on the angle between them."""

from __future__ import annotations

import math

from keras import ops
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.projection import camera_rays

from rs_ml_training.losses.masking import Tensor, masked, masked_mean

# Squared length below which a vector has no direction.
SMALLEST_SQUARE = 1e-20


def pinhole_rays(intrinsics: CameraModel, height: int, width: int) -> Tensor:
    """Directions with z = 1, float32 (1, H, W, 3), of the camera resized to height x width."""
    rays = camera_rays(intrinsics.resized(width, height))[None]
    return ops.convert_to_tensor(rays, 'float32')


def sphere_rays(height: int | Tensor, width: int | Tensor) -> Tensor:
    """Unit directions of an equirectangular panorama, float32 (1, H, W, 3), optical frame.

    The centre looks along z, columns span 360 degrees to the right, rows 180 degrees downwards.
    """
    rows, columns = ops.arange(height, dtype='float32'), ops.arange(width, dtype='float32')
    longitude = (columns + 0.5) / ops.cast(width, 'float32') * (2 * math.pi) - math.pi
    down = (rows + 0.5) / ops.cast(height, 'float32') * math.pi - math.pi / 2
    longitude, down = longitude[None, None, :], down[None, :, None]
    x, z = ops.cos(down) * ops.sin(longitude), ops.cos(down) * ops.cos(longitude)
    return ops.stack([x, ops.sin(down) + ops.zeros_like(x), z], axis=-1)


def steps(values: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the right and to the lower neighbour, (B, H, W, C).

    The last column and row are followed by the first, see `steps_known`. Rolling is several times
    as fast on CPUs as slicing.
    """
    return ops.roll(values, -1, axis=2) - values, ops.roll(values, -1, axis=1) - values


def steps_known(mask: Tensor, wrap: bool = False) -> Tensor:
    """1 where a pixel and both neighbours of `steps` are known, float32 (B, H, W, 1).

    The last row has no lower neighbour, the last column no right one unless the maps `wrap`.
    """
    height, width = ops.shape(mask)[1:3]
    known = mask * ops.roll(mask, -1, axis=2) * ops.roll(mask, -1, axis=1)
    known = known * _all_but_last(height)[None, :, None, None]
    return known if wrap else known * _all_but_last(width)[None, None, :, None]


def _all_but_last(length: int | Tensor) -> Tensor:
    return ops.cast(ops.arange(length) < length - 1, 'float32')


def surface_normals(depth_m: Tensor, rays: Tensor | None = None, wrap: bool = False) -> Tensor:
    """Unit normals towards the camera, (B, H - 1, W - 1, 3) or (B, H - 1, W, 3) with `wrap`.

    Args:
        depth_m: (B, H, W, 1), along the rays: z for rays with z = 1, range for unit rays.
        rays: broadcastable to (B, H, W, 3); None takes the map for a height field over its
            pixels, normal (-dx, -dy, 1) (Hu et al., arXiv 1803.08673, eq. 4).
        wrap: the right border continues at the left one.
    """
    parts = _directions(depth_m, rays)
    normals = ops.concatenate(parts, axis=-1) * ops.rsqrt(_square(parts))
    return normals[:, :-1] if wrap else normals[:, :-1, :-1]


def normal_loss(
    target_m: Tensor,
    prediction_m: Tensor,
    mask: Tensor,
    *,
    intrinsics: CameraModel | None = None,
    sphere: bool = False,
) -> Tensor:
    """Mean of 1 - cos(angle between the normals); of the pinhole, the sphere or a height field.

    Args:
        target_m: (B, H, W, 1) or (B, H, W) metres; z, or the range with `sphere`.
        prediction_m: (B, H, W, 1).
        mask: 1 where the target is known; a normal needs three known pixels.
        intrinsics: of the pinhole, resized to the maps; None with neither: a height field.
        sphere: the maps are equirectangular panoramas, continued across the right border.
    """
    target, prediction, mask = masked(target_m, prediction_m, mask)
    height, width = ops.shape(prediction)[1:3]
    rays = None
    if sphere:
        rays = sphere_rays(height, width)
    elif intrinsics is not None:
        rays = pinhole_rays(intrinsics, height, width)
    real, found = (_directions(depth_m, rays) for depth_m in (target, prediction))
    along = sum(a * b for a, b in zip(real, found, strict=True))
    cosine = along * ops.rsqrt(_square(real)) * ops.rsqrt(_square(found))
    return masked_mean(1.0 - cosine, steps_known(mask, sphere))


# Separate x, y and z are several times as fast on CPUs as an axis of length 3.
def _directions(depth_m: Tensor, rays: Tensor | None) -> tuple[Tensor, ...]:
    """x, y and z of the normals, of any length, each (B, H, W, 1)."""
    if rays is None:
        dx, dy = steps(depth_m)
        return -dx, -dy, ops.ones_like(dx)
    moves = [steps(depth_m * rays[..., i : i + 1]) for i in range(3)]
    (rx, lx), (ry, ly), (rz, lz) = moves
    return ly * rz - lz * ry, lz * rx - lx * rz, lx * ry - ly * rx


def _square(parts: tuple[Tensor, ...]) -> Tensor:
    """Squared length; those too short for a direction count as longer, without NaN."""
    return ops.maximum(sum(ops.square(part) for part in parts), SMALLEST_SQUARE)
