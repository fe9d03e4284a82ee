"""A network together with what it is trained for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from rs_ml_training.tasks.objective import Objective


class Trainee(keras.Model):
    """Trains `network` on the losses of an objective; works on every Keras backend.

    Args:
        network: functional model with dictionaries of inputs and outputs.
        objective: gives the losses.
    """

    def __init__(self, network: keras.Model, objective: Objective) -> None:
        # Under mixed precision inputs would be rounded here, before the network can keep them.
        super().__init__(autocast=False)
        self.network = network
        self._objective = objective
        self._parts = {
            name: keras.metrics.Mean(name=f'loss_{name}') for name in self._part_names()
        }

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        return self.network(inputs, training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Sum of the objective's losses and the network's own penalties."""
        outputs = {name: ops.cast(value, 'float32') for name, value in y_pred.items()}
        losses = self._objective.losses(y, outputs)
        for name, tracker in self._parts.items():
            if name in losses:
                tracker.update_state(losses[name])
        return (sum(losses.values()) + sum(self.network.losses)) / _replicas()

    def _part_names(self) -> tuple[str, ...]:
        """One loss needs no line of its own."""
        names = self._objective.part_names(self.network.output)
        return () if len(names) == 1 else names


def _replicas() -> int:
    """How many gradients tf.distribute adds up: each must be a share of the mean."""
    if keras.backend.backend() != 'tensorflow':
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync
