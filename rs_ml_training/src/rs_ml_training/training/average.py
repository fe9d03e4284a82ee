"""The moving average of the weights, which validation and the kept weights use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np


@contextmanager
def averaged(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Within, the model has its averaged weights, if the optimizer keeps any."""
    # mixed_float16 wraps the optimizer in one that scales the loss and has no average.
    optimizer = getattr(optimizer, 'inner_optimizer', optimizer)
    if not optimizer.use_ema or not optimizer.built:
        yield
        return
    variables = model.trainable_variables
    trained = _values(variables)
    optimizer.finalize_variable_values(variables)
    # jax gives the buffers of a prediction away: they must not be those of the optimizer.
    _assign(variables, _values(variables))
    try:
        yield
    finally:
        _assign(variables, trained)


def _values(variables: list[keras.Variable]) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def _assign(variables: list[keras.Variable], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
