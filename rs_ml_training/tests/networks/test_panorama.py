"""Panoramas: turning the camera turns the depth, seam or no seam."""

import functools

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_training.networks import registry  # noqa: E402
from rs_ml_training.networks.panorama import CircularPad  # noqa: E402


@pytest.mark.slow
@pytest.mark.parametrize('options', [{}, {'head': 'exp', 'max_depth_m': 20.0}])
def test_contract(check_network, options):
    check_network('pano-depth', width=0.25, **options)


@pytest.mark.slow
def test_contract_on_jax(check_network_on_jax):
    check_network_on_jax('pano-depth', width=0.25)


@pytest.mark.parametrize(
    ('before', 'after', 'expected'),
    [
        (0, 0, [[1, 2, 3]]),
        (0, 1, [[1, 2, 3, 1], [0, 0, 0, 0]]),
        (1, 1, [[0, 0, 0, 0, 0], [3, 1, 2, 3, 1], [0, 0, 0, 0, 0]]),
        (2, 0, [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [2, 3, 1, 2, 3]]),
    ],
)
def test_circular_pad(before, after, expected):
    row = np.array([1, 2, 3], np.float32).reshape(1, 1, 3, 1)
    padded = keras.ops.convert_to_numpy(CircularPad(before, after)(row))
    np.testing.assert_array_equal(padded[0, ..., 0], expected)


@functools.cache
def network_of(name: str) -> keras.Model:
    """With averages that a training has moved."""
    keras.utils.set_random_seed(3)
    random = np.random.default_rng(3)
    model = registry.build(name, (128, 64), width=0.25)
    for weight in model.weights:
        if 'moving_mean' in weight.path:
            weight.assign(random.normal(0, 0.1, weight.shape))
    return model


def turning_error(name: str, pixels: int) -> float:
    """Largest relative difference between depth of the turned and turned depth."""
    model = network_of(name)
    image = np.random.default_rng(4).uniform(0, 255, (1, 64, 128, 3)).astype(np.float32)
    depth, turned = (
        keras.ops.convert_to_numpy(model({'image': x}, training=False)['depth_m'])
        for x in (image, np.roll(image, pixels, axis=2))
    )
    expected = np.roll(depth, pixels, axis=2)
    assert depth.std() > 0
    return float(np.abs(turned - expected).max() / depth.std())


@pytest.mark.parametrize('pixels', [32, 96, -32])
def test_turning_the_camera_turns_the_depth(pixels):
    assert turning_error('pano-depth', pixels) < 1e-3


def test_without_circular_padding_it_does_not():
    assert turning_error('fastdepth', 32) > 0.1
