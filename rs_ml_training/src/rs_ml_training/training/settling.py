"""Statistics of batch normalisation that belong to the weights they are used with.

Averaged weights lag behind those that training goes on with, and the moving averages of batch
normalisation belong to the latter, of the last batches alone. Where much has moved since, as
behind an encoder whose own normalisation is frozen, the network that is kept would see its
features far off centre. The remedy is that of Izmailov et al. (arXiv 1803.05407, section 3.2): one
pass over training batches with the averaged weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import keras

from rs_ml_training.data.sequence import Arrays


@contextmanager
def settled(network: keras.Model, batches: Iterable[Arrays]) -> Iterator[None]:
    """Within, the moving statistics are the plain mean of those of some batches.

    Args:
        network: its frozen batch normalisation stays as it is.
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
    """Layers of batch normalisation that follow the data."""
    return [
        layer
        for layer in network.layers
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]
