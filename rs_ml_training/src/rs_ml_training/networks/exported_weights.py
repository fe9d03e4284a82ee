"""Weights of a network from its own export in ONNX, to continue the training of a shipped model.

The file has the normalisations folded into the convolutions. As in folded_encoder.py, they are
restored from training images, so that the first step starts from the same function and statistics.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.errors import CheckpointError

_LOADED = layers.Conv2D, layers.DepthwiseConv2D, layers.BatchNormalization
Arrays = Mapping[str, np.ndarray]
Folded = tuple[np.ndarray, np.ndarray]


def load_exported_weights(model: keras.Model, path: Path, images: Iterable[Arrays]) -> None:
    """Load the weights of an export into its network.

    Args:
        model: of the same builder and options as the exported one.
        path: ONNX file made by `rs-ml-export` (also of a TFLite file).
        images: batches of the network's inputs, as in training; a few dozen images.

    Raises:
        CheckpointError: the file is missing, damaged or of another network, or the network has
            weights of other kinds.
        ConfigError: the package onnx is not installed, or there are no images.
    """
    others = {type(x).__name__ for x in model.layers if x.weights and not isinstance(x, _LOADED)}
    if others:
        raise CheckpointError(
            f'{path}: weights of {", ".join(sorted(others))} cannot be read from an export: give '
            'the run folder, or the published file'
        )
    folded = read_convolutions(path, 'an ONNX file made by rs-ml-export')
    norms = {}
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
            norm = _load(model, layer, folded, path)
            if norm is not None:
                norms[layer.name] = norm
    _measure(model, norms, images)


def read_convolutions(path: Path, wanted: str) -> dict[str, Folded]:
    """Kernel (out, in, h, w) and bias of each convolution of an ONNX file, in its order.

    Args:
        path: the file.
        wanted: name of the file that belongs there, for the error.

    Returns:
        By the name of its output, which holds the names of the layers that were folded into it.

    Raises:
        CheckpointError: the file is missing or damaged.
        ConfigError: the package onnx is not installed.
    """
    if not path.is_file():
        raise CheckpointError(f'{path} is missing: give {wanted}')
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise ConfigError(f'{error}: weights in an ONNX file need the package onnx') from error
    try:
        graph = onnx.load(path).graph
        arrays = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
        for node in graph.node:
            if node.op_type == 'Cast' and node.input[0] in arrays:
                arrays[node.output[0]] = arrays[node.input[0]].astype(np.float32)
        found = {}
        for node in (n for n in graph.node if n.op_type == 'Conv'):
            kernel, *bias = (arrays[name] for name in node.input[1:])
            found[node.output[0]] = kernel, bias[0] if bias else np.zeros(len(kernel), 'float32')
        return found
    except Exception as error:  # protobuf's DecodeError, missing tensors
        raise CheckpointError(f'{path} cannot be read as a network in ONNX: {error!r}') from error


def _load(
    model: keras.Model, layer: layers.Layer, folded: Mapping[str, Folded], path: Path
) -> layers.BatchNormalization | None:
    """Load one convolution; returns the normalisation that follows it."""
    marks = tuple(f'/{layer.name}{end}/' for end in ('', '_1'))
    found = [value for name, value in folded.items() if any(m in name for m in marks)]
    if len(found) != 1:
        raise CheckpointError(
            f'{path} has {len(found)} convolutions {layer.name}: another network?'
        )
    kernel, bias = found[0]
    depthwise = isinstance(layer, layers.DepthwiseConv2D)
    kernel = kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    if kernel.shape != tuple(layer.weights[0].shape):
        raise CheckpointError(
            f'{path}: {layer.name} is {kernel.shape}, {model.name} wants '
            f'{tuple(layer.weights[0].shape)}'
        )
    if layer.use_bias:
        layer.set_weights([kernel, bias])
        return None
    layer.set_weights([kernel])
    norm = _norm_behind(layer)
    norm.set_weights([np.ones_like(bias), bias, np.zeros_like(bias), 0 * bias + 1 - norm.epsilon])
    return norm


def _norm_behind(layer: layers.Layer) -> layers.BatchNormalization:
    (node,) = layer._outbound_nodes
    return node.operation


def _measure(
    model: keras.Model, norms: Mapping[str, layers.BatchNormalization], images: Iterable[Arrays]
) -> None:
    """Split each bias into batch statistics and the scale and offset that undo them."""
    outputs = {name: _moments(model.get_layer(name).output) for name in norms}
    moments = keras.Model(model.input, outputs)
    batches = [moments(dict(arrays), training=False) for arrays in images]
    if not batches:
        raise ConfigError('weights of folded convolutions need images to measure them on')
    for name, norm in norms.items():
        mean, square = np.mean([ops.convert_to_numpy(b[name]) for b in batches], axis=0)
        variance = np.maximum(square - mean**2, 1e-6)
        bias = ops.convert_to_numpy(norm.beta)
        norm.set_weights([np.sqrt(variance + norm.epsilon), bias + mean, mean, variance])


def _moments(x: keras.KerasTensor) -> keras.KerasTensor:
    x = ops.cast(x, 'float32')
    return ops.stack([ops.mean(v, axis=(0, 1, 2)) for v in (x, ops.square(x))])
