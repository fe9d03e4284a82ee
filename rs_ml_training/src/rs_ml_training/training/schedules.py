"""Courses of the learning rate, by step."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from rs_ml_training.tasks.options import TrainOptions


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
