"""What tests of all parts of the training share."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope='session')
def miniatures() -> ModuleType:
    """The module miniatures.py."""
    path = Path(__file__).with_name('miniatures.py')
    spec = importlib.util.spec_from_file_location('training_miniatures', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def miniature(miniatures, tmp_path) -> Callable[[str], Path]:
    """Format -> path of a miniature data set in this format, to be opened."""

    def make(name: str) -> Path:
        if name == 'nyu-h5':
            pytest.importorskip('h5py')
        return miniatures.MAKERS[name](tmp_path / name)

    return make
