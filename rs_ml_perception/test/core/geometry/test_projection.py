"""Pixels to points and back, with and without a lens."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.projection import (
    deproject,
    horizontal_axes,
    pixel_rays,
    project,
    ray_grid,
    sampled_median,
)

LENS = (0.1, -0.2, 0.001, -0.0005, 0.05)
FISHEYE = (0.05, -0.01, 0.002, 0.0, 0.0)


def camera(model: str = '', lens: tuple[float, ...] = ()) -> CameraModel:
    return CameraModel(640, 480, 400.0, 410.0, 318.5, 241.25, model, lens)


CAMERAS = [
    camera(),
    camera('plumb_bob', (0.0,) * 5),
    camera('plumb_bob', LENS),
    camera('Inverse Brown Conrady', LENS),
    camera('modified_brown_conrady', LENS),
    camera('equidistant', FISHEYE),
]


@pytest.mark.parametrize('camera', CAMERAS)
def test_project_undoes_deproject(camera):
    depth_m = np.full((480, 640), 2.0, np.float32)
    pixels = project(deproject(depth_m, camera), camera)
    u, v = np.meshgrid(np.arange(640), np.arange(480))
    middle = (
        slice(60, -60),
        slice(60, -60),
    )  # far out the iteration needs more than its ten steps
    np.testing.assert_allclose(pixels[middle], np.stack([u, v], -1)[middle], atol=0.05)


def test_no_points():
    assert deproject(np.zeros((0, 0), np.float32), camera()).shape == (0, 0, 3)
    assert project(np.zeros((0, 3)), camera()).shape == (0, 2)


def test_known_point():
    point = project(np.array([0.5, -0.25, 2.0]), camera())
    np.testing.assert_allclose(point, [318.5 + 100, 241.25 - 51.25])


def test_window_of_a_larger_image():
    whole = deproject(np.arange(1, 480 * 640 + 1, dtype=np.float32).reshape(480, 640), camera())
    depth_m = whole[20:100:4, 30:90:4, 2]
    window = deproject(depth_m, camera(), x_min=30, y_min=20, step=4)
    np.testing.assert_array_equal(window, whole[20:100:4, 30:90:4])


def test_invalid_depth_stays_invalid():
    points = deproject(np.full((2, 2), np.nan, np.float32), camera())
    assert np.isnan(points).all()
    assert np.isnan(project(np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 0.0]]), camera())).all()


def test_rays_are_kept_and_cannot_be_changed():
    assert ray_grid(camera()) is ray_grid(camera())
    with pytest.raises(ValueError, match='read-only'):
        ray_grid(camera())[0, 0, 0] = 1.0


def test_unknown_lens_is_refused_only_where_it_matters():
    np.testing.assert_allclose(pixel_rays([318.5, 241.25], camera('ftheta', (0.0,) * 5)), [0, 0])
    with pytest.raises(InputError, match='ftheta'):
        pixel_rays([0, 0], camera('ftheta', LENS))


def test_horizontal_axes_of_a_level_camera():
    forward, right = horizontal_axes(np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.3, 1.0]))
    np.testing.assert_allclose(forward, [0, 0, 1])
    np.testing.assert_allclose(right, [1, 0, 0])


def test_sampled_median_is_near_the_full_one():
    values = np.random.default_rng(0).normal(3.0, 1.0, 50_000)
    assert sampled_median(values) == pytest.approx(np.median(values), abs=0.15)
    assert sampled_median(np.array([5.0])) == 5.0
