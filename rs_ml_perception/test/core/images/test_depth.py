"""Depth in metres."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.images.depth import DepthImage

NAN = float('nan')


def image(values, dtype, metres_per_unit):
    return DepthImage(np.array([values], dtype), metres_per_unit)


@pytest.mark.parametrize(
    ('depth', 'expected'),
    [
        (image([], np.uint16, 0.001), []),
        (image([0, 1, 1500, 65535], np.uint16, 0.001), [NAN, 0.001, 1.5, 65.535]),
        (image([0, 1500], np.uint16, 0.0001), [NAN, 0.15]),
        (image([0.0, 1.5, NAN], np.float32, 1.0), [NAN, 1.5, NAN]),
        (image([np.inf, -np.inf, -2.0], np.float32, 1.0), [NAN, NAN, NAN]),
    ],
)
def test_metres(depth, expected):
    assert depth.depth_m.dtype == np.float32
    np.testing.assert_allclose(depth.depth_m, [expected], rtol=1e-6)


def test_size():
    depth = DepthImage(np.zeros((3, 5), np.uint16), 0.001)
    assert (depth.width, depth.height) == (5, 3)


@pytest.mark.parametrize('window', [(0, 0, 0, 0), (1, 2, 4, 3), (0, 0, 5, 4)])
@pytest.mark.parametrize('dtype', [np.uint16, np.float32])
def test_a_window_is_a_part_of_the_whole(window, dtype):
    values = np.arange(20, dtype=dtype).reshape(4, 5)
    depth = DepthImage(values, 0.001 if dtype is np.uint16 else 1.0)
    x_min, y_min, x_max, y_max = window
    np.testing.assert_array_equal(depth.window_m(*window), depth.depth_m[y_min:y_max, x_min:x_max])


def test_values_are_left_as_they_are():
    values = np.array([[0.0, 2.0]], np.float32)
    values.flags.writeable = False
    depth = DepthImage(values, 1.0)
    assert np.isnan(depth.depth_m[0, 0])
    assert values[0, 0] == 0


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (np.zeros((2, 2), np.float64), 'got float64'),
        (np.zeros((2, 2), np.int16), 'got int16'),
        (np.zeros((2, 2, 3), np.uint16), r'shape \(2, 2, 3\)'),
        (np.zeros(4, np.uint16), r'shape \(4,\)'),
    ],
)
def test_other_arrays_are_not_depth(values, message):
    with pytest.raises(InputError, match=message):
        DepthImage(values, 0.001)
