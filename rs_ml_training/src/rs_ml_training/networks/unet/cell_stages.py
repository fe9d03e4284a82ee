"""Parts that the real-time denoisers share."""

from __future__ import annotations

import keras
from keras import layers
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import conv_bn, separable_bn
from rs_ml_training.networks.unet.cells import CellsToPixels

MIN_DEPTH_M = 0.1
CELL_PX = 4
DILATIONS = (1, 2, 4)


def require_sense(width: int, max_depth_m: float) -> None:
    """Raise ConfigError for too few channels, or a range that ends before it begins."""
    if width < 8 or max_depth_m <= MIN_DEPTH_M:
        raise ConfigError(
            f'width must be at least 8 and max_depth_m above {MIN_DEPTH_M}, '
            f'got {width} and {max_depth_m}'
        )


def residual(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """Two convolutions beside what they are given."""
    y = conv_bn(x, filters, 3, f'{name}_conv1')
    y = conv_bn(y, filters, 3, f'{name}_conv2', activation=None)
    return layers.Activation('relu', name=f'{name}_out')(layers.Add(name=f'{name}_add')([x, y]))


def context(x: keras.KerasTensor, filters: int, dilation: int) -> keras.KerasTensor:
    """What lies around, beside what it is given."""
    names = f'context_{dilation}_dw', f'context_{dilation}_pw'
    y = separable_bn(x, filters, 5, names, dilation=dilation)
    return layers.Add(name=f'context_{dilation}_add')([x, y])


def encoded(x: keras.KerasTensor, width: int) -> tuple[keras.KerasTensor, ...]:
    """Features at 1/4, 1/8 and, with their surroundings, 1/16 of the resolution."""
    quarter = residual(x, width, 'encoder_4')
    x = conv_bn(quarter, 2 * width, 3, 'encoder_8_down', strides=2)
    eighth = residual(x, 2 * width, 'encoder_8')
    x = conv_bn(eighth, 4 * width, 3, 'encoder_16_down', strides=2)
    for dilation in DILATIONS:
        x = context(x, 4 * width, dilation)
    return quarter, eighth, x


def confidence(certainty: keras.KerasTensor) -> keras.KerasTensor:
    """0..1 of each pixel from logits of cells."""
    x = layers.Activation('sigmoid', dtype='float32', name='confidence_cells')(certainty)
    return CellsToPixels(CELL_PX, dtype='float32', name='confidence')(x)
