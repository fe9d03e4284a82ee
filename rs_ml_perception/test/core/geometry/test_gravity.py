"""Up from the accelerometer and from transforms."""

import math

import numpy as np
import pytest
from rs_ml_perception.core.geometry.gravity import (
    STANDARD_GRAVITY,
    Up,
    UpMethod,
    UpSource,
    camera_vertical,
    up_from_accelerometer,
    up_from_rotation,
)
from rs_ml_perception.core.geometry.transforms import RigidTransform

LEVEL = np.array([0.0, -STANDARD_GRAVITY, 0.0])  # at rest the reading points up: against image y
QUARTER_TURN = RigidTransform(np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]), np.ones(3))


def test_level_camera():
    up = up_from_accelerometer(LEVEL)
    assert up.method is UpMethod.IMU
    np.testing.assert_allclose(up.vector, camera_vertical().vector)


def test_noise_averages_out():
    noise = np.random.default_rng(0).normal(0.0, 0.1, (400, 3))
    up = up_from_accelerometer(LEVEL + noise)
    assert np.degrees(np.arccos(up.vector @ [0, -1, 0])) < 0.2


@pytest.mark.parametrize(
    'samples',
    [
        np.zeros((0, 3)),
        np.full((3, 3), np.nan),
        np.zeros((5, 3)),
        1.2 * LEVEL,
        0.8 * LEVEL,
        LEVEL + np.array([[4.0, 0, 0], [-4.0, 0, 0]]),  # shaken, though right on average
    ],
)
def test_other_than_gravity_alone_is_refused(samples):
    assert up_from_accelerometer(samples) is None


def test_rotated_into_the_colour_frame():
    up = up_from_accelerometer(LEVEL, QUARTER_TURN)
    np.testing.assert_allclose(up.vector, [1, 0, 0], atol=1e-12)


def test_z_of_an_upright_frame():
    # World axes (x forward, y left, z up) as a level camera sees them.
    camera_from_world = np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]])
    up = up_from_rotation(camera_from_world)
    assert up.method is UpMethod.TF
    np.testing.assert_allclose(up.vector, [0, -1, 0])


def test_vector_is_normalised_and_checked():
    np.testing.assert_allclose(Up(np.array([0, -2, 0]), UpMethod.TF).vector, [0, -1, 0])
    with pytest.raises(ValueError, match='not zero'):
        Up(np.zeros(3), UpMethod.TF)


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
def test_impossible_readings_are_rejected_and_reported(bad):
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
