"""The recording of the test data."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope='session')
def recording() -> str:
    data = os.environ.get('RS_ML_TEST_DATA')
    if not data:
        pytest.skip('RS_ML_TEST_DATA is not set')
    path = Path(data) / 'recordings' / 'nyu_people'
    assert path.is_dir(), f'{path} is missing'
    return str(path)
