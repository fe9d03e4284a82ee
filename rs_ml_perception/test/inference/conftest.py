"""Models of the test data, and a cache nobody else sees."""

import os
from pathlib import Path

import pytest
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.shelf import find_model

VARIABLE = 'RS_ML_TEST_DATA'

# As the tensorflow backend sets it, for tests that import TensorFlow before it does.
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    """Tuning results and downloads of the user must not decide tests."""
    monkeypatch.setenv('RS_ML_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


@pytest.fixture
def model_files(monkeypatch) -> Path:
    """The folder of real model files, made known by RS_ML_MODEL_PATH."""
    if VARIABLE not in os.environ:
        pytest.skip(f'{VARIABLE} is not set: no real models here')
    folder = Path(os.environ[VARIABLE]) / 'models'
    assert folder.is_dir(), f'{folder} is missing'
    monkeypatch.setenv('RS_ML_MODEL_PATH', str(folder))
    return folder


@pytest.fixture
def manifest_of(model_files):
    """Name -> manifest of the shelf."""
    return lambda name: read_manifest(find_model(name))
