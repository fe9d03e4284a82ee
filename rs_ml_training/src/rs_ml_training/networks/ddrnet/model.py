"""DDRNet-23-slim: Hong, Pan, Sun and Jia, "Deep Dual-resolution Networks", arXiv 2101.06085."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import imagenet_normalised
from rs_ml_training.networks.ddrnet.blocks import (
    basic_stage,
    bottleneck,
    conv_norm,
    conv_norm_relu,
    head,
    relu,
)
from rs_ml_training.networks.ddrnet.pyramid import deep_pyramid
from rs_ml_training.networks.resize import UpsampleLike

_PLANES = 32
_STRIDE = 8


def ddrnet23_slim(
    input_size: tuple[int, int] | None = None,
    classes: int = 2,
    aux: bool = True,
    confidence: bool = False,
    upsample: bool = True,
) -> keras.Model:
    """DDRNet-23-slim with ImageNet normalisation inside.

    Projections of skips have no ReLU, as in the paper. For two classes 5 694 882 numbers are
    trained, with `confidence` 5 694 900, with `aux` 37 250 more.

    Args:
        input_size: (width, height), or None: any multiple of 32.
        classes: channels of the scores.
        aux: also score the high branch after the first fusion, for an auxiliary loss.
        confidence: also say how sure it is that a pixel is something (a 3x3 convolution with
            sigmoid on the scores at input size; no bias, for softmax leaves the scores one).
        upsample: scores at input size; False: at 1/8 of it, for argmax on small maps.

    Returns:
        Model of `image` (B, H, W, 3) RGB 0..255 -> `logits` (B, H, W, classes), with `aux`
        `logits_aux` of the same shape, with `confidence` `confidence` (B, H, W, 1) in 0..1.
        All float32.

    Raises:
        ConfigError: confidence without upsample.
    """
    if confidence and not upsample:
        raise ConfigError('confidence=True needs scores at input size: leave upsample=True')
    width, height = input_size or (None, None)
    image = keras.Input((height, width, 3), name='image')
    high, early = _trunk(imagenet_normalised(image))
    outputs = {'logits': _scores(high, classes, 'logits', upsample)}
    if aux:
        outputs['logits_aux'] = _scores(early, classes, 'logits_aux', upsample)
    if confidence:
        outputs['confidence'] = layers.Conv2D(
            1,
            3,
            padding='same',
            use_bias=False,
            kernel_initializer='zeros',
            activation='sigmoid',
            dtype='float32',
            name='confidence',
        )(outputs['logits'])
    return keras.Model({'image': image}, outputs, name='ddrnet23_slim')


def _trunk(x: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    """The fused features, and those of the high branch after the first fusion, both at 1/8."""
    x = conv_norm_relu(x, _PLANES, 3, 'stem_1', stride=2, bias=True)
    x = conv_norm_relu(x, _PLANES, 3, 'stem_2', stride=2, bias=True)
    x = relu(basic_stage(x, _PLANES, 'layer1'), 'layer1_relu')
    shared = relu(basic_stage(x, 2 * _PLANES, 'layer2', stride=2), 'layer2_relu')
    low = basic_stage(shared, 4 * _PLANES, 'layer3', stride=2)
    high = basic_stage(shared, 2 * _PLANES, 'layer3_high')
    low, high = _fused(low, high, 3)
    early = high
    low, high = relu(low, 'low3_relu'), relu(high, 'high3_relu')
    low = basic_stage(low, 8 * _PLANES, 'layer4', stride=2)
    high = basic_stage(high, 2 * _PLANES, 'layer4_high')
    low, high = _fused(low, high, 4)
    low, high = relu(low, 'low4_relu'), relu(high, 'high4_relu')
    high = bottleneck(high, 2 * _PLANES, 'layer5_high')
    low = deep_pyramid(bottleneck(low, 8 * _PLANES, 'layer5', stride=2), 4 * _PLANES, 4 * _PLANES)
    low = UpsampleLike(_STRIDE, name='merge_up')([low, high])
    return layers.Add(name='merge')([high, low]), early


def _fused(low: KerasTensor, high: KerasTensor, stage: int) -> tuple[KerasTensor, KerasTensor]:
    """Each branch receives the other: the high one by strides, the low one enlarged."""
    down = relu(high, f'down{stage}_relu')
    for step in range(1, stage - 2):
        down = conv_norm_relu(down, 4 * _PLANES * step, 3, f'down{stage}_{step}', stride=2)
    down = conv_norm(down, low.shape[-1], 3, f'down{stage}_{stage - 2}', stride=2)
    up = conv_norm(relu(low, f'up{stage}_relu'), high.shape[-1], 1, f'up{stage}')
    up = UpsampleLike(2 ** (stage - 2), name=f'up{stage}_resize')([up, high])
    return (
        layers.Add(name=f'low{stage}')([low, down]),
        layers.Add(name=f'high{stage}')([high, up]),
    )


def _scores(x: KerasTensor, classes: int, name: str, upsample: bool) -> KerasTensor:
    scores = head(x, classes, f'{name}_head')
    if upsample:
        return layers.UpSampling2D(_STRIDE, interpolation='bilinear', dtype='float32', name=name)(
            scores
        )
    return layers.Activation('linear', dtype='float32', name=name)(scores)
