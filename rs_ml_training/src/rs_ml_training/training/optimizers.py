"""Optimizers by name."""

from __future__ import annotations

from typing import Any

import keras

from rs_ml_training.networks.freezing import encoder_layers
from rs_ml_training.training.options import TrainOptions
from rs_ml_training.training.radam import RAdam


def optimizer_of(
    options: TrainOptions, learning_rate: Any, model: keras.Model
) -> keras.optimizers.Optimizer:
    """The optimizer that the options describe.

    Decay pulls kernels only: biases and the scales of normalisations are left alone, and so is
    whatever adam and radam train when `weight_decay` is 0.

    Args:
        options: of the training.
        learning_rate: number or schedule.
        model: the network.
    """
    common: dict[str, Any] = {
        'learning_rate': learning_rate,
        'global_clipnorm': options.clip_norm or None,
        'weight_decay': options.weight_decay or None,
        'use_ema': bool(options.ema),
        'ema_momentum': options.ema or 0.99,
    }
    if options.optimizer == 'sgd':
        common |= {'momentum': float(options.momentum), 'nesterov': True}
        optimizer = keras.optimizers.SGD(**common)
    else:
        kinds = {'adam': keras.optimizers.Adam, 'radam': RAdam}
        kind = kinds.get(options.optimizer, keras.optimizers.AdamW)
        if options.optimizer == 'adamw':
            common['weight_decay'] = options.weight_decay
        optimizer = kind(epsilon=options.adam_epsilon, **common)
    decayed = _encoder_of(model) if options.decay_encoder_only else None
    exempt = [
        v
        for v in model.trainable_variables
        if len(v.shape) < 2 or (decayed is not None and id(v) not in decayed)
    ]
    if optimizer.weight_decay is not None and exempt:
        optimizer.exclude_from_weight_decay(var_list=exempt)
    return optimizer


def _encoder_of(network: keras.Model) -> set[int]:
    """Identities of the encoder's variables."""
    return {id(v) for layer in encoder_layers(network) for v in layer.trainable_variables}
