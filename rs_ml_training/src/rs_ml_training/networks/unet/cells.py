"""Cells, square blocks of pixels laid out as channels, and the blocks built on them.

With TensorFlow both conversions are single operations of any size, so that a runtime can run an
exported file at another size than it was exported for.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import conv_bn, separable_bn

MIN_DEPTH_M = 0.1
CELL_PX = 4
DILATIONS = (1, 2, 4)


@keras.saving.register_keras_serializable('rs_ml')
class PixelsToCells(keras.layers.Layer):
    """(B, H, W, 1) -> (B, H/n, W/n, n*n); channel y*n + x is the pixel (x, y) of the cell.

    Args:
        cell_px: n, side of a cell; H and W are multiples of it.
        options: of keras.layers.Layer.
    """

    def __init__(self, cell_px: int, **options: Any) -> None:
        super().__init__(**options)
        self.cell_px = cell_px

    def call(self, pixels: keras.KerasTensor) -> keras.KerasTensor:
        n = self.cell_px
        if keras.backend.backend() == 'tensorflow':
            import tensorflow as tf

            return tf.nn.space_to_depth(pixels, n)
        _, height, width, _ = ops.shape(pixels)
        x = ops.reshape(pixels, (-1, height // n, n, width // n, n))
        x = ops.transpose(x, (0, 1, 3, 2, 4))
        return ops.reshape(x, (-1, height // n, width // n, n * n))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        n = self.cell_px
        batch, *sides, _ = input_shape
        return (batch, *(side and side // n for side in sides), n * n)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), 'cell_px': self.cell_px}


@keras.saving.register_keras_serializable('rs_ml')
class CellsToPixels(keras.layers.Layer):
    """(B, H, W, n*n*C) -> (B, H*n, W*n, C); channel (y*n + x)*C + c is c at (x, y) of the cell.

    For C = 1 the inverse of PixelsToCells.

    Args:
        cell_px: n, side of a cell.
        options: of keras.layers.Layer.
    """

    def __init__(self, cell_px: int, **options: Any) -> None:
        super().__init__(**options)
        self.cell_px = cell_px

    def call(self, cells: keras.KerasTensor) -> keras.KerasTensor:
        n = self.cell_px
        if keras.backend.backend() == 'tensorflow':
            import tensorflow as tf

            return tf.nn.depth_to_space(cells, n)
        _, height, width, channels = ops.shape(cells)
        x = ops.reshape(cells, (-1, height, width, n, n, channels // (n * n)))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
        return ops.reshape(x, (-1, height * n, width * n, channels // (n * n)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        n = self.cell_px
        batch, *sides, channels = input_shape
        depth = None if channels is None else channels // (n * n)
        return (batch, *(side and side * n for side in sides), depth)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), 'cell_px': self.cell_px}


def require_sense(width: int, max_depth_m: float) -> None:
    """Raise ConfigError for too few channels or an empty range."""
    if width < 8 or max_depth_m <= MIN_DEPTH_M:
        raise ConfigError(
            f'width must be at least 8 and max_depth_m above {MIN_DEPTH_M}, '
            f'got {width} and {max_depth_m}'
        )


def residual(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """Two convolutions with a skip connection."""
    y = conv_bn(x, filters, 3, f'{name}_conv1')
    y = conv_bn(y, filters, 3, f'{name}_conv2', activation=None)
    return layers.Activation('relu', name=f'{name}_out')(layers.Add(name=f'{name}_add')([x, y]))


def context(x: keras.KerasTensor, filters: int, dilation: int) -> keras.KerasTensor:
    """Context by a dilated convolution with a skip connection."""
    names = f'context_{dilation}_dw', f'context_{dilation}_pw'
    y = separable_bn(x, filters, 5, names, dilation=dilation)
    return layers.Add(name=f'context_{dilation}_add')([x, y])


def encoded(x: keras.KerasTensor, width: int) -> tuple[keras.KerasTensor, ...]:
    """Features at 1/4, 1/8 and, with context, 1/16 of the resolution."""
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
