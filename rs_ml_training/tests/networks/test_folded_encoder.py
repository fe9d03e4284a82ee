"""MobileNetV2 whose normalisation was folded away gets it back."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_perception.core.errors import ConfigError  # noqa: E402
from rs_ml_training.errors import CheckpointError  # noqa: E402
from rs_ml_training.networks import folded_encoder, registry  # noqa: E402
from rs_ml_training.networks.encoder_weights import load_encoder_weights  # noqa: E402
from rs_ml_training.networks.folded_encoder import credit_of  # noqa: E402
from rs_ml_training.networks.tflite_weights import (  # noqa: E402
    Convolution,
    FoldedNetwork,
    InputRange,
)

SIZE = 64, 96
LAST = 'block_16_project_BN'


def detector(**options):
    return registry.build('centernet-light', (96, 64), alpha=0.35, width=8, **options)


def pictures(count):
    return np.random.default_rng(0).uniform(0, 255, (count, *SIZE, 3)).astype(np.float32)


def features(model, image, training=False):
    part = keras.Model(model.input, model.get_layer(LAST).output)
    return keras.ops.convert_to_numpy(part({'image': image}, training=training))


def folded(model, scale=1 / 128, zero_point=128.0):
    """The convolutions of a network with its normalisations in them, for another input range."""
    convolutions = []
    for name in folded_encoder._convolutions_of(model):
        (kernel,) = model.get_layer(name).get_weights()
        norm = model.get_layer(folded_encoder._norm(name))
        gamma, beta, mean, variance = norm.get_weights()
        factor = gamma / np.sqrt(variance + norm.epsilon)
        depthwise = 'depthwise' in name
        by_output = factor[:, None] if depthwise else factor
        convolutions.append(Convolution(kernel * by_output, beta - mean * factor, depthwise))
    first, *others = convolutions
    # x / 127.5 - 1 = a * scale * (x - zero_point) + b
    a, b = 1 / 127.5 / scale, zero_point / 127.5 - 1
    bias = first.bias + (first.kernel * b).sum((0, 1, 2))
    first = Convolution(first.kernel * a, bias, first.depthwise)
    return FoldedNetwork(InputRange(scale, zero_point), (first, *others))


@pytest.fixture(scope='module')
def original():
    """A detector whose normalisations are far from those of a fresh network."""
    keras.utils.set_random_seed(1)
    model, rng = detector(), np.random.default_rng(1)
    for layer in model.layers:
        if layer.name.endswith('_BN') or layer.name == 'bn_Conv1':
            shapes = [w.shape for w in layer.get_weights()]
            layer.set_weights([rng.uniform(0.6, 1.2, shape) for shape in shapes])
    return model


@pytest.fixture(scope='module')
def loaded(original):
    """(network, what was loaded, its pictures)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folded_encoder, 'read_tflite', lambda path: folded(original))
        target, image = detector(), pictures(4)
        batches = [{'image': image[:2]}, {'image': image[2:]}]
        return target, load_encoder_weights(target, 'any.tflite', batches), image


def test_every_layer_of_the_encoder_is_loaded(loaded):
    _, match, _ = loaded
    assert (len(match.loaded), match.left) == (2 * 51, ())


def test_inference_is_that_of_the_source(loaded, original):
    model, _, image = loaded
    expected = features(original, image)
    # At the border zero is another gray for a network of another range.
    found = features(model, image)
    np.testing.assert_allclose(found, expected, atol=0.02 * expected.std())


def test_training_sees_the_same_features(loaded):
    model, _, image = loaded
    inference, training = features(model, image), features(model, image, training=True)
    np.testing.assert_allclose(training, inference, atol=0.02 * inference.std())


@pytest.fixture(scope='module')
def target():
    """A network that refuses what it is given."""
    return detector()


@pytest.mark.parametrize(
    ('change', 'batches', 'error', 'words'),
    [
        (lambda c: c[:40], 1, CheckpointError, 'convolution 40 of the file None'),
        (lambda c: (c[1], *c[1:]), 1, CheckpointError, 'Conv1 has'),
        (lambda c: c, 0, ConfigError, 'images'),
    ],
    ids=['short', 'other', 'no-pictures'],
)
def test_files_that_do_not_fit(change, batches, error, words, original, target, monkeypatch):
    source = folded(original)
    changed = FoldedNetwork(source.pixels, tuple(change(source.convolutions)))
    monkeypatch.setattr(folded_encoder, 'read_tflite', lambda path: changed)
    with pytest.raises(error, match=words):
        load_encoder_weights(target, 'any.tflite', [{'image': pictures(1)}] * batches)


