"""A light detector: MobileNetV2, an additive decoder to stride 4, and one peak per object."""

from __future__ import annotations

import keras
from keras import layers
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks import freezing
from rs_ml_training.networks.blocks import MOMENTUM
from rs_ml_training.networks.mobilenetv2.encoder import ALPHAS, deeplab_context, mobilenetv2_taps

STRIDE = 4
# The size head predicts multiples of this, so that its raw numbers are of the order of one.
SIZE_UNIT_PX = 16.0
_HEADS = ('heatmap', 'size', 'offset')
# Of the 5 x 5 convolutions at stride 16, whose field covers objects that fill the image.
_CONTEXT_DILATIONS = (1, 1, 2, 4)
# Bias for an initial heat map of 0.1 everywhere, as in the paper.
_RARE = -2.19


def centernet_light(
    input_size: tuple[int, int] | None = None,
    classes: int = 1,
    width: int = 64,
    alpha: float = 1.0,
    frozen_batch_norm: bool = False,
    fixed_blocks: int | None = None,
    context: bool = False,
) -> keras.Model:
    """An anchor-free detector of 0.65 GMAC at 320x256.

    Args:
        input_size: (width, height), multiples of 32; None: any.
        classes: number of classes.
        width: channels of the decoder and the heads.
        alpha: width of the MobileNetV2 encoder, one of ALPHAS. Its layers have the names of
            keras.applications.
        frozen_batch_norm: the encoder's batch normalisation is frozen; useful only with pretrained
            weights.
        fixed_blocks: see freezing.fixed_blocks; None: nothing is frozen.
        context: the decoder begins with DeepLabV3's context at stride 16, including its Pascal VOC
            classes, in place of the last features at stride 32. Meant for its pretrained weights,
            with the whole encoder frozen, where few images are available.

    Returns:
        A model {'image': (B, H, W, 3) RGB 0..255} -> {'heatmap': (B, H/4, W/4, classes) scores
        0..1, 'size': (B, H/4, W/4, 2) width and height [px of the input], 'offset':
        (B, H/4, W/4, 2) x and y of the centre beyond its cell's corner [cells]}.

    Raises:
        ConfigError: an alpha that keras.applications does not know, or no class.
    """
    if alpha not in ALPHAS or classes < 1 or width < 1:
        raise ConfigError(
            f'the detector needs alpha of {ALPHAS}, at least one class and a positive width, '
            f'got {alpha}, {classes} and {width}'
        )
    columns, rows = input_size or (None, None)
    image = keras.Input((rows, columns, 3), name='image')
    taps = mobilenetv2_taps(image, alpha, dilated=context)[1:]
    if context:
        x = _separable(_decoded_context(taps, width), _fine(width), 'head_shared')
        towers = dict.fromkeys(_HEADS, x)
    else:
        x = _decoded(taps, width)
        towers = {name: _separable(x, width, f'head_{name}_conv') for name in _HEADS}
    outputs = _heads(towers, classes)
    model = keras.Model({'image': image}, outputs, name='centernet_light')
    if frozen_batch_norm:
        freezing.freeze_encoder_batch_norm(model)
    if fixed_blocks is not None:
        freezing.fixed_blocks(model, fixed_blocks)
    return model


def _decoded_context(taps: list[keras.KerasTensor], width: int) -> keras.KerasTensor:
    *finer, x = taps
    known, scores = deeplab_context(x)
    shares = layers.Softmax(name='context_shares')(scores)
    sources = {'known': known, 'shares': shares, '16': finer.pop()}
    x = layers.Add(name='decoder_add16')(
        [_conv_bn(s, width, f'decoder_lateral_{name}') for name, s in sources.items()]
    )
    for step, dilation in enumerate(_CONTEXT_DILATIONS):
        seen = _separable(x, width, f'decoder_wide{step}', kernel=5, dilation=dilation)
        x = layers.Add(name=f'decoder_wide{step}_add')([x, seen])
    x = _refined(x, finer[1:], width, (8,))
    return _refined(_conv_bn(x, _fine(width), 'decoder_narrow'), finer[:1], _fine(width), (4,))


def _decoded(taps: list[keras.KerasTensor], width: int) -> keras.KerasTensor:
    *finer, x = taps
    return _refined(_conv_bn(x, width, 'decoder_lateral32'), finer, width, (16, 8, 4))


def _refined(
    x: keras.KerasTensor, finer: list[keras.KerasTensor], width: int, strides: tuple[int, ...]
) -> keras.KerasTensor:
    """Features at the last of the strides, from the coarsest up."""
    for stride, skip in zip(strides, finer[::-1], strict=True):
        x = layers.UpSampling2D(2, name=f'decoder_up{stride}')(x)
        skip = _conv_bn(skip, width, f'decoder_lateral{stride}')
        x = layers.Add(name=f'decoder_add{stride}')([x, skip])
        x = _separable(x, width, f'decoder_conv{stride}')
    return x


def _heads(towers: dict[str, keras.KerasTensor], classes: int) -> dict[str, keras.KerasTensor]:
    """The outputs, from the features of each."""
    heat = _scores(towers['heatmap'], classes, 'heatmap', bias=_RARE)
    size = layers.Activation('softplus', dtype='float32', name='head_size_softplus')(
        _scores(towers['size'], 2, 'size')
    )
    offset = _scores(towers['offset'], 2, 'offset', bias=0.5)
    return {
        'heatmap': layers.Activation('sigmoid', dtype='float32', name='heatmap')(heat),
        'size': layers.Rescaling(SIZE_UNIT_PX, dtype='float32', name='size')(size),
        'offset': layers.Activation('linear', dtype='float32', name='offset')(offset),
    }


def _scores(
    features: keras.KerasTensor, channels: int, name: str, bias: float = 0.0
) -> keras.KerasTensor:
    return layers.Conv2D(
        channels,
        1,
        bias_initializer=keras.initializers.Constant(bias),
        dtype='float32',
        name=f'head_{name}',
    )(features)


def _fine(width: int) -> int:
    """Channels at stride 4 of a decoder with this many at stride 16."""
    return width * 2 // 3


def _separable(
    x: keras.KerasTensor, filters: int, name: str, kernel: int = 3, dilation: int = 1
) -> keras.KerasTensor:
    x = layers.DepthwiseConv2D(
        kernel, padding='same', dilation_rate=dilation, use_bias=False, name=f'{name}_dw'
    )(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f'{name}_dw_bn')(x)
    return layers.ReLU(6.0, name=f'{name}_relu')(_conv_bn(x, filters, name))


def _conv_bn(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(filters, 1, use_bias=False, name=name)(x)
    return layers.BatchNormalization(momentum=MOMENTUM, name=f'{name}_bn')(x)
