"""Point clouds against the pinhole by hand."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.points import POINT_FIELDS, organized_points, packed_points

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
