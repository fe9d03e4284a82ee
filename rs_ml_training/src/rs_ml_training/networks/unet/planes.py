"""A depth denoiser that predicts two planes per cell of pixels and a choice per pixel.

It works in inverse depth, where stereo noise is uniform and a plane in space is an affine map of
the pixel. Per cell of 4 x 4 pixels it predicts two such planes; every pixel weighs its own
measurement and both planes. So walls come out flat, and an edge is a choice between two surfaces,
not a blend.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import conv_bn, image_input, separable_bn
from rs_ml_training.networks.unet.cells import (
    CELL_PX,
    MIN_DEPTH_M,
    CellsToPixels,
    PixelsToCells,
    confidence,
    encoded,
    require_sense,
)
from rs_ml_training.networks.unet.fill import blurred, blurred_repetition, masked_fill

_PIXELS = CELL_PX * CELL_PX
# Inverse depth [1/m] at which features of differences saturate: about ten times the noise.
_SOFTNESS_PER_M = 0.03
_OFFSET_PER_M = 0.1
_SLOPE_PER_M = 0.01
_PLANE_NUMBERS = 6


def unet_planes(
    input_size: tuple[int, int] | None = None,
    width: int = 24,
    max_depth_m: float = 10.0,
    hole_power: float = 1.0,
) -> keras.Model:
    """Real-time denoiser on 1/4, 1/8 and 1/16 of the resolution; see the module.

    The measurement enters the result past all convolutions, so inference in bfloat16 or int8 does
    not quantise it. No operation depends on the size of the image, so that an exported file can be
    reshaped.

    Args:
        input_size: (width, height), multiples of 16; None: any.
        width: channels at 1/4; doubled at 1/8 and again at 1/16.
        max_depth_m: farther depth is neither read nor predicted.
        hole_power: exponent on the confidence of filled holes, so that one threshold is stricter
            for them than for measurements. 1 in training, which would compensate it; set in
            `model.yaml` of a trained run.

    Returns:
        Model {'depth_m': (B, H, W, 1) metres, 0 = nothing measured,
        'infrared': (B, H, W, 1) 0..255, all 0 = none}
        -> {'depth_m': (B, H, W, 1), 'confidence': (B, H, W, 1) 0..1}.

    Raises:
        ConfigError: an invalid width or range.
    """
    require_sense(width, max_depth_m)
    if hole_power < 1:
        raise ConfigError(f'hole_power must be at least 1, got {hole_power}')
    depth_m = image_input(input_size, 1, 'depth_m')
    infrared = image_input(input_size, 1, 'infrared')
    depth_cells = PixelsToCells(CELL_PX, dtype='float32', name='depth_cells')(depth_m)
    inverse, valid = _measurement(depth_cells, max_depth_m)
    fill, measured = masked_fill(inverse, valid, blurred_repetition)
    cells = _cells(inverse, valid, fill, measured, infrared)
    planes, choices, certainty = _heads(_features(cells, width))
    result = _chosen(inverse, valid, fill, planes, choices)
    certain = confidence(_asked_more_of_guesses(certainty, valid, hole_power))
    outputs = {'depth_m': _metres(result, max_depth_m), 'confidence': certain}
    return keras.Model({'depth_m': depth_m, 'infrared': infrared}, outputs, name='unet_planes')


def _measurement(
    depth_m: keras.KerasTensor, max_depth_m: float
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Inverse depth [1/m], 0 in holes, and the mask."""
    valid = ops.cast(depth_m > 0, 'float32')
    return valid / ops.clip(depth_m, MIN_DEPTH_M, max_depth_m), valid


def _cells(
    inverse: keras.KerasTensor,
    valid: keras.KerasTensor,
    fill: keras.KerasTensor,
    measured: keras.KerasTensor,
    infrared: keras.KerasTensor,
) -> keras.KerasTensor:
    """Features of each cell: differences are small numbers, which bfloat16 resolves."""
    surroundings = blurred(fill, 9)
    brightness = layers.Rescaling(1 / 255, name='brightness')(infrared)
    brightness = PixelsToCells(CELL_PX, name='brightness_cells')(brightness)
    features = [
        _soft((inverse - fill) * valid),
        valid,
        brightness,
        _soft(fill - surroundings),
        ops.sqrt(fill),
        measured,
    ]
    return layers.Concatenate(name='cells')(features)


