"""Weights of NanoDet-Plus-m from its published network as ONNX.

The file holds convolutions alone, with the normalisations folded in, in the order of computation.
It expects BGR, this network RGB.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import keras
import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.errors import CheckpointError
from rs_ml_training.networks.exported_weights import read_convolutions
from rs_ml_training.networks.nanodet.blocks import STAGES
from rs_ml_training.networks.nanodet.model import STRIDES

_STEM = 'backbone_stem'
# sha256 of published files -> their source and licence.
_CREDITS = {
    '01a3a66947ddf6a4079e0f3e9bfb5f0e05a1b947cf9ae1a954c494302e0837af': (
        'NanoDet-Plus-m-416, Copyright 2020-2021 RangiLyu (github.com/RangiLyu/nanodet, '
        'Apache-2.0), trained on COCO 2017 (annotations CC BY 4.0, photographs under the terms '
        'of Flickr)'
    ),
}


def credit_of(path: Path) -> str:
    """Source and licence of the weights in a file, for the model card."""
    known = None
    if path.is_file():
        known = _CREDITS.get(hashlib.sha256(path.read_bytes()).hexdigest())
    return known or f'{path.name}, licence not stated'


def load(model: keras.Model, path: Path) -> None:
    """Load the weights of such a file into the network, all of them or none.

    Args:
        model: nanodet_plus with `batch_norm=False` and the classes of the file, in their order.
        path: the file; its input has any size.

    Raises:
        CheckpointError: the file is missing, damaged or of another network.
        ConfigError: the network has batch normalisation, or the package onnx is not installed.
    """
    if any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers):
        raise ConfigError(
            f'{path.name} has its normalisation folded into the convolutions: '
            'give --model-option batch_norm=false'
        )
    convolutions = list(read_convolutions(path, 'NanoDet-Plus-m as ONNX').values())
    targets = _targets(model)
    if len(convolutions) != len(targets):
        raise CheckpointError(
            f'{path} has {len(convolutions)} convolutions, {model.name} has {len(targets)}: '
            'give NanoDet-Plus-m (1.0x) as ONNX'
        )
    found: dict[str, list[np.ndarray]] = {}
    for names, (kernel, bias) in zip(targets, convolutions, strict=True):
        found |= _weights(model, names, kernel, bias, path)
    for name, weights in found.items():
        model.get_layer(name).set_weights(weights)


def _targets(model: keras.Model) -> list[tuple[str, ...]]:
    """Layers in the order of the file; the last convolution of a level fills two of them."""
    there = {layer.name for layer in model.layers}
    return [names for names in _order() if there.issuperset(names)]


def _order() -> list[tuple[str, ...]]:
    single = [_STEM, *_backbone(), *_neck()]
    head = [f'head_{stride}_0_{part}' for stride in STRIDES for part in ('dw', 'pw')]
    names: list[tuple[str, ...]] = [(name,) for name in (*single, *head)]
    for stride in STRIDES[::-1]:
        names += [(f'head_{stride}_1_dw',), (f'head_{stride}_1_pw',)]
        names.append((f'head_{stride}_scores', f'head_{stride}_distances'))
    return names


def _backbone() -> list[str]:
    names = []
    for stage, (_, units) in enumerate(STAGES, 2):
        first = f'backbone_{stage}_0_'
        names += [first + part for part in ('short_dw', 'pw1', 'dw', 'short_pw', 'pw2')]
        for unit in range(1, units):
            names += [f'backbone_{stage}_{unit}_{part}' for part in ('pw1', 'dw', 'pw2')]
    return names


def _neck() -> list[str]:
    parts = ('ghost1_pw', 'ghost1_dw', 'ghost2_pw', 'ghost2_dw', 'short_dw', 'short_pw')
    names = ['neck_reduce32']
    for stride in (16, 8):
        names += [f'neck_reduce{stride}', *(f'neck_down{stride}_{part}' for part in parts)]
    for stride in (16, 32):
        names += [f'neck_shrunk{stride}_{part}' for part in ('dw', 'pw')]
        names += [f'neck_up{stride}_{part}' for part in parts]
    return names + [f'neck_extra_{side}_{part}' for side in ('in', 'out') for part in ('dw', 'pw')]


def _weights(
    model: keras.Model, names: tuple[str, ...], kernel: np.ndarray, bias: np.ndarray, path: Path
) -> dict[str, list[np.ndarray]]:
    """The parts of a convolution for each of the layers."""
    layers = [model.get_layer(name) for name in names]
    wanted = [tuple(layer.weights[0].shape) for layer in layers]
    if isinstance(layers[0], keras.layers.DepthwiseConv2D):
        kernel = kernel.transpose(2, 3, 0, 1)
    else:
        kernel = kernel.transpose(2, 3, 1, 0)
    if names == (_STEM,):
        kernel = kernel[:, :, ::-1]
    ends = np.cumsum([shape[-1] for shape in wanted])[:-1]
    split = len(names) > 1
    kernels = np.split(kernel, ends, axis=-1) if split else [kernel]
    biases = np.split(bias, ends) if split else [bias]
    if [k.shape for k in kernels] != wanted:
        raise CheckpointError(
            f'{path} is no {model.name} of these classes and width: {" and ".join(names)} '
            f'want {wanted}, the file has {kernel.shape}'
        )
    return {n: [k, b] for n, k, b in zip(names, kernels, biases, strict=True)}
