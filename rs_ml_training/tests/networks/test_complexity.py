"""Sizes of networks against published figures and sums by hand."""

from __future__ import annotations

import pytest

keras = pytest.importorskip('keras')

from rs_ml_perception.core.errors import ConfigError  # noqa: E402
from rs_ml_training.networks import registry  # noqa: E402
from rs_ml_training.networks.complexity import multiply_adds, parameters  # noqa: E402

layers = keras.layers


@pytest.mark.parametrize(
    ('name', 'options', 'size', 'millions', 'giga'),
    [
        pytest.param('fastdepth', {}, (224, 224), 3.96, 0.737, marks=pytest.mark.slow),
        pytest.param(
            'fastdepth', {'skip': 'concat'}, (224, 224), 4.02, 0.849, marks=pytest.mark.slow
        ),
        ('fastdepth-pruned', {}, (224, 224), 1.36, 0.366),
        pytest.param('unet', {}, (128, 128), 31.032264, 13.66, marks=pytest.mark.slow),
    ],
)
def test_published(name, options, size, millions, giga):
    model = registry.build(name, None, **options)
    digits = len(str(millions).partition('.')[2])
    assert round(parameters(model) / 1e6, digits) == millions
    digits = len(str(giga).partition('.')[2])
    assert round(multiply_adds(model, size) / 1e9, digits) == giga


@pytest.mark.parametrize(
    ('layer', 'expected'),
    [
        (layers.ReLU(), 0),
        (layers.Conv2D(5, 3, padding='same', strides=2), 4 * 6 * 9 * 4 * 5),
        (layers.Conv2D(4, 3, groups=2, padding='same'), 8 * 12 * 9 * 2 * 4),
        (layers.DepthwiseConv2D(3, padding='same'), 8 * 12 * 9 * 4),
        (layers.SeparableConv2D(5, 3, padding='same'), 8 * 12 * (9 * 4 + 4 * 5)),
        (layers.Conv2DTranspose(5, 2, strides=2), 8 * 12 * 4 * 4 * 5),
        (layers.Dense(7), 8 * 12 * 4 * 7),
    ],
)
def test_layer(layer, expected):
    image = keras.Input((None, None, 4), name='image')
    model = keras.Model({'image': image}, {'y': layer(image)})
    assert multiply_adds(model, (12, 8)) == expected


def test_nested_and_shared():
    inner_input = keras.Input((8, 12, 4))
    conv = layers.Conv2D(4, 1)
    inner = keras.Model(inner_input, conv(conv(inner_input)))
    image = keras.Input((8, 12, 4), name='image')
    model = keras.Model({'image': image}, {'y': inner(image)})
    assert multiply_adds(model) == 2 * 8 * 12 * 16
    assert parameters(model) == 20


def test_any_size_needs_one():
    model = registry.build('fastdepth', None, width=0.25)
    with pytest.raises(ConfigError, match='any size'):
        multiply_adds(model)
