"""Peaks of heat maps."""

import numpy as np
import pytest
from rs_ml_perception.core.objects.peaks import heatmap_peaks


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
