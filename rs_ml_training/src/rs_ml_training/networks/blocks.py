"""Layers and blocks that the networks share."""

from __future__ import annotations

import keras
from keras import layers

# Of the moving averages, so that short trainings do not validate on stale ones.
MOMENTUM = 0.9
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


def batch_norm(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Batch normalisation with the epsilon of keras.applications."""
    return layers.BatchNormalization(momentum=MOMENTUM, epsilon=1e-3, name=name)(x)


def activated(x: keras.KerasTensor, activation: str | None, name: str) -> keras.KerasTensor:
    """The activation as a separate layer; None: no activation."""
    return x if activation is None else layers.Activation(activation, name=name)(x)


def conv_bn(
    x: keras.KerasTensor,
    filters: int,
    kernel: int,
    name: str,
    *,
    strides: int = 1,
    dilation: int = 1,
    activation: str | None = 'relu',
) -> keras.KerasTensor:
    """Convolution without bias, batch normalisation, activation.

    The layers are called `name`, `name_bn` and `name_act`.
    """
    conv = layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        dilation_rate=dilation,
        padding='same',
        use_bias=False,
        kernel_initializer='he_normal',
        name=name,
    )
    return activated(batch_norm(conv(x), f'{name}_bn'), activation, f'{name}_act')


def depthwise_bn(
    x: keras.KerasTensor,
    kernel: int,
    name: str,
    *,
    strides: int = 1,
    dilation: int = 1,
    activation: str | None = 'relu',
) -> keras.KerasTensor:
    """Depthwise convolution without bias, batch normalisation, activation."""
    conv = layers.DepthwiseConv2D(
        kernel,
        strides=strides,
        dilation_rate=dilation,
        padding='same',
        use_bias=False,
        depthwise_initializer='he_normal',
        name=name,
    )
    return activated(batch_norm(conv(x), f'{name}_bn'), activation, f'{name}_act')


def separable_bn(
    x: keras.KerasTensor,
    filters: int,
    kernel: int,
    names: tuple[str, str],
    *,
    strides: int = 1,
    dilation: int = 1,
    activation: str | None = 'relu',
) -> keras.KerasTensor:
    """Depthwise and pointwise convolution, each normalised and activated (MobileNet).

    Args:
        x: float (B, H, W, C).
        filters: channels of the result.
        kernel: side of the depthwise kernel [px].
        names: of the depthwise and of the pointwise convolution.
        strides: of the depthwise convolution.
        dilation: of the depthwise convolution.
        activation: after both.
    """
    x = depthwise_bn(
        x, kernel, names[0], strides=strides, dilation=dilation, activation=activation
    )
    return conv_bn(x, filters, 1, names[1], activation=activation)


def image_input(input_size: tuple[int, int] | None, channels: int, name: str) -> keras.KerasTensor:
    """A float32 input (B, H, W, channels) of the size (width, height), or of any."""
    width, height = input_size or (None, None)
    return keras.Input((height, width, channels), dtype='float32', name=name)


def imagenet_normalised(image: keras.KerasTensor) -> keras.KerasTensor:
    """(RGB / 255 - mean) / standard deviation of ImageNet, for RGB 0..255."""
    scale = [1 / (255 * std) for std in _IMAGENET_STD]
    offset = [-mean / std for mean, std in zip(_IMAGENET_MEAN, _IMAGENET_STD, strict=True)]
    return layers.Rescaling(scale, offset, name='normalise')(image)


def set_momentum(model: keras.Model, momentum: float = MOMENTUM) -> None:
    """Set the momentum of all batch normalisation to that of our own blocks.

    MobileNetV2 of keras.applications has 0.999: after a thousand steps a third of its averages is
    still the initial value, so that validation runs another network than training.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = momentum
