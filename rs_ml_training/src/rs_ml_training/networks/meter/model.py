"""METER (Papa et al., arXiv 2403.08368): depth from MobileNetV2 and MobileViT blocks.

Its "separable" convolutions are a full 3 x 3 convolution and a 1 x 1 one without anything between,
so that here they are one 3 x 3 convolution. A decoder of transposed convolutions ends at a quarter
of the size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import image_input, imagenet_normalised

_HEADS, _HEAD_CHANNELS = 4, 8
_PATCH = 2
_TORCH_EPSILON, _TORCH_MOMENTUM = 1e-5, 0.9


_STRIDES = (1, 2, 1, 1, 2, 2, 2)
_MLP_FACTORS = (2, 4, 4)


@dataclass(frozen=True)
class MeterPlan:
    """Channels of a variant.

    Attributes:
        blocks: of the output of each MobileNetV2 block, and before them of the stem.
        expansion: of MobileNetV2 blocks.
        tokens: of the three transformers.
        deepest: channels that the decoder gets.
        decoder: of its input and of each step up.
    """

    blocks: tuple[int, ...]
    expansion: int
    tokens: tuple[int, int, int]
    deepest: int
    decoder: tuple[int, ...]


VARIANTS = {
    'xxs': MeterPlan((16, 16, 24, 24, 24, 48, 64, 80), 2, (64, 80, 96), 160, (64, 32, 16, 8)),
    'xs': MeterPlan((16, 32, 48, 48, 48, 64, 80, 96), 4, (96, 120, 144), 192, (128, 64, 32, 16)),
    's': MeterPlan((16, 32, 64, 64, 64, 96, 128, 160), 4, (144, 192, 240), 320, (128, 64, 32, 16)),
}


def meter(
    input_size: tuple[int, int] | None = None,
    max_depth_m: float = 10.0,
    variant: str = 'xxs',
    frozen_batch_norm: bool = False,
) -> keras.Model:
    """Build the network.

    Args:
        input_size: (width, height), multiples of 64; None: any.
        max_depth_m: the farthest depth that can be predicted.
        variant: key of VARIANTS.
        frozen_batch_norm: normalisation is frozen; useful only with pretrained weights.

    Returns:
        Model {'image': (B, H, W, 3) RGB 0..255} -> {'depth_m': (B, H, W, 1)}.

    Raises:
        ConfigError: an unknown variant, or a range that is not positive.
    """
    if variant not in VARIANTS or max_depth_m <= 0:
        raise ConfigError(
            f'meter has the variants {", ".join(VARIANTS)} and a positive max_depth_m, got '
            f'{variant!r} and {max_depth_m}'
        )
    plan = VARIANTS[variant]
    image = image_input(input_size, 3, 'image')
    x, taps = _encoded(imagenet_normalised(image), plan)
    x = _decoded(x, taps, plan)
    x = layers.ReLU(max_depth_m, dtype='float32', name='head_range')(x)
    x = layers.UpSampling2D(4, interpolation='bilinear', dtype='float32', name='depth_m')(x)
    model = keras.Model({'image': image}, {'depth_m': x}, name='meter')
    if frozen_batch_norm:
        for layer in model.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.trainable = False
    return model


def _encoded(
    x: keras.KerasTensor, plan: MeterPlan
) -> tuple[keras.KerasTensor, list[keras.KerasTensor]]:
    """Features at stride 32, and those at 4, 8 and 16 that the decoder joins."""
    stem, *widths = plan.blocks
    x = _conv(x, stem, 3, 'stem', strides=2)
    taps = []
    for i, (channels, stride) in enumerate(zip(widths, _STRIDES, strict=True)):
        x = _inverted(x, channels, stride, plan.expansion, f'block_{i}')
        if stride == 2:
            taps.append(x)
        if i >= 4:
            x = _mobile_vit(x, plan.tokens[i - 4], _MLP_FACTORS[i - 4], f'vit_{i - 4}')
    return _conv(x, plan.deepest, 1, 'deepest'), taps[:3]


def _decoded(
    x: keras.KerasTensor, taps: list[keras.KerasTensor], plan: MeterPlan
) -> keras.KerasTensor:
    first, *widths = plan.decoder
    x = layers.Conv2D(first, 1, use_bias=False, name='decoder_in')(x)
    for i, (channels, tap) in enumerate(zip(widths, taps[::-1], strict=True)):
        x = layers.Conv2DTranspose(channels, 3, 2, use_bias=False, name=f'decoder_up_{i}')(x)
        # PyTorch's padding of 1 and output padding of 1: the first row and column go.
        x = layers.Cropping2D(((1, 0), (1, 0)), name=f'decoder_crop_{i}')(x)
        x = layers.Concatenate(name=f'decoder_join_{i}')([x, tap])
        x = layers.Conv2D(
            channels, 3, padding='same', use_bias=False, activation='relu', name=f'decoder_{i}'
        )(x)
    return layers.Conv2D(1, 3, padding='same', use_bias=False, name='head_depth')(x)


def _conv(
    x: keras.KerasTensor, filters: int, kernel: int, name: str, strides: int = 1
) -> keras.KerasTensor:
    """Convolution as PyTorch pads it, normalised, ReLU."""
    x = _padded(x, kernel, strides, name)
    padding = 'valid' if strides == 2 else 'same'
    x = layers.Conv2D(filters, kernel, strides, padding, use_bias=False, name=name)(x)
    return layers.ReLU(name=f'{name}_act')(_norm(x, name))


def _padded(x: keras.KerasTensor, kernel: int, strides: int, name: str) -> keras.KerasTensor:
    """With stride 2 PyTorch centres on even pixels, 'same' of Keras on odd ones."""
    if strides == 1:
        return x
    return layers.ZeroPadding2D(((kernel // 2, 0), (kernel // 2, 0)), name=f'{name}_pad')(x)


def _norm(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.BatchNormalization(
        momentum=_TORCH_MOMENTUM, epsilon=_TORCH_EPSILON, name=f'{name}_bn'
    )(x)


def _inverted(
    x: keras.KerasTensor, channels: int, stride: int, expansion: int, name: str
) -> keras.KerasTensor:
    """Inverted residual (Sandler et al., arXiv 1801.04381)."""
    start = x
    x = _conv(x, x.shape[-1] * expansion, 1, f'{name}_expand')
    x = _padded(x, 3, stride, f'{name}_dw')
    padding = 'valid' if stride == 2 else 'same'
    x = layers.DepthwiseConv2D(3, stride, padding, use_bias=False, name=f'{name}_dw')(x)
    x = layers.ReLU(name=f'{name}_dw_act')(_norm(x, f'{name}_dw'))
    x = layers.Conv2D(channels, 1, use_bias=False, name=f'{name}_project')(x)
    x = _norm(x, f'{name}_project')
    if stride == 1 and start.shape[-1] == channels:
        return layers.Add(name=f'{name}_add')([start, x])
    return x


def _mobile_vit(x: keras.KerasTensor, tokens: int, mlp: int, name: str) -> keras.KerasTensor:
    """MobileViT (Mehta and Rastegari, arXiv 2110.02178) with one transformer layer."""
    channels, start = x.shape[-1], x
    x = _conv(x, channels, 3, f'{name}_local')
    x = _conv(x, tokens, 1, f'{name}_tokens')
    like = x
    x = Unfolded(name=f'{name}_unfold')(x)
    y = layers.LayerNormalization(epsilon=_TORCH_EPSILON, name=f'{name}_norm1')(x)
    y = layers.Dense(3 * _HEADS * _HEAD_CHANNELS, use_bias=False, name=f'{name}_qkv')(y)
    y = Attention(_HEADS, name=f'{name}_attention')(y)
    y = layers.Dense(tokens, name=f'{name}_out')(y)
    x = layers.Add(name=f'{name}_add1')([x, y])
    y = layers.LayerNormalization(epsilon=_TORCH_EPSILON, name=f'{name}_norm2')(x)
    y = layers.Dense(tokens * mlp, activation='relu', name=f'{name}_mlp1')(y)
    y = layers.Dense(tokens, name=f'{name}_mlp2')(y)
    x = layers.Add(name=f'{name}_add2')([x, y])
    x = Folded(name=f'{name}_fold')([x, like])
    x = _conv(x, channels, 1, f'{name}_back')
    x = layers.Concatenate(name=f'{name}_join')([x, start])
    return _conv(x, channels, 3, f'{name}_fuse')


@keras.saving.register_keras_serializable('rs_ml')
class Unfolded(layers.Layer):
    """(B, H, W, C) -> (B, 4, H/2 * W/2, C): pixels of one place in 2 x 2 patches together."""

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        _, height, width, channels = ops.shape(x)
        rows, columns = height // 2, width // 2
        x = ops.reshape(x, (-1, rows, 2, columns, 2 * channels))
        x = ops.transpose(x, (0, 2, 1, 3, 4))
        x = ops.reshape(x, (-1, 2, rows * columns, 2, channels))
        x = ops.transpose(x, (0, 1, 3, 2, 4))
        return ops.reshape(x, (-1, 4, rows * columns, channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, channels = input_shape
        count = height // 2 * (width // 2) if height and width else None
        return (batch, 4, count, channels)


@keras.saving.register_keras_serializable('rs_ml')
class Folded(layers.Layer):
    """(B, 4, N, C) and a map (B, H, W, _) -> (B, H, W, C); undoes Unfolded."""

    def call(self, inputs: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
        x, like = inputs
        channels, (_, height, width, _) = x.shape[-1], ops.shape(like)
        rows, columns = height // 2, width // 2
        x = ops.reshape(x, (-1, 2, 2, rows * columns, channels))
        x = ops.transpose(x, (0, 1, 3, 2, 4))
        x = ops.reshape(x, (-1, 2, rows, columns, 2 * channels))
        x = ops.transpose(x, (0, 2, 1, 3, 4))
        return ops.reshape(x, (-1, height, width, channels))

    def compute_output_shape(
        self, input_shape: Sequence[tuple[int | None, ...]]
    ) -> tuple[int | None, ...]:
        tokens, like = input_shape
        return (*like[:3], tokens[-1])


@keras.saving.register_keras_serializable('rs_ml')
class Attention(layers.Layer):
    """Softmax attention among the N tokens of each part: (B, 4, N, 3 h d) -> (B, 4, N, h d).

    Args:
        heads: h.
        options: of keras.layers.Layer.
    """

    def __init__(self, heads: int, **options: Any) -> None:
        super().__init__(**options)
        self.heads = heads

    def call(self, qkv: keras.KerasTensor) -> keras.KerasTensor:
        count, size = ops.shape(qkv)[2], qkv.shape[-1] // (3 * self.heads)
        qkv = ops.reshape(qkv, (-1, count, 3 * self.heads, size))
        qkv = ops.transpose(qkv, (0, 2, 1, 3))
        q, k, v = ops.split(qkv, 3, axis=1)
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) * size**-0.5
        x = ops.matmul(ops.softmax(scores, axis=-1), v)
        x = ops.transpose(x, (0, 2, 1, 3))
        return ops.reshape(x, (-1, 4, count, self.heads * size))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        *outer, channels = input_shape
        return (*outer, channels // 3 if channels else None)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), 'heads': self.heads}
