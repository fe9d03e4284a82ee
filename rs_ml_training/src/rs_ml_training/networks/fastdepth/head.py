"""From the last features of a depth network to metres."""

from __future__ import annotations

import math

import keras
from keras import layers
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks.blocks import conv_bn

HEADS = ('relu', 'softplus', 'exp')
_RANGE = 10.0
_START = 2.5


def depth_head(x: keras.KerasTensor, head: str, max_depth_m: float) -> keras.KerasTensor:
    """One channel [m], >= 0, in float32.

    'relu': 1x1, batch normalisation, ReLU (published); a pixel at 0 gets no gradient, and with
    small batches the scale of depth hangs on the batch. 'softplus': 1x1 with a bias that starts
    at a quarter of the range; as good as linear there, never dead. 'exp': the network sees log
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
