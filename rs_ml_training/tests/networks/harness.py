"""What holds for every network of the registry, on any backend.

In tests: `check_network(NAME, ...)` and, marked slow, `check_network_on_jax(NAME, ...)`, both
fixtures. As a program, `python harness.py NAME JSON`: on the backend that KERAS_BACKEND names,
and in mixed precision, too.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.networks import registry

BATCH = 2
CHANNELS = {'image': 3, 'depth_m': 1, 'measured_m': 1, 'infrared': 1}
UPPER = {'image': 255.0, 'depth_m': 5.0, 'measured_m': 5.0, 'infrared': 255.0}
REQUIRED = {
    'depth': {'depth_m'},
    'segmentation': {'logits'},
    'denoise': {'depth_m'},
    'detection': set(),
}
PEAKS = {'heatmap', 'size', 'offset'}
CELLS = {'scores', 'distances'}
"""Outputs (B, N, C) of a network of cells."""
# Scale of the output against the input, and channels; 0: the number of classes.
OUTPUTS = {
    'depth_m': (1, 1),
    'logits': (1, 0),
    'logits_aux': (1, 0),
    'confidence': (1, 1),
    'infrared': (1, 1),
    'heatmap': (4, 0),
    'size': (4, 2),
    'offset': (4, 2),
}
LIMITS = {'depth_m': (0, np.inf), 'confidence': (0, 1), 'heatmap': (0, 1)}


def check_network(
    name: str, size: tuple[int, int] | None = None, classes: int = 0, **options: Any
) -> None:
    """Check a network with everything below.

    Args:
        name: key of NETWORKS.
        size: (width, height); None: two by three strides.
        classes: that option of builders whose network has `logits` or `heatmap`.
        options: of its builder.
    """
    keras.utils.set_random_seed(0)
    stride = registry.entry_of(name).stride
    size = size or (3 * stride, 2 * stride)
    options |= {'classes': classes} if classes else {}
    model = registry.build(name, size, **options)
    check_names(name, model)
    inputs = inputs_of(model, size)
    outputs = check_outputs(model, inputs, classes)
    anywhere = registry.build(name, None, **options)
    check_weights_file(model, anywhere, inputs, outputs)
    check_outputs(anywhere, inputs_of(anywhere, (size[0] + stride, size[1])), classes)
    check_training_step(model, inputs, outputs)
    check_layers(model)
    check_wrong_size(name, size, options)


def inputs_of(model: keras.Model, size: tuple[int, int], seed: int = 0) -> dict[str, np.ndarray]:
    """Random images, the last empty; a third of the depth is unknown."""
    random = np.random.default_rng(seed)
    width, height = size
    arrays = {}
    for key in model.input:
        shape = (BATCH, height, width, CHANNELS[key])
        arrays[key] = (random.random(shape) * UPPER[key]).astype(np.float32)
    for key in {'depth_m', 'measured_m'} & set(arrays):
        arrays[key] *= random.random(arrays[key].shape) > 1 / 3
    for value in arrays.values():
        value[-1] = 0
    return arrays


def outputs_of(model: keras.Model, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Inference."""
    outputs = model(inputs, training=False)
    return {key: keras.ops.convert_to_numpy(value) for key, value in outputs.items()}


def check_names(name: str, model: keras.Model) -> None:
    entry = registry.entry_of(name)
    inputs = {'depth_m', 'infrared'} if entry.task == 'denoise' else {'image'}
    assert set(model.input) == inputs | ({'measured_m'} if entry.takes_depth else set())
    required = REQUIRED[entry.task] or (CELLS if 'scores' in model.output else PEAKS)
    assert set(model.output) >= required


def check_outputs(
    model: keras.Model, inputs: dict[str, np.ndarray], classes: int
) -> dict[str, np.ndarray]:
    """Returns the outputs: of their shapes, float32, finite and within limits."""
    height, width = next(iter(inputs.values())).shape[1:3]
    size, outputs = (width, height), outputs_of(model, inputs)
    for key, value in outputs.items():
        assert value.shape == shape_of(key, value, size, classes), key
        assert value.dtype == np.float32, key
        assert np.isfinite(value).all(), key
        low, high = LIMITS.get(key, (-np.inf, np.inf))
        assert value.min() >= low, key
        assert value.max() <= high, key
    return outputs


