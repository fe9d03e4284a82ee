"""Optimizers by name, with RAdam, which Keras lacks, and schedules of the learning rate."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from rs_ml_training.networks.freezing import encoder_layers
from rs_ml_training.tasks.options import TrainOptions


@keras.saving.register_keras_serializable('rs_ml')
class RAdam(keras.optimizers.Optimizer):
    """Adam whose first steps are plain momentum until the variance can be estimated.

    Source: Liu et al., arXiv 1908.03265, algorithm 2.

    Args:
        learning_rate: number or schedule.
        beta_1, beta_2, epsilon: as in Adam.
        keywords: of keras.optimizers.Optimizer.
    """

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str = 'radam',
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **keywords)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self._first, self._second = self.add_optimizer_variables(variables, ['first', 'second'])

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        step = ops.cast(self.iterations + 1, variable.dtype)
        index = self._get_variable_index(variable)
        first, second = self._first[index], self._second[index]
        self.assign_add(first, (gradient - first) * (1 - self.beta_1))
        self.assign_add(second, (ops.square(gradient) - second) * (1 - self.beta_2))
        momentum = first / (1 - ops.power(self.beta_1, step))
        self.assign_sub(variable, rate * momentum * self._rectified(second, step))

    def get_config(self) -> dict[str, Any]:
        own = {'beta_1': self.beta_1, 'beta_2': self.beta_2, 'epsilon': self.epsilon}
        return super().get_config() | own

    def _rectified(self, second: Any, step: Any) -> Any:
        """Rectification over the square root of the variance; 1 while that is intractable."""
        # 1 - beta_2^step loses its digits in float32, and the length with them.
        grown = -ops.expm1(step * math.log(self.beta_2))
        longest = 2 / (1 - self.beta_2) - 1
        length = longest - 2 * step * (1 - grown) / grown
        safe = ops.maximum(length, 4.5)
        ratio = ((safe - 4) * (safe - 2) * longest) / ((longest - 4) * (longest - 2) * safe)
        deviation = ops.sqrt(second / grown) + self.epsilon
        return ops.where(length > 4, ops.sqrt(ratio) / deviation, 1.0)


def optimizer_of(
    options: TrainOptions, learning_rate: Any, model: keras.Model
) -> keras.optimizers.Optimizer:
    """The optimizer that the options describe.

    Weight decay applies to kernels only, not to biases and scales of normalisations, and at the
    full rate. With `weight_decay` 0, adam and radam decay nothing.

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
    """Scale the learning rate of these variables."""
    step = optimizer.update_step

    def update_step(gradient: Any, variable: Any, learning_rate: Any) -> None:
        # Backends pass their own variables, which the optimizer identifies by number.
        slow = {optimizer._get_variable_index(v) for v in variables}
        is_slow = optimizer._get_variable_index(variable) in slow
        step(gradient, variable, learning_rate * share if is_slow else learning_rate)

    optimizer.update_step = update_step


def _encoder_of(network: keras.Model) -> list[keras.Variable]:
    """Trainable variables of the encoder."""
    return [v for layer in encoder_layers(network) for v in layer.trainable_variables]


@keras.saving.register_keras_serializable('rs_ml')
class WarmedUp(keras.optimizers.schedules.LearningRateSchedule):
    """Linear rise, then poly, cosine or constant.

    poly: lr(t) = (first - last) (1 - t / T)^power + last, as in BTS (arXiv 1907.10326).
    cosine: half a period from first to last (SGDR, arXiv 1608.03983, without restarts).

    Args:
        first, last: learning rates [1/step] at the start (after the rise) and at the end.
        steps: T, of the whole training.
        warmup_steps: of them, those of the rise.
        course: 'poly', 'cosine' or 'constant'.
        power: exponent of poly.
    """

    def __init__(
        self,
        first: float,
        last: float,
        steps: int,
        warmup_steps: int = 0,
        course: str = 'poly',
        power: float = 0.9,
    ) -> None:
        super().__init__()
        self.first, self.last, self.steps = first, last, steps
        self.warmup_steps, self.course, self.power = warmup_steps, course, power

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, 'float32')
        after = ops.maximum(step - self.warmup_steps, 0.0)
        progress = ops.minimum(after / max(self.steps - self.warmup_steps, 1), 1.0)
        rate = self._course(progress)
        rise = ops.minimum((step + 1.0) / max(self.warmup_steps, 1), 1.0)
        return rate * rise

    def get_config(self) -> dict[str, Any]:
        names = ('first', 'last', 'steps', 'warmup_steps', 'course', 'power')
        return {name: getattr(self, name) for name in names}

    def _course(self, progress: Any) -> Any:
        if self.course == 'constant':
            return self.first + 0.0 * progress
        if self.course == 'cosine':
            share = 0.5 * (1.0 + ops.cos(3.14159265 * progress))
        else:
            share = ops.power(1.0 - progress, self.power)
        return (self.first - self.last) * share + self.last


def schedule_of(options: TrainOptions, steps_per_epoch: int) -> WarmedUp:
    """The schedule that the options describe."""
    steps = options.epochs * steps_per_epoch
    return WarmedUp(
        options.learning_rate,
        options.learning_rate * options.end_learning_rate,
        steps,
        min(round(options.warmup_epochs * steps_per_epoch), steps // 2),
        options.schedule,
        options.power,
    )
