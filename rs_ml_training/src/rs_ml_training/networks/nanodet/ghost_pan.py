"""Ghost-PAN: a path aggregation network of ghost bottlenecks (Han 2020, arXiv 1911.11907)."""

from __future__ import annotations

import keras
from keras import layers

from rs_ml_training.networks.nanodet.blocks import Convolutions


def ghost_pan(
    features: list[keras.KerasTensor], width: int, make: Convolutions
) -> list[keras.KerasTensor]:
    """Features of `width` channels at strides 8, 16, 32 and 64 from those of 8, 16 and 32."""
    fine, middle, coarse = (
        make.pointwise(x, width, f'neck_reduce{stride}')
        for x, stride in zip(features, (8, 16, 32), strict=True)
    )
    down16 = _ghost_bottleneck(_enlarged(coarse, middle, 16), width, make, 'neck_down16')
    out8 = _ghost_bottleneck(_enlarged(down16, fine, 8), width, make, 'neck_down8')
    out16 = _ghost_bottleneck(_shrunk(out8, down16, make, 16), width, make, 'neck_up16')
    out32 = _ghost_bottleneck(_shrunk(out16, coarse, make, 32), width, make, 'neck_up32')
    extra = [
        make.separable(x, width, f'neck_extra_{name}', strides=2)
        for x, name in ((coarse, 'in'), (out32, 'out'))
    ]
    return [out8, out16, out32, layers.Add(name='neck_extra')(extra)]


def _enlarged(
    coarse: keras.KerasTensor, fine: keras.KerasTensor, stride: int
) -> keras.KerasTensor:
    up = layers.UpSampling2D(2, interpolation='bilinear', name=f'neck_enlarged{stride}')(coarse)
    return layers.Concatenate(name=f'neck_down{stride}_concat')([up, fine])


def _shrunk(
    fine: keras.KerasTensor, coarse: keras.KerasTensor, make: Convolutions, stride: int
) -> keras.KerasTensor:
    down = make.separable(fine, fine.shape[-1], f'neck_shrunk{stride}', strides=2)
    return layers.Concatenate(name=f'neck_up{stride}_concat')([down, coarse])


def _ghost_bottleneck(
    x: keras.KerasTensor, width: int, make: Convolutions, name: str
) -> keras.KerasTensor:
    """Two ghost modules beside a separable shortcut (figure 3 of the paper)."""
    seen = _ghost(x, width, make, f'{name}_ghost1', active=True)
    seen = _ghost(seen, width, make, f'{name}_ghost2', active=False)
    short = make.depthwise(x, 5, f'{name}_short_dw')
    short = make.pointwise(short, width, f'{name}_short_pw', active=False)
    return layers.Add(name=f'{name}_add')([seen, short])


def _ghost(
    x: keras.KerasTensor, width: int, make: Convolutions, name: str, *, active: bool
) -> keras.KerasTensor:
    """Half of the channels, and as many that a cheap depthwise convolution makes of them."""
    primary = make.pointwise(x, width // 2, f'{name}_pw', active=active)
    cheap = make.depthwise(primary, 3, f'{name}_dw', active=active)
    return layers.Concatenate(name=f'{name}_concat')([primary, cheap])
