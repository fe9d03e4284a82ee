"""Small networks against their manifests: every runtime names what does not fit."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.inference.backends import BACKENDS, BackendOptions, NetworkFile
from rs_ml_perception.inference.manifest import TensorSpec

IMAGE = TensorSpec('image', (1, 3, 4, 4), 'float32')
SIZE = TensorSpec('size', (1, 2), 'int64')
OUTPUTS = {'a': np.float32([[1, 2]]), 'b': np.float32([[3, 4]])}


@pytest.fixture
def loaded(onnx_file):
    """(backend, inputs, outputs) -> the loaded network of two inputs and two outputs."""
    file = onnx_file(OUTPUTS, {'image': (1, 3, 4, 4), 'size': (1, 2)}, integers=('size',))

    def load(backend, inputs, outputs):
        pytest.importorskip(BACKENDS[backend].module)
        specs = {spec.name: spec for spec in inputs}, {name: TensorSpec(name) for name in outputs}
        network = NetworkFile('m 1', 'onnx', file, *specs)
        return BACKENDS[backend].load_class()(network, BackendOptions())

    return load


@pytest.mark.parametrize('backend', ['onnxruntime', 'openvino'])
def test_an_input_that_nothing_feeds_is_named(loaded, backend):
    with pytest.raises(ModelError, match=r"input 'size', int64 \[1, 2\], which nothing feeds"):
        loaded(backend, [IMAGE], OUTPUTS)
    network = loaded(backend, [IMAGE, SIZE], OUTPUTS)
    outputs = network(
        {'image': np.zeros((1, 3, 4, 4), np.float32), 'size': np.zeros((1, 2), np.int64)}
    )
    assert {name: array.tolist() for name, array in outputs.items()} == {
        'a': [[1, 2]],
        'b': [[3, 4]],
    }


@pytest.mark.parametrize('backend', ['onnxruntime', 'openvino', 'opencv'])
def test_an_output_that_is_not_there_is_named_at_load(loaded, backend):
    with pytest.raises(ModelError, match=r"has no output 'c', it has \['a', 'b'\]: correct"):
        loaded(backend, [IMAGE, SIZE], ['a', 'c'])
