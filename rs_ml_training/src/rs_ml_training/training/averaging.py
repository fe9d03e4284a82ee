"""The averaged weights, and precise batch normalisation for them.

Averaged weights lag behind those that training continues with, and the moving averages of batch
normalisation belong to the latter, of the last batches alone. Where much has moved since, as
behind an encoder whose own normalisation is frozen, the saved network would see its features far
off centre. The remedy is that of Izmailov et al. (arXiv 1803.05407, section 3.2): one pass over
training batches with the averaged weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import numpy as np

from rs_ml_training.data.sample import Arrays


@contextmanager
def precise_batch_norm(network: keras.Model, batches: Iterable[Arrays]) -> Iterator[None]:
    """In this context the moving statistics are the plain mean over some batches.

    Args:
        network: its frozen batch normalisation is not touched.
        batches: inputs of the network; none: nothing changes.
    """
    found = normalisations(network)
    before = [layer.get_weights() for layer in found]
    momenta = [layer.momentum for layer in found]
    try:
        for number, inputs in enumerate(batches):
            for layer in found:
                layer.momentum = number / (number + 1)
            network(inputs, training=True)
        yield
    finally:
        for layer, weights, momentum in zip(found, before, momenta, strict=True):
            own = dict(zip((w.path for w in layer.weights), weights, strict=True))
            for variable in (layer.moving_mean, layer.moving_variance):
                variable.assign(own[variable.path])
            layer.momentum = momentum


def normalisations(network: keras.Model) -> list[keras.layers.BatchNormalization]:
    """Layers of batch normalisation that are not frozen."""
    return [
        layer
        for layer in network.layers
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]


@dataclass(frozen=True, eq=False)
class StartingWeights:
    """Starting weights that are mixed into the saved ones.

    A network fine-tuned on few images keeps what it learned from many (Wortsman 2022,
    arXiv 2109.01903).

    Attributes:
        values: of the trainable variables.
        share: 0..1.
    """

    values: list[np.ndarray]
    share: float


def starting_weights(model: keras.Model, share: float) -> StartingWeights | None:
    """The model's present weights; None if none of them are mixed in."""
    return StartingWeights(_values(model.trainable_variables), share) if share else None


@contextmanager
def averaged(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, start: StartingWeights | None = None
) -> Iterator[None]:
    """In this context the model has its averaged weights, if there are any, mixed with a start."""
    # mixed_float16 wraps the optimizer in one that scales the loss and has no average.
    optimizer = getattr(optimizer, 'inner_optimizer', optimizer)
    moves = optimizer.use_ema and optimizer.built
    if not moves and start is None:
        yield
        return
    variables = model.trainable_variables
    trained = _values(variables)
    if moves:
        optimizer.finalize_variable_values(variables)
    # jax donates the buffers of a prediction, which must not be those of the optimizer.
    _assign(variables, _mixed(_values(variables), start))
    try:
        yield
    finally:
        _assign(variables, trained)


def _mixed(values: list[np.ndarray], start: StartingWeights | None) -> list[np.ndarray]:
    if start is None:
        return values
    pairs = zip(values, start.values, strict=True)
    return [(1 - start.share) * value + start.share * first for value, first in pairs]


def _values(variables: list[keras.Variable]) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def _assign(variables: list[keras.Variable], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
