"""MobileNetV2 (Sandler 2018, arXiv 1801.04381) with the layer names of keras.applications.

On top of it, where asked for, the context module of DeepLabV3 (Chen 2017, arXiv 1706.05587).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import KerasTensor, layers
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import MOMENTUM, set_momentum

ALPHAS = (0.35, 0.5, 0.75, 1.0)
# Last layers at stride 2, 4, 8, 16 and 32: 16, 24, 32, 96 and 320 channels at alpha 1.
TAPS = (
    'expanded_conv_project_BN',
    'block_2_add',
    'block_5_add',
    'block_12_add',
    'block_16_project_BN',
)
_LAST_BLOCKS = (13, 14, 15, 16)
FEATURES = 256


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
        dilated: the last blocks stay at stride 16 with dilation 2 (DeepLabV3, arXiv 1706.05587,
            section 3.1): the same features, four times as many.

    Returns:
        (B, H/s, W/s, C) at strides s = 2, 4, 8, 16, 32 (16 if dilated), as in TAPS.

    Raises:
        ConfigError: an alpha outside ALPHAS.
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
    """The encoder with blocks 13 to 16 at stride 16 and dilation 2."""
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


def deeplab_context(x: KerasTensor, classes: int = 21) -> tuple[KerasTensor, KerasTensor]:
    """Local and global features, and the scores of classes.

    The light head of DeepLabV3 for MobileNetV2 (TensorFlow models): no dilated convolutions, only
    1 x 1 of each place and of the mean of the image. The layers have no normalisation, so that
    they take the weights of a file in which it is folded away.

    Args:
        x: (B, h, w, C) features of the last block.
        classes: 21 of Pascal VOC.

    Returns:
        Features (B, h, w, FEATURES), and raw scores (B, h, w, classes).
    """
    local = layers.Conv2D(FEATURES, 1, activation='relu', name='context_local')(x)
    mean = layers.GlobalAveragePooling2D(keepdims=True, name='context_mean')(x)
    whole = layers.Conv2D(FEATURES, 1, activation='relu', name='context_whole')(mean)
    # A 1 x 1 convolution of both concatenated, written as a sum: the mean is not broadcast first.
    features = layers.Add(name='context_both')(
        [
            layers.Conv2D(FEATURES, 1, name='context_project')(local),
            layers.Conv2D(FEATURES, 1, use_bias=False, name='context_project_whole')(whole),
        ]
    )
    features = layers.ReLU(name='context')(features)
    return features, layers.Conv2D(classes, 1, name='context_scores')(features)
