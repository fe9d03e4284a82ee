"""A network of colour and depth, exported by rs_ml_training, run by rs_ml_perception."""

import numpy as np
import pytest
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.inference.golden import verify_golden
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.tasks.segmentation import Segmenter

from rs_ml_training import trained

keras = pytest.importorskip('keras')
pytest.importorskip('tensorflow')
pytest.importorskip('tf2onnx')
pytest.importorskip('openvino')

pytestmark = pytest.mark.slow

SIZE = (64, 64)
LABELS = ('floor', 'wall', 'person')


@pytest.fixture(scope='module')
def network():
    spec = trained.ModelSpec(
        'segmentation',
        'mobile-seg',
        SIZE,
        {'classes': 3, 'width': 16},
        labels=LABELS,
        depth_range_m=(0.0, 10.0),
    )
    keras.utils.set_random_seed(3)
    model = trained.build(spec)
    for weights in model.trainable_variables:
        if weights.path.endswith('kernel') and 'logits' in weights.path:
            weights.assign(weights * 40)
    return trained.Trained(spec, model, directory=None)


@pytest.fixture(scope='module')
def exported(network, tmp_path_factory):
    from rs_ml_training.export.exporter import ExportOptions, export

    out = tmp_path_factory.mktemp('exported') / 'segmentation'
    export(network, out, ExportOptions(('tflite', 'onnx', 'openvino')))
    return out


def frame_of(seed, *, with_depth):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (*SIZE[::-1], 3), dtype=np.uint8)
    values = rng.integers(0, 8000, SIZE[::-1], dtype=np.uint16)
    return Frame(rgb=rgb, depth=DepthImage(values, 0.001) if with_depth else None)


@pytest.mark.parametrize('backend', ['litert', 'openvino', 'onnxruntime'])
def test_every_backend_reproduces_the_golden_output(exported, backend):
    with load_model(exported, backend=backend) as model:
        assert [spec.name for spec in model.manifest.inputs] == ['image', 'depth']
        assert verify_golden(model).is_reproduced


@pytest.mark.parametrize('with_depth', [True, False])
def test_the_segmenter_agrees_with_the_keras_network(exported, network, with_depth):
    frame = frame_of(0, with_depth=with_depth)
    with load_model(exported, backend='litert') as model:
        mask = Segmenter(model)(frame.rgb, frame)
    depth_m = np.zeros((1, *SIZE[::-1], 1), np.float32)
    if with_depth:
        depth_m[0, :, :, 0] = frame.depth.values * np.float32(0.001)
    inputs = {'image': frame.rgb[None].astype(np.float32), 'measured_m': depth_m}
    logits = keras.ops.convert_to_numpy(network.model(inputs, training=False)['logits'])
    expected = logits[0].argmax(axis=-1).repeat(2, axis=0).repeat(2, axis=1)
    assert mask.shape == expected.shape
    assert (mask == expected).mean() > 0.99
