"""Planes through depth maps whose geometry is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_training.intrinsics import Intrinsics
from rs_ml_training.metrics.plane import fit_in_roi, fit_plane, planes_of_windows, points_of

CAMERA = Intrinsics(64, 48, 60.0, 58.0, 31.0, 24.5)


def plane_depth(normal, camera=CAMERA, distance=2.0):
    """Depth (H, W) of the plane normal . X = -distance."""
    return -distance / (camera.rays() @ np.asarray(normal))


@pytest.mark.parametrize('points', [0, 1, 2])
def test_too_few_points_have_no_plane(points):
    plane = fit_plane(np.ones((points, 3)))
    assert plane.count == points
    assert math.isnan(plane.rms_m)


def test_rms_is_the_root_of_the_smallest_eigenvalue():
    spread = np.random.default_rng(0).normal(0, (1.0, 0.5, 0.1), (200, 3))
    points = spread + np.array([3.0, 0.0, 2.0])
    values, vectors = np.linalg.eigh(np.cov(points.T))
    plane = fit_plane(points)
    assert plane.rms_m == pytest.approx(math.sqrt(values[0]), rel=1e-9)
    assert abs(plane.normal @ vectors[:, 0]) == pytest.approx(1.0)
    assert plane.normal @ plane.centroid_m < 0


@pytest.mark.parametrize('normal', [(0, 0, -1), (0, -0.8, -0.6), (0.6, 0, -0.8)])
def test_exact_planes_have_no_error(normal):
    depth = plane_depth(normal)
    plane, distances = fit_in_roi(depth, (5, 4, 30, 20), CAMERA)
    assert plane.rms_m == pytest.approx(0, abs=1e-7)
    assert plane.count == 600
    np.testing.assert_allclose(plane.normal, normal, atol=1e-7)
    assert distances.shape == (20, 30)
    assert np.nanmax(distances) < 1e-7


def test_rms_is_that_of_the_noise_and_holes_do_not_count():
    rng = np.random.default_rng(0)
    depth = np.full((48, 64), 2.0) + rng.normal(0, 0.01, (48, 64))
    depth[rng.random(depth.shape) > 0.9] = 0
    depth[0, 0] = np.nan
    plane, distances = fit_in_roi(depth, (0, 0, 64, 48), CAMERA)
    assert plane.rms_m == pytest.approx(0.01, rel=0.05)
    assert plane.count == np.count_nonzero(depth > 0)
    np.testing.assert_array_equal(np.isnan(distances), ~(depth > 0))
    square = np.nansum(distances**2) / (plane.count - 1)
    assert plane.rms_m == pytest.approx(math.sqrt(square), rel=1e-9)


def test_without_intrinsics_the_focal_lengths_are_the_size_of_the_picture():
    z = np.random.default_rng(0).uniform(1, 2, (6, 8))
    points = points_of(z)
    for y, x in [(0, 0), (3, 4), (5, 7)]:
        expected = (x / 8 - 0.5) * z[y, x], (y / 6 - 0.5) * z[y, x], z[y, x]
        np.testing.assert_allclose(points[y, x], expected, atol=1e-12)


def test_windows_are_single_fits():
    rng = np.random.default_rng(1)
    depth = rng.uniform(1, 2, (21, 34))
    depth[rng.random(depth.shape) > 0.8] = 0
    depth[:8, :8] = 0
    points = points_of(depth)
    table = planes_of_windows(points, depth > 0, 8)
    assert table.shape == (2, 4)
    assert math.isnan(table[0, 0])
    for row, column in [(0, 1), (1, 0), (1, 3)]:
        part = slice(8 * row, 8 * row + 8), slice(8 * column, 8 * column + 8)
        one = fit_plane(points[part][depth[part] > 0])
        assert table[row, column] == pytest.approx(one.rms_m, rel=1e-9)


@pytest.mark.parametrize(
    'roi', [(0, 0, 0, 5), (0, 0, 5, 0), (-1, 0, 5, 5), (60, 0, 5, 5), (0, 44, 5, 5)]
)
def test_regions_outside(roi):
    with pytest.raises(InputError, match='is not inside 64 x 48'):
        fit_in_roi(np.ones((48, 64)), roi, CAMERA)


def test_intrinsics_of_another_size():
    with pytest.raises(InputError, match='intrinsics are of 64 x 48, the depth map is 32 x 24'):
        points_of(np.ones((24, 32)), CAMERA)
