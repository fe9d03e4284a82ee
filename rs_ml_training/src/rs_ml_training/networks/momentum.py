"""How fast batch normalisation follows the data, for encoders of keras.applications."""

from __future__ import annotations

import keras

from rs_ml_training.networks.blocks import MOMENTUM


def set_momentum(model: keras.Model, momentum: float = MOMENTUM) -> None:
    """Let the moving averages of all batch normalisation follow as those of our own blocks.

    MobileNetV2 of keras.applications has 0.999: after a thousand steps a third of its averages is
    still the initial value, and validation sees another network than training.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = momentum
