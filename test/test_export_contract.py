"""rs_ml_perception runs every format that rs_ml_training exports, on every backend."""

import shutil

import numpy as np
import pytest
import yaml
from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.core.files import sha256_of
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.inference.backends import BACKENDS
from rs_ml_perception.inference.golden import verify_golden
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.tasks.denoise import Denoiser
from rs_ml_perception.tasks.detection import Detector, DetectorOptions
from rs_ml_perception.tasks.mono_depth import DepthEstimator
from rs_ml_perception.tasks.segmentation import Segmenter

from rs_ml_training import trained

keras = pytest.importorskip('keras')
pytest.importorskip('tensorflow')
pytest.importorskip('tf2onnx')
pytest.importorskip('openvino')

FLOAT32 = ('saved_model', 'frozen_graph', 'tflite', 'onnx', 'openvino')
SIZE = (64, 64)
LABELS = ('floor', 'wall', 'person')
_LAST = ('head_', 'decoder_pw_6')
"""Layers whose weights are raised so that outputs differ as those of trained networks do."""
SPECS = {
    'depth': {'network': 'fastdepth-pruned', 'crop': (0.125, 0.0, 0.75, 1.0)},
    'segmentation': {'network': 'unet-small', 'labels': LABELS, 'options': {'classes': 3}},
    'denoise': {'network': 'unet-light'},
    'detection': {'network': 'centernet-light', 'labels': ('person',)},
    'small depth': {'network': 'small', 'crop': (0.125, 0.0, 0.75, 1.0)},
    'small segmentation': {'network': 'small', 'labels': LABELS},
}
"""Networks by task; those called small have a few layers of the same kinds."""


def small_network(task):
    """Halved and doubled again; the weights of `head_` are raised."""
    layers = keras.layers
    image = keras.Input((SIZE[1], SIZE[0], 3), name='image')
    x = layers.Conv2D(8, 3, strides=2, padding='same')(layers.Rescaling(1 / 255)(image))
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    skip = x = layers.Activation('swish')(layers.DepthwiseConv2D(3, padding='same')(x))
    x = layers.Conv2D(16, 1, strides=2)(x)
    x = layers.Conv2DTranspose(8, 3, strides=2, padding='same')(x)
    x = layers.UpSampling2D(2, interpolation='bilinear')(layers.Concatenate()([x, skip]))
    if task == 'depth':
        activation, name, channels = 'softplus', 'depth_m', 1
    else:
        activation, name, channels = None, 'logits', len(LABELS)
    x = layers.Conv2D(channels, 3, padding='same', activation=activation, name='head_')(x)
    return keras.Model({'image': image}, {name: x})


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """(key of SPECS, precision) -> folder of a model with random weights, made at first use."""
    from rs_ml_training.export.exporter import ExportOptions, export

    folders = {}

    def make(task, precision='float32'):
        if (task, precision) not in folders:
            out = tmp_path_factory.mktemp('exported') / f'{task.replace(" ", "_")}_{precision}'
            formats = FLOAT32 if precision == 'float32' else ('tflite', 'onnx', 'openvino')
            options = ExportOptions(formats, precision, representative=Pictures())
            export(network_of(task), out, options)
            folders[task, precision] = out
        return folders[task, precision]

    return make


def network_of(name):
    task = name.removeprefix('small ')
    spec = trained.ModelSpec(task, input_size=SIZE, depth_range_m=(0.2, 10.0), **SPECS[name])
    keras.utils.set_random_seed(3)
    model = small_network(task) if spec.network == 'small' else trained.build(spec)
    for weights in model.trainable_variables:
        if weights.path.endswith('kernel') and any(name in weights.path for name in _LAST):
            weights.assign(weights * 40)
    return trained.Trained(spec, model, directory=None)


class Pictures:
    """Three samples with all maps."""

    license, labels = '', LABELS

    def __len__(self):
        return 3

    def read(self, index):
        from rs_ml_training.data.sample import Boxes, Sample

        rng = np.random.default_rng(index)
        shape = (48, 64)
        depth_m = rng.uniform(0.5, 9, shape).astype(np.float32)
        return Sample(
            str(index),
            image=rng.integers(0, 256, (*shape, 3), dtype=np.uint8),
            depth_m=depth_m,
            raw_depth_m=depth_m,
            labels=rng.integers(0, 3, shape, dtype=np.uint8),
            boxes=Boxes.of([[10, 10, 40, 40]], [0]),
        )


