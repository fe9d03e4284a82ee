"""Frames of a room, as a data set wants them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from rs_ml_training.synth.frame import SynthFrame
from rs_ml_training.synth.rig import d435
from rs_ml_training.synth.side import Side
from rs_ml_training.synth.writing.set_options import UPRIGHT, SetOptions

if TYPE_CHECKING:
    from rs_ml_training.synth.world import World


def exposures(options: SetOptions, room: int) -> Iterator[SynthFrame]:
    """Each exposure of a room: one view, noise of its own.

    Args:
        options: of the data set.
        room: number of the room, from 1.
    """
    from rs_ml_training.synth.exposure import expose

    seed = options.room_seed(room)
    world = _world(options, seed)
    rig = d435(options.size, options.color_size)
    for exposure in range(options.repeats):
        yield expose(world, world.pose, rig, np.random.default_rng([seed, exposure]))


def _world(options: SetOptions, seed: int) -> World:
    from rs_ml_training.synth.options import WorldOptions
    from rs_ml_training.synth.world import draw_world
    from rs_ml_training.synth.writing.upright import upright_world

    side = Side(options.side)
    if options.people == UPRIGHT:
        return upright_world(seed, side)
    return draw_world(seed, WorldOptions(side=side))
