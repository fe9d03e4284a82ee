"""Which readings of an accelerometer are believed."""

import math

import numpy as np
import pytest
from rs_ml_perception.core.geometry.up_source import UpSource
from rs_ml_perception.core.people.heights import UpMethod

REST = (0.0, -9.81, 0.0)


def nowhere(*_):
    return None


@pytest.mark.parametrize(
    'bad',
    [
        (math.nan,) * 3,
        (0.0, math.nan, 0.0),
        (1e308, 1e308, 1e308),
        (0.0, -1e308, 0.0),
        (math.inf, 0.0, 0.0),
        (0.0, 0.0, 1e4),
    ],
)
@pytest.mark.filterwarnings('error')
def test_what_nothing_measures_is_left_out_and_told(bad):
    source = UpSource(nowhere)
    source.add_acceleration(1, 'imu', bad)
    assert source.up('camera', 1, '') is None
    assert "readings of 'imu' are no accelerations" in source.reading_problem
    source.add_acceleration(2, 'imu', REST)
    assert source.reading_problem == ''
    up = source.up('camera', 2, '')
    assert up.method is UpMethod.IMU
    np.testing.assert_allclose(up.vector, (0.0, -1.0, 0.0))


def test_without_readings_nothing_is_wrong():
    source = UpSource(nowhere)
    assert source.up('camera', 1, '') is None
    assert (source.problem, source.reading_problem) == ('', '')
