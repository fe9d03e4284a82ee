"""What layers draw at random in training: the same for the same epoch, whenever it begins."""

from __future__ import annotations

import keras
import numpy as np


def reseed(network: keras.Model, seed: int, epoch: int) -> None:
    """Let every layer draw from (seed, epoch, its number), so that a resumed run goes on alike."""
    for number, layer in enumerate(network.layers):
        generator = getattr(layer, 'seed_generator', None)
        if generator is not None:
            state = np.random.SeedSequence((seed, epoch, number)).generate_state(2)
            generator.state.assign(state.astype(generator.state.dtype))
