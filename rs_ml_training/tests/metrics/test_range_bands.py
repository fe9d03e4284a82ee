"""Errors by band of distance."""

import math

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_training.metrics.range_bands import RangeBands, band_names


def maps(*rows):
    return [np.array([row], np.float32) for row in rows]


@pytest.mark.parametrize(
    ('truth', 'raw', 'cleaned', 'expected'),
    [
        ([], [], [], {'rmse_1_2_m': math.nan, 'removed': math.nan}),
        ([0.0, 1.5, 1.5], [1.0, 0.0, math.nan], [1.0, 1.0, 1.0], {'rmse_1_2_m': math.nan}),
        ([1.0, 1.99], [1.0, 1.99], [1.3, 1.59], {'rmse_1_2_m': 0.35355, 'mae_1_2_m': 0.35}),
        # A removed pixel keeps the error of its measurement.
        ([1.5, 1.5], [1.6, 1.5], [0.0, 1.5], {'mae_1_2_m': 0.05, 'removed': 0.5}),
        ([1.5, 1.5], [1.6, 1.5], [math.nan, 1.5], {'mae_1_2_m': 0.05, 'removed': 0.5}),
        ([0.5, 3.5], [0.5, 3.5], [0.6, 3.0], {'mae_0.3_1_m': 0.1, 'mae_3_4_m': 0.5}),
        ([0.2, 20.0], [0.2, 20.0], [9.0, 9.0], {'mae_0.3_1_m': math.nan, 'removed': math.nan}),
    ],
)
def test_bands(truth, raw, cleaned, expected):
    bands = RangeBands()
    bands.update(*maps(truth, raw, cleaned))
    result = bands.result()
    assert {name: result[name] for name in expected} == pytest.approx(
        expected, abs=1e-5, nan_ok=True
    )
    assert {type(value) for value in result.values()} == {float}


def test_images_add_up():
    bands = RangeBands((1.0, 2.0))
    for error_m in (0.1, 0.3):
        bands.update(*maps([1.5], [1.5], [1.5 + error_m]))
    assert bands.result()['mae_1_2_m'] == pytest.approx(0.2, abs=1e-6)
    assert band_names((1.0, 2.0)) == ('1_2',)


def test_maps_of_two_sizes():
    with pytest.raises(InputError, match='of one size'):
        RangeBands().update(*maps([1.0], [1.0], [1.0, 2.0]))
