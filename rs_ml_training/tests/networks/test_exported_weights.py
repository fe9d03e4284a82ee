"""Training goes on from an export: the network gives what the file gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip('keras')
pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')

from rs_ml_training.errors import CheckpointError  # noqa: E402
from rs_ml_training.networks import registry  # noqa: E402
from rs_ml_training.networks.exported_weights import load_exported_weights  # noqa: E402

import rs_ml_perception  # noqa: E402

SHIPPED = Path(rs_ml_perception.__file__).parent.parent / 'models' / 'mono_depth' / 'model.onnx'


def build(**options):
    return registry.build('mobile-depth', (256, 192), max_depth_m=10.0, **options)


@pytest.mark.slow
def test_the_network_has_the_outputs_of_the_file():
    image = np.random.default_rng(0).integers(0, 255, (2, 192, 256, 3)).astype(np.uint8)
    image = np.repeat(np.repeat(image[:, ::16, ::16], 16, 1), 16, 2)
    network = build()
    load_exported_weights(network, SHIPPED, [{'image': image.astype(np.float32)}])
    session = onnxruntime.InferenceSession(SHIPPED)
    expected = [session.run(None, {'image': one[None]})[0][0] for one in image]
    for training, tolerance in ((False, 0.02), (True, 0.5)):
        found = network({'image': image.astype(np.float32)}, training=training)['depth_m']
        assert np.mean(np.abs(keras.ops.convert_to_numpy(found) - expected)) < tolerance


@pytest.fixture(scope='module')
def other():
    """A network with another encoder than the shipped one."""
    return build(width=0.25, alpha=0.35)


@pytest.mark.parametrize(
    ('content', 'message'),
    [(None, 'missing'), (b'no network', 'cannot be read'), (SHIPPED, 'Conv1 is')],
)
def test_files_of_others(content, message, other, tmp_path):
    path = content if isinstance(content, Path) else tmp_path / 'model.onnx'
    if isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        load_exported_weights(other, path, [])
