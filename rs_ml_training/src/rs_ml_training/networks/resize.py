"""Layers that enlarge maps in ways that every export format reproduces."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable('rs_ml')
class UpsampleLike(keras.layers.Layer):
    """Bilinear upsampling by a whole factor, cut at the right and below to another map's size.

    Where strides round up (15 rows become 8) this keeps both maps aligned, and ONNX and TFLite
    reproduce whole factors exactly. Call it with `[maps, reference]`, both (B, H, W, C); returns
    (B, H', W', C) of `maps`.

    Attributes:
        factor: at least the ratio of the sizes, larger by less than one cell of `maps`.
    """

    def __init__(self, factor: int, **kwargs: Any) -> None:
        """See the class; kwargs are those of every layer."""
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs: list[Any]) -> Any:
        """Upsample and cut; half-pixel centres, edges repeated."""
        maps, reference = inputs
        height, width = (self.factor * side for side in ops.shape(maps)[1:3])
        maps = ops.image.resize(maps, (height, width), interpolation='bilinear')
        known = tuple(maps.shape[1:3])
        if None in known or known != tuple(reference.shape[1:3]):
            maps = maps[:, : ops.shape(reference)[1], : ops.shape(reference)[2]]
        return ops.cast(maps, self.compute_dtype)

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple:
        """(B, H', W', C)."""
        (batch, _, _, channels), reference = input_shape
        return (batch, *reference[1:3], channels)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), 'factor': self.factor}


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
