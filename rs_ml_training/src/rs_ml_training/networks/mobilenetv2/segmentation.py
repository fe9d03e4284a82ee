"""A light segmentation network on MobileNetV2 that also takes measured depth."""

from __future__ import annotations

from typing import Any

import keras
from keras import KerasTensor, layers, ops
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import conv_bn, image_input, separable_bn
from rs_ml_training.networks.freezing import fixed_blocks as fix_blocks
from rs_ml_training.networks.freezing import freeze_encoder_batch_norm
from rs_ml_training.networks.mobilenetv2.encoder import deeplab_context, mobilenetv2_taps
from rs_ml_training.networks.resize import UpsampleLike

NEAREST_M = 0.25
_SLOPE_UNIT = 0.02
_HEIGHT_UNIT_M = 3.0
_STRIDES = (4, 8, 16, 32)
_DEPTH_WIDTHS = (24, 48, 96)
SCORE_STRIDES = (1, 2, 4)


@keras.saving.register_keras_serializable('rs_ml')
class DepthCues(keras.layers.Layer):
    """Measured depth (B, H, W, 1) [m], 0 = unknown, to five maps (B, H/n, W/n, 5).

    Means over blocks of n by n pixels, of known ones only: the inverse depth [1/m], its slopes to
    the right and down in units of itself (the inverse depth of a plane is linear in the image, so
    that they determine its normal), the height over the optical axis of a level camera, and the
    fraction of known pixels. All are 0 where nothing is known, and everywhere for an image without
    depth.

    Args:
        factor: n.
        options: of keras.layers.Layer.
    """

    def __init__(self, factor: int = 4, **options: Any) -> None:
        super().__init__(**options)
        self.factor = factor

    def call(self, depth_m: keras.KerasTensor) -> keras.KerasTensor:
        known = ops.cast(depth_m > 0, 'float32')
        inverse = known / ops.maximum(ops.cast(depth_m, 'float32'), NEAREST_M)
        share = self._mean(known)
        inverse = self._mean(inverse) / ops.maximum(share, 1e-3)
        seen = ops.cast(share > 0, 'float32')
        inverse = inverse * seen
        divisor = ops.maximum(inverse, 1e-2)
        maps = (
            inverse,
            *(self._slope(inverse, seen, axis) / divisor for axis in (2, 1)),
            seen * _rows_down(inverse) / divisor / _HEIGHT_UNIT_M,
            share,
        )
        return ops.cast(ops.concatenate(maps, axis=-1), self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(B, H/n, W/n, 5)."""
        batch, *sides, _ = input_shape
        return (batch, *(side and side // self.factor for side in sides), 5)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), 'factor': self.factor}

    def _mean(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return ops.average_pool(x, self.factor, self.factor, data_format='channels_last')

    def _slope(
        self, inverse: keras.KerasTensor, seen: keras.KerasTensor, axis: int
    ) -> keras.KerasTensor:
        """Half the difference of the neighbours along an axis where both are known, in units."""
        (before, after), (seen_before, seen_after) = (
            _neighbours(values, axis) for values in (inverse, seen)
        )
        slope = (after - before) * seen_before * seen_after * seen
        return slope / (2 * self.factor * _SLOPE_UNIT)


def _neighbours(x: keras.KerasTensor, axis: int) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The neighbours of each pixel along an axis, 0 beyond the border."""
    padding = [[0, 0] for _ in range(4)]
    padding[axis] = [1, 1]
    padded = ops.pad(x, padding)
    if axis == 1:
        return padded[:, :-2], padded[:, 2:]
    return padded[:, :, :-2], padded[:, :, 2:]


def _rows_down(like: keras.KerasTensor) -> keras.KerasTensor:
    """-1 in the first row to 1 in the last, (1, H, 1, 1)."""
    height = ops.shape(like)[1]
    rows = (2 * ops.cast(ops.arange(height), 'float32') + 1) / ops.cast(height, 'float32') - 1
    return ops.reshape(rows, (1, -1, 1, 1))


def mobile_seg(
    input_size: tuple[int, int] | None = None,
    classes: int = 2,
    width: int = 96,
    dropout: float = 0.1,
    score_stride: int = 2,
    frozen_batch_norm: bool = False,
    fixed_blocks: int = -1,
    context: bool = False,
) -> keras.Model:
    """MobileNetV2, a pyramid of additive skips with context at its top, and a branch for depth.

    One network for cameras with and without depth: the branch adds to the features of the colour
    image at strides 4, 8 and 16; it adds a constant where depth is unknown (see `DepthCues`).

    Args:
        input_size: (width, height), or None: any multiple of 32.
        classes: channels of the scores.
        width: channels of the decoder; half as many at stride 4.
        dropout: rate before the scores.
        score_stride: scores come at 1 / this of the input size, one of SCORE_STRIDES.
        frozen_batch_norm: the encoder's batch normalisation is frozen.
        fixed_blocks: the encoder's stem and this number of blocks are frozen; -1: none.
        context: the top of the pyramid is DeepLabV3's context, see centernet_light; at stride 32,
            where it is cheap.

    Returns:
        Model of `image` (B, H, W, 3) RGB 0..255 and `measured_m` (B, H, W, 1) [m], 0 = unknown,
        -> `logits` (B, H/s, W/s, classes), float32.

    Raises:
        ConfigError: a score stride that is none of SCORE_STRIDES.
    """
    if score_stride not in SCORE_STRIDES:
        raise ConfigError(f'score_stride must be one of {SCORE_STRIDES}, got {score_stride}')
    image = image_input(input_size, 3, 'image')
    measured_m = image_input(input_size, 1, 'measured_m')
    taps = mobilenetv2_taps(image)[1:]
    x = _decoded(taps, _depth_branch(measured_m), width, known=context)
    x = layers.Dropout(dropout, name='decoder_dropout')(x)
    scores = layers.Conv2D(classes, 1, dtype='float32', name='logits_conv')(x)
    outputs = {'logits': _enlarged(scores, 4 // score_stride)}
    model = keras.Model({'image': image, 'measured_m': measured_m}, outputs, name='mobile_seg')
    if frozen_batch_norm:
        freeze_encoder_batch_norm(model)
    if fixed_blocks >= 0:
        fix_blocks(model, fixed_blocks)
    return model


def _depth_branch(measured_m: KerasTensor) -> list[KerasTensor]:
    """Features of depth at strides 4, 8 and 16."""
    cues = DepthCues(4, dtype='float32', name='decoder_depth_cues')(measured_m)
    x = conv_bn(cues, _DEPTH_WIDTHS[0], 3, 'decoder_depth4')
    found = [x]
    for stride, filters in zip((8, 16), _DEPTH_WIDTHS[1:], strict=True):
        x = _separable(x, filters, f'decoder_depth{stride}', strides=2)
        found.append(_separable(x, filters, f'decoder_depth{stride}b', kernel=5))
        x = found[-1]
    return found


def _decoded(
    taps: list[KerasTensor], depth: list[KerasTensor], width: int, *, known: bool
) -> KerasTensor:
    """Features at stride 4, from the coarsest up."""
    *finer, deep = taps
    x = _context(_known(deep) if known else deep, width)
    levels = zip(_STRIDES[:-1], finer, depth, (width // 2, width, width), strict=True)
    for stride, tap, cues, filters in reversed(list(levels)):
        x = conv_bn(x, filters, 1, f'decoder_narrow{stride}') if x.shape[-1] != filters else x
        x = UpsampleLike(2, name=f'decoder_up{stride}')([x, tap])
        lateral = conv_bn(tap, filters, 1, f'decoder_lateral{stride}', activation=None)
        sensed = conv_bn(cues, filters, 1, f'decoder_sensed{stride}', activation=None)
        x = layers.Add(name=f'decoder_add{stride}')([x, lateral, sensed])
        x = layers.ReLU(name=f'decoder_relu{stride}')(x)
        x = _separable(x, filters, f'decoder_conv{stride}', kernel=5 if stride > 4 else 3)
    return x


def _known(deep: KerasTensor) -> KerasTensor:
    """DeepLabV3's features, and the probabilities of its classes."""
    features, scores = deeplab_context(deep)
    shares = layers.Softmax(name='context_shares')(scores)
    return layers.Concatenate(name='context_all')([features, shares])


def _context(x: KerasTensor, width: int) -> KerasTensor:
    """The deepest features, their surroundings, and the mean of the image (after DeepLabV3)."""
    near = conv_bn(x, width, 1, 'decoder_context_near')
    wide = _separable(near, width, 'decoder_context_wide', kernel=5)
    mean = layers.GlobalAveragePooling2D(keepdims=True, name='decoder_context_mean')(x)
    mean = layers.Conv2D(width, 1, activation='relu', name='decoder_context_whole')(mean)
    return layers.Add(name='decoder_context')([near, wide, mean])


def _separable(
    x: KerasTensor, filters: int, name: str, *, kernel: int = 3, strides: int = 1
) -> KerasTensor:
    return separable_bn(x, filters, kernel, (f'{name}_dw', name), strides=strides)


def _enlarged(scores: KerasTensor, factor: int) -> KerasTensor:
    if factor == 1:
        return layers.Activation('linear', dtype='float32', name='logits')(scores)
    return layers.UpSampling2D(factor, interpolation='bilinear', dtype='float32', name='logits')(
        scores
    )
