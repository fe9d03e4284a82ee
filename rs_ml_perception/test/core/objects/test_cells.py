"""Cells of heads, distances told as distributions."""

import numpy as np
import pytest
from rs_ml_perception.core.objects.cells import cell_centres, expected_distances


@pytest.mark.parametrize(
    ('size', 'strides', 'offset', 'points', 'steps'),
    [
        ((16, 8), (8,), 0.0, [[0, 0], [8, 0]], [8, 8]),
        ((16, 8), (8,), 0.5, [[4, 4], [12, 4]], [8, 8]),
        ((16, 8), (8, 16), 0.0, [[0, 0], [8, 0], [0, 0]], [8, 8, 16]),
        ((8, 24), (16,), 0.0, [[0, 0], [0, 16]], [16, 16]),
    ],
)
def test_cells_of_the_strides(size, strides, offset, points, steps):
    found = cell_centres(size, strides, offset)
    for array, expected in zip(found, (points, steps), strict=True):
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, expected)


def test_as_many_cells_as_the_head_of_a_detector_has():
    assert len(cell_centres((320, 256), (8, 16, 32, 64))[0]) == 1700


@pytest.mark.parametrize(
    ('logits', 'expected'),
    [
        (np.zeros((0, 4, 8)), np.zeros((0, 4))),
        ([0.0, 0.0, 0.0], 1.0),
        ([-500.0, 500.0, -500.0], 1.0),
        ([1000.0, 1000.0 + np.log(3)], 0.75),
    ],
)
def test_mean_of_a_distribution(logits, expected):
    found = expected_distances(np.asarray(logits))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
