"""Gravity from readings in a file."""

import json

import numpy as np
import pytest
from rs_ml_perception.cli.gravity_file import GravityFile
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.geometry.gravity import UpMethod


@pytest.mark.parametrize(
    ('readings', 'expected'),
    [
        ({}, None),
        ({'a': []}, None),
        ({'b': [[0, -9.8, 0]]}, None),
        ({'a': [[0, -9.8, 0]]}, [0, -1, 0]),
        ({'a': [[0, -8, -6], [0, -7.8, -5.8]]}, [0, -0.802, -0.598]),
        ({'a': [[0, -5, 0]]}, None),
        ({'a': [[0, -9.8, 0], [0, 9.8, 0]]}, None),
    ],
)
def test_up(readings, expected, tmp_path):
    path = tmp_path / 'accelerometer.json'
    path.write_text(json.dumps(readings))
    up = GravityFile(path).up('a')
    if expected is None:
        assert up is None
    else:
        np.testing.assert_allclose(up.vector, expected, atol=0.001)
        assert up.method is UpMethod.IMU


@pytest.mark.parametrize('text', ['', '[1]', '{"a": 3}', '{"a": [[1, 2]]}', '{"a": [["up"]]}'])
def test_something_else(text, tmp_path):
    path = tmp_path / 'accelerometer.json'
    path.write_text(text)
    with pytest.raises(ConfigError, match=r'accelerometer\.json holds no accelerometer readings'):
        GravityFile(path)


def test_no_file(tmp_path):
    with pytest.raises(ConfigError, match=r'none\.json'):
        GravityFile(tmp_path / 'none.json')
