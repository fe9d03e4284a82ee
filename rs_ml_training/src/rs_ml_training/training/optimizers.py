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
    whatever adam and radam train when `weight_decay` is 0. It does so at the full rate.

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
    encoder = {id(v): v for v in _encoder_of(model)}
    decayed = encoder if options.decay_encoder_only else None
    exempt = [
        v
        for v in model.trainable_variables
        if len(v.shape) < 2 or (decayed is not None and id(v) not in decayed)
    ]
    if optimizer.weight_decay is not None and exempt:
        optimizer.exclude_from_weight_decay(var_list=exempt)
    if options.encoder_rate != 1:
        _slow_down(optimizer, list(encoder.values()), options.encoder_rate)
    return optimizer


def _slow_down(
    optimizer: keras.optimizers.Optimizer, variables: list[keras.Variable], share: float
) -> None:
    """Let it change these variables at a share of its learning rate."""
    step = optimizer.update_step

    def update_step(gradient: Any, variable: Any, learning_rate: Any) -> None:
        # Backends hand over variables of their own, which the optimizer knows by number.
        slow = {optimizer._get_variable_index(v) for v in variables}
        is_slow = optimizer._get_variable_index(variable) in slow
        step(gradient, variable, learning_rate * share if is_slow else learning_rate)

    optimizer.update_step = update_step


def _encoder_of(network: keras.Model) -> list[keras.Variable]:
    """What the encoder learns."""
    return [v for layer in encoder_layers(network) for v in layer.trainable_variables]
