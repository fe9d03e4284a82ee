"""Convolution on a picture whose right border meets its left one."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable('rs_ml')
class CircularPad(keras.layers.Layer):
    """Pads columns with those from the other side and rows with zeros.

    Args:
        before: columns to add on the left and rows above [px].
        after: columns to add on the right and rows below [px].

    Input: (B, H, W, C), W at least the larger of both. Output: (B, H + before + after,
    W + before + after, C).
    """

    def __init__(self, before: int, after: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.before, self.after = before, after

    def call(self, x: Any) -> Any:
        left = [x[:, :, -self.before :]] if self.before else []
        right = [x[:, :, : self.after]] if self.after else []
        around = ops.concatenate([*left, x, *right], axis=2)
        return ops.pad(around, ((0, 0), (self.before, self.after), (0, 0), (0, 0)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, channels = input_shape
        more = self.before + self.after
        return batch, height and height + more, width and width + more, channels

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), 'before': self.before, 'after': self.after}


def circular_pad(x: keras.KerasTensor, kernel: int, strides: int, name: str) -> keras.KerasTensor:
    """Pad for a convolution without padding of its own, as 'same' pads an even size.

    A strided kernel begins within the picture, as in MobileNet.
    """
    total = kernel - strides
    return CircularPad(total // 2, total - total // 2, name=f'{name}_pad')(x)
