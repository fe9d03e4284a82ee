"""MobileNetV2 (Sandler 2018, arXiv 1801.04381) with the layer names of keras.applications."""

from __future__ import annotations

import keras
from keras import layers

from rs_ml_training.errors import ConfigError
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


def mobilenetv2_taps(
    image: keras.KerasTensor, alpha: float = 1.0, momentum: float = MOMENTUM
) -> list[keras.KerasTensor]:
    """Feature maps of raw RGB.

    Args:
        image: (B, H, W, 3), 0..255, sides multiples of 32.
        alpha: width, one of ALPHAS.
        momentum: of the moving averages of batch normalisation.

    Returns:
        (B, H/s, W/s, C) at strides s = 2, 4, 8, 16, 32, as in TAPS.

    Raises:
        ConfigError: an alpha that keras.applications does not know.
    """
    if alpha not in ALPHAS:
        raise ConfigError(f'MobileNetV2 has alpha of {ALPHAS}, got {alpha}')
    normalised = layers.Rescaling(1 / 127.5, -1.0, name='normalise')(image)
    encoder = keras.applications.MobileNetV2(
        include_top=False, weights=None, alpha=alpha, input_tensor=normalised
    )
    set_momentum(encoder, momentum)
    return [encoder.get_layer(name).output for name in TAPS]
