"""A smooth fill of every pixel from the measured ones, without learned weights."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers, ops

from rs_ml_training.networks.unet.cells import CellsToPixels

_CARE = 0.02
_REACHES = (3, 9, 27)


def bilinear(x: keras.KerasTensor) -> keras.KerasTensor:
    """Twice as large."""
    return layers.UpSampling2D(2, interpolation='bilinear', dtype='float32')(x)


def blurred_repetition(x: keras.KerasTensor) -> keras.KerasTensor:
    """Twice as large, of one channel, by operations that fit any size after export."""
    fourfold = layers.Concatenate(dtype='float32')([x] * 4)
    return blurred(CellsToPixels(2, dtype='float32')(fourfold), 3)


def masked_fill(
    values: keras.KerasTensor,
    valid: keras.KerasTensor,
    enlarged: Callable[[keras.KerasTensor], keras.KerasTensor] = bilinear,
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Means of measured values, from fine cells where there are any, else from coarser ones.

    Pull-push (Gortler et al., The Lumigraph, 1996) on normalised convolution (Knutsson and Westin,
    1993): sums of values and of the mask are pooled alike, so that neither holes nor the border
    have a weight.

    Args:
        values: float32 (B, H, W, C) pixels of cells, 0 where nothing was measured; H and W
            multiples of 4.
        valid: float32 (B, H, W, C), 1 where measured, else 0.
        enlarged: doubles the size of a map.

    Returns:
        The fill of each cell, and its measured fraction, both (B, H, W, 1). Without any
            measurement the fill is 0.
    """
    levels = [(ops.mean(values, -1, keepdims=True), ops.mean(valid, -1, keepdims=True))]
    for _ in range(2):
        total, weight = levels[-1]
        levels.append((_pooled(total, 2), _pooled(weight, 2)))
    fill = _mixed(*levels[-1], _spread(*levels[-1]))
    for total, weight in reversed(levels[:-1]):
        fill = _mixed(total, weight, enlarged(fill))
    return fill, levels[0][1]


def _spread(total: keras.KerasTensor, weight: keras.KerasTensor) -> keras.KerasTensor:
    """The mean of the image, then of smaller and smaller surroundings."""
    mean = ops.mean(total, axis=(1, 2), keepdims=True)
    fill = mean / (ops.mean(weight, axis=(1, 2), keepdims=True) + 1e-6)
    for reach in reversed(_REACHES):
        fill = _mixed(blurred(total, reach), blurred(weight, reach), fill)
    return fill


def _mixed(
    total: keras.KerasTensor, weight: keras.KerasTensor, fill: keras.KerasTensor
) -> keras.KerasTensor:
    return (total + _CARE * fill) / (weight + _CARE)


def _pooled(x: keras.KerasTensor, factor: int) -> keras.KerasTensor:
    return layers.AveragePooling2D(factor, dtype='float32')(x)


def blurred(x: keras.KerasTensor, reach: int) -> keras.KerasTensor:
    """Mean of the reach x reach surroundings within the image.

    Columns first, then rows: the same mean, also at borders, for 2 / reach of the work.
    """
    for window in ((reach, 1), (1, reach)):
        x = layers.AveragePooling2D(window, strides=1, padding='same', dtype='float32')(x)
    return x
