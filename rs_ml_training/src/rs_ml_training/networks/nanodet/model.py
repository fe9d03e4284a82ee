"""NanoDet-Plus-m: a detector of 1.2 M parameters that ends at the logits of its head.

Its neck is a path aggregation network of ghost bottlenecks (Han 2020, arXiv 1911.11907).
"""

from __future__ import annotations

import math

import keras
from keras import layers
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import image_input, imagenet_normalised
from rs_ml_training.networks.nanodet.blocks import Convolutions, shufflenetv2

STRIDES = (8, 16, 32, 64)
# Of the distance from a cell to a side of its box: 0 to 7 strides.
BINS = 8
FIXED = ('', 'backbone', 'neck')
_DEPTH = 2
# Bias for an initial score of 0.01 everywhere (Lin 2017, arXiv 1708.02002).
_RARE = -math.log((1 - 0.01) / 0.01)


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
    """Two ghost modules with a separable shortcut (figure 3 of the paper)."""
    seen = _ghost(x, width, make, f'{name}_ghost1', active=True)
    seen = _ghost(seen, width, make, f'{name}_ghost2', active=False)
    short = make.depthwise(x, 5, f'{name}_short_dw')
    short = make.pointwise(short, width, f'{name}_short_pw', active=False)
    return layers.Add(name=f'{name}_add')([seen, short])


def _ghost(
    x: keras.KerasTensor, width: int, make: Convolutions, name: str, *, active: bool
) -> keras.KerasTensor:
    """Half of the channels, and as many made from them by a cheap depthwise convolution."""
    primary = make.pointwise(x, width // 2, f'{name}_pw', active=active)
    cheap = make.depthwise(primary, 3, f'{name}_dw', active=active)
    return layers.Concatenate(name=f'{name}_concat')([primary, cheap])


def nanodet_plus(
    input_size: tuple[int, int] | None = None,
    classes: int = 80,
    width: int = 96,
    batch_norm: bool = True,
    fixed: str = '',
) -> keras.Model:
    """An anchor-free detector: ShuffleNetV2 1.0x, Ghost-PAN, generalized focal head.

    Args:
        input_size: (width, height), multiples of 32; None: any.
        classes: number of classes.
        width: channels of the neck and the head.
        batch_norm: False: convolutions have a bias in its place, as in published files.
        fixed: frozen part: '' none, 'backbone', 'neck' (includes the backbone).

    Returns:
        A model {'image': (B, H, W, 3) RGB 0..255} -> {'scores': (B, N, classes) logits,
        'distances': (B, N, 4 * BINS) logits of the distances to the left, top, right and bottom
        side [strides]}. The N cells are those of STRIDES, level after level and row by row; a
        level has ceil(H / stride) x ceil(W / stride) of them, cell (row, column) lies at
        (column, row) * stride [px].

    Raises:
        ConfigError: no class, an odd width, or `fixed` is none of FIXED.
    """
    if classes < 1 or width < 2 or width % 2 or fixed not in FIXED:
        raise ConfigError(
            f'the detector needs at least one class, an even width and fixed of {FIXED}, '
            f'got {classes}, {width} and {fixed!r}'
        )
    make = Convolutions(batch_norm)
    image = image_input(input_size, 3, 'image')
    levels = ghost_pan(shufflenetv2(imagenet_normalised(image), make), width, make)
    parts: dict[str, list[keras.KerasTensor]] = {'scores': [], 'distances': []}
    for x, stride in zip(levels, STRIDES, strict=True):
        for step in range(_DEPTH):
            x = make.separable(x, width, f'head_{stride}_{step}')
        parts['scores'].append(_logits(x, classes, f'head_{stride}_scores', _RARE))
        parts['distances'].append(_logits(x, 4 * BINS, f'head_{stride}_distances', 0.0))
    outputs = {
        name: layers.Concatenate(axis=1, dtype='float32', name=name)(part)
        for name, part in parts.items()
    }
    model = keras.Model({'image': image}, outputs, name='nanodet_plus')
    _fix(model, fixed)
    return model


def _logits(x: keras.KerasTensor, channels: int, name: str, bias: float) -> keras.KerasTensor:
    """(B, cells, channels), float32."""
    maps = layers.Conv2D(
        channels,
        1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(bias),
        dtype='float32',
        name=name,
    )(x)
    return layers.Reshape((-1, channels), dtype='float32', name=f'{name}_cells')(maps)


def _fix(model: keras.Model, fixed: str) -> None:
    prefixes = tuple(f'{part}_' for part in FIXED[1 : FIXED.index(fixed) + 1])
    for layer in model.layers:
        if prefixes and layer.name.startswith(prefixes):
            layer.trainable = False