def _soft(difference: keras.KerasTensor) -> keras.KerasTensor:
    """Softsign: steep for differences of the size of the noise, bounded for gross ones."""
    return difference / (ops.abs(difference) + _SOFTNESS_PER_M)


def _features(cells: keras.KerasTensor, width: int) -> keras.KerasTensor:
    stem = conv_bn(cells, 2 * width, 1, 'stem')
    x = separable_bn(stem, width, 3, ('stem_dw', 'stem_pw'))
    quarter, eighth, x = encoded(x, width)
    x = _joined(x, eighth, 2 * width, 'decoder_8')
    x = _joined(x, quarter, width, 'decoder_4')
    x = layers.Concatenate(name='detail_cells')([x, stem])
    return conv_bn(x, 2 * width, 1, 'detail')


def _joined(
    x: keras.KerasTensor, skip: keras.KerasTensor, filters: int, name: str
) -> keras.KerasTensor:
    x = conv_bn(x, 4 * filters, 1, f'{name}_reduce')
    x = CellsToPixels(2, name=f'{name}_up')(x)
    x = layers.Add(name=f'{name}_skip')([x, skip])
    return conv_bn(x, filters, 3, f'{name}_conv')


def _heads(x: keras.KerasTensor) -> tuple[keras.KerasTensor, ...]:
    """Two planes of a cell (6), two choices (32) and the logit of the confidence (16) of pixels.

    Small weights: training starts from halfway between the measurement and its surroundings.
    """
    start = keras.initializers.RandomNormal(stddev=0.01)
    numbers = _PLANE_NUMBERS + 3 * _PIXELS
    x = layers.Conv2D(numbers, 1, kernel_initializer=start, dtype='float32', name='head')(x)
    edges = [_PLANE_NUMBERS, _PLANE_NUMBERS + 2 * _PIXELS]
    planes, choices, certainty = ops.split(x, edges, axis=-1)
    return planes, ops.sigmoid(choices), certainty


def _chosen(
    inverse: keras.KerasTensor,
    valid: keras.KerasTensor,
    fill: keras.KerasTensor,
    planes: keras.KerasTensor,
    choices: keras.KerasTensor,
) -> keras.KerasTensor:
    """Inverse depth of each pixel [1/m]: of its measurement or one of its cell's planes."""
    first, second = ops.split(planes, 2, axis=-1)
    own, other = ops.split(choices, 2, axis=-1)
    own = own * valid
    first, second = _plane(first), _plane(second)
    surface = fill + first + other * (second - first)
    return surface + own * (inverse - surface)


def _plane(numbers: keras.KerasTensor) -> keras.KerasTensor:
    """(B, H, W, 3) offset and slopes of a cell to (B, H, W, 16) inverse depth of its pixels."""
    place = np.arange(CELL_PX, dtype=np.float32) - (CELL_PX - 1) / 2
    y, x = (m.ravel() * np.float32(_SLOPE_PER_M) for m in np.meshgrid(place, place, indexing='ij'))
    offset, along_x, along_y = ops.split(numbers, 3, axis=-1)
    return offset * _OFFSET_PER_M + along_x * x + along_y * y


def _metres(inverse: keras.KerasTensor, max_depth_m: float) -> keras.KerasTensor:
    depth_m = 1.0 / ops.clip(inverse, 1 / max_depth_m, 1 / MIN_DEPTH_M)
    return CellsToPixels(CELL_PX, dtype='float32', name='denoised')(depth_m)


def _asked_more_of_guesses(
    certainty: keras.KerasTensor, valid: keras.KerasTensor, power: float
) -> keras.KerasTensor:
    """Logits whose sigmoid is raised to a power where nothing was measured.

    Of p^n the logit is -log(p^-n - 1), with p^-1 = 1 + exp(-logit).
    """
    if power == 1:
        return certainty
    inverse = ops.power(1.0 + ops.exp(-ops.maximum(certainty, -8.0)), power)
    return ops.where(valid > 0, certainty, -ops.log(inverse - 1.0 + 1e-7))
