"""The height formula of the librealsense sample, with its known faults."""

import numpy as np
import pytest
from rs_ml_perception.core.geometry.camera import CameraModel

from benchmarks.speed.predecessors import box_height, point_cloud

CAMERA = CameraModel(40, 30, 20.0, 20.0, 20.0, 15.0)
WHOLE = np.array([0.0, 0.0, 1.0, 1.0])


def wall(distance_m: float) -> np.ndarray:
    return np.full((30, 40), round(1000 * distance_m), np.uint16)


def test_every_pixel_becomes_a_point_and_missing_depth_the_origin():
    values = wall(2.0)
    values[0, 0] = 0
    points = point_cloud(values, 0.001, CAMERA)
    assert points.shape == (30, 40, 3)
    assert points[0, 0].tolist() == [0.0, 0.0, 0.0]
    assert points[15, 20].tolist() == [0.0, 0.0, 2.0]
    assert points[25, 30] == pytest.approx([1.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ('distance_m', 'box', 'expected_m'),
    [
        (4.0, WHOLE, 4.0 * 29 / 20),
        (4.0, np.array([0.5, 0.0, 0.5, 1.0]), np.nan),  # empty
        (
            4.0,
            np.array([0.9, 0.0, 1.0, 1.0]),
            2.8 - 1.0,
        ),  # all below 1 m, where the minimum starts
    ],
)
def test_height_is_the_extent_along_the_image(distance_m, box, expected_m):
    points = point_cloud(wall(distance_m), 0.001, CAMERA)
    assert box_height(points, box) == pytest.approx(expected_m, nan_ok=True)


def test_missing_depth_counts_as_the_origin():
    """Half the person without depth: the median, and with it the gate, move to the camera."""
    values = wall(4.0)
    values[:, :30] = 0
    assert box_height(point_cloud(values, 0.001, CAMERA), WHOLE) == 0.0