def test_context_behind_the_encoder_is_loaded_in_its_order(original, monkeypatch):
    """The file has the whole picture before the place; the network adds up both."""
    rng = np.random.default_rng(2)
    source = folded(original)
    width = source.convolutions[-1].kernel.shape[-1]
    shapes = [(width, 256), (width, 256), (512, 256), (256, 21)]
    context = [
        Convolution(*(rng.normal(size=s).astype(np.float32) for s in ((1, 1, *k), k[1:])), False)
        for k in shapes
    ]
    whole = FoldedNetwork(source.pixels, (*source.convolutions, *context))
    monkeypatch.setattr(folded_encoder, 'read_tflite', lambda path: whole)
    model, image = detector(context=True), pictures(2)
    load_encoder_weights(model, 'any.tflite', [{'image': image}])
    names = LAST, 'context', 'context_scores'
    part = keras.Model(model.input, [model.get_layer(name).output for name in names])
    x, features, scores = map(keras.ops.convert_to_numpy, part({'image': image}))
    local, pooled, project, classes = ((c.kernel[0, 0], c.bias) for c in context)
    here = np.maximum(x @ local[0] + local[1], 0)
    mean = np.maximum(x.mean((1, 2), keepdims=True) @ pooled[0] + pooled[1], 0)
    both = np.concatenate([np.broadcast_to(mean, here.shape), here], axis=-1)
    expected = np.maximum(both @ project[0] + project[1], 0)
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-3 * expected.std())
    expected = expected @ classes[0] + classes[1]
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-3 * expected.std())


def test_another_encoder_is_refused(original, monkeypatch):
    monkeypatch.setattr(folded_encoder, 'read_tflite', lambda path: folded(original))
    with pytest.raises(ConfigError, match='no MobileNetV2'):
        load_encoder_weights(registry.build('fastdepth', None, width=0.25), 'any.tflite')


def test_credit_of_an_unknown_file_claims_no_licence(tmp_path):
    path = tmp_path / 'mine.tflite'
    path.write_bytes(b'weights')
    assert credit_of(path) == 'mine.tflite, licence not stated'


@pytest.mark.slow
def test_deeplab(data_file):
    """Features at stride 16 are those that LiteRT computes from the quantised file."""
    interpreter_of = pytest.importorskip('ai_edge_litert.interpreter').Interpreter
    path = data_file('models/segmentation/deeplabv3_mnv2_pascal_quant.tflite')
    assert 'Apache-2.0' in credit_of(path)
    image = pictures_of(data_file('coco128/images'), 4, 513)
    interpreter = interpreter_of(str(path), experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]['index'], image[:1])
    interpreter.invoke()
    details = interpreter.get_tensor_details()
    tensor = next(d for d in details if d['name'] == 'MobilenetV2/expanded_conv_12/add')
    scale, zero_point = tensor['quantization']
    expected = scale * (interpreter.get_tensor(tensor['index']).astype(np.float32) - zero_point)
    model = mobilenet(513)
    load_encoder_weights(model, path, [{'image': image.astype(np.float32)}])
    part = keras.Model(model.input, model.get_layer('block_12_add').output)
    found = keras.ops.convert_to_numpy(part({'image': image[:1].astype(np.float32)}))
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99


def mobilenet(side):
    image = keras.Input((side, side, 3), name='image')
    x = keras.layers.Rescaling(1 / 127.5, -1.0)(image)
    full = keras.applications.MobileNetV2(include_top=False, weights=None, input_tensor=x)
    return keras.Model({'image': image}, {'y': full.get_layer(LAST).output})


@pytest.mark.slow
def test_classes_of_deeplab(data_file):
    """With the context that follows it the network tells the classes that the file tells."""
    interpreter_of = pytest.importorskip('ai_edge_litert.interpreter').Interpreter
    path = data_file('models/segmentation/deeplabv3_mnv2_pascal_quant.tflite')
    image = pictures_of(data_file('coco128/images'), 4, 512)
    enlarged = pictures_of(data_file('coco128/images'), 1, 513)
    interpreter = interpreter_of(str(path))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]['index'], enlarged)
    interpreter.invoke()
    expected = interpreter.get_tensor(interpreter.get_output_details()[0]['index'])[0, :512, :512]
    model = registry.build('centernet-light', None, width=8, context=True)
    match = load_encoder_weights(model, path, [{'image': image.astype(np.float32)}])
    assert match.left == ()
    part = keras.Model(model.input, model.get_layer('context_scores').output)
    scores = keras.ops.convert_to_numpy(part({'image': image[:1].astype(np.float32)}))[0]
    found = scores.argmax(-1).repeat(16, 0).repeat(16, 1)
    assert (found == expected).mean() > 0.9


def pictures_of(folder, count, side):
    cv2 = pytest.importorskip('cv2')
    paths = sorted(p for p in folder.rglob('*.jpg'))[:count]
    return np.stack([cv2.resize(cv2.imread(str(p))[..., ::-1], (side, side)) for p in paths])
