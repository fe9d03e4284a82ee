"""Shared by the tests that cross packages."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def data() -> Path:
    """The folder with real recordings and models."""
    folder = os.environ.get('RS_ML_TEST_DATA')
    if not folder:
        pytest.skip('RS_ML_TEST_DATA is not set')
    return Path(folder)
