"""Weights by layer name from the files that Keras writes, and loading those that fit."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import keras
import numpy as np

from rs_ml_training.errors import CheckpointError

# Layer name -> its arrays in the order of `layer.weights`; layers without weights are empty.
LayerWeights = Mapping[str, list[np.ndarray]]

_INSIDE_KERAS = 'model.weights.h5'


def read_weights(path: Path) -> LayerWeights:
    """Read `.weights.h5`, `.keras`, or the `.h5` of Keras 2 and keras.applications.

    No layer is built and no code of the file runs.

    Raises:
        CheckpointError: the file is missing, damaged or of another kind.
    """
    if not path.is_file():
        raise CheckpointError(f'{path} is missing: give a .weights.h5, .keras or .h5 file')
    try:
        with h5py.File(_hdf5(path), 'r') as file:
            root = file.get('model_weights', file)
            weights = _keras2(root) if 'layer_names' in root.attrs else _keras3(root)
    except (OSError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
        raise CheckpointError(f'{path} cannot be read as weights of Keras: {error}') from error
    if not weights:
        raise CheckpointError(f'{path} holds no layers: give a file that Keras saved')
    return weights


def _hdf5(path: Path) -> Path | io.BytesIO:
    if path.suffix != '.keras':
        return path
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read(_INSIDE_KERAS))


def _keras2(root: h5py.Group) -> dict[str, list[np.ndarray]]:
    weights = {}
    for layer in map(_text, root.attrs['layer_names']):
        names = map(_text, root[layer].attrs['weight_names'])
        weights[layer] = [root[layer][name][()] for name in names]
    return weights


def _keras3(root: h5py.Group) -> dict[str, list[np.ndarray]]:
    """Layers are numbered by class; their names stand at the groups `vars`."""
    weights: dict[str, list[np.ndarray]] = {}

    def visit(path: str, group: object) -> None:
        if isinstance(group, h5py.Group) and path.endswith('/vars') and 'name' in group.attrs:
            arrays = [group[key][()] for key in sorted(group, key=int)]
            weights[_text(group.attrs['name'])] = arrays

    root.visititems(visit)
    return weights


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


@dataclass(frozen=True)
class FittingMatch:
    """The layers that fit.

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
    """Load the layers of a file that fit a network by name and shapes.

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
