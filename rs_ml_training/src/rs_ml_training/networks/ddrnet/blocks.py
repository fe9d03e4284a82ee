"""What DDRNet is made of: normalised convolutions, residual stages, heads."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

# Of the authors' code: Kaiming by fan out, and 0.1 of every batch in the running statistics.
_KERNEL = {'scale': 2.0, 'mode': 'fan_out', 'distribution': 'untruncated_normal'}
_MOMENTUM, _EPSILON = 0.9, 1e-5


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
    # Fan out would be the number of classes: weights so large that training starts far off.
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