def shape_of(key: str, value: np.ndarray, size: tuple[int, int], classes: int) -> tuple[int, ...]:
    """What the shape of an output should be."""
    if key in CELLS:
        cells = sum(-(-size[0] // s) * -(-size[1] // s) for s in (8, 16, 32, 64))
        return BATCH, cells, classes if key == 'scores' else value.shape[-1]
    scale, channels = OUTPUTS.get(key, (1, value.shape[-1]))
    return BATCH, size[1] // scale, size[0] // scale, channels or classes


def check_mixed_precision(name: str, size: tuple[int, int], options: dict[str, Any]) -> None:
    """The outputs stay float32."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy('mixed_bfloat16')
    try:
        model = registry.build(name, size, **options)
    finally:
        keras.config.set_dtype_policy(policy)
    assert {key: value.dtype for key, value in model.output.items()} == dict.fromkeys(
        model.output, 'float32'
    )


class SignDescent(keras.optimizers.Optimizer):
    """Moves each weight by the learning rate wherever its gradient is not 0."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        step = keras.ops.sign(gradient) + 0.0 * gradient  # no number where the gradient is none
        self.assign_sub(variable, keras.ops.cast(learning_rate, gradient.dtype) * step)


def check_training_step(
    model: keras.Model, inputs: dict[str, np.ndarray], outputs: dict[str, np.ndarray]
) -> None:
    """Every trainable weight gets a gradient, and all stay finite."""
    random = np.random.default_rng(1)
    targets = {k: random.random(v.shape).astype(np.float32) for k, v in outputs.items()}
    before = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
    model.compile(
        SignDescent(1e-3),
        loss=dict.fromkeys(targets, 'mse'),
        run_eagerly=keras.backend.backend() != 'jax',  # which compiles every single operation
    )
    model.train_on_batch(inputs, targets)
    for variable, old in zip(model.trainable_variables, before, strict=True):
        new = keras.ops.convert_to_numpy(variable)
        assert np.isfinite(new).all(), variable.path
        assert (new != old).any(), f'{variable.path} gets no gradient'


def check_weights_file(
    model: keras.Model,
    anywhere: keras.Model,
    inputs: dict[str, np.ndarray],
    expected: dict[str, np.ndarray],
) -> None:
    """Saved, and loaded by the network of any size, the weights predict the same."""
    assert anywhere.count_params() == model.count_params()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'x.weights.h5'
        model.save_weights(path)
        anywhere.load_weights(path)
    for key, value in outputs_of(anywhere, inputs).items():
        np.testing.assert_allclose(value, expected[key], rtol=1e-5, atol=1e-5, err_msg=key)


def check_layers(model: keras.Model) -> None:
    """Only layers that a file can name."""
    for layer in model._flatten_layers():
        assert not isinstance(layer, keras.layers.Lambda), layer.name
        if not type(layer).__module__.startswith('keras.'):
            registered = keras.saving.get_registered_name(type(layer))
            assert registered.startswith('rs_ml>'), layer.name


def check_wrong_size(name: str, size: tuple[int, int], options: dict[str, Any]) -> None:
    for wrong in ((size[0] + 1, size[1]), (size[0], 0)):
        with pytest.raises(ConfigError, match=f'{wrong[0]}x{wrong[1]}'):
            registry.build(name, wrong, **options)


def main(name: str, arguments: dict[str, Any]) -> None:
    check_network(name, **arguments)
    stride = registry.entry_of(name).stride
    size = arguments.pop('size', None) or (3 * stride, 2 * stride)
    check_mixed_precision(name, size, arguments)


if __name__ == '__main__':
    main(sys.argv[1], json.loads(sys.argv[2]))
