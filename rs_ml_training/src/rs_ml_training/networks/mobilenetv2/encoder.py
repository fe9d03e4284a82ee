"""MobileNetV2 (Sandler 2018, arXiv 1801.04381) with the layer names of keras.applications."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import MOMENTUM
from rs_ml_training.networks.momentum import set_momentum

ALPHAS = (0.35, 0.5, 0.75, 1.0)
TAPS = (
    'expanded_conv_project_BN',
    'block_2_add',
    'block_5_add',
    'block_12_add',
    'block_16_project_BN',
)
"""Last layers at stride 2, 4, 8, 16 and 32: 16, 24, 32, 96 and 320 channels at alpha 1."""
_LAST_BLOCKS = (13, 14, 15, 16)


def mobilenetv2_taps(
    image: keras.KerasTensor,
    alpha: float = 1.0,
    momentum: float = MOMENTUM,
    dilated: bool = False,
) -> list[keras.KerasTensor]:
    """Feature maps of raw RGB.

    Args:
        image: (B, H, W, 3), 0..255, sides multiples of 32.
        alpha: width, one of ALPHAS.
        momentum: of the moving averages of batch normalisation.
        dilated: the last blocks stay at stride 16 and look twice as far instead (DeepLabV3,
            arXiv 1706.05587, section 3.1): the same features, four times as many.

    Returns:
        (B, H/s, W/s, C) at strides s = 2, 4, 8, 16, 32 (16 if dilated), as in TAPS.

    Raises:
        ConfigError: an alpha that keras.applications does not know.
    """
    if alpha not in ALPHAS:
        raise ConfigError(f'MobileNetV2 has alpha of {ALPHAS}, got {alpha}')
    normalised = layers.Rescaling(1 / 127.5, -1.0, name='normalise')(image)
    encoder = keras.applications.MobileNetV2(
        include_top=False, weights=None, alpha=alpha, input_tensor=normalised
    )
    if dilated:
        encoder = _with_dilated_end(encoder)
    set_momentum(encoder, momentum)
    return [encoder.get_layer(name).output for name in TAPS]


def _with_dilated_end(encoder: keras.Model) -> keras.Model:
    """The encoder whose blocks 13 to 16 keep stride 16: what they summed up lies twice as far."""
    x = encoder.get_layer('block_12_add').output
    for block in _LAST_BLOCKS:
        x = _block(x, encoder, block, dilation=1 if block == _LAST_BLOCKS[0] else 2)
    return keras.Model(encoder.input, x)


def _block(
    x: keras.KerasTensor, encoder: keras.Model, block: int, dilation: int
) -> keras.KerasTensor:
    """An inverted residual block like that of the encoder, with stride 1."""

    def again(part: str, **changes: Any) -> keras.Layer:
        layer = encoder.get_layer(f'block_{block}_{part}')
        return type(layer).from_config({**layer.get_config(), **changes})

    y = again('expand_relu')(again('expand_BN')(again('expand')(x)))
    y = again('depthwise', strides=1, dilation_rate=dilation, padding='same')(y)
    y = again('project_BN')(again('project')(again('depthwise_relu')(again('depthwise_BN')(y))))
    return again('add')([x, y]) if y.shape[-1] == x.shape[-1] else y
