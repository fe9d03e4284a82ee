"""Surface normals of depth maps, and the loss on the angle between them."""

from __future__ import annotations

import math

from keras import ops

from rs_ml_training.intrinsics import Intrinsics
from rs_ml_training.losses.masking import Tensor, masked, masked_mean

SMALLEST_SQUARE = 1e-20
"""Squared length below which a vector has no direction."""


def pinhole_rays(intrinsics: Intrinsics, height: int, width: int) -> Tensor:
    """Directions with z = 1, float32 (1, H, W, 3), of the camera resized to height x width."""
    rays = intrinsics.resized(width, height).rays()[None]
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


def steps(values: Tensor, wrap: bool = False) -> tuple[Tensor, Tensor]:
    """Differences to the right and to the lower neighbour, (B, H - 1, W - 1, C).

    With `wrap` the last column's right neighbour is the first: (B, H - 1, W, C).
    """
    here = values[:, :-1]
    if wrap:
        return ops.roll(here, -1, axis=2) - here, values[:, 1:] - here
    return here[:, :, 1:] - here[:, :, :-1], values[:, 1:, :-1] - here[:, :, :-1]


def steps_known(mask: Tensor, wrap: bool = False) -> Tensor:
    """1 where a pixel and both neighbours of `steps` are known, float32."""
    here = mask[:, :-1]
    if wrap:
        return here * ops.roll(here, -1, axis=2) * mask[:, 1:]
    return here[:, :, :-1] * here[:, :, 1:] * mask[:, 1:, :-1]


def unit(vectors: Tensor) -> Tensor:
    """Vectors of length 1; those too short for a direction come out shorter, without NaN."""
    square = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.rsqrt(ops.maximum(square, SMALLEST_SQUARE))


def surface_normals(depth_m: Tensor, rays: Tensor | None = None, wrap: bool = False) -> Tensor:
    """Unit normals towards the camera, (B, H - 1, W - 1, 3) or (B, H - 1, W, 3) with `wrap`.

    Args:
        depth_m: (B, H, W, 1), along the rays: z for rays with z = 1, range for unit rays.
        rays: broadcastable to (B, H, W, 3); None takes the map for a height field over its
            pixels, normal (-dx, -dy, 1) (Hu et al., arXiv 1803.08673, eq. 4).
        wrap: the right border continues at the left one.
    """
    if rays is None:
        dx, dy = steps(depth_m, wrap)
        return unit(ops.concatenate([-dx, -dy, ops.ones_like(dx)], axis=-1))
    right, lower = steps(depth_m * rays, wrap)
    return unit(ops.cross(lower, right))


def normal_loss(
    target_m: Tensor,
    prediction_m: Tensor,
    mask: Tensor,
    *,
    intrinsics: Intrinsics | None = None,
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
    of_target, of_prediction = (surface_normals(d, rays, sphere) for d in (target, prediction))
    cosine = ops.sum(of_target * of_prediction, axis=-1, keepdims=True)
    return masked_mean(1.0 - cosine, steps_known(mask, sphere))
