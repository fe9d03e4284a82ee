"""DDRNet-23-slim: Hong, Pan, Sun and Jia, "Deep Dual-resolution Networks", arXiv 2101.06085."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import imagenet_normalised
from rs_ml_training.networks.resize import UpsampleLike

# Of the authors' code: Kaiming by fan out, and 0.1 of every batch in the running statistics.
_KERNEL = {'scale': 2.0, 'mode': 'fan_out', 'distribution': 'untruncated_normal'}
_MOMENTUM, _EPSILON = 0.9, 1e-5
_POOLS = ((5, 2), (9, 4), (17, 8))
_PLANES = 32
_STRIDE = 8


def conv(
    x: KerasTensor, filters: int, kernel: int, name: str, *, stride: int = 1, bias: bool = False
) -> KerasTensor:
    """A convolution that keeps the size, divided by the stride."""
    return layers.Conv2D(
        filters,
        kernel,
        stride,
        padding='same',
        use_bias=bias,
        kernel_initializer=keras.initializers.VarianceScaling(**_KERNEL),
        name=name,
    )(x)


def norm(x: KerasTensor, name: str) -> KerasTensor:
    """Batch normalisation."""
    return layers.BatchNormalization(momentum=_MOMENTUM, epsilon=_EPSILON, name=name)(x)


def relu(x: KerasTensor, name: str) -> KerasTensor:
    """A named ReLU."""
    return layers.ReLU(name=name)(x)


def conv_norm(
    x: KerasTensor, filters: int, kernel: int, name: str, *, stride: int = 1, bias: bool = False
) -> KerasTensor:
    """Convolution, normalisation."""
    return norm(conv(x, filters, kernel, f'{name}_conv', stride=stride, bias=bias), f'{name}_bn')


def conv_norm_relu(
    x: KerasTensor, filters: int, kernel: int, name: str, *, stride: int = 1, bias: bool = False
) -> KerasTensor:
    """Convolution, normalisation, ReLU."""
    return relu(conv_norm(x, filters, kernel, name, stride=stride, bias=bias), f'{name}_relu')


def norm_relu_conv(x: KerasTensor, filters: int, kernel: int, name: str) -> KerasTensor:
    """Normalisation, ReLU, convolution: the order within pyramid and heads."""
    return conv(_norm_relu(x, name), filters, kernel, f'{name}_conv')


def basic_stage(x: KerasTensor, filters: int, name: str, *, stride: int = 1) -> KerasTensor:
    """Two residual blocks of two 3x3 convolutions; no ReLU after the last sum."""
    x = relu(_basic(x, filters, stride, f'{name}_0'), f'{name}_0_relu')
    return _basic(x, filters, 1, f'{name}_1')


def bottleneck(x: KerasTensor, filters: int, name: str, *, stride: int = 1) -> KerasTensor:
    """One residual block 1x1, 3x3, 1x1 with twice `filters` at its end; no ReLU after the sum."""
    y = conv_norm_relu(x, filters, 1, f'{name}_1')
    y = conv_norm_relu(y, filters, 3, f'{name}_2', stride=stride)
    y = conv_norm(y, 2 * filters, 1, f'{name}_3')
    return _with_skip(y, x, stride, name)


def head(x: KerasTensor, classes: int, name: str, filters: int = 64) -> KerasTensor:
    """Class scores (B, H, W, classes) of a feature map, with neither sigmoid nor softmax."""
    x = _norm_relu(norm_relu_conv(x, filters, 3, f'{name}_1'), f'{name}_2')
    # Fan out would be the number of classes, and the weights far too large at the start.
    start = keras.initializers.RandomNormal(stddev=0.01)
    return layers.Conv2D(classes, 1, kernel_initializer=start, name=f'{name}_2_conv')(x)


def _norm_relu(x: KerasTensor, name: str) -> KerasTensor:
    return relu(norm(x, f'{name}_bn'), f'{name}_relu')


def _basic(x: KerasTensor, filters: int, stride: int, name: str) -> KerasTensor:
    y = conv_norm_relu(x, filters, 3, f'{name}_1', stride=stride)
    y = conv_norm(y, filters, 3, f'{name}_2')
    return _with_skip(y, x, stride, name)


def _with_skip(y: KerasTensor, x: KerasTensor, stride: int, name: str) -> KerasTensor:
    if stride != 1 or x.shape[-1] != y.shape[-1]:
        x = conv_norm(x, y.shape[-1], 1, f'{name}_skip', stride=stride)
    return layers.Add(name=f'{name}_sum')([y, x])


def deep_pyramid(x: KerasTensor, filters: int, output: int, name: str = 'spp') -> KerasTensor:
    """DAPPM: context of growing regions, each added to the previous one (DDRNet, figure 5).

    Unlike the authors' code, averages exclude the padding, so that borders and maps smaller than a
    window are not pulled to zero.

    Args:
        x: features (B, H, W, C) of the low branch, any H and W from 1.
        filters: channels of each scale.
        output: channels of the result (B, H, W, output).
        name: prefix of the layers.
    """
    scales = [norm_relu_conv(x, filters, 1, f'{name}_scale0')]
    for index, pooled in enumerate(_pooled(x, name), 1):
        y = norm_relu_conv(pooled, filters, 1, f'{name}_scale{index}')
        if index <= len(_POOLS):
            y = UpsampleLike(_POOLS[index - 1][1], name=f'{name}_up{index}')([y, x])
        # The mean of the whole map has one cell, which the sum spreads.
        y = layers.Add(name=f'{name}_sum{index}')([y, scales[-1]])
        scales.append(norm_relu_conv(y, filters, 3, f'{name}_process{index}'))
    y = layers.Concatenate(name=f'{name}_concat')(scales)
    y = norm_relu_conv(y, output, 1, f'{name}_compression')
    return layers.Add(name=f'{name}_sum')([y, norm_relu_conv(x, output, 1, f'{name}_shortcut')])


def _pooled(x: KerasTensor, name: str) -> list[KerasTensor]:
    pools = [
        layers.AveragePooling2D(window, stride, 'same', name=f'{name}_pool{index}')(x)
        for index, (window, stride) in enumerate(_POOLS, 1)
    ]
    everything = layers.GlobalAveragePooling2D(keepdims=True, name=f'{name}_pool{len(_POOLS) + 1}')
    return [*pools, everything(x)]


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
        confidence: also predict a confidence that a pixel is something (a 3x3 convolution with
            sigmoid on the scores at input size; without bias, because softmax is invariant to an
            offset).
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
    """Adds each branch to the other: the high one by strides, the low one enlarged."""
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
