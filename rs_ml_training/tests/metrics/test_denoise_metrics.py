"""Metrics of cleaned depth, counted by hand and by slow loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.plane import fit_plane
from rs_ml_perception.core.geometry.projection import camera_rays
from rs_ml_training.metrics.denoise import DenoiseMetrics, near_edges, planes_of_windows, points_of

NAN = math.nan


def measured(*pictures):
    metrics = DenoiseMetrics()
    for truth, raw, cleaned in pictures:
        metrics.update(*(np.array(m, np.float32).reshape(1, -1) for m in (truth, raw, cleaned)))
    return metrics.result()


def test_nothing_seen():
    result = DenoiseMetrics().result()
    assert result.pop('count') == 0
    assert all(math.isnan(v) for v in result.values())


@pytest.mark.parametrize(
    ('truth', 'raw', 'cleaned', 'expected'),
    [
        ([], [], [], {'rmse_m': NAN, 'coverage': NAN, 'removed': NAN, 'plane_rms_m': NAN}),
        ([0, 0], [1, 1], [1, 1], {'rmse_m': NAN, 'coverage': NAN, 'removed': 0.0}),
        ([2, 2], [0, 0], [0, NAN], {'mae_m': NAN, 'coverage': 0.0, 'hole_coverage': 0.0}),
        ([2, 2], [2, 2], [2, 2], {'rmse_m': 0.0, 'mae_m': 0.0, 'coverage': 1.0, 'removed': 0.0}),
        ([2, 2, 2], [2, 2, 0], [2.3, 2, 2.3], {'mae_m': 0.2, 'mae_raw_m': 0.15}),
        ([2, 2, 2], [2, 2, 0], [2.3, 2, 2.3], {'rmse_m': 0.06**0.5, 'rmse_raw_m': 0.045**0.5}),
        # Of two holes with truth one is filled; the hole without truth does not count.
        ([2, 2, 2, 0], [2, 0, 0, 0], [2, 2, 0, 2], {'hole_coverage': 0.5, 'coverage': 2 / 3}),
        # What was measured and taken away, with truth or without it.
        ([2, 2, 0, 0], [2, 9, 9, 9], [2, 0, 0, 9], {'removed': 0.5, 'coverage': 0.5}),
        # A removed pixel is a depth of 0; what was no hole and is none is as it was.
        ([2, 3, 2], [2, 3, 0], [2, 0, 2], {'rmse_strict_m': 4.5**0.5, 'rmse_raw_m': 0.0}),
        ([2, 3, 0], [2, 3, 9], [2.3, 3, 9], {'rmse_strict_m': 0.045**0.5, 'removed': 0.0}),
        # Within 2 cm or 2 %; holes and removed pixels are not good.
        ([0.5, 4, 4, 2], [1, 1, 1, 0], [0.515, 4.07, 0, 2], {'good': 0.75, 'good_raw': 2 / 3}),
        ([0.5, 4, 4, 2], [1, 1, 1, 0], [0.53, 4.09, 4, 0], {'good': 0.25, 'good_raw': 1 / 3}),
        ([2, 2], [2, 2], [np.inf, -1], {'coverage': 0.0, 'removed': 1.0, 'mae_m': NAN}),
    ],
)
def test_small_tables(truth, raw, cleaned, expected):
    result = measured((truth, raw, cleaned))
    assert {n: result[n] for n in expected} == pytest.approx(expected, nan_ok=True, abs=1e-6)
    assert result['count'] == 1


def test_all_pixels_of_all_images_count_equally():
    result = measured(([1], [1], [2]), ([1, 1, 1], [1, 1, 1], [1, 1, 1]))
    assert result['mae_m'] == pytest.approx(0.25)
    assert result['rmse_m'] == pytest.approx(0.5)
    assert result['count'] == 2


def slow_near_edges(depth):
    height, width = depth.shape
    near = np.zeros(depth.shape, bool)
    for y in range(height):
        for x in range(width):
            patch = depth[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
            known = patch[patch > 0]
            if depth[y, x] > 0 and known.max() - known.min() > 0.05 * depth[y, x]:
                near[max(y - 3, 0) : y + 4, max(x - 3, 0) : x + 4] = True
    return near


def test_edges_are_jumps_between_known_pixels():
    rng = np.random.default_rng(0)
    depth = np.full((30, 40), 2.0, np.float32) + rng.normal(0, 0.005, (30, 40)).astype(np.float32)
    depth[10:15, 20:26] = 3.0
    depth[22:26, 3:9] = 0
    near = near_edges(depth)
    np.testing.assert_array_equal(near, slow_near_edges(depth))
    # The hole is no jump.
    assert not near[20:, :12].any()
    assert near[10, 20]


def test_edge_error_is_that_next_to_edges():
    truth = np.full((20, 40), 2.0, np.float32)
    truth[:, 20:] = 4.0
    cleaned = truth.copy()
    cleaned[:, :10] += 1.0
    near = near_edges(truth)
    cleaned[near] += 0.25
    raw = truth.copy()
    raw[:10] = 0
    cleaned[:10][near[:10]] += 0.5
    metrics = DenoiseMetrics()
    metrics.update(truth, raw, cleaned)
    result = metrics.result()
    assert near.sum() == 20 * 8
    assert result['edge_mae_m'] == pytest.approx(0.5)
    assert result['edge_raw_mae_m'] == pytest.approx(0.25)


CAMERA = CameraModel(64, 64, 60.0, 60.0, 31.5, 31.5)


def wall(noise_m=0.0, seed=0):
    """A slanted wall on the left, a staircase on the right."""
    depth = (-2.0 / (camera_rays(CAMERA) @ np.array([0.6, 0.0, -0.8]))).astype(np.float32)
    depth[:, 32:] = 3.0 + (np.arange(32) // 4 % 2)
    noise = np.random.default_rng(seed).normal(0, noise_m, depth.shape)
    return depth + noise.astype(np.float32)


@pytest.mark.parametrize('noise_m', [0.0, 0.005, 0.02])
def test_planes_are_measured_where_the_truth_is_planar(noise_m):
    metrics = DenoiseMetrics()
    cleaned = wall(noise_m)
    cleaned[:, 40:] = 9.0
    metrics.update(wall(), wall(), cleaned, CAMERA)
    # A depth error of 1 moves the point by 1 along its ray, by 2 m / z across the wall.
    slant = np.sqrt(np.mean((2.0 / wall()[:, :32]) ** 2))
    assert metrics.result()['plane_rms_m'] == pytest.approx(slant * noise_m, rel=0.05, abs=1e-5)


@pytest.mark.parametrize('sparse', ['truth', 'raw', 'cleaned'])
def test_planes_need_known_pixels(sparse):
    maps = {name: wall() for name in ('truth', 'raw', 'cleaned')}
    maps[sparse][:, :24] = 0
    metrics = DenoiseMetrics()
    metrics.update(*maps.values(), CAMERA)
    assert math.isnan(metrics.result()['plane_rms_m'])


def test_maps_with_channel():
    metrics = DenoiseMetrics()
    metrics.update(wall()[..., None], wall(), wall()[..., None], CAMERA)
    assert metrics.result()['coverage'] == 1


@pytest.mark.parametrize(
    'shapes', [[(4, 5), (4, 5), (5, 4)], [(4, 5), (3, 5), (4, 5)], [(4, 5, 3), (4, 5), (4, 5)]]
)
def test_maps_that_do_not_fit(shapes):
    with pytest.raises(InputError, match=r'\(4, 5'):
        DenoiseMetrics().update(*(np.ones(s) for s in shapes))


def test_without_intrinsics_the_focal_lengths_are_the_size_of_the_image():
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
        assert table[row, column] == pytest.approx(one.rmse_m, rel=1e-9)


def test_intrinsics_of_another_size():
    with pytest.raises(InputError, match='intrinsics are of 64 x 48, the depth map is 32 x 24'):
        points_of(np.ones((24, 32)), CameraModel(64, 48, 60.0, 58.0, 31.0, 24.5))
