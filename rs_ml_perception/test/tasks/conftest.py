"""Models of the test data, and a cache nobody else sees."""

import os
from pathlib import Path

import pytest
from rs_ml_perception.core.labels import LabelMap
from rs_ml_perception.core.preprocess import InputSpec
from rs_ml_perception.inference.manifest import ModelManifest
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


class RecordedModel:
    """A model whose outputs are given; remembers what it was asked."""

    title = 'recorded 1'

    def __init__(self, manifest, outputs):
        self.manifest, self.outputs, self.labels = manifest, outputs, manifest.labels
        self.seen = None

    def __call__(self, inputs):
        self.seen = {name: array.copy() for name, array in inputs.items()}
        return self.outputs


@pytest.fixture
def recorded_model():
    """(outputs, names=, **manifest fields) -> a model that gives these outputs."""

    def make(outputs, names=None, **fields):
        defaults = {
            'directory': Path(),
            'name': 'recorded',
            'version': '1',
            'task': 'detection',
            'decoder': 'tf_detection',
            'artifacts': (),
            'inputs': (InputSpec('x', size=(100, 100)),),
            'outputs': names or {name: name for name in outputs},
            'labels': LabelMap({1: 'person', 2: 'cat'}),
        }
        return RecordedModel(ModelManifest(**(defaults | fields)), outputs)

    return make
