"""What is known of a synthetic frame beside its pictures, as plain values for JSON."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rs_ml_training.synth.frame import PeopleTruth, SynthFrame

_DIGITS = 4


def truth_record(frame: SynthFrame, name: str) -> dict[str, Any]:
    """Camera and people of a frame.

    Returns:
        `image` (name), `scene`, `emitter`; `camera` with `height_m`, `pitch_deg` (positive looks
        up), `roll_deg` (positive turns the camera clockwise as seen from behind it) and
        `up_in_camera`; `accelerometer` [[x, y, z], ...] in m/s2, optical axes; `people` with `box`
        [x_min, y_min, x_max, y_max] of the visible pixels of the colour picture, half-open,
        `stature_m` when upright, `top_m` above the floor, `posture`, `visible_share`, `cut`.
    """
    pose = frame.pose
    return {
        'image': name,
        'scene': scene_name(frame.seed),
        'emitter': bool(frame.emitter),
        'camera': {
            'height_m': _number(pose.height_m),
            'pitch_deg': _number(math.degrees(pose.pitch_rad)),
            'roll_deg': _number(math.degrees(pose.roll_rad)),
            'up_in_camera': _numbers(pose.up_in_camera),
        },
        'accelerometer': [_numbers(sample) for sample in frame.accelerometer],
        'people': people_records(frame.people),
    }


def scene_name(seed: int) -> str:
    """Of all frames of a room."""
    return f'room-{seed}'


def people_records(people: PeopleTruth) -> list[dict[str, Any]]:
    """See `truth_record`."""
    return [
        {
            'box': _numbers(people.boxes_px[i]),
            'stature_m': _number(people.stature_m[i]),
            'top_m': _number(people.top_m[i]),
            'posture': people.postures[i].value,
            'visible_share': _number(people.visible_share[i]),
            'cut': bool(people.cut[i]),
        }
        for i in range(len(people))
    ]


def _number(value: float) -> float:
    return round(float(value), _DIGITS)


def _numbers(values: np.ndarray) -> list[float]:
    return [_number(value) for value in values]
