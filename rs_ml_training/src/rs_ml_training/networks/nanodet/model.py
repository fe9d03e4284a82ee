"""NanoDet-Plus-m: a detector of 1.2 M parameters that ends at the logits of its head."""

from __future__ import annotations

import math

import keras
from keras import layers
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import image_input, imagenet_normalised
from rs_ml_training.networks.nanodet.blocks import Convolutions
from rs_ml_training.networks.nanodet.ghost_pan import ghost_pan
from rs_ml_training.networks.nanodet.shufflenetv2 import shufflenetv2

STRIDES = (8, 16, 32, 64)
BINS = 8
"""Of the distance from a cell to a side of its box: 0 to 7 strides."""
FIXED = ('', 'backbone', 'neck')
_DEPTH = 2
_RARE = -math.log((1 - 0.01) / 0.01)
"""Bias for which a fresh head scores 0.01 everywhere (Lin 2017, arXiv 1708.02002)."""


def nanodet_plus(
    input_size: tuple[int, int] | None = None,
    classes: int = 80,
    width: int = 96,
    batch_norm: bool = True,
    fixed: str = '',
) -> keras.Model:
    """An anchor-free detector: ShuffleNetV2 1.0x, Ghost-PAN, generalized focal head.

    Args:
        input_size: (width, height), multiples of 32; None: any.
        classes: how many kinds of object.
        width: channels of the neck and the head.
        batch_norm: False: convolutions have a bias in its place, as in published files.
        fixed: what does not learn: '' nothing, 'backbone', 'neck' (the backbone as well).

    Returns:
        A model {'image': (B, H, W, 3) RGB 0..255} -> {'scores': (B, N, classes) logits,
        'distances': (B, N, 4 * BINS) logits of the distances to the left, top, right and bottom
        side [strides]}. The N cells are those of STRIDES, level after level and row by row; a
        level has ceil(H / stride) x ceil(W / stride) of them, cell (row, column) lies at
        (column, row) * stride [px].

    Raises:
        ConfigError: no class, an odd width, or `fixed` is none of FIXED.
    """
    if classes < 1 or width < 2 or width % 2 or fixed not in FIXED:
        raise ConfigError(
            f'the detector needs at least one class, an even width and fixed of {FIXED}, '
            f'got {classes}, {width} and {fixed!r}'
        )
    make = Convolutions(batch_norm)
    image = image_input(input_size, 3, 'image')
    levels = ghost_pan(shufflenetv2(imagenet_normalised(image), make), width, make)
    parts: dict[str, list[keras.KerasTensor]] = {'scores': [], 'distances': []}
    for x, stride in zip(levels, STRIDES, strict=True):
        for step in range(_DEPTH):
            x = make.separable(x, width, f'head_{stride}_{step}')
        parts['scores'].append(_logits(x, classes, f'head_{stride}_scores', _RARE))
        parts['distances'].append(_logits(x, 4 * BINS, f'head_{stride}_distances', 0.0))
    outputs = {
        name: layers.Concatenate(axis=1, dtype='float32', name=name)(part)
        for name, part in parts.items()
    }
    model = keras.Model({'image': image}, outputs, name='nanodet_plus')
    _fix(model, fixed)
    return model


def _logits(x: keras.KerasTensor, channels: int, name: str, bias: float) -> keras.KerasTensor:
    """(B, cells, channels), float32."""
    maps = layers.Conv2D(
        channels,
        1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(bias),
        dtype='float32',
        name=name,
    )(x)
    return layers.Reshape((-1, channels), dtype='float32', name=f'{name}_cells')(maps)


def _fix(model: keras.Model, fixed: str) -> None:
    prefixes = tuple(f'{part}_' for part in FIXED[1 : FIXED.index(fixed) + 1])
    for layer in model.layers:
        if prefixes and layer.name.startswith(prefixes):
            layer.trainable = False
