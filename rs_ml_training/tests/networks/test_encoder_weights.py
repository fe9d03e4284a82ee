"""Encoders get weights by name and shape, from every kind of file."""

from __future__ import annotations

import functools

import numpy as np
import pytest

keras = pytest.importorskip('keras')
h5py = pytest.importorskip('h5py')

from rs_ml_perception.core.errors import ConfigError  # noqa: E402
from rs_ml_training.errors import CheckpointError  # noqa: E402
from rs_ml_training.networks import encoder_weights, registry  # noqa: E402
from rs_ml_training.networks.encoder_weights import load_encoder_weights  # noqa: E402
from rs_ml_training.networks.freezing import encoder_layers  # noqa: E402

WIDTH = 0.25


_built = functools.cache(registry.build)


def fastdepth(seed: int, width: float = WIDTH, **options):
    """The same network for the same options, with other weights for another seed."""
    model = _built('fastdepth', (64, 32), width=width, **options)
    random = np.random.default_rng(seed)
    model.set_weights([random.uniform(0.5, 1, w.shape) for w in model.get_weights()])
    return model


def mobilenet(**options):
    return keras.applications.MobileNet(
        include_top=False, weights=None, input_shape=(32, 64, 3), alpha=WIDTH, **options
    )


def write_keras2(model, path):
    with h5py.File(path, 'w') as file:
        file.attrs['layer_names'] = [layer.name for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            group.attrs['weight_names'] = [f'{layer.name}/{w.name}:0' for w in layer.weights]
            for weight, array in zip(layer.weights, layer.get_weights(), strict=True):
                group[f'{layer.name}/{weight.name}:0'] = array


WRITERS = {
    'x.weights.h5': lambda model, path: model.save_weights(path),
    'x.keras': lambda model, path: model.save(path),
    'x.h5': write_keras2,
}


@pytest.mark.parametrize('name', WRITERS)
def test_file(name, tmp_path):
    source, target = fastdepth(1), fastdepth(2, skip='concat')
    WRITERS[name](source, tmp_path / name)
    head = target.get_layer('decoder_pw_6').get_weights()
    match = load_encoder_weights(target, tmp_path / name)
    assert (len(match.loaded), match.left) == (54, ())
    assert str(match).startswith('encoder: 54 of 54 layers from ')
    for layer in encoder_layers(target):
        check_same(layer, source.get_layer(layer.name))
    np.testing.assert_array_equal(target.get_layer('decoder_pw_6').get_weights()[0], head[0])


def test_other_shapes_are_left(tmp_path):
    path = tmp_path / 'x.weights.h5'
    _built('fastdepth-pruned', None).save_weights(path)
    target = fastdepth(2, width=0.5)
    match = load_encoder_weights(target, path)
    assert 'conv1' in match.loaded
    assert 'conv_pw_1' in match.left


def test_range_of_mobilenet(tmp_path, monkeypatch):
    """What MobileNet computes from -1..1, the encoder computes from 0..255."""
    keras.utils.set_random_seed(3)
    original, random = mobilenet(), np.random.default_rng(0)
    for layer in original.layers:
        if layer.name.endswith('_bn'):
            layer.set_weights([random.uniform(0.5, 1, w.shape) for w in layer.get_weights()])
    monkeypatch.setattr(encoder_weights, '_application', lambda name, alpha: original)
    target = fastdepth(2)
    assert not load_encoder_weights(target, 'imagenet').left
    image = random.uniform(0, 255, (1, 32, 64, 3)).astype(np.float32)
    expected = features(original, 'conv1_relu', image / 127.5 - 1)
    result = features(target, 'conv1_act', image)
    # At the border, zero padding is grey for one and black for the other.
    np.testing.assert_allclose(result[:, :-1, :-1], expected[:, :-1, :-1], atol=1e-5)


@pytest.mark.slow
def test_deeplab_takes_imagenet(built, efficientnet, monkeypatch):
    """Pyramid and classifier are none of the encoder, which the published one fits whole."""
    monkeypatch.setattr(encoder_weights, '_application', lambda name: efficientnet)
    match = load_encoder_weights(built('deeplab-effnetv2s', None), 'imagenet')
    assert not match.left
    assert 'block6o_project_conv' in match.loaded


def check_same(a, b):
    for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)


def features(model, layer, image):
    part = keras.Model(model.inputs, model.get_layer(layer).output)
    return keras.ops.convert_to_numpy(part(image))


def failing_download(name, **options):
    raise Exception('URL fetch failure')


@pytest.mark.parametrize(
    ('network', 'options', 'words'),
    [
        ('fastdepth', {'width': WIDTH}, 'URL fetch failure'),
        ('fastdepth', {'width': 0.4}, 'widths'),
        ('unet-small', {}, 'none of keras.applications'),
    ],
)
def test_no_imagenet(network, options, words, monkeypatch):
    monkeypatch.setattr(encoder_weights, '_application', failing_download)
    with pytest.raises(ConfigError, match=words):
        load_encoder_weights(_built(network, None, **options), 'imagenet')


def test_imagenet_must_fit_as_a_whole(monkeypatch):
    monkeypatch.setattr(encoder_weights, '_application', lambda name, alpha: mobilenet())
    with pytest.raises(ConfigError, match='has no weights for'):
        load_encoder_weights(_built('fastdepth-pruned', None), 'imagenet')


@pytest.mark.parametrize(
    ('name', 'content', 'words'),
    [
        ('missing.h5', None, 'is missing'),
        ('damaged.h5', b'no hdf5', 'cannot be read'),
        ('damaged.keras', b'no zip', 'cannot be read'),
    ],
)
def test_bad_file(name, content, words, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=words):
        load_encoder_weights(fastdepth(1), tmp_path / name)


def test_file_of_another_network(tmp_path):
    path = tmp_path / 'x.weights.h5'
    _built('unet-small', None).save_weights(path)
    model = fastdepth(1)
    before = model.get_weights()
    with pytest.raises(CheckpointError, match='no layer of'):
        load_encoder_weights(model, path)
    for found, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)
