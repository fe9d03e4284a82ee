"""Enlarging by repetition, as one operation that every runtime has."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable('rs_ml')
class Repeated(keras.layers.Layer):
    """(B, H, W, C) -> (B, n*H, n*W, C), each pixel n by n times.

    As UpSampling2D with nearest, which exports as two tilings of five dimensions: these take
    runtimes several times as long as the one resize of this layer.

    Args:
        factor: n.
        options: of keras.layers.Layer.
    """

    def __init__(self, factor: int = 2, **options: Any) -> None:
        super().__init__(**options)
        self.factor = factor

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        _, height, width, _ = ops.shape(x)
        size = height * self.factor, width * self.factor
        return ops.image.resize(x, size, interpolation='nearest', data_format='channels_last')

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, *sides, channels = input_shape
        return (batch, *(side and side * self.factor for side in sides), channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), 'factor': self.factor}
