"""Fixtures of all three folders of tests; needs neither ROS nor TensorFlow nor both packages."""

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

# As the tensorflow backend sets it, for tests that import TensorFlow before it does.
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')

# Loaded before pytest takes the folders that bear their names for namespaces. The tests of one
# package run without the other on the path.
for _name in ('rs_ml_perception', 'rs_ml_training'):
    if (_spec := importlib.util.find_spec(_name)) and _spec.origin:
        importlib.import_module(_name)


@pytest.fixture(scope='session')
def data_file() -> Callable[[str], Path]:
    """A path under RS_ML_TEST_DATA; missing there it is a failure, without it a skip."""

    def find(relative: str) -> Path:
        root = os.environ.get('RS_ML_TEST_DATA')
        if not root:
            pytest.skip('RS_ML_TEST_DATA is not set')
        path = Path(root) / relative
        assert path.exists(), f'{path} is missing'
        return path

    return find


@pytest.fixture(scope='session')
def librealsense() -> ModuleType:
    """pyrealsense2; a skip where it, or the libusb that it is linked to, is not installed."""
    return pytest.importorskip(
        'pyrealsense2', reason='needs pyrealsense2 and libusb-1.0-0', exc_type=ImportError
    )


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    """Tuning results and downloads of the user, and the CPU, must not decide tests."""
    monkeypatch.setenv('RS_ML_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setenv('RS_ML_PRECISION', 'float32')
    return tmp_path / 'cache'


@pytest.fixture
def domain() -> Iterator[int]:
    """A ROS domain for this test alone, not that of the test before."""
    from rs_ml_perception.ros.dds_domain import reserved_domain

    with reserved_domain() as number:
        yield number


@pytest.fixture
def model_files(data_file, monkeypatch) -> Path:
    """The folder of real model files, made known by RS_ML_MODEL_PATH."""
    folder = data_file('models')
    monkeypatch.setenv('RS_ML_MODEL_PATH', str(folder))
    return folder
