"""Normals of depth maps whose surfaces are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_perception.core.geometry.camera import CameraModel  # noqa: E402
from rs_ml_perception.core.geometry.projection import camera_rays  # noqa: E402
from rs_ml_training.losses.normals import (  # noqa: E402
    normal_loss,
    pinhole_rays,
    sphere_rays,
    surface_normals,
)

CAMERA = CameraModel(20, 15, 18.0, 17.0, 9.3, 7.1)


def plane_depth(normal, rays, distance=2.0):
    """Length along each ray (H, W, 3) up to the plane normal . X = -distance; (1, H, W, 1)."""
    depth = -distance / (np.asarray(rays) @ normal)
    return depth[..., None].astype(np.float32).reshape(1, *depth.shape[-2:], 1)


def unit(vector):
    return np.asarray(vector) / np.linalg.norm(vector)


@pytest.mark.parametrize('normal', [(0, 0, -1), (0, -1, -1), (0.5, -0.3, -1), (-0.8, 0.4, -1)])
def test_planes_seen_by_a_pinhole(normal):
    normal = unit(normal)
    depth = plane_depth(normal, camera_rays(CAMERA))
    normals = np.asarray(surface_normals(depth, pinhole_rays(CAMERA, 15, 20)))
    assert normals.shape == (1, 14, 19, 3)
    np.testing.assert_allclose(normals, np.broadcast_to(normal, normals.shape), atol=2e-4)


def test_intrinsics_follow_the_size_of_the_maps():
    larger = CAMERA.resized(40, 30)
    normal = unit((0.2, -0.5, -1))
    depth = plane_depth(normal, camera_rays(CAMERA))
    ones = np.ones_like(depth)
    flat = np.full_like(depth, 2.0)
    assert float(normal_loss(flat, depth, ones, intrinsics=larger)) == pytest.approx(
        1 + normal[2], abs=1e-4
    )


@pytest.mark.parametrize('size', [(8, 16), (32, 64)])
def test_the_inside_of_a_ball_looks_at_its_centre(size):
    rays = sphere_rays(*size)
    depth = np.full((1, *size, 1), 3.0, np.float32)
    normals = np.asarray(surface_normals(depth, rays, wrap=True))
    assert normals.shape == (1, size[0] - 1, size[1], 3)
    cosine = -np.sum(normals * np.asarray(rays)[:, :-1], axis=-1)
    # The facet between neighbouring pixels is tilted by half a pixel's angle each way.
    assert cosine.min() > math.cos(2 * math.pi / size[1])


def test_sphere_looks_along_z_in_the_middle_and_down_at_the_bottom():
    rays = np.asarray(sphere_rays(101, 201))[0]
    np.testing.assert_allclose(rays[50, 100], (0, 0, 1), atol=1e-6)
    np.testing.assert_allclose(rays[50, 150], (1, 0, 0), atol=0.02)
    np.testing.assert_allclose(rays[100, 100], (0, 1, 0), atol=0.02)
    np.testing.assert_allclose(np.linalg.norm(rays, axis=-1), 1, atol=1e-6)


def test_a_panorama_has_no_border_left_and_right():
    rng = np.random.default_rng(0)
    target, prediction = rng.uniform(1, 5, (2, 1, 8, 16, 1)).astype(np.float32)
    mask = rng.random((1, 8, 16, 1)) > 0.2
    values = []
    for columns in (0, 5, 11):
        maps = (np.roll(m, columns, axis=2) for m in (target, prediction, mask))
        values.append(float(normal_loss(*maps, sphere=True)))
    # A turned panorama is the same panorama; only the names of the directions change.
    np.testing.assert_allclose(values, values[0], rtol=1e-5)


def test_a_tilted_height_field():
    columns = np.arange(6, dtype=np.float32)
    depth = np.broadcast_to(columns[None, None, :, None], (1, 5, 6, 1)).copy()
    ones, flat = np.ones_like(depth), np.ones_like(depth)
    assert float(normal_loss(flat, depth, ones)) == pytest.approx(1 - math.sqrt(0.5), abs=1e-6)
