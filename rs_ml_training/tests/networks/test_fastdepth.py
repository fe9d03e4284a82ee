"""FastDepth holds what every network holds; its encoder is MobileNet."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_perception.core.errors import ConfigError  # noqa: E402
from rs_ml_training.networks import registry  # noqa: E402
from rs_ml_training.networks.freezing import encoder_layers  # noqa: E402


@pytest.mark.parametrize(
    ('name', 'options'),
    [
        pytest.param('fastdepth', {'width': 0.25}, marks=pytest.mark.slow),
        ('fastdepth', {'width': 0.25, 'skip': 'concat', 'head': 'relu'}),
    ],
)
def test_contract(check_network, name, options):
    check_network(name, (64, 32), **options)


@pytest.mark.slow
@pytest.mark.parametrize('name', ['fastdepth', 'fastdepth-pruned'])
def test_contract_in_full(check_network, check_network_on_jax, name):
    check_network(name)
    check_network_on_jax(name, size=(64, 32))


@pytest.mark.parametrize(
    'options',
    [{'skip': 'multiply'}, {'head': 'tanh', 'width': 0.25}, {'width': 0.0}, {'max_depth_m': -1.0}],
)
def test_senseless_option(options):
    with pytest.raises(ConfigError, match=str(next(iter(options.values())))):
        registry.build('fastdepth', None, **options)


def test_encoder_is_that_of_keras():
    original = keras.applications.MobileNet(
        include_top=False, weights=None, input_shape=(32, 64, 3), alpha=0.25
    )
    expected = {w.path: w.shape for layer in original.layers for w in layer.weights}
    model = registry.build('fastdepth', (64, 32), width=0.25)
    assert {w.path: w.shape for x in encoder_layers(model) for w in x.weights} == expected


@pytest.mark.parametrize(
    ('head', 'max_depth_m'),
    [('softplus', 10.0), pytest.param('exp', 80.0, marks=pytest.mark.slow)],
)
def test_starts_at_a_quarter_of_the_range(head, max_depth_m):
    keras.utils.set_random_seed(0)
    model = registry.build(
        'fastdepth', None, width=0.25, skip='none', head=head, max_depth_m=max_depth_m
    )
    image = np.random.default_rng(0).uniform(0, 255, (1, 32, 64, 3)).astype(np.float32)
    depth_m = keras.ops.convert_to_numpy(model({'image': image})['depth_m'])
    np.testing.assert_allclose(depth_m.mean(), max_depth_m / 4, rtol=0.2)
