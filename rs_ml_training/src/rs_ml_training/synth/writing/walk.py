"""Frames of a recording: the camera moves slowly through a room with people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rs_ml_training.synth.camera import CameraPose
from rs_ml_training.synth.frame import SynthFrame
from rs_ml_training.synth.rig import d435
from rs_ml_training.synth.side import Side
from rs_ml_training.synth.writing.set_options import SetOptions

_SPEED = 0.12
"""Of the camera, to its right [m/s]."""
_TURN = 0.03
"""Of the camera, to its left [rad/s]."""
_SWAY_HZ, _SWAY_RAD, _SWAY_M = 0.4, 0.008, 0.008


def walk(options: SetOptions, rate_hz: float) -> Iterator[SynthFrame]:
    """Frames of one room; the same options and rate give the same ones.

    Args:
        options: `count` is the number of frames, `seed` that of the room.
        rate_hz: frames a second.

    Raises:
        ConfigError: the room has no place for two people in view.
    """
    from rs_ml_training.synth.exposure import expose
    from rs_ml_training.synth.options import WorldOptions
    from rs_ml_training.synth.world import draw_world
    from rs_ml_training.synth.writing.passers import peopled, staged

    room = WorldOptions(
        side=Side(options.side), room_m=(4.5, 7.0), people=(0, 0), emitter_share=1.0
    )
    world = draw_world(options.seed, room)
    stage = np.random.default_rng([options.seed, 1])
    start, passers = staged(world, stage, (options.count - 1) / rate_hz)
    rig = d435(options.size, options.color_size)
    for number in range(options.count):
        time_s = number / rate_hz
        rng = np.random.default_rng([options.seed, 2, number])
        yield expose(peopled(world, passers, time_s), moved(start, time_s), rig, rng)


def moved(start: CameraPose, time_s: float) -> CameraPose:
    """Where a hand that holds the camera has brought it."""
    way, sway = _SPEED * time_s, np.sin(2 * np.pi * _SWAY_HZ * time_s)
    return replace(
        start,
        x_m=start.x_m + way * np.sin(start.yaw_rad),
        y_m=start.y_m - way * np.cos(start.yaw_rad),
        yaw_rad=start.yaw_rad + _TURN * time_s,
        pitch_rad=start.pitch_rad + _SWAY_RAD * sway,
        height_m=start.height_m + _SWAY_M * sway,
    )
