"""A small U-Net that labels pixels (Ronneberger et al., MICCAI 2015, arXiv:1505.04597)."""

from __future__ import annotations

import keras
from keras import layers
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import batch_norm, conv_bn, image_input

_LEVELS = 4


def unet_small(
    input_size: tuple[int, int] | None = None,
    classes: int = 2,
    base: int = 8,
    dropout: float = 0.4,
) -> keras.Model:
    """Small U-Net for segmentation, 0.5 M parameters.

    Args:
        input_size: (width, height), multiples of 16; None: any.
        classes: number of labels.
        base: channels at full resolution, doubled at each of four halvings.
        dropout: fraction of the features dropped after each concatenation.

    Returns:
        Model {'image': (B, H, W, 3) RGB 0..255} -> {'logits': (B, H, W, classes)}.

    Raises:
        ConfigError: an invalid number.
    """
    if classes < 1 or base < 1 or not 0 <= dropout < 1:
        raise ConfigError(
            'classes and base must be at least 1 and dropout in 0..1, '
            f'got {classes}, {base} and {dropout}'
        )
    image = image_input(input_size, 3, 'image')
    x = layers.Rescaling(1 / 255, name='normalised')(image)
    skips = []
    for level in range(_LEVELS):
        x = _double_conv(x, base << level, f'encoder_{level + 1}')
        skips.append(x)
        x = layers.MaxPooling2D(2, name=f'pool_{level + 1}')(x)
    x = _double_conv(x, base << _LEVELS, 'bottleneck')
    for level in reversed(range(_LEVELS)):
        x = _up(x, skips[level], base << level, dropout, f'decoder_{level + 1}')
    logits = layers.Conv2D(classes, 3, padding='same', dtype='float32', name='logits')(x)
    return keras.Model({'image': image}, {'logits': logits}, name='unet_small')


def _up(
    x: keras.KerasTensor, skip: keras.KerasTensor, filters: int, dropout: float, name: str
) -> keras.KerasTensor:
    x = layers.Conv2DTranspose(
        filters, 3, strides=2, padding='same', use_bias=False, name=f'{name}_up'
    )(x)
    x = layers.Activation('swish', name=f'{name}_up_act')(batch_norm(x, f'{name}_up_bn'))
    x = layers.Concatenate(name=f'{name}_skip')([x, skip])
    x = layers.Dropout(dropout, name=f'{name}_dropout')(x)
    return _double_conv(x, filters, name)


def _double_conv(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    return conv_bn(conv_bn(x, filters, 3, f'{name}_conv1'), filters, 3, f'{name}_conv2')
