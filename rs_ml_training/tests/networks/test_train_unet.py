"""The U-Nets hold what every network holds, and the denoisers treat holes as holes."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_training.errors import ConfigError  # noqa: E402
from rs_ml_training.networks import registry  # noqa: E402

CASES = [('unet-light', {'width': 8}), ('unet-small', {'classes': 3}), ('unet', {'range_m': 10.0})]


@pytest.mark.parametrize(('name', 'options'), CASES[:2])
def test_contract(check_network, name, options):
    check_network(name, (48, 32), **options)


@pytest.mark.slow
@pytest.mark.parametrize(('name', 'options'), CASES[2:])
def test_contract_of_the_large_one(check_network, name, options):
    check_network(name, (32, 16), **options)


@pytest.mark.slow
@pytest.mark.parametrize(('name', 'options'), CASES)
def test_contract_on_jax(check_network_on_jax, name, options):
    check_network_on_jax(name, size=(32, 16), **options)


@pytest.mark.parametrize(
    ('name', 'options'),
    [
        ('unet', {'range_m': 0.0}),
        ('unet-light', {'width': 4}),
        ('unet-light', {'max_depth_m': 0.05}),
        ('unet-small', {'classes': 0}),
        ('unet-small', {'dropout': 1.0}),
    ],
)
def test_senseless_option(name, options):
    with pytest.raises(ConfigError, match=f'got .*{next(iter(options.values()))}'):
        registry.build(name, None, **options)


def denoised(depth_m):
    keras.utils.set_random_seed(0)
    model = registry.build('unet-light', None, width=8)
    inputs = {'depth_m': depth_m, 'infrared': np.zeros_like(depth_m)}
    return keras.ops.convert_to_numpy(model(inputs)['depth_m'])


@pytest.mark.parametrize('distance_m', [0.3, 2.0, 9.0])
def test_untrained_it_fills_holes_at_their_distance(distance_m):
    depth_m = np.full((1, 64, 64, 1), distance_m, np.float32)
    depth_m[:, 20:40, 10:50] = 0
    np.testing.assert_allclose(denoised(depth_m), distance_m, rtol=0.2)


def test_untrained_it_follows_the_measurement():
    columns = np.where(np.arange(64) < 32, 1.0, 4.0)
    depth_m = np.broadcast_to(columns[None, None, :, None], (1, 64, 64, 1)).astype(np.float32)
    np.testing.assert_allclose(denoised(depth_m), depth_m, rtol=0.2)


@pytest.mark.parametrize('precision', ['mixed_bfloat16', 'mixed_float16'])
def test_half_precision_keeps_the_measured_depth(precision):
    """Eight bits of a mantissa would be steps of 16 mm at 3 m."""
    keras.config.set_dtype_policy(precision)
    try:
        model = registry.build('unet-light', (64, 32))
    finally:
        keras.config.set_dtype_policy('float32')
    head = model.get_layer('head')
    head.set_weights([np.zeros(w.shape) for w in head.get_weights()])
    depth_m = np.full((1, 32, 64, 1), 3.007, np.float32)
    outputs = model({'depth_m': depth_m, 'infrared': depth_m})
    found = keras.ops.convert_to_numpy(outputs['depth_m'])
    np.testing.assert_allclose(found, depth_m, atol=1e-3)
