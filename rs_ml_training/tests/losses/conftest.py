"""What tests of losses share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture
def value_and_gradient() -> Callable:
    """(loss of one array, array) -> (value, gradient), with the backend in use."""
    keras = pytest.importorskip('keras')

    def differentiate(loss: Callable, at: np.ndarray) -> tuple[float, np.ndarray]:
        if keras.backend.backend() == 'jax':
            import jax

            value, slope = jax.value_and_grad(loss)(at)
        else:
            import tensorflow as tf

            at = tf.constant(at)
            with tf.GradientTape() as tape:
                tape.watch(at)
                value = loss(at)
            slope = tape.gradient(value, at, unconnected_gradients='zero')
        return float(value), np.asarray(slope)

    return differentiate
