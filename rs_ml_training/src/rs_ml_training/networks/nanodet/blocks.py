"""Convolutions and the ShuffleNetV2 backbone (Ma 2018, arXiv 1807.11164) of NanoDet-Plus.

Padding is symmetric, as the published weights require.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from rs_ml_training.networks.blocks import batch_norm

# Of the leaky rectifier for negative values.
SLOPE = 0.1
STEM = 24
# (channels, units) of each stage; the first unit halves the resolution.
STAGES = ((116, 4), (232, 8), (464, 4))


@dataclass(frozen=True)
class Convolutions:
    """Makes convolutions, each with a batch normalisation or with a bias.

    Attributes:
        batch_norm: False where the normalisation has been folded into kernel and bias.
    """

    batch_norm: bool = True

    def pointwise(
        self, x: keras.KerasTensor, filters: int, name: str, *, active: bool = True
    ) -> keras.KerasTensor:
        """1x1 convolution, normalised and optionally activated."""
        conv = layers.Conv2D(
            filters,
            1,
            use_bias=not self.batch_norm,
            kernel_initializer='he_normal',
            name=name,
        )
        return self._finished(conv(x), name, active)

    def spatial(
        self, x: keras.KerasTensor, filters: int, kernel: int, name: str, *, strides: int = 1
    ) -> keras.KerasTensor:
        """Convolution of all channels, normalised and activated."""
        conv = layers.Conv2D(
            filters,
            kernel,
            strides=strides,
            padding=_padding(strides),
            use_bias=not self.batch_norm,
            kernel_initializer='he_normal',
            name=name,
        )
        return self._finished(conv(_padded(x, kernel, strides, name)), name, True)

    def depthwise(
        self,
        x: keras.KerasTensor,
        kernel: int,
        name: str,
        *,
        strides: int = 1,
        active: bool = False,
    ) -> keras.KerasTensor:
        """Depthwise convolution, normalised and optionally activated."""
        conv = layers.DepthwiseConv2D(
            kernel,
            strides=strides,
            padding=_padding(strides),
            use_bias=not self.batch_norm,
            depthwise_initializer='he_normal',
            name=name,
        )
        return self._finished(conv(_padded(x, kernel, strides, name)), name, active)

    def separable(
        self, x: keras.KerasTensor, filters: int, name: str, *, strides: int = 1
    ) -> keras.KerasTensor:
        """5x5 depthwise `NAME_dw` and 1x1 convolution `NAME_pw`, both activated."""
        x = self.depthwise(x, 5, f'{name}_dw', strides=strides, active=True)
        return self.pointwise(x, filters, f'{name}_pw')

    def _finished(self, x: keras.KerasTensor, name: str, active: bool) -> keras.KerasTensor:
        x = batch_norm(x, f'{name}_bn') if self.batch_norm else x
        return layers.LeakyReLU(SLOPE, name=f'{name}_act')(x) if active else x


def _padding(strides: int) -> str:
    return 'same' if strides == 1 else 'valid'


def _padded(x: keras.KerasTensor, kernel: int, strides: int, name: str) -> keras.KerasTensor:
    """With a stride 'same' would pad more on one side, depending on the size."""
    return x if strides == 1 else layers.ZeroPadding2D(kernel // 2, name=f'{name}_pad')(x)


@keras.saving.register_keras_serializable('rs_ml')
class CentredMaxPool(keras.layers.Layer):
    """Highest of 3 x 3 around every second pixel: (B, H, W, C) to (B, ceil(H/2), ceil(W/2), C)."""

    def call(self, x: Any) -> Any:
        # Repeating the edge changes no maximum; zeros would, among negative numbers.
        x = ops.concatenate([x[:, :1], x, x[:, -1:]], axis=1)
        x = ops.concatenate([x[:, :, :1], x, x[:, :, -1:]], axis=2)
        return ops.max_pool(x, 3, strides=2)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, *sides, channels = input_shape
        return (batch, *(side and (side + 1) // 2 for side in sides), channels)


@keras.saving.register_keras_serializable('rs_ml')
class ChannelShuffle(keras.layers.Layer):
    """Interleaves the two halves of the channels: a1 a2 b1 b2 to a1 b1 a2 b2."""

    def call(self, x: Any) -> Any:
        height, width, channels = ops.shape(x)[1:]
        halves = ops.reshape(x, (-1, 2, channels // 2))
        return ops.reshape(ops.transpose(halves, (0, 2, 1)), (-1, height, width, channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


def shufflenetv2(image: keras.KerasTensor, make: Convolutions) -> list[keras.KerasTensor]:
    """Features (B, H/s, W/s, C) of strides 8, 16 and 32, from a normalised image."""
    x = make.spatial(image, STEM, 3, 'backbone_stem', strides=2)
    x = CentredMaxPool(name='backbone_pool')(x)
    features = []
    for stage, (channels, units) in enumerate(STAGES, 2):
        x = _halved(x, channels // 2, make, f'backbone_{stage}_0')
        for unit in range(1, units):
            x = _unit(x, channels // 2, make, f'backbone_{stage}_{unit}')
        features.append(x)
    return features


def _halved(x: keras.KerasTensor, half: int, make: Convolutions, name: str) -> keras.KerasTensor:
    """Both branches see all of x (figure 3d of the paper)."""
    short = make.depthwise(x, 3, f'{name}_short_dw', strides=2)
    short = make.pointwise(short, half, f'{name}_short_pw')
    return _joined(short, _branch(x, half, make, name, strides=2), name)


def _unit(x: keras.KerasTensor, half: int, make: Convolutions, name: str) -> keras.KerasTensor:
    """One half of the channels passes (figure 3c)."""
    return _joined(x[..., :half], _branch(x[..., half:], half, make, name, strides=1), name)


def _branch(
    x: keras.KerasTensor, half: int, make: Convolutions, name: str, *, strides: int
) -> keras.KerasTensor:
    x = make.pointwise(x, half, f'{name}_pw1')
    x = make.depthwise(x, 3, f'{name}_dw', strides=strides)
    return make.pointwise(x, half, f'{name}_pw2')


def _joined(short: keras.KerasTensor, seen: keras.KerasTensor, name: str) -> keras.KerasTensor:
    both = layers.Concatenate(name=f'{name}_concat')([short, seen])
    return ChannelShuffle(name=f'{name}_shuffle')(both)
