"""Options that several tasks share."""

import math

import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.options import walk
from rs_ml_perception.inference.backends import BACKENDS
from rs_ml_perception.tasks.options import ModelOptions, RangeOptions


@pytest.mark.parametrize(
    ('limits', 'expected'),
    [
        ((), (0.0, math.inf)),
        ((0.0, math.inf), (0.0, math.inf)),
        ((1.5, None), (1.5, math.inf)),
        ((0, 4), (0.0, 4.0)),
    ],
)
def test_open_limits(limits, expected):
    assert RangeOptions(*limits).band_m == expected


@pytest.mark.parametrize('limits', [(2.0, 2.0), (3.0, 2.0)])
def test_an_empty_band_is_refused(limits):
    with pytest.raises(ConfigError, match=f'range_min_m {limits[0]:g} must be below'):
        RangeOptions(*limits)


@pytest.mark.parametrize('limits', [(-1.0, None), (math.nan, None), (0.0, -1.0)])
def test_limits_are_distances(limits):
    with pytest.raises(ConfigError, match='range_m'):
        RangeOptions(*limits)


def test_every_backend_may_be_chosen():
    (leaf,) = (leaf for leaf in walk(ModelOptions) if leaf.name == 'backend')
    assert leaf.info.choices == ('auto', *BACKENDS)
