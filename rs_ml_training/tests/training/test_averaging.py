"""Statistics of batch normalisation measured again for the weights that are kept."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_training.training.averaging import normalisations, precise_batch_norm  # noqa: E402


@pytest.fixture
def network():
    image = keras.Input((None, None, 2), name='image')
    x = keras.layers.BatchNormalization(momentum=0.9, name='follows')(image)
    frozen = keras.layers.BatchNormalization(name='frozen')
    frozen.trainable = False
    return keras.Model({'image': image}, {'out': frozen(x)})


def statistics(network, name='follows'):
    layer = network.get_layer(name)
    return [keras.ops.convert_to_numpy(w) for w in (layer.moving_mean, layer.moving_variance)]


def batches(*levels):
    rng = np.random.default_rng(0)
    return [{'image': rng.normal(level, 1, (2, 8, 8, 2)).astype(np.float32)} for level in levels]


def test_plain_mean_of_the_batches(network):
    given = batches(3.0, 7.0, 5.0)
    with precise_batch_norm(network, given):
        mean, variance = statistics(network)
    pixels = [batch['image'].reshape(-1, 2) for batch in given]
    np.testing.assert_allclose(mean, np.mean([p.mean(axis=0) for p in pixels], axis=0), rtol=1e-4)
    expected = np.mean([p.var(axis=0) for p in pixels], axis=0)
    np.testing.assert_allclose(variance, expected, rtol=0.02)


def test_training_goes_on_with_its_own(network):
    before = statistics(network)
    with precise_batch_norm(network, batches(3.0)):
        assert not np.allclose(statistics(network)[0], before[0])
    np.testing.assert_array_equal(statistics(network), before)
    assert network.get_layer('follows').momentum == 0.9


@pytest.mark.parametrize(('name', 'given'), [('follows', ()), ('frozen', (3.0,))])
def test_kept_fraction_of_the_start(network, name, given):
    before = statistics(network, name)
    with precise_batch_norm(network, batches(*given)):
        np.testing.assert_array_equal(statistics(network, name), before)


def test_which_layers_follow(network):
    assert [layer.name for layer in normalisations(network)] == ['follows']
