"""Bands of distance with open limits."""

import math

import pytest
from rs_ml_perception.core.band import closed_band
from rs_ml_perception.core.errors import ConfigError


@pytest.mark.parametrize(
    ('limits', 'expected'),
    [
        ((None, None), (0.0, math.inf)),
        ((0.0, math.inf), (0.0, math.inf)),
        ((1.5, None), (1.5, math.inf)),
        ((None, 4.0), (0.0, 4.0)),
    ],
)
def test_open_limits(limits, expected):
    assert closed_band(*limits) == expected


@pytest.mark.parametrize('limits', [(2.0, 2.0), (3.0, 2.0), (-1.0, None), (math.nan, None)])
def test_what_holds_nothing_is_refused(limits):
    with pytest.raises(ConfigError, match=f'range_min_m {limits[0]} must be below'):
        closed_band(*limits)
