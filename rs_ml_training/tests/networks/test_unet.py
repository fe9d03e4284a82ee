"""The U-Nets hold what every network holds, and the denoisers treat holes as holes."""

from __future__ import annotations

import functools

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_perception.core.errors import ConfigError  # noqa: E402
from rs_ml_training.networks import registry  # noqa: E402

CASES = [
    ('unet-light', {'width': 8}),
    ('unet-planes', {'width': 8}),
    ('unet-small', {'classes': 3}),
    ('unet', {'range_m': 10.0}),
]


def test_contract(check_network):
    check_network('unet-light', (32, 16), width=8)


@pytest.mark.slow
@pytest.mark.parametrize(('name', 'options'), CASES[1:])
def test_contract_of_others(check_network, name, options):
    check_network(name, (32, 16), **options)


@pytest.mark.slow
@pytest.mark.parametrize(('name', 'options'), CASES)
def test_contract_on_jax(check_network_on_jax, name, options):
    check_network_on_jax(name, size=(32, 16), **options)


@pytest.mark.parametrize(
    ('name', 'options'),
    [
        ('unet', {'range_m': 0.0}),
        ('unet-planes', {'width': 4}),
        ('unet-planes', {'max_depth_m': 0.05}),
        ('unet-planes', {'hole_power': 0.5}),
        ('unet-light', {'width': 4}),
        ('unet-light', {'max_depth_m': 0.05}),
        ('unet-small', {'classes': 0}),
        ('unet-small', {'dropout': 1.0}),
    ],
)
def test_senseless_option(name, options):
    with pytest.raises(ConfigError, match=f'got .*{next(iter(options.values()))}'):
        registry.build(name, None, **options)


@functools.cache
def denoiser(name):
    """As it is before its training."""
    keras.utils.set_random_seed(0)
    return registry.build(name, None, width=8)


def denoised(name, depth_m):
    model = denoiser(name)
    inputs = {'depth_m': depth_m, 'infrared': np.zeros_like(depth_m)}
    return keras.ops.convert_to_numpy(model(inputs)['depth_m'])


LIGHT = 'unet-planes', 'unet-light'


@pytest.mark.parametrize('name', LIGHT)
@pytest.mark.parametrize('distance_m', [0.3, 2.0, 9.0])
def test_untrained_it_fills_holes_at_their_distance(name, distance_m):
    depth_m = np.full((1, 64, 64, 1), distance_m, np.float32)
    depth_m[:, 20:40, 10:50] = 0
    np.testing.assert_allclose(denoised(name, depth_m), distance_m, rtol=0.2)


def test_untrained_it_follows_the_measurement():
    columns = np.where(np.arange(64) < 32, 1.0, 4.0)
    depth_m = np.broadcast_to(columns[None, None, :, None], (1, 64, 64, 1)).astype(np.float32)
    np.testing.assert_allclose(denoised('unet-light', depth_m), depth_m, rtol=0.2)


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


def random_weights(model):
    """Large ones in the head: those it starts with hardly change anything."""
    head = model.get_layer('head')
    rng = np.random.default_rng(0)
    head.set_weights([rng.normal(0, 0.3, w.shape) for w in head.get_weights()])
    return model


def test_planes_of_a_cell_are_affine_in_inverse_depth(built):
    model = random_weights(built('unet-planes', None, width=8))
    inputs = {name: np.zeros((1, 64, 64, 1), np.float32) for name in ('depth_m', 'infrared')}
    inputs['depth_m'][:, ::8, ::8] = 2.0
    head = model.get_layer('head')
    kernel, bias = head.get_weights()
    # Always the first plane, and never the measurement.
    kernel[..., 6:38], bias[6:38] = 0, -30
    head.set_weights([kernel, bias])
    depth_m = keras.ops.convert_to_numpy(model(inputs)['depth_m'])[0, ..., 0]
    inverse = (1 / depth_m).reshape(16, 4, 16, 4).transpose(0, 2, 1, 3)
    for axis in (2, 3):
        np.testing.assert_allclose(np.diff(inverse, 2, axis=axis), 0, atol=1e-5)
        assert np.abs(np.diff(inverse, axis=axis)).max() > 1e-4


def test_a_guess_needs_more_confidence_than_a_measurement(built):
    plain = random_weights(built('unet-planes', None, width=8))
    strict = registry.build('unet-planes', (32, 32), width=8, hole_power=8.0)
    strict.set_weights(plain.get_weights())
    depth_m = np.full((1, 32, 32, 1), 2.0, np.float32)
    depth_m[:, 8:20, 8:20] = 0
    inputs = {'depth_m': depth_m, 'infrared': np.zeros_like(depth_m)}
    before, after = (keras.ops.convert_to_numpy(m(inputs)['confidence']) for m in (plain, strict))
    expected = np.where(depth_m > 0, before, before**8)
    np.testing.assert_allclose(after, expected, atol=1e-4)


@pytest.mark.slow
def test_an_exported_file_takes_another_size(tmp_path):
    pytest.importorskip('tensorflow')
    interpreter_of = pytest.importorskip('ai_edge_litert.interpreter').Interpreter
    from rs_ml_training.export.serving import serving_of
    from rs_ml_training.export.tensorflow_files import write_tflite
    from rs_ml_training.tasks.task import ServingOptions
    from rs_ml_training.trained import ModelSpec, Trained

    model = random_weights(registry.build('unet-planes', (64, 48), width=8))
    spec = ModelSpec('denoise', 'unet-planes', (64, 48), options={'width': 8})
    artifact = write_tflite(
        serving_of(Trained(spec, model, tmp_path), ServingOptions()), tmp_path, 'float32'
    )
    interpreter = interpreter_of(model_path=str(tmp_path / artifact.path))
    larger = registry.build('unet-planes', (96, 80), width=8)
    larger.set_weights(model.get_weights())
    rng = np.random.default_rng(1)
    depth_m = rng.uniform(1, 3, (1, 80, 96, 1)).astype(np.float32)
    infrared = rng.integers(0, 256, depth_m.shape).astype(np.uint8)
    given = {np.float32: depth_m, np.uint8: infrared}
    details = interpreter.get_input_details()
    for detail in details:
        interpreter.resize_tensor_input(detail['index'], depth_m.shape)
    interpreter.allocate_tensors()
    for detail in details:
        interpreter.set_tensor(detail['index'], given[detail['dtype']])
    interpreter.invoke()
    found = [interpreter.get_tensor(o['index']) for o in interpreter.get_output_details()]
    expected = larger({'depth_m': depth_m, 'infrared': infrared.astype(np.float32)})
    for value in expected.values():
        wanted = keras.ops.convert_to_numpy(value)
        assert min(np.abs(array - wanted).max() for array in found) < 1e-3
