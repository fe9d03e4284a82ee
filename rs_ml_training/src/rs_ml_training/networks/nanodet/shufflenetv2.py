"""ShuffleNetV2 1.0x (Ma 2018, arXiv 1807.11164) as features of strides 8, 16 and 32."""

from __future__ import annotations

import keras
from keras import layers

from rs_ml_training.networks.nanodet.blocks import CentredMaxPool, ChannelShuffle, Convolutions

STEM = 24
STAGES = ((116, 4), (232, 8), (464, 4))
"""(channels, units) of each stage; the first unit halves the resolution."""


def shufflenetv2(image: keras.KerasTensor, make: Convolutions) -> list[keras.KerasTensor]:
    """Features (B, H/s, W/s, C) of strides 8, 16 and 32, from a normalised picture."""
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
