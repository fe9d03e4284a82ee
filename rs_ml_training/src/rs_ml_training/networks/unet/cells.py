"""Between a map and its cells: square blocks of pixels laid out as channels.

With TensorFlow both are single operations that know no size, so that a runtime can run an
exported file at another size than it was exported for.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


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
        return (batch, *(side and side * n for side in sides), channels // (n * n))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), 'cell_px': self.cell_px}
