"""Bringing one map to the size of another, whatever both sizes are."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable('rs_ml')
class ResizeLike(keras.layers.Layer):
    """Bilinear resize of the first of two maps to height and width of the second.

    Sizes known when the network is built become constants of the graph; others are taken from
    the tensors. Call it with `[maps, reference]`, both (B, H, W, C); returns (B, H', W', C) of
    `maps` in the layer's own data type.
    """

    def call(self, inputs: list[Any]) -> Any:
        """Resize; half-pixel centres, edges repeated."""
        maps, reference = inputs
        size = ops.shape(reference)[1:3]
        resized = ops.image.resize(maps, size, interpolation='bilinear')
        return ops.cast(resized, self.compute_dtype)

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple:
        """(B, H', W', C)."""
        (batch, _, _, channels), reference = input_shape
        return (batch, *reference[1:3], channels)
