"""DenseNet-161 (arXiv 1608.06993), its layers named as in the DenseNets of keras.applications."""

from __future__ import annotations

import keras
from keras import layers

GROWTH = 48
BLOCKS = (6, 12, 36, 24)
STEM_FILTERS = 96
_EPSILON = 1.001e-5


def densenet161(image: keras.KerasTensor) -> keras.Model:
    """The encoder without its classifier, 26.47 M parameters.

    Args:
        image: float (B, H, W, 3), normalised; H and W multiples of 32.

    Returns:
        A model from the inputs of `image` to the last feature map, (B, H/32, W/32, 2208). Taps:
        conv1_relu (96 channels, stride 2), pool1 (96, 4), pool2_pool (192, 8), pool3_pool
        (384, 16) and relu (2208, 32).
    """
    x = _stem(image)
    for number, units in enumerate(BLOCKS, start=2):
        for unit in range(1, units + 1):
            x = _dense_unit(x, f'conv{number}_block{unit}')
        if number < len(BLOCKS) + 1:
            x = _transition(x, f'pool{number}')
    x = _bn_relu(x, 'bn', 'relu')
    return keras.Model(keras.utils.get_source_inputs(image), x, name='densenet161')


def _stem(image: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.ZeroPadding2D(3, name='conv1_pad')(image)
    x = layers.Conv2D(STEM_FILTERS, 7, strides=2, use_bias=False, name='conv1_conv')(x)
    x = _bn_relu(x, 'conv1_bn', 'conv1_relu')
    x = layers.ZeroPadding2D(1, name='pool1_pad')(x)
    return layers.MaxPooling2D(3, strides=2, name='pool1')(x)


def _dense_unit(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    y = _bn_relu(x, f'{name}_0_bn', f'{name}_0_relu')
    y = layers.Conv2D(4 * GROWTH, 1, use_bias=False, name=f'{name}_1_conv')(y)
    y = _bn_relu(y, f'{name}_1_bn', f'{name}_1_relu')
    y = layers.Conv2D(GROWTH, 3, padding='same', use_bias=False, name=f'{name}_2_conv')(y)
    return layers.Concatenate(name=f'{name}_concat')([x, y])


def _transition(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    filters = x.shape[-1] // 2
    x = _bn_relu(x, f'{name}_bn', f'{name}_relu')
    x = layers.Conv2D(filters, 1, use_bias=False, name=f'{name}_conv')(x)
    return layers.AveragePooling2D(2, strides=2, name=f'{name}_pool')(x)


def _bn_relu(x: keras.KerasTensor, bn_name: str, relu_name: str) -> keras.KerasTensor:
    x = layers.BatchNormalization(epsilon=_EPSILON, name=bn_name)(x)
    return layers.Activation('relu', name=relu_name)(x)
