"""DeepLabV3+ (Chen et al., arXiv 1802.02611) on EfficientNetV2-S, a little modified."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
from keras import KerasTensor, layers

# Where the last stage halves the resolution, and the ends of the second and the last stage.
_LAST_STRIDE = 'block6a_dwconv2'
_SKIP, _DEEP = 'block2d_add', 'block6o_add'
# Of keras.applications: the rate at which whole blocks are dropped, towards the last one.
_DROP_CONNECT = 0.2
_FILTERS = 256
_SKIP_FILTERS = 48
_RATES = (6, 12, 18)


def effnetv2s_stride16(
    input_size: tuple[int, int] | None, drop_connect: float = _DROP_CONNECT
) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
    """EfficientNetV2-S (Tan and Le, arXiv 2104.00298) at output stride 16.

    Its layers are those of keras.applications, with their names, so that weights published for
    it fit; its preprocessing to -1..1 is the first layer.

    Args:
        input_size: (width, height), or None: any.
        drop_connect: rate at which training leaves out the last block, less for earlier ones.

    Returns:
        The input `image` (B, H, W, 3) RGB 0..255, features (B, H/4, W/4, 48) and
        (B, H/16, W/16, 256).
    """
    width, height = input_size or (None, None)
    image = keras.Input((height, width, 3), name='image')
    original = keras.applications.EfficientNetV2S(
        include_top=False, weights=None, input_tensor=image
    )
    upto_deep = keras.Model(image, original.get_layer(_DEEP).output)
    cloned = partial(_cloned, drop_scale=drop_connect / _DROP_CONNECT)
    network = keras.models.clone_model(upto_deep, clone_function=cloned)
    return network.inputs[0], network.get_layer(_SKIP).output, network.get_layer(_DEEP).output


def _cloned(layer: keras.layers.Layer, drop_scale: float) -> keras.layers.Layer:
    config: dict[str, Any] = layer.get_config()
    if layer.name == _LAST_STRIDE:
        config['strides'] = (1, 1)
    if isinstance(layer, keras.layers.Dropout):
        config['rate'] *= drop_scale
    return type(layer).from_config(config)


def deeplab_effnetv2s(
    input_size: tuple[int, int] | None = None,
    classes: int = 4,
    confidence: bool = False,
    dropout: float = 0.1,
    drop_connect: float = 0.2,
    upsample: bool = True,
) -> keras.Model:
    """DeepLabV3+ with swish and atrous separable convolutions of rates 6, 12, 18 at stride 16.

    Args:
        input_size: (width, height), or None: any multiple of 16.
        classes: channels of the scores.
        confidence: also predict a confidence that a pixel is something (a second classifier).
        dropout: rate after the pyramid.
        drop_connect: rate at which training leaves out the encoder's last block, less for
            earlier ones.
        upsample: outputs at input size; False: at 1/4 of it.

    Returns:
        Model of `image` (B, H, W, 3) RGB 0..255 -> `logits` (B, H, W, classes), with
        `confidence` also `confidence` (B, H, W, 1) in 0..1. All float32.
    """
    image, skip, deep = effnetv2s_stride16(input_size, drop_connect)
    x = _pyramid(deep)
    x = layers.Dropout(dropout, name='aspp_dropout')(x)
    x = _decoder(x, skip)
    outputs = {'logits': _output(x, classes, 'logits', upsample)}
    if confidence:
        outputs['confidence'] = _output(x, 1, 'confidence', upsample, activation='sigmoid')
    return keras.Model({'image': image}, outputs, name='deeplab_effnetv2s')


def _pyramid(x: KerasTensor) -> KerasTensor:
    """ASPP, (B, H, W, 256).

    The projection of the concatenation of five branches is written as the sum of two, because the
    branch of the mean image is the same everywhere: fewer operations, the same parameters.
    """
    mean = layers.GlobalAveragePooling2D(keepdims=True, name='aspp_mean')(x)
    mean = _conv(mean, _FILTERS, 'aspp_mean')
    branches = [_conv(x, _FILTERS, 'aspp_0')]
    branches += [_separable(x, f'aspp_{i}', rate) for i, rate in enumerate(_RATES, 1)]
    x = layers.Concatenate(name='aspp_concat')(branches)
    parts = [
        layers.Conv2D(_FILTERS, 1, use_bias=False, name='aspp_project_conv')(x),
        layers.Conv2D(_FILTERS, 1, use_bias=False, name='aspp_project_mean_conv')(mean),
    ]
    return _norm_swish(layers.Add(name='aspp_project_sum')(parts), 'aspp_project')


def _decoder(x: KerasTensor, skip: KerasTensor) -> KerasTensor:
    x = layers.UpSampling2D(4, interpolation='bilinear', name='decoder_up')(x)
    skip = _conv(skip, _SKIP_FILTERS, 'decoder_skip')
    x = layers.Concatenate(name='decoder_concat')([x, skip])
    return _separable(_separable(x, 'decoder_0'), 'decoder_1')


def _output(
    x: KerasTensor, channels: int, name: str, upsample: bool, activation: str = 'linear'
) -> KerasTensor:
    x = layers.Conv2D(channels, 1, name=f'{name}_conv')(x)
    if not upsample:
        return layers.Activation(activation, dtype='float32', name=name)(x)
    x = layers.Activation(activation, dtype='float32', name=f'{name}_activation')(x)
    return layers.UpSampling2D(4, interpolation='bilinear', dtype='float32', name=name)(x)


def _conv(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    x = layers.Conv2D(filters, 1, use_bias=False, name=f'{name}_conv')(x)
    return _norm_swish(x, name)


def _separable(x: KerasTensor, name: str, rate: int = 1) -> KerasTensor:
    x = layers.SeparableConv2D(
        _FILTERS, 3, padding='same', dilation_rate=rate, use_bias=False, name=f'{name}_conv'
    )(x)
    return _norm_swish(x, name)


def _norm_swish(x: KerasTensor, name: str) -> KerasTensor:
    x = layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name=f'{name}_bn')(x)
    return layers.Activation('swish', name=f'{name}_swish')(x)
