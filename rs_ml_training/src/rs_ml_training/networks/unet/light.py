"""A real-time depth denoiser at a quarter of the resolution, refined per pixel.

Holes never reach the features as a distance of 0: the network sees log depth relative to a fill
that averages what was measured, and a mask. It predicts a correction of each pixel.
"""

from __future__ import annotations

import math

import keras
from keras import layers, ops

from rs_ml_training.networks.blocks import conv_bn, image_input, separable_bn
from rs_ml_training.networks.resize import Repeated
from rs_ml_training.networks.unet.cells import (
    CELL_PX,
    MIN_DEPTH_M,
    CellsToPixels,
    PixelsToCells,
    confidence,
    encoded,
    require_sense,
)
from rs_ml_training.networks.unet.fill import masked_fill

_OPEN = 3.0


def unet_light(
    input_size: tuple[int, int] | None = None,
    width: int = 24,
    max_depth_m: float = 10.0,
) -> keras.Model:
    """Real-time denoiser, 0.18 M parameters, 1.12 GMAC at 848x480.

    Stem: 4x4 cells of log depth, mask and infrared become channels at 1/4; a residual encoder and
    decoder works on 1/4, 1/8 and 1/16. Head: per pixel a gate between the measurement and the
    fill, a correction of log depth and a confidence. The measurement enters the result past all
    convolutions, so inference in bfloat16 or int8 does not quantise it.

    Args:
        input_size: (width, height), multiples of 16; None: any.
        width: channels at 1/4; doubled at 1/8 and again at 1/16.
        max_depth_m: farther depth is neither read nor predicted.

    Returns:
        Model {'depth_m': (B, H, W, 1) metres, 0 = nothing measured,
        'infrared': (B, H, W, 1) 0..255, all 0 = none}
        -> {'depth_m': (B, H, W, 1), 'confidence': (B, H, W, 1) 0..1}.

    Raises:
        ConfigError: an invalid width or range.
    """
    require_sense(width, max_depth_m)
    depth_m = image_input(input_size, 1, 'depth_m')
    infrared = image_input(input_size, 1, 'infrared')
    depth_cells = PixelsToCells(CELL_PX, dtype='float32', name='depth_cells')(depth_m)
    log_depth, valid = _measurement(depth_cells, max_depth_m)
    fill, measured = masked_fill(log_depth, valid)
    relative = (log_depth - fill) * valid
    brightness = layers.Rescaling(1 / 255, name='brightness')(infrared)
    brightness = PixelsToCells(CELL_PX, name='brightness_cells')(brightness)
    cells = [relative, valid, brightness, fill, measured]
    x = _features(layers.Concatenate(name='cells')(cells), width)
    gate, correction, certainty = _heads(x)
    log_result = fill + gate * relative + correction
    outputs = {'depth_m': _metres(log_result, max_depth_m), 'confidence': confidence(certainty)}
    return keras.Model({'depth_m': depth_m, 'infrared': infrared}, outputs, name='unet_light')


def _measurement(
    depth_m: keras.KerasTensor, max_depth_m: float
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Log depth, 0 in holes, and the mask."""
    valid = ops.cast(depth_m > 0, 'float32')
    return ops.log(ops.clip(depth_m, MIN_DEPTH_M, max_depth_m)) * valid, valid


def _features(cells: keras.KerasTensor, width: int) -> keras.KerasTensor:
    x = conv_bn(cells, 2 * width, 1, 'stem')
    x = separable_bn(x, width, 3, ('stem_dw', 'stem_pw'))
    quarter, eighth, x = encoded(x, width)
    x = _joined(x, eighth, 2 * width, 'decoder_8')
    return _joined(x, quarter, width, 'decoder_4')


def _joined(
    x: keras.KerasTensor, skip: keras.KerasTensor, filters: int, name: str
) -> keras.KerasTensor:
    x = conv_bn(x, filters, 1, f'{name}_reduce')
    x = Repeated(2, name=f'{name}_up')(x)
    x = layers.Add(name=f'{name}_skip')([x, skip])
    return conv_bn(x, filters, 3, f'{name}_conv')


def _heads(x: keras.KerasTensor) -> tuple[keras.KerasTensor, ...]:
    """Weight of the measurement, correction of log depth and logit of the confidence, per pixel.

    All (B, H/4, W/4, 16). Small weights and an open gate: training starts from the measurement
    with filled holes.
    """
    start = keras.initializers.RandomNormal(stddev=0.01)
    pixels = CELL_PX * CELL_PX
    x = layers.Conv2D(3 * pixels, 1, kernel_initializer=start, dtype='float32', name='head')(x)
    gate, correction, certainty = ops.split(x, 3, axis=-1)
    return ops.sigmoid(gate + _OPEN), correction, certainty


def _metres(log_depth: keras.KerasTensor, max_depth_m: float) -> keras.KerasTensor:
    limited = ops.clip(log_depth, math.log(MIN_DEPTH_M), math.log(max_depth_m))
    depth_m = layers.Activation('exponential', dtype='float32', name='denoised_cells')(limited)
    return CellsToPixels(CELL_PX, dtype='float32', name='denoised')(depth_m)
