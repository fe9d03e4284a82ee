"""Freezing of layers of a pretrained encoder.

Encoder layers have the names of keras.applications; names of decoder and head layers begin with
one of _NOT_ENCODER.
"""

from __future__ import annotations

import keras
from rs_ml_perception.core.errors import ConfigError

_NOT_ENCODER = ('decoder_', 'head_', 'aspp_', 'logits', 'confidence')
_DENSE_AND_RESIDUAL = tuple((f'conv{n}_', f'pool{n}') for n in range(1, 6))
_MOBILENET_V2 = (
    ('Conv1', 'bn_Conv1', 'expanded_conv_'),
    ('block_1_', 'block_2_'),
    ('block_3_', 'block_4_', 'block_5_'),
    ('block_6_', 'block_7_', 'block_8_', 'block_9_', *(f'block_{n}_' for n in (10, 11, 12))),
    (*(f'block_{n}_' for n in (13, 14, 15, 16)), 'Conv_1', 'context_'),
)
_MOBILENET_V1 = (
    ('conv1', 'conv_dw_1_', 'conv_pw_1_'),
    *(
        tuple(f'conv_{kind}_{n}_' for n in numbers for kind in ('dw', 'pw'))
        for numbers in ((2, 3), (4, 5), tuple(range(6, 12)), (12, 13))
    ),
)


def encoder_layers(model: keras.Model) -> list[keras.Layer]:
    """Layers with weights outside the decoder and the heads."""
    return [
        layer
        for layer in model.layers
        if layer.weights and not layer.name.startswith(_NOT_ENCODER)
    ]


def freeze_encoder_batch_norm(model: keras.Model) -> None:
    """Freeze the statistics of the encoder's batch normalisation."""
    for layer in encoder_layers(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def fixed_blocks(model: keras.Model, blocks: int) -> list[str]:
    """Fix the stem of the encoder and its first blocks.

    Args:
        model: a network whose encoder layers have the names of DenseNet, ResNet V2, MobileNetV2 or
            MobileNet of keras.applications.
        blocks: number of blocks after the stem, 0..4; a block is all layers of one resolution,
            with the transition that follows: conv2, conv3, ... of DenseNet and ResNet.

    Returns:
        Names of the layers that were fixed.

    Raises:
        ConfigError: an invalid number, or an encoder without a stem of a known name.
    """
    if not 0 <= blocks <= 4:
        raise ConfigError(f'0 to 4 encoder blocks can be fixed, got {blocks}')
    prefixes = sum(_stages(model)[: blocks + 1], ())
    chosen = [layer for layer in encoder_layers(model) if _starts(layer.name, prefixes)]
    for layer in chosen:
        layer.trainable = False
    return [layer.name for layer in chosen]


def _stages(model: keras.Model) -> tuple[tuple[str, ...], ...]:
    names = {layer.name for layer in model.layers}
    for mark, stages in (
        ('conv1_conv', _DENSE_AND_RESIDUAL),
        ('Conv1', _MOBILENET_V2),
        ('conv_dw_1', _MOBILENET_V1),
    ):
        if mark in names:
            return stages
    raise ConfigError(
        f'{model.name} has no encoder named as in keras.applications: fix no blocks of it'
    )


def _starts(name: str, prefixes: tuple[str, ...]) -> bool:
    return f'{name}_'.startswith(prefixes)
