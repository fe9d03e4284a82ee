"""FastDepth on the sphere: MobileNet and additive skips with circular convolutions."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import activated, batch_norm, conv_bn, image_input
from rs_ml_training.networks.fastdepth import FULL, ChannelPlan, depth_head

_STRIDED_BLOCKS = (2, 4, 6, 12)
_SKIP_BLOCKS = (1, 3, 5)


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

    A strided kernel begins within the image, as in MobileNet.
    """
    total = kernel - strides
    return CircularPad(total // 2, total - total // 2, name=f'{name}_pad')(x)


def pano_depth(
    input_size: tuple[int, int] | None = None,
    head: str = 'softplus',
    max_depth_m: float = 10.0,
    width: float = 1.0,
) -> keras.Model:
    """Distance along the ray for every pixel of an equirectangular panorama.

    The left and right borders are joined: rotating the camera about the vertical by multiples of
    32 px rotates the output by as much and changes nothing else.

    Args:
        input_size: (width, height), multiples of 32, 2:1 for a whole sphere; None: any.
        head: see fastdepth.depth_head.
        max_depth_m: the range of the data; scales the output without limiting it.
        width: factor on all channels; with 1 the encoder is MobileNet, its layers have the names
            of keras.applications and take its ImageNet weights.

    Returns:
        Model {'image': (B, H, W, 3) RGB 0..255} -> {'depth_m': (B, H, W, 1) >= 0}.

    Raises:
        ConfigError: an unknown head, or a number that is not positive.
    """
    if width <= 0:
        raise ConfigError(f'width must be positive, got {width}')
    plan = FULL.scaled(width)
    image = image_input(input_size, 3, 'image')
    x = layers.Rescaling(1 / 127.5, -1.0, name='normalise')(image)
    x, skips = _encoded(x, plan)
    depth_m = depth_head(_decoded(x, skips, plan), head, max_depth_m)
    return keras.Model({'image': image}, {'depth_m': depth_m}, name='pano_depth')


def _encoded(
    x: keras.KerasTensor, plan: ChannelPlan
) -> tuple[keras.KerasTensor, list[keras.KerasTensor]]:
    """The coarsest features and those at 1/2, 1/4 and 1/8."""
    x = circular_pad(x, 3, 2, 'conv1')
    x = layers.Conv2D(plan.stem, 3, strides=2, use_bias=False, name='conv1')(x)
    x = activated(batch_norm(x, 'conv1_bn'), 'relu6', 'conv1_act')
    skips = []
    for block, filters in enumerate(plan.encoder, start=1):
        strides = 2 if block in _STRIDED_BLOCKS else 1
        x = _depthwise(x, 3, strides, f'conv_dw_{block}', 'relu6')
        x = conv_bn(x, filters, 1, f'conv_pw_{block}', activation='relu6')
        if block in _SKIP_BLOCKS:
            skips.append(x)
    return x, skips


def _decoded(
    x: keras.KerasTensor, skips: list[keras.KerasTensor], plan: ChannelPlan
) -> keras.KerasTensor:
    joined = dict(zip((4, 3, 2), skips, strict=True))
    for block, filters in enumerate(plan.decoder, start=1):
        x = _depthwise(x, 5, 1, f'decoder_dw_{block}', 'relu')
        x = conv_bn(x, filters, 1, f'decoder_pw_{block}')
        x = layers.UpSampling2D(2, interpolation='nearest', name=f'decoder_up_{block}')(x)
        if block in joined:
            x = layers.Add(name=f'decoder_skip_{block}')([x, joined[block]])
    return x


def _depthwise(
    x: keras.KerasTensor, kernel: int, strides: int, name: str, activation: str
) -> keras.KerasTensor:
    x = circular_pad(x, kernel, strides, name)
    x = layers.DepthwiseConv2D(kernel, strides=strides, use_bias=False, name=name)(x)
    return activated(batch_norm(x, f'{name}_bn'), activation, f'{name}_act')
