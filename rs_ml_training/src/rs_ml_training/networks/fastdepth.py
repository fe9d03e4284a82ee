"""FastDepth MobileNetSkipAdd (Wofk et al., ICRA 2019, arXiv:1903.03273; dwofk/fast-depth, MIT).

The encoder is MobileNet v1 with the layer names and the padding of keras.applications, so that
its ImageNet weights fit. The decoder convolves 5x5 depthwise and 1x1, then doubles by repetition;
three skips lead from the encoder into it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras
from keras import layers
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import conv_bn, image_input, separable_bn
from rs_ml_training.networks.resize import Repeated

HEADS = ('relu', 'softplus', 'exp')
_RANGE = 10.0
_START = 2.5
SKIPS = ('add', 'concat', 'none')
_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
_SKIP_BLOCKS = (1, 3, 5)


def depth_head(x: keras.KerasTensor, head: str, max_depth_m: float) -> keras.KerasTensor:
    """One channel [m], >= 0, in float32.

    'relu': 1x1, batch normalisation, ReLU (published); a pixel at 0 gets no gradient, and with
    small batches the scale of depth depends on the batch. 'softplus': 1x1 with a bias that starts
    at a quarter of the range; almost linear there, never dead. 'exp': the network predicts log
    depth; errors are relative.

    Args:
        x: float (B, H, W, C).
        head: one of HEADS.
        max_depth_m: the range of the data; 10 keeps the published scale of the features.

    Raises:
        ConfigError: an unknown head or a range that is not positive.
    """
    if head not in HEADS:
        raise ConfigError(f'head must be one of {", ".join(HEADS)}, got {head!r}')
    if max_depth_m <= 0:
        raise ConfigError(f'max_depth_m must be positive, got {max_depth_m}')
    if head == 'relu':
        x = conv_bn(x, 1, 1, 'decoder_pw_6')
    else:
        start = math.log(_START) if head == 'exp' else math.log(math.expm1(_START))
        bias = keras.initializers.Constant(start)
        x = layers.Conv2D(1, 1, bias_initializer=bias, name='decoder_pw_6', dtype='float32')(x)
        activation = 'softplus' if head == 'softplus' else 'exponential'
        x = layers.Activation(activation, dtype='float32', name=f'depth_{head}')(x)
    return layers.Rescaling(max_depth_m / _RANGE, dtype='float32', name='depth_m')(x)


@dataclass(frozen=True)
class ChannelPlan:
    """Channels of FastDepth.

    Attributes:
        stem: of the first convolution.
        encoder: of the 13 separable blocks.
        decoder: of the five separable blocks of the decoder.
    """

    stem: int
    encoder: tuple[int, ...]
    decoder: tuple[int, ...]

    def scaled(self, width: float) -> ChannelPlan:
        """Every number times `width`, rounded to a multiple of 8."""

        def channels(count: int) -> int:
            return max(8, round(count * width / 8) * 8)

        return ChannelPlan(
            channels(self.stem),
            tuple(map(channels, self.encoder)),
            tuple(map(channels, self.decoder)),
        )


FULL = ChannelPlan(
    32,
    (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024),
    (512, 256, 128, 64, 32),
)
# Found by NetAdapt; from the published TVM tuning logs.
PRUNED = ChannelPlan(
    16,
    (56, 88, 120, 144, 256, 408, 376, 272, 288, 296, 328, 480, 512),
    (200, 256, 120, 56, 16),
)


def fastdepth(
    input_size: tuple[int, int] | None = None,
    skip: str = 'add',
    head: str = 'softplus',
    max_depth_m: float = 10.0,
    width: float = 1.0,
) -> keras.Model:
    """MobileNetSkipAdd, 3.96 M parameters, 0.74 GMAC at 224x224.

    Args:
        input_size: (width, height), multiples of 32; None: any.
        skip: 'add' as published, 'concat' (4.02 M) or 'none'.
        head: activation of the last channel, see `depth_head`. The default differs from the
            published ReLU after batch normalisation, which gets no gradient where it is 0.
        max_depth_m: the range of the data; scales the output without limiting it.
        width: factor on all channels.

    Returns:
        Model {'image': (B, H, W, 3) RGB 0..255} -> {'depth_m': (B, H, W, 1) >= 0}.

    Raises:
        ConfigError: an unknown skip or head, or a number that is not positive.
    """
    if width <= 0:
        raise ConfigError(f'width must be positive, got {width}')
    return _fastdepth(input_size, FULL.scaled(width), skip, head, max_depth_m, 'fastdepth')


def fastdepth_pruned(
    input_size: tuple[int, int] | None = None,
    skip: str = 'add',
    head: str = 'softplus',
    max_depth_m: float = 10.0,
) -> keras.Model:
    """The channels that NetAdapt left: 1.36 M parameters, 0.37 GMAC at 224x224.

    Arguments, result and errors as of `fastdepth`.
    """
    return _fastdepth(input_size, PRUNED, skip, head, max_depth_m, 'fastdepth_pruned')


def _fastdepth(
    input_size: tuple[int, int] | None,
    plan: ChannelPlan,
    skip: str,
    head: str,
    max_depth_m: float,
    name: str,
) -> keras.Model:
    if skip not in SKIPS:
        raise ConfigError(f'skip must be one of {", ".join(SKIPS)}, got {skip!r}')
    image = image_input(input_size, 3, 'image')
    x = layers.Rescaling(1 / 255, name='normalised')(image)
    x, skips = _encoder(x, plan)
    x = _decoder(x, skips, plan, skip)
    depth_m = depth_head(x, head, max_depth_m)
    return keras.Model({'image': image}, {'depth_m': depth_m}, name=name)


def _encoder(
    x: keras.KerasTensor, plan: ChannelPlan
) -> tuple[keras.KerasTensor, list[keras.KerasTensor]]:
    """The coarsest features and those at 1/2, 1/4 and 1/8."""
    x = conv_bn(x, plan.stem, 3, 'conv1', strides=2, activation='relu6')
    skips = []
    for i, (filters, strides) in enumerate(zip(plan.encoder, _STRIDES, strict=True), start=1):
        names = f'conv_dw_{i}', f'conv_pw_{i}'
        x = separable_bn(x, filters, 3, names, strides=strides, activation='relu6')
        if i in _SKIP_BLOCKS:
            skips.append(x)
    return x, skips


def _decoder(
    x: keras.KerasTensor, skips: list[keras.KerasTensor], plan: ChannelPlan, skip: str
) -> keras.KerasTensor:
    joined = dict(zip((4, 3, 2), skips, strict=True))
    for i, filters in enumerate(plan.decoder, start=1):
        x = separable_bn(x, filters, 5, (f'decoder_dw_{i}', f'decoder_pw_{i}'))
        x = Repeated(2, name=f'decoder_up_{i}')(x)
        if i in joined and skip != 'none':
            join = layers.Add if skip == 'add' else layers.Concatenate
            x = join(name=f'decoder_skip_{i}')([x, joined[i]])
    return x
