"""Models of the test data, and a cache nobody else sees."""

from pathlib import Path

import pytest
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.inference.manifest import ModelManifest
from rs_ml_perception.inference.preprocess import InputSpec


class RecordedModel:
    """A model with given outputs, which records its inputs."""

    title, backend_name, concerns = 'recorded 1', 'none', ()

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
