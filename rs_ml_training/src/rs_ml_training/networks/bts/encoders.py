"""Encoders of BTS: which layers are tapped, and how raw RGB becomes what they were trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import imagenet_normalised
from rs_ml_training.networks.densenet.densenet161 import densenet161
from rs_ml_training.networks.momentum import set_momentum

MOMENTUM = 0.99
"""Of all batch normalisation in BTS."""

_DENSENET_TAPS = ('conv1_relu', 'pool1', 'pool2_pool', 'pool3_pool', 'relu')
_MOBILENET_TAPS = (
    'expanded_conv_project_BN',
    'block_2_add',
    'block_5_add',
    'block_9_add',
    'out_relu',
)


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
