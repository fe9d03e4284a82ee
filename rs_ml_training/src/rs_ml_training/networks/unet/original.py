"""The U-Net of 31 M parameters of Intel's TensorFlow wrapper, which denoises depth.

Layers as in Ronneberger et al., U-Net (MICCAI 2015, arXiv:1505.04597) with same padding, nearest
doubling and a 2x2 convolution; two channels in, two sigmoids out: depth and infrared.
"""

from __future__ import annotations

import keras
from keras import layers, ops
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import image_input
from rs_ml_training.networks.resize import Repeated

# Range of 16-bit depth in millimetres, 1.0 in the published live script.
FULL_SCALE_M = 65.535
_INFRARED_SCALE = 255.0
_WIDTH = 64
_DROPOUT = 0.5


def unet(
    input_size: tuple[int, int] | None = None,
    range_m: float = FULL_SCALE_M,
) -> keras.Model:
    """Intel's U-Net, 31,032,264 parameters, 13.7 GMAC on a tile of 128x128.

    The body is the published one. Before it, depth is divided by `range_m` and infrared by 255,
    and the sigmoids are multiplied by them again. The published scripts divide both by 65535 live,
    and by their common mean and variance in training, from which metres cannot be recovered. There
    is no confidence.

    Args:
        input_size: (width, height), multiples of 16; None: any.
        range_m: depth at a sigmoid of 1 [m]; smaller ranges are resolved better.

    Returns:
        Model {'depth_m': (B, H, W, 1) metres, 0 = nothing measured, 'infrared': (B, H, W, 1)
        0..255} -> {'depth_m': (B, H, W, 1) 0..range_m, 'infrared': (B, H, W, 1) 0..255}.

    Raises:
        ConfigError: a range that is not positive.
    """
    if range_m <= 0:
        raise ConfigError(f'range_m must be positive, got {range_m}')
    depth_m = image_input(input_size, 1, 'depth_m')
    infrared = image_input(input_size, 1, 'infrared')
    depth = layers.Rescaling(1 / range_m, name='depth_scaled')(depth_m)
    brightness = layers.Rescaling(1 / _INFRARED_SCALE, name='infrared_scaled')(infrared)
    x = unet_body(layers.Concatenate(name='channels')([depth, brightness]))
    depth, brightness = ops.split(x, 2, axis=-1)
    outputs = {
        'depth_m': layers.Rescaling(range_m, dtype='float32', name='denoised')(depth),
        'infrared': layers.Rescaling(_INFRARED_SCALE, dtype='float32', name='regressed')(
            brightness
        ),
    }
    return keras.Model({'depth_m': depth_m, 'infrared': infrared}, outputs, name='unet')


def unet_body(x: keras.KerasTensor, channels: int = 2) -> keras.KerasTensor:
    """Encoder, decoder and sigmoids: float (B, H, W, C) -> float32 (B, H, W, channels) 0..1."""
    skips = []
    for level in range(4):
        x = _double_conv(x, _WIDTH << level, f'encoder_{level + 1}')
        if level == 3:
            x = layers.Dropout(_DROPOUT, name='encoder_4_dropout')(x)
        skips.append(x)
        x = layers.MaxPooling2D(2, name=f'pool_{level + 1}')(x)
    x = _double_conv(x, _WIDTH << 4, 'bottleneck')
    x = layers.Dropout(_DROPOUT, name='bottleneck_dropout')(x)
    for level in reversed(range(4)):
        x = _up(x, skips[level], _WIDTH << level, f'decoder_{level + 1}')
    x = _conv(x, channels, 3, 'head_conv')
    return layers.Conv2D(channels, 1, activation='sigmoid', dtype='float32', name='head')(x)


def _up(
    x: keras.KerasTensor, skip: keras.KerasTensor, filters: int, name: str
) -> keras.KerasTensor:
    x = Repeated(2, name=f'{name}_up')(x)
    x = _conv(x, filters, 2, f'{name}_conv')
    x = layers.Concatenate(name=f'{name}_skip')([skip, x])
    return _double_conv(x, filters, name)


def _double_conv(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    return _conv(_conv(x, filters, 3, f'{name}_conv1'), filters, 3, f'{name}_conv2')


def _conv(x: keras.KerasTensor, filters: int, kernel: int, name: str) -> keras.KerasTensor:
    conv = layers.Conv2D(
        filters,
        kernel,
        padding='same',
        activation='relu',
        kernel_initializer='he_normal',
        name=name,
    )
    return conv(x)
