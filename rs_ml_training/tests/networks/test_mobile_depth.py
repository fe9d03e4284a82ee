"""mobile-depth holds what every network holds; its depth is bounded."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_perception.core.errors import ConfigError  # noqa: E402
from rs_ml_training.networks import registry  # noqa: E402
from rs_ml_training.networks.freezing import encoder_layers  # noqa: E402
from rs_ml_training.networks.mobilenetv2.encoder import TAPS  # noqa: E402

SMALL = {'alpha': 0.35, 'width': 0.25}


@pytest.mark.slow
@pytest.mark.parametrize('options', [SMALL, {**SMALL, 'dropout': 0.2}])
def test_contract(check_network, options):
    check_network('mobile-depth', (64, 64), **options)


@pytest.mark.slow
def test_contract_on_jax(check_network_on_jax):
    check_network_on_jax('mobile-depth', size=(64, 64), **SMALL)


@pytest.fixture(scope='module')
def network():
    keras.utils.set_random_seed(0)
    options = {**SMALL, 'frozen_batch_norm': True, 'fixed_blocks': 1, 'max_depth_m': 8.0}
    return registry.build('mobile-depth', None, **options)


def depth_of(network, image):
    return keras.ops.convert_to_numpy(network({'image': image})['depth_m'])


def test_any_size_starts_at_a_quarter_of_the_range(network):
    image = np.random.default_rng(0).uniform(0, 255, (1, 64, 96, 3)).astype(np.float32)
    depth_m = depth_of(network, image)
    assert depth_m.shape == (1, 64, 96, 1)
    assert 0.8 < np.median(depth_m) < 4.0


@pytest.mark.parametrize(('bias', 'expected'), [(-50.0, 0.24), (0.0, 8 * 0.03**0.5), (50.0, 8.0)])
def test_depth_is_bounded(bias, expected, network):
    head = network.get_layer('head_depth')
    before = head.get_weights()
    head.set_weights([np.zeros_like(before[0]), np.array([bias], np.float32)])
    depth_m = depth_of(network, np.zeros((1, 32, 32, 3), np.float32))
    head.set_weights(before)
    np.testing.assert_allclose(depth_m, expected, rtol=1e-4)


def test_fixed_layers(network):
    kinds = keras.layers.BatchNormalization
    assert not any(x.trainable for x in encoder_layers(network) if isinstance(x, kinds))
    learns = {x.name: x.trainable for x in encoder_layers(network)}
    assert not learns['block_2_expand']
    assert learns['block_3_expand']
    assert all(x.trainable for x in network.layers if x.name.startswith(('decoder_', 'head_')))


def test_encoder_is_that_of_keras(network):
    original = keras.applications.MobileNetV2(include_top=False, weights=None, alpha=0.35)
    used = {x.name: [w.shape for w in x.weights] for x in original.layers if x.weights}
    used = {name: shapes for name, shapes in used.items() if not name.startswith('Conv_1')}
    found = {x.name: [w.shape for w in x.weights] for x in encoder_layers(network)}
    assert found == used
    names = [layer.name for layer in network.layers]
    assert sorted(TAPS, key=names.index) == list(TAPS)


@pytest.mark.parametrize(
    'options', [{'alpha': 0.4}, {'width': 0.0}, {'max_depth_m': -1.0}, {'dropout': 1.5}]
)
def test_senseless_option(options):
    with pytest.raises(ConfigError, match=str(next(iter(options.values())))):
        registry.build('mobile-depth', None, **options)
