"""Fixtures of tests that cross packages."""

from pathlib import Path

import pytest


@pytest.fixture
def data(data_file) -> Path:
    """The folder of real recordings and models."""
    return data_file('')
