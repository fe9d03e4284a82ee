"""The two sides of the synthetic world, and the ranges that worlds are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.synth.frame import Posture


class Side(str, Enum):
    """The use of a world."""

    TRAIN = 'train'
    TEST = 'test'


@dataclass(frozen=True)
class WorldOptions:
    """Ranges and fractions; the sides have no kind of room, prop, texture or matcher in common.

    Attributes:
        side: 'train' or 'test'.
        room_m: shorter and longer side of a room are drawn from it.
        furniture: how many pieces or groups of furniture are tried.
        objects: how many objects are tried on the floor.
        objects_on_tops: how many objects are tried on each table or board.
        people: how many people are tried.
        children: fraction of people below 1.5 m.
        stature_m: of grown-ups.
        postures: fraction of each posture; sitting people stand if there is no seat.
        camera_height_m: above the floor.
        max_pitch_deg: tilt up or down.
        roll_deg: standard deviation of the roll.
        emitter_share: of worlds in which the projector is on.
        window_share: of walls that have a window.
    """

    side: Side = Side.TRAIN
    room_m: tuple[float, float] = (2.6, 8.0)
    furniture: tuple[int, int] = (2, 8)
    objects: tuple[int, int] = (0, 8)
    objects_on_tops: tuple[int, int] = (0, 5)
    people: tuple[int, int] = (0, 3)
    children: float = 0.2
    stature_m: tuple[float, float] = (1.5, 2.0)
    postures: tuple[tuple[Posture, float], ...] = (
        (Posture.STANDING, 0.4),
        (Posture.WALKING, 0.2),
        (Posture.SITTING, 0.25),
        (Posture.BENT, 0.1),
        (Posture.LYING, 0.05),
    )
    camera_height_m: tuple[float, float] = (0.25, 1.8)
    max_pitch_deg: float = 35.0
    roll_deg: float = 3.0
    emitter_share: float = 0.85
    window_share: float = 0.25

    def __post_init__(self) -> None:
        object.__setattr__(self, 'side', Side(self.side))
        for name in ('furniture', 'objects', 'objects_on_tops', 'people', 'room_m', 'stature_m'):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise ConfigError(f'{name} must be a range from 0 up, got {(low, high)}')
        for name in ('children', 'emitter_share', 'window_share'):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f'{name} must be within 0..1, got {getattr(self, name)}')
