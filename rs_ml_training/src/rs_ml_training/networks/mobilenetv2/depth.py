"""Depth from one image on MobileNetV2."""

from __future__ import annotations

import math

import keras
from keras import KerasTensor, layers
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks import freezing
from rs_ml_training.networks.blocks import conv_bn, image_input, separable_bn
from rs_ml_training.networks.mobilenetv2.encoder import mobilenetv2_taps
from rs_ml_training.networks.resize import Repeated

# Channels at stride 32, 16, 8, 4 and 2.
WIDTHS = (256, 160, 96, 64, 32)
_NEAREST_SHARE = 0.03
_START_SHARE = 0.25


def decoded(taps: list[KerasTensor], width: float = 1.0, dropout: float = 0.0) -> KerasTensor:
    """Features at stride 2: at each stride those of the next coarser one and the encoder's.

    Args:
        taps: (B, H/s, W/s, C) at strides 2, 4, 8, 16, 32.
        width: factor on WIDTHS.
        dropout: fraction of the deepest channels dropped in training.

    Returns:
        (B, H/2, W/2, C).
    """
    widths = [max(8, round(filters * width / 8) * 8) for filters in WIDTHS]
    *finer, x = taps
    x = _context(x, widths[0])
    if dropout:
        x = layers.SpatialDropout2D(dropout, name='decoder_dropout')(x)
    for stride, tap, filters in zip((16, 8, 4, 2), finer[::-1], widths[1:], strict=True):
        x = conv_bn(x, filters, 1, f'decoder_narrow{stride}')
        x = Repeated(2, name=f'decoder_up{stride}')(x)
        skip = conv_bn(tap, filters, 1, f'decoder_skip{stride}')
        x = layers.Add(name=f'decoder_add{stride}')([x, skip])
        names = f'decoder_dw{stride}', f'decoder_pw{stride}'
        x = separable_bn(x, filters, 5 if stride > 4 else 3, names)
    return x


def _context(x: KerasTensor, filters: int) -> KerasTensor:
    """The deepest features with their surroundings and the mean of the image."""
    near = conv_bn(x, filters, 1, 'decoder_near')
    wide = separable_bn(near, filters, 5, ('decoder_wide_dw', 'decoder_wide_pw'))
    mean = layers.GlobalAveragePooling2D(keepdims=True, name='decoder_mean')(x)
    whole = layers.Conv2D(filters, 1, activation='relu', name='decoder_whole')(mean)
    return layers.Add(name='decoder_context')([near, wide, whole])


def mobile_depth(
    input_size: tuple[int, int] | None = None,
    max_depth_m: float = 10.0,
    alpha: float = 1.0,
    width: float = 1.0,
    dropout: float = 0.0,
    frozen_batch_norm: bool = False,
    fixed_blocks: int | None = None,
) -> keras.Model:
    """MobileNetV2 and a light decoder with additive skips; depth at half size, enlarged.

    The last channel is a place on a logarithmic scale from 3 % to 100 % of `max_depth_m`, so that
    a step of it is the same fraction of the depth everywhere.

    Args:
        input_size: (width, height), multiples of 32; None: any.
        max_depth_m: the farthest depth that can be predicted.
        alpha: width of the encoder, one of encoder.ALPHAS.
        width: factor on the channels of the decoder.
        dropout: fraction of the deepest channels dropped in training.
        frozen_batch_norm: the encoder's batch normalisation is frozen; useful only with pretrained
            weights.
        fixed_blocks: see freezing.fixed_blocks; None: nothing is frozen.

    Returns:
        Model {'image': (B, H, W, 3) RGB 0..255} -> {'depth_m': (B, H, W, 1)}.

    Raises:
        ConfigError: an unknown alpha, a range or width that is not positive, or a dropout outside
            0..1.
    """
    if max_depth_m <= 0 or width <= 0 or not 0 <= dropout < 1:
        raise ConfigError(
            'max_depth_m and width must be positive and dropout in 0..1, got '
            f'{max_depth_m}, {width} and {dropout}'
        )
    image = image_input(input_size, 3, 'image')
    x = decoded(mobilenetv2_taps(image, alpha), width, dropout)
    model = keras.Model(
        {'image': image}, {'depth_m': _metres(x, max_depth_m)}, name='mobile_depth'
    )
    if frozen_batch_norm:
        freezing.freeze_encoder_batch_norm(model)
    if fixed_blocks is not None:
        freezing.fixed_blocks(model, fixed_blocks)
    return model


def _metres(x: keras.KerasTensor, max_depth_m: float) -> keras.KerasTensor:
    span = -math.log(_NEAREST_SHARE)
    start = 1 + math.log(_START_SHARE) / span
    bias = keras.initializers.Constant(math.log(start / (1 - start)))
    x = layers.Conv2D(1, 1, bias_initializer=bias, name='head_depth', dtype='float32')(x)
    x = layers.Activation('sigmoid', dtype='float32', name='head_share')(x)
    x = layers.Rescaling(span, math.log(max_depth_m) - span, dtype='float32', name='head_log')(x)
    x = layers.Activation('exponential', dtype='float32', name='head_metres')(x)
    return layers.UpSampling2D(2, interpolation='bilinear', dtype='float32', name='depth_m')(x)
