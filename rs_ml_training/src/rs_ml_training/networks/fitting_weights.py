"""Weights of a similar network: for other classes, or for one that has grown by some layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras

from rs_ml_training.errors import CheckpointError
from rs_ml_training.networks.weights_file import read_weights


@dataclass(frozen=True)
class FittingMatch:
    """What fitted.

    Attributes:
        source: the file.
        left: names of the layers that kept their own weights.
        total: number of layers that have weights.
    """

    source: Path
    left: tuple[str, ...]
    total: int

    def __str__(self) -> str:
        """One line for the user."""
        fresh = f'; fresh: {", ".join(self.left)}' if self.left else ''
        return f'{self.total - len(self.left)} of {self.total} layers from {self.source}{fresh}'


def load_fitting_weights(model: keras.Model, path: Path) -> FittingMatch:
    """Give the layers of a network the weights that a file has for them by name and shapes.

    Raises:
        CheckpointError: the file is missing, damaged, or no layer of it fits.
    """
    weights = read_weights(path)
    layers = [layer for layer in model.layers if layer.weights]
    left = []
    for layer in layers:
        arrays = weights.get(layer.name, [])
        if [a.shape for a in arrays] == [tuple(w.shape) for w in layer.weights]:
            layer.set_weights(arrays)
        else:
            left.append(layer.name)
    if len(left) == len(layers):
        raise CheckpointError(f'no layer of {path} fits {model.name} by name and shape')
    return FittingMatch(path, tuple(left), len(layers))
