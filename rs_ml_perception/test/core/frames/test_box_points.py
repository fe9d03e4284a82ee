"""Surfaces separated along a line."""

import numpy as np
import pytest
from rs_ml_perception.core.frames.box_points import find_layers

RNG = np.random.default_rng(0)


def cloud(*surfaces: tuple[float, int]) -> np.ndarray:
    return np.concatenate([RNG.normal(at, 0.02, n) for at, n in surfaces])


@pytest.mark.parametrize(
    ('positions', 'masses'),
    [
        (np.zeros(0), []),
        (np.array([2.0]), [1]),
        (np.full(50, 2.0), [50]),
        (cloud((2.0, 500)), [500]),
        (cloud((2.0, 500), (3.0, 200)), [500, 200]),
        (cloud((1.0, 50), (2.0, 500), (3.0, 200)), [50, 500, 200]),
        (RNG.uniform(1.0, 2.0, 20000), [20000]),
    ],
)
def test_layers(positions, masses):
    layers = find_layers(positions, bin_width=0.03)
    assert [layer.mass for layer in layers] == masses


def test_every_position_is_in_one_layer():
    positions = cloud((1.0, 300), (1.6, 300), (1.75, 300))
    layers = find_layers(positions, bin_width=0.02)
    hits = sum((positions >= layer.low) & (positions < layer.high) for layer in layers)
    assert (hits == 1).all()


def test_weights_count():
    layers = find_layers(np.array([1.0, 3.0]), np.array([0.25, 4.0]), bin_width=0.05)
    assert [layer.mass for layer in layers] == [0.25, 4.0]
