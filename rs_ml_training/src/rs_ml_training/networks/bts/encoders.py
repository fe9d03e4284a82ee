"""Encoders of BTS: DenseNet-161 and those of keras.applications, their taps and inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras import layers
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import imagenet_normalised, set_momentum

GROWTH = 48
BLOCKS = (6, 12, 36, 24)
STEM_FILTERS = 96
_EPSILON = 1.001e-5
# Of all batch normalisation in BTS.
MOMENTUM = 0.99
_DENSENET_TAPS = ('conv1_relu', 'pool1', 'pool2_pool', 'pool3_pool', 'relu')
_MOBILENET_TAPS = (
    'expanded_conv_project_BN',
    'block_2_add',
    'block_5_add',
    'block_9_add',
    'out_relu',
)


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


def _resnet_taps(last_of_conv4: int) -> tuple[str, ...]:
    """The pre-activations before each stride: ResNet V2 strides at the end of a stage."""
    inner = ('conv2_block3', 'conv3_block4', f'conv4_block{last_of_conv4}')
    return 'conv1_conv', *(f'{name}_preact_relu' for name in inner), 'post_relu'


@dataclass(frozen=True)
class EncoderPlan:
    """How to build one encoder.

    Attributes:
        application: name in keras.applications; None: the project's DenseNet-161.
        taps: layers at stride 2, 4, 8, 16 and 32.
        torch_normalised: (RGB / 255 - mean) / std of ImageNet; else RGB / 127.5 - 1.
        light_features: decoder features in the light form.
    """

    application: str | None
    taps: tuple[str, ...]
    torch_normalised: bool
    light_features: int


ENCODERS: dict[str, EncoderPlan] = {
    'densenet161': EncoderPlan(None, _DENSENET_TAPS, True, 512),
    'densenet121': EncoderPlan('DenseNet121', _DENSENET_TAPS, True, 256),
    'densenet169': EncoderPlan('DenseNet169', _DENSENET_TAPS, True, 256),
    'densenet201': EncoderPlan('DenseNet201', _DENSENET_TAPS, True, 512),
    'resnet50': EncoderPlan('ResNet50V2', _resnet_taps(6), False, 256),
    'resnet101': EncoderPlan('ResNet101V2', _resnet_taps(23), False, 512),
    'mobilenetv2': EncoderPlan('MobileNetV2', _MOBILENET_TAPS, False, 256),
}


def plan_of(encoder: str) -> EncoderPlan:
    """The plan of an encoder.

    Raises:
        ConfigError: there is no such encoder.
    """
    if encoder not in ENCODERS:
        raise ConfigError(f'no BTS encoder {encoder!r}; there are {", ".join(ENCODERS)}')
    return ENCODERS[encoder]


def encoder_taps(image: keras.KerasTensor, plan: EncoderPlan) -> list[keras.KerasTensor]:
    """Feature maps at stride 2, 4, 8, 16 and 32 of raw RGB 0..255, (B, H, W, 3)."""
    model = _builder(plan)(_normalised(image, plan))
    set_momentum(model, MOMENTUM)
    return [model.get_layer(name).output for name in plan.taps]


def _builder(plan: EncoderPlan) -> Callable[[keras.KerasTensor], keras.Model]:
    if plan.application is None:
        return densenet161
    build = getattr(keras.applications, plan.application)
    return lambda x: build(include_top=False, weights=None, input_tensor=x)


def _normalised(image: keras.KerasTensor, plan: EncoderPlan) -> keras.KerasTensor:
    if not plan.torch_normalised:
        return keras.layers.Rescaling(1 / 127.5, -1.0, name='normalise')(image)
    return imagenet_normalised(image)
