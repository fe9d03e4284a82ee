"""The moving average of the weights, which validation and the kept weights use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras


@contextmanager
def averaged(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Within, the model has its averaged weights, if the optimizer keeps any."""
    if not optimizer.use_ema or not optimizer.built:
        yield
        return
    variables = model.trainable_variables
    trained = [keras.ops.convert_to_numpy(v).copy() for v in variables]
    optimizer.finalize_variable_values(variables)
    try:
        yield
    finally:
        for variable, value in zip(variables, trained, strict=True):
            variable.assign(value)
