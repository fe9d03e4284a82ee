"""DAPPM, the deep aggregation pyramid pooling module at the end of the low branch."""

from __future__ import annotations

from keras import KerasTensor, layers

from rs_ml_training.networks.ddrnet.blocks import norm_relu_conv
from rs_ml_training.networks.resize import UpsampleLike

_POOLS = ((5, 2), (9, 4), (17, 8))


def deep_pyramid(x: KerasTensor, filters: int, output: int, name: str = 'spp') -> KerasTensor:
    """Context of growing regions, each added to the one before (DDRNet, figure 5).

    Unlike in the authors' code the averages leave the padding out, so that borders and maps
    smaller than a window are not pulled to zero.

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
