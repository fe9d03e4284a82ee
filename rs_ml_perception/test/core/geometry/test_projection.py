"""Pixels to points and back, with and without a lens."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.projection import (
    POINT_FIELDS,
    deproject,
    horizontal_axes,
    organized_points,
    packed_points,
    pixel_rays,
    project,
    ray_planes,
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
    assert ray_planes(camera()) is ray_planes(camera())
    with pytest.raises(ValueError, match='read-only'):
        ray_planes(camera())[0][0, 0] = 1.0


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


CAMERA = CameraModel(width=4, height=3, fx=2.0, fy=4.0, cx=1.0, cy=1.0)


def test_no_depth_gives_no_point():
    points = organized_points(np.full((3, 4), np.nan, np.float32), CAMERA)
    assert points.shape == (3, 4, 3)
    assert np.isnan(points).all()


@pytest.mark.parametrize(
    ('row', 'column', 'depth_m', 'expected'),
    [
        (1, 1, 2.0, (0.0, 0.0, 2.0)),
        (1, 3, 2.0, (2.0, 0.0, 2.0)),
        (2, 1, 2.0, (0.0, 0.5, 2.0)),
        (0, 0, 4.0, (-2.0, -1.0, 4.0)),
    ],
)
def test_a_pixel_becomes_a_point(row, column, depth_m, expected):
    depth = np.full((3, 4), np.nan, np.float32)
    depth[row, column] = depth_m
    points = organized_points(depth, CAMERA)
    assert points.dtype == np.float32
    np.testing.assert_allclose(points[row, column], expected, rtol=1e-6)
    assert np.isfinite(points).all(axis=2).sum() == 1


def test_packed_colours_are_those_of_pcl():
    depth = np.full((3, 4), 1.5, np.float32)
    rgb = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    packed = packed_points(depth, CAMERA, rgb)
    assert packed.shape[2] == len(POINT_FIELDS)
    np.testing.assert_array_equal(packed[..., :3], organized_points(depth, CAMERA))
    octets = packed.view(np.uint8).reshape(3, 4, 16)
    np.testing.assert_array_equal(octets[..., 12:15], rgb[..., ::-1])
    assert not octets[..., 15].any()


@pytest.mark.parametrize(
    ('depth_shape', 'rgb_shape', 'message'),
    [
        ((4, 3), (4, 3, 3), 'is for an image of 4x3, the depth has 3x4'),
        ((3, 4), (4, 3, 3), r'must have shape \(3, 4, 3\), got \(4, 3, 3\)'),
        ((3, 4), (3, 4), r'got \(3, 4\)'),
    ],
)
def test_sizes_must_agree(depth_shape, rgb_shape, message):
    with pytest.raises(InputError, match=message):
        packed_points(np.ones(depth_shape, np.float32), CAMERA, np.zeros(rgb_shape, np.uint8))
