"""Schedules and optimizers against the formulas they quote."""

from __future__ import annotations

import math

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_training.tasks.options import TrainOptions  # noqa: E402
from rs_ml_training.training.averaging import averaged, starting_weights  # noqa: E402
from rs_ml_training.training.optimizers import RAdam, WarmedUp, optimizer_of, schedule_of  # noqa: E402  # noqa: E402


@pytest.mark.parametrize(
    ('course', 'step', 'expected'),
    [
        ('poly', 0, 1.0),
        ('poly', 50, 0.9 * 0.5**0.9 + 0.1),
        ('poly', 100, 0.1),
        ('poly', 1000, 0.1),
        ('cosine', 0, 1.0),
        ('cosine', 25, 0.9 * 0.5 * (1 + math.cos(math.pi / 4)) + 0.1),
        ('cosine', 100, 0.1),
        ('constant', 70, 1.0),
    ],
)
def test_courses(course, step, expected):
    schedule = WarmedUp(1.0, 0.1, 100, course=course)
    assert float(schedule(step)) == pytest.approx(expected, abs=1e-5)
    again = WarmedUp(**schedule.get_config())
    assert float(again(step)) == pytest.approx(expected, abs=1e-5)


def test_warm_up_rises_to_the_first_rate():
    schedule = schedule_of(TrainOptions(learning_rate=2.0, epochs=10, warmup_epochs=1), 10)
    rates = [float(schedule(step)) for step in range(12)]
    np.testing.assert_allclose(rates[:10], 2.0 * np.arange(1, 11) / 10, rtol=1e-5)
    assert rates[10] == pytest.approx(2.0)
    assert rates[11] < rates[10]


def _radam(steps: int, gradients, rate=0.1, b1=0.9, b2=0.999, epsilon=1e-7) -> float:
    """Algorithm 2 of arXiv 1908.03265 for one number, written down line by line."""
    theta = m = v = 0.0
    longest = 2 / (1 - b2) - 1
    for t in range(1, steps + 1):
        g = gradients[t - 1]
        v = b2 * v + (1 - b2) * g * g
        m = b1 * m + (1 - b1) * g
        unbiased = m / (1 - b1**t)
        length = longest - 2 * t * b2**t / (1 - b2**t)
        if length > 4:
            top = (length - 4) * (length - 2) * longest
            r = math.sqrt(top / ((longest - 4) * (longest - 2) * length))
            theta -= rate * r * unbiased / (math.sqrt(v / (1 - b2**t)) + epsilon)
        else:
            theta -= rate * unbiased
    return theta


@pytest.mark.parametrize('steps', [1, 4, 5, 6, 30])
def test_radam(steps):
    gradients = np.random.default_rng(steps).normal(0.5, 1, steps).astype(np.float32)
    variable = keras.Variable([0.0])
    optimizer = RAdam(0.1)
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor([gradient])], [variable])
    value = float(keras.ops.convert_to_numpy(variable)[0])
    assert value == pytest.approx(_radam(steps, gradients), rel=1e-4)
    assert RAdam.from_config(optimizer.get_config()).beta_2 == 0.999


@pytest.mark.parametrize('name', ['adamw', 'adam', 'sgd', 'radam'])
def test_decay_is_for_kernels_only(name):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, bias_initializer='ones')])
    options = TrainOptions(optimizer=name, weight_decay=0.1, ema=0)
    optimizer = optimizer_of(options, 0.5, model)
    before = [np.array(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables]
    zeros = [keras.ops.zeros(v.shape) for v in model.trainable_variables]
    optimizer.apply(zeros, model.trainable_variables)
    kernel, bias = (keras.ops.convert_to_numpy(v) for v in model.trainable_variables)
    np.testing.assert_allclose(kernel, before[0] * 0.95, rtol=1e-5)
    np.testing.assert_array_equal(bias, before[1])


def test_decay_of_the_encoder_alone():
    inputs = keras.Input((3,))
    x = keras.layers.Dense(3, name='conv1')(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, name='decoder_1')(x))
    options = TrainOptions(weight_decay=0.1, ema=0, decay_encoder_only=True)
    before = [np.array(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables]
    zeros = [keras.ops.zeros(v.shape) for v in model.trainable_variables]
    optimizer_of(options, 0.5, model).apply(zeros, model.trainable_variables)
    after = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
    np.testing.assert_allclose(after[0], before[0] * 0.95, rtol=1e-5)
    np.testing.assert_array_equal(after[2], before[2])


@pytest.mark.parametrize('name', ['adamw', 'adam', 'sgd', 'radam'])
def test_the_encoder_learns_slower(name):
    inputs = keras.Input((3,))
    x = keras.layers.Dense(3, name='conv1')(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, name='decoder_1')(x))
    options = TrainOptions(
        optimizer=name, weight_decay=0, ema=0, clip_norm=0, momentum=0, encoder_rate=0.25
    )
    before = [np.array(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables]
    ones = [keras.ops.ones(v.shape) for v in model.trainable_variables]
    optimizer_of(options, 0.5, model).apply(ones, model.trainable_variables)
    after = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
    changes = [b - a for a, b in zip(before, after, strict=True)]
    for change, expected in zip(changes, (-0.125, -0.125, -0.5, -0.5), strict=True):
        np.testing.assert_allclose(change, expected, rtol=1e-3)


@pytest.mark.parametrize('is_scaled', [False, True])
@pytest.mark.parametrize(
    ('momentum', 'share', 'expected'),
    [
        (0.0, 0.0, [2.0, 2.0]),
        (0.75, 0.0, [0.5, 2.0]),
        (0.0, 0.25, [1.75, 2.0]),
        (0.75, 0.5, [0.75, 2.0]),
    ],
)
def test_the_average_is_lent_and_given_back(momentum, share, expected, is_scaled):
    """Weights 1, 0 after the first step, 2 after the second: average 0.75 * 0 + 0.25 * 2."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    options = TrainOptions(optimizer='sgd', momentum=0, weight_decay=0, clip_norm=0, ema=momentum)
    optimizer = optimizer_of(options, 1.0, model)
    scale = 1.0
    if is_scaled:
        if keras.backend.backend() == 'jax':
            pytest.skip('jax scales losses within a compiled step only')
        scale = 8.0
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=scale)
    (kernel,) = model.trainable_variables
    kernel.assign([[1.0]])
    start = starting_weights(model, share)
    for gradient in (1.0, -2.0):
        optimizer.apply([keras.ops.convert_to_tensor([[scale * gradient]])], [kernel])
    with averaged(model, optimizer, start):
        inside = float(keras.ops.convert_to_numpy(kernel)[0, 0])
    assert [inside, float(keras.ops.convert_to_numpy(kernel)[0, 0])] == pytest.approx(expected)
