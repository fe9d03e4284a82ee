"""RAdam, which Keras does not have."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops


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
