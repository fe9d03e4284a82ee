"""From the features of MobileNetV2 to those at half the size of the picture."""

from __future__ import annotations

from keras import KerasTensor, layers

from rs_ml_training.networks.blocks import conv_bn, separable_bn
from rs_ml_training.networks.nearest import Repeated

WIDTHS = (256, 160, 96, 64, 32)
"""Channels at stride 32, 16, 8, 4 and 2."""


def decoded(taps: list[KerasTensor], width: float = 1.0, dropout: float = 0.0) -> KerasTensor:
    """Features at stride 2: at each stride those of the next coarser one and the encoder's.

    Args:
        taps: (B, H/s, W/s, C) at strides 2, 4, 8, 16, 32.
        width: factor on WIDTHS.
        dropout: share of the deepest channels that are left out in training.

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
    """The deepest features with those around them and the mean of the picture."""
    near = conv_bn(x, filters, 1, 'decoder_near')
    wide = separable_bn(near, filters, 5, ('decoder_wide_dw', 'decoder_wide_pw'))
    mean = layers.GlobalAveragePooling2D(keepdims=True, name='decoder_mean')(x)
    whole = layers.Conv2D(filters, 1, activation='relu', name='decoder_whole')(mean)
    return layers.Add(name='decoder_context')([near, wide, whole])
