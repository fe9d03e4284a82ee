"""Frames of a room, as a data set wants them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rs_ml_training.synth.frame import SynthFrame
from rs_ml_training.synth.rig import d435
from rs_ml_training.synth.side import Side
from rs_ml_training.synth.writing.set_options import SetOptions


def exposures(options: SetOptions, room: int) -> Iterator[SynthFrame]:
    """Each exposure of a room: one view, noise of its own.

    Args:
        options: of the data set.
        room: number of the room, from 1.
    """
    from rs_ml_training.synth.exposure import expose
    from rs_ml_training.synth.options import WorldOptions
    from rs_ml_training.synth.world import draw_world

    seed = options.room_seed(room)
    world = draw_world(seed, WorldOptions(side=Side(options.side)))
    rig = d435(options.size, options.color_size)
    for exposure in range(options.repeats):
        yield expose(world, world.pose, rig, np.random.default_rng([seed, exposure]))
