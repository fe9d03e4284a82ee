"""A light detector: MobileNetV2, an additive decoder to stride 4, and one peak per object."""

from __future__ import annotations

import keras
from keras import layers

from rs_ml_training.errors import ConfigError
from rs_ml_training.networks import freezing
from rs_ml_training.networks.blocks import MOMENTUM
from rs_ml_training.networks.mobilenetv2.encoder import ALPHAS, mobilenetv2_taps

STRIDE = 4
SIZE_UNIT_PX = 16.0
"""The size head tells multiples of this, so that its raw numbers are of the order of one."""
_RARE = -2.19
"""Bias for which a fresh heat map is 0.1 everywhere, as in the paper."""


def centernet_light(
    input_size: tuple[int, int] | None = None,
    classes: int = 1,
    width: int = 64,
    alpha: float = 1.0,
    frozen_batch_norm: bool = False,
    fixed_blocks: int | None = None,
) -> keras.Model:
    """An anchor-free detector of 0.65 GMAC at 320x256.

    Args:
        input_size: (width, height), multiples of 32; None: any.
        classes: how many kinds of object.
        width: channels of the decoder and the heads.
        alpha: width of the MobileNetV2 encoder, one of ALPHAS. Its layers bear the names of
            keras.applications.
        frozen_batch_norm: the encoder's batch normalisation keeps the statistics that it has; of
            no use without pretrained weights.
        fixed_blocks: see freezing.fixed_blocks; None: everything learns.

    Returns:
        A model {'image': (B, H, W, 3) RGB 0..255} -> {'heatmap': (B, H/4, W/4, classes) scores
        0..1, 'size': (B, H/4, W/4, 2) width and height [px of the input], 'offset':
        (B, H/4, W/4, 2) x and y of the centre beyond its cell's corner [cells]}.

    Raises:
        ConfigError: an alpha that keras.applications does not know, or no class.
    """
    if alpha not in ALPHAS or classes < 1 or width < 1:
        raise ConfigError(
            f'the detector needs alpha of {ALPHAS}, at least one class and a positive width, '
            f'got {alpha}, {classes} and {width}'
        )
    columns, rows = input_size or (None, None)
    image = keras.Input((rows, columns, 3), name='image')
    features = _decoded(mobilenetv2_taps(image, alpha)[1:], width)
    heat = _head(features, classes, 'heatmap', bias=_RARE)
    size = layers.Activation('softplus', dtype='float32', name='head_size_softplus')(
        _head(features, 2, 'size')
    )
    outputs = {
        'heatmap': layers.Activation('sigmoid', dtype='float32', name='heatmap')(heat),
        'size': layers.Rescaling(SIZE_UNIT_PX, dtype='float32', name='size')(size),
        'offset': layers.Activation('linear', dtype='float32', name='offset')(
            _head(features, 2, 'offset', bias=0.5)
        ),
    }
    model = keras.Model({'image': image}, outputs, name='centernet_light')
    if frozen_batch_norm:
        freezing.freeze_encoder_batch_norm(model)
    if fixed_blocks is not None:
        freezing.fixed_blocks(model, fixed_blocks)
    return model


def _decoded(taps: list[keras.KerasTensor], width: int) -> keras.KerasTensor:
    *finer, x = taps
    x = _conv_bn(x, width, 'decoder_lateral32')
    for stride, skip in zip((16, 8, 4), finer[::-1], strict=True):
        x = layers.UpSampling2D(2, name=f'decoder_up{stride}')(x)
        skip = _conv_bn(skip, width, f'decoder_lateral{stride}')
        x = layers.Add(name=f'decoder_add{stride}')([x, skip])
        x = _separable(x, width, f'decoder_conv{stride}')
    return x


def _head(
    features: keras.KerasTensor, channels: int, name: str, bias: float = 0.0
) -> keras.KerasTensor:
    x = _separable(features, features.shape[-1], f'head_{name}_conv')
    return layers.Conv2D(
        channels,
        1,
        bias_initializer=keras.initializers.Constant(bias),
        dtype='float32',
        name=f'head_{name}',
    )(x)


def _separable(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    x = layers.DepthwiseConv2D(3, padding='same', use_bias=False, name=f'{name}_dw')(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f'{name}_dw_bn')(x)
    return layers.ReLU(6.0, name=f'{name}_relu')(_conv_bn(x, filters, name))


def _conv_bn(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(filters, 1, use_bias=False, name=name)(x)
    return layers.BatchNormalization(momentum=MOMENTUM, name=f'{name}_bn')(x)
