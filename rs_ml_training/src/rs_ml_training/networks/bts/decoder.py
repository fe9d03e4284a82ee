"""The decoder of BTS: upconvolutions, dense atrous pyramid and local planar guidance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from rs_ml_training.networks.bts.encoders import MOMENTUM

LARGEST_TILT_RAD = math.pi / 3
# Least n.(u, v, 1): a plane that is nearly seen edge-on within its patch ends here, because beyond
# it lies infinity and then a point behind the camera.
SMALLEST_RATIO = 0.05
RATES = (3, 6, 12, 18, 24)


@keras.saving.register_keras_serializable('rs_ml')
class LocalPlanarGuidance(keras.layers.Layer):
    """Planes of k x k patches to depths (arXiv 1907.10326, section 3.3, equation 2).

    The three channels, each in 0..1, are a plane in the coordinates of its patch: tilt
    theta = 60 deg * c0 away from the viewing direction, azimuth phi = 360 deg * c1, distance c2.
    With n = (sin theta cos phi, sin theta sin phi, cos theta) and (u, v) the pixel's place in the
    patch, from its centre and in units of k, depth = c2 / n.(u, v, 1). A plane seen by a pinhole
    has an inverse depth linear in (u, v) and is therefore reproduced exactly.

    Args:
        scale: k, pixels of a patch per side.

    Input: float (B, h, w, 3), each 0..1. Output: float (B, k h, k w, 1) in units of c2.
    """

    def __init__(self, scale: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        along = (np.arange(scale) - (scale - 1) / 2) / scale
        v, u = np.meshgrid(along, along, indexing='ij')
        self._u = u.reshape(1, 1, 1, -1).astype(np.float32)
        self._v = v.reshape(1, 1, 1, -1).astype(np.float32)

    def call(self, planes: Any) -> Any:
        theta = planes[..., 0:1] * LARGEST_TILT_RAD
        phi = planes[..., 1:2] * (2 * math.pi)
        u, v = (ops.cast(part, planes.dtype) for part in (self._u, self._v))
        sideways = ops.cos(phi) * u + ops.sin(phi) * v
        ratio = ops.sin(theta) * sideways + ops.cos(theta)
        depths = planes[..., 2:3] / ops.maximum(ratio, SMALLEST_RATIO)
        return ops.depth_to_space(depths, self.scale)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, _ = input_shape
        sides = (side and side * self.scale for side in (height, width))
        return batch, *sides, 1

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), 'scale': self.scale}


@dataclass(frozen=True)
class DecoderForm:
    """The two published forms of the decoder.

    Attributes:
        features: channels at 1/16 resolution, a multiple of 16.
        chain: the form of the paper: 1x1 convolutions halve the channels on the way to a plane, a
            coarse depth of its own joins at full resolution, and the pyramid starts from the
            concatenated maps. Else the light form: one 1x1 convolution makes a plane, the pyramid
            starts from the convolved map.
    """

    features: int
    chain: bool


def decode(
    taps: list[keras.KerasTensor], form: DecoderForm
) -> tuple[keras.KerasTensor, dict[str, keras.KerasTensor]]:
    """Relative depth from five feature maps.

    Args:
        taps: maps at stride 2, 4, 8, 16 and 32.
        form: width and form.

    Returns:
        The depth and the coarser ones that it is computed from ('lpg8', 'lpg4', 'lpg2' and, in the
        form of the paper, 'reduc1'), each (B, H, W, 1) as a fraction of the largest depth.
    """
    skip2, skip4, skip8, skip16, x = taps
    half, quarter, eighth = (form.features // n for n in (2, 4, 8))
    x = _conv(_joined(_up(x, form.features, 5), [skip16], 5), form.features, 'decoder_conv5')
    joined = _joined(_up(x, half, 4), [skip8], 4)
    x = _batch_norm(_conv(joined, half, 'decoder_conv4'), 'decoder_conv4_bn')
    x = _pyramid(x, joined if form.chain else x, half)
    lpg8 = _guided(x, 8, form)
    x = _joined(_up(x, quarter, 3), [skip4, _shrunk(lpg8, 4)], 3)
    x = _conv(x, quarter, 'decoder_conv3')
    lpg4 = _guided(x, 4, form)
    x = _joined(_up(x, eighth, 2), [skip2, _shrunk(lpg4, 2)], 2)
    x = _conv(x, eighth, 'decoder_conv2')
    lpg2 = _guided(x, 2, form)
    x = _up(x, form.features // 16, 1, batch_norm=False)
    coarse = {'lpg8': lpg8, 'lpg4': lpg4, 'lpg2': lpg2}
    if form.chain:
        coarse['reduc1'] = _reduced(x, 1, 'decoder_reduc1', form)
    x = _joined(x, list(coarse.values())[::-1], 1)
    x = _conv(x, form.features // 16, 'decoder_conv1')
    return _sigmoid_map(x, 1, 3, 'decoder_depth'), coarse


def _up(
    x: keras.KerasTensor, filters: int, level: int, batch_norm: bool = True
) -> keras.KerasTensor:
    x = layers.UpSampling2D(2, name=f'decoder_up{level}')(x)
    x = _conv(x, filters, f'decoder_upconv{level}')
    return _batch_norm(x, f'decoder_upconv{level}_bn') if batch_norm else x


def _conv(x: keras.KerasTensor, filters: int, name: str, kernel: int = 3) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, padding='same', use_bias=False, name=name)(x)
    return layers.Activation('elu', name=f'{name}_elu')(x)


def _batch_norm(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.BatchNormalization(momentum=MOMENTUM, epsilon=1.1e-5, name=name)(x)


def _joined(
    x: keras.KerasTensor, others: list[keras.KerasTensor], level: int
) -> keras.KerasTensor:
    return layers.Concatenate(name=f'decoder_concat{level}')([x, *others])


def _pyramid(x: keras.KerasTensor, start: keras.KerasTensor, half: int) -> keras.KerasTensor:
    """Dense atrous pyramid: every rate sees the outputs of all smaller ones."""
    branches = [_atrous(x, RATES[0], half)]
    for rate in RATES[1:]:
        seen = layers.Concatenate(name=f'decoder_aspp{rate}_in')([start, *branches])
        seen = _batch_norm(seen, f'decoder_aspp{rate}_in_bn')
        branches.append(_atrous(seen, rate, half))
    joined = layers.Concatenate(name='decoder_aspp_concat')([x, *branches])
    return _conv(joined, half // 2, 'decoder_aspp_conv')


def _atrous(x: keras.KerasTensor, rate: int, half: int) -> keras.KerasTensor:
    name = f'decoder_aspp{rate}'
    x = layers.Activation('relu', name=f'{name}_in_relu')(x)
    x = layers.Conv2D(half, 1, use_bias=False, name=f'{name}_narrow')(x)
    x = layers.Activation('relu', name=f'{name}_relu')(_batch_norm(x, f'{name}_bn'))
    return layers.Conv2D(
        half // 2, 3, padding='same', dilation_rate=rate, use_bias=False, name=name
    )(x)


def _guided(x: keras.KerasTensor, scale: int, form: DecoderForm) -> keras.KerasTensor:
    planes = _reduced(x, 3, f'decoder_reduc{scale}', form)
    return LocalPlanarGuidance(scale, dtype='float32', name=f'decoder_lpg{scale}')(planes)


def _reduced(
    x: keras.KerasTensor, channels: int, name: str, form: DecoderForm
) -> keras.KerasTensor:
    # The coarsest chain begins with a convolution that keeps the channels; only then does the
    # network have the published number of parameters.
    filters = x.shape[-1] // (1 if name == 'decoder_reduc8' else 2)
    while form.chain and filters >= 8:
        x = _conv(x, filters, f'{name}_{filters}', kernel=1)
        filters //= 2
    return _sigmoid_map(x, channels, 1, name)


def _sigmoid_map(x: keras.KerasTensor, channels: int, kernel: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(channels, kernel, padding='same', use_bias=False, name=name)(x)
    return layers.Activation('sigmoid', dtype='float32', name=f'{name}_sigmoid')(x)


def _shrunk(depth: keras.KerasTensor, factor: int) -> keras.KerasTensor:
    """The nearest pixel of every factor x factor."""
    return layers.MaxPooling2D(1, strides=factor, name=f'decoder_shrunk{factor}')(depth)
