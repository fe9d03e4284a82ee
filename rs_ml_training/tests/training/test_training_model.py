"""A network with its losses: what reaches it, and what several replicas add up to."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_training.training import session  # noqa: E402
from rs_ml_training.training.session import TrainingModel  # noqa: E402


class _Squares:
    def part_names(self, outputs):
        return ('loss',)

    def losses(self, targets, outputs):
        return {'loss': keras.ops.mean(keras.ops.square(outputs['y'] - targets['y']))}


def _network(layer):
    x = keras.Input((1,), name='x')
    return keras.Model({'x': x}, {'y': layer(x)})


def test_inputs_are_not_rounded():
    keras.config.set_dtype_policy('mixed_bfloat16')
    try:
        model = TrainingModel(_network(keras.layers.Rescaling(1.0, dtype='float32')), _Squares())
    finally:
        keras.config.set_dtype_policy('float32')
    value = np.float32(3.007)
    found = keras.ops.convert_to_numpy(model({'x': np.full((1, 1), value)})['y'])
    assert found[0, 0] == value


@pytest.mark.parametrize('count', [1, 4])
def test_replicas_share_the_mean(count, monkeypatch):
    """tf.distribute adds gradients: four replicas that see the same take a step of one."""
    monkeypatch.setattr(session, '_replicas', lambda: count)
    model = TrainingModel(_network(keras.layers.Dense(1)), _Squares())
    outputs = {'y': np.full((2, 1), 3.0, np.float32)}
    loss = model.compute_loss(y={'y': np.zeros((2, 1), np.float32)}, y_pred=outputs)
    assert count * float(loss) == pytest.approx(9.0)