def rows():
    """Every network with every backend; those of the registry run in `make test-all`."""
    for task in SPECS:
        for backend, info in BACKENDS.items():
            for precision in info.precisions:
                marks = [] if task.startswith('small ') else [pytest.mark.slow]
                yield pytest.param(task, backend, precision, marks=marks)


@pytest.mark.parametrize(('task', 'backend', 'precision'), rows())
def test_every_backend_reproduces_the_golden_output(exported, task, backend, precision):
    with load_model(exported(task), backend=backend, precision=precision) as model:
        result = verify_golden(model)
    assert result.is_reproduced, result


@pytest.mark.slow
@pytest.mark.parametrize('precision', ['float16', 'int8'])
@pytest.mark.parametrize('backend', ['litert', 'openvino', 'onnxruntime', 'opencv'])
@pytest.mark.parametrize('task', ['depth', 'segmentation', 'denoise'])
def test_smaller_precisions_run_too(exported, task, backend, precision):
    folder = exported(task, precision)
    with load_model(folder, backend=backend) as model:
        result = verify_golden(model)
    assert result.is_reproduced, result


def test_depth_task(exported):
    rgb = Pictures().read(1).image
    with load_model(exported('small depth')) as model:
        found = DepthEstimator(model)(rgb)
    depth_m = found.depth_m
    assert depth_m.shape == (48, 64)
    # The manifest's crop leaves an eighth out at either side.
    assert np.isnan(depth_m[:, [0, 7, 56, 63]]).all()
    seen = depth_m[:, 8:56]
    assert 0.2 <= seen.min() <= seen.max() <= 10.0


def test_segmentation_task_agrees_with_the_keras_network(exported):
    rgb = np.repeat(np.repeat(Pictures().read(1).image, 2, axis=0), 2, axis=1)[:64, :64]
    with load_model(exported('small segmentation')) as model:
        segmenter = Segmenter(model)
        mask = segmenter(rgb)
        assert tuple(segmenter.labels.names.values()) == LABELS
    network = network_of('small segmentation').model
    logits = network({'image': rgb[None].astype(np.float32)}, training=False)['logits']
    assert mask.dtype == np.uint8
    assert (mask == np.argmax(logits[0], axis=-1)).mean() > 0.999


@pytest.mark.slow
@pytest.mark.parametrize('size', [(64, 64), (48, 64), (100, 40)])
def test_denoise_task(exported, size):
    width, height = size
    depth = np.random.default_rng(0).integers(500, 9000, (height, width)).astype(np.uint16)
    depth[:4, :4] = 0
    infrared = np.full((height, width), 90, np.uint8)
    with load_model(exported('denoise')) as model:
        found = Denoiser(model)(DepthImage(depth, 0.001), infrared)
    assert found.depth_m.shape == found.confidence.shape == (height, width)
    assert np.isfinite(found.depth_m).all()
    assert 0.1 <= found.depth_m.min() <= found.depth_m.max() <= 10.001
    assert 0 <= found.confidence.min() <= found.confidence.max() <= 1


@pytest.mark.slow
def test_detection_task(exported):
    rgb = Pictures().read(1).image
    with load_model(exported('detection')) as model:
        found = Detector(model, DetectorOptions(score_threshold=0.05))(rgb)
    assert len(found) > 0
    assert (found.scores[:-1] >= found.scores[1:]).all()
    assert {model.labels.name(i) for i in found.class_ids} == {'person'}


def test_a_damaged_file_is_refused(exported, tmp_path):
    folder = shutil.copytree(exported('small depth'), tmp_path / 'model')
    content = bytearray((folder / 'model.tflite').read_bytes())
    content[len(content) // 2] ^= 1
    (folder / 'model.tflite').write_bytes(content)
    with pytest.raises(ModelError, match='sha256'):
        load_model(folder, backend='litert')


def test_another_golden_output_is_not_reproduced(exported, tmp_path):
    folder = shutil.copytree(exported('small depth'), tmp_path / 'model')
    with np.load(folder / 'golden.npz') as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays['output/depth'] = arrays['output/depth'][:, ::-1]
    np.savez_compressed(folder / 'golden.npz', **arrays)
    text = (folder / 'manifest.yaml').read_text()
    manifest = yaml.safe_load(text)
    manifest['golden']['sha256'] = sha256_of(folder / 'golden.npz')
    (folder / 'manifest.yaml').write_text(yaml.safe_dump(manifest))
    with load_model(folder, backend='onnxruntime') as model:
        assert not verify_golden(model).is_reproduced
