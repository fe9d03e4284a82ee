"""Training goes on from an export: the network gives what the file gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip('keras')
pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')

from rs_ml_training.errors import CheckpointError  # noqa: E402
from rs_ml_training.export.added_onnx import add_onnx  # noqa: E402
from rs_ml_training.export.exporter import ExportOptions, export  # noqa: E402
from rs_ml_training.networks import registry  # noqa: E402
from rs_ml_training.networks.exported_weights import load_exported_weights  # noqa: E402
from rs_ml_training.trained import ModelSpec, Trained  # noqa: E402

import rs_ml_perception  # noqa: E402

SHIPPED = Path(rs_ml_perception.__file__).parent.parent / 'models' / 'mono_depth' / 'model.onnx'
SIZE = (64, 64)


def build(**options):
    return registry.build('mobile-depth', SIZE, max_depth_m=10.0, width=0.25, **options)


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """The ONNX file of a network whose normalisations are not those of a new one."""
    pytest.importorskip('tf2onnx')
    network = build(alpha=0.5)
    rng = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    spec = ModelSpec(
        'depth',
        'mobile-depth',
        SIZE,
        options={'width': 0.25, 'alpha': 0.5},
        depth_range_m=(0.1, 10),
    )
    out = tmp_path_factory.mktemp('exported') / 'model'
    export(Trained(spec, network, directory=None), out, ExportOptions(('tflite',), 'float32'))
    add_onnx(out)
    return out / 'model.onnx'


@pytest.mark.slow
def test_the_network_has_the_outputs_of_the_file(exported):
    image = np.random.default_rng(0).integers(0, 255, (2, *SIZE, 3)).astype(np.uint8)
    network = build(alpha=0.5)
    load_exported_weights(network, exported, [{'image': image.astype(np.float32)}])
    session = onnxruntime.InferenceSession(exported)
    expected = [session.run(None, {'image': one[None]})[0][0] for one in image]
    for training, tolerance in ((False, 0.02), (True, 0.5)):
        found = network({'image': image.astype(np.float32)}, training=training)['depth_m']
        assert np.mean(np.abs(keras.ops.convert_to_numpy(found) - expected)) < tolerance


@pytest.mark.slow
def test_a_network_of_another_width_is_refused(exported):
    with pytest.raises(CheckpointError, match='block_1_project is'):
        load_exported_weights(build(alpha=0.35), exported, [])


def test_a_network_with_other_layers_is_refused():
    image = keras.Input((4, 4, 3), name='image')
    network = keras.Model({'image': image}, {'depth_m': keras.layers.Dense(1)(image)})
    with pytest.raises(CheckpointError, match='weights of Dense cannot be read from an export'):
        load_exported_weights(network, SHIPPED, [])


@pytest.mark.parametrize(
    ('content', 'message'),
    [(None, 'missing'), (b'no network', 'cannot be read'), (SHIPPED, 'convolutions .*: another')],
)
def test_files_of_others(content, message, tmp_path):
    path = content if isinstance(content, Path) else tmp_path / 'model.onnx'
    if isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        load_exported_weights(build(alpha=0.35), path, [])
