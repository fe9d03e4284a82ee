"""Peaks of heat maps."""

import numpy as np
import pytest
from rs_ml_perception.core.objects.dense_heads import (
    cell_centres,
    expected_distances,
    heatmap_peaks,
)


def cells(peaks):
    return list(zip(peaks.rows.tolist(), peaks.columns.tolist(), strict=True))


@pytest.mark.parametrize(
    ('heat', 'expected'),
    [
        (np.zeros((0, 6)), []),
        (np.zeros((4, 6)), []),
        ([[0, 0.5, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0.9]], [(0, 1), (1, 5)]),
        ([[0.5, 0.6, 0.5, 0, 0, 0], [0, 0.55, 0, 0, 0.2, 0]], [(0, 1)]),
        ([[0.9, 0.9, 0.9, 0, 0, 0], [0.9, 0.9, 0, 0, 0, 0]], [(0, 0)]),
        ([[0, 0, 0.9, 0, 0, 0], [0, 0.9, 0, 0, 0, 0]], [(0, 2)]),
        ([[0, 0, 0, 0, 0, 0.8], [0.7, 0, 0, 0, 0, 0]], [(0, 5), (1, 0)]),
    ],
    ids=['none', 'flat', 'two', 'shoulder', 'plateau', 'diagonal plateau', 'not round the border'],
)
def test_peaks(heat, expected):
    heat = np.asarray(heat, np.float32)[..., None]
    peaks = heatmap_peaks(heat, 0.3)
    assert cells(peaks) == expected
    np.testing.assert_array_equal(peaks.values, [heat[row, column, 0] for row, column in expected])


def test_channels_do_not_hide_each_other():
    heat = np.zeros((3, 4, 3), np.float32)
    heat[1, 1], heat[1, 2, 1] = (0.5, 0.4, 0.9), 0.6
    peaks = heatmap_peaks(heat, 0.3)
    assert peaks.channels.tolist() == [0, 2, 1]
    assert cells(peaks) == [(1, 1), (1, 1), (1, 2)]


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
