"""People in a room: on seats and beds, on their feet, on the floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_training.synth.body import Person, person
from rs_ml_training.synth.families import FAMILIES
from rs_ml_training.synth.frame import Posture
from rs_ml_training.synth.furnishing import Furnisher
from rs_ml_training.synth.options import WorldOptions
from rs_ml_training.synth.ray_scene import Part
from rs_ml_training.synth.rooms import turned_half


@dataclass(frozen=True, eq=False)
class Inhabitant:
    """Somebody in the room.

    Attributes:
        person: the body.
        x: place on the floor [m].
        y: place on the floor [m].
        instance: of its parts.
        parts: meshes in the room.
    """

    person: Person
    x: float
    y: float
    instance: int
    parts: tuple[Part, ...]


def inhabit(rng: np.random.Generator, furnisher: Furnisher) -> tuple[Inhabitant, ...]:
    """As many people as the options ask for, less those for whom there is no place."""
    options = furnisher.options
    count = rng.integers(options.people[0], options.people[1] + 1)
    found = [_somebody(rng, furnisher) for _ in range(count)]
    return tuple(one for one in found if one is not None)


def _somebody(rng: np.random.Generator, furnisher: Furnisher) -> Inhabitant | None:
    options = furnisher.options
    kinds, shares = zip(*options.postures, strict=True)
    posture = kinds[rng.choice(len(kinds), p=np.array(shares) / sum(shares))]
    outfits = FAMILIES[options.side].outfits
    outfit = outfits[rng.integers(len(outfits))]
    stature = _stature(rng, options)
    seats = [s for s in furnisher.seats if s.lie == (posture is Posture.LYING)]
    if posture in (Posture.SITTING, Posture.LYING) and seats:
        seat = seats[rng.integers(len(seats))]
        furnisher.seats.remove(seat)
        surface = 0.97 * seat.surface_m
        body = person(rng, furnisher.make, stature, posture, outfit, seat_m=surface)
        return _placed(furnisher, body, seat.x, seat.y, seat.yaw_rad)
    if posture is Posture.SITTING:
        posture = Posture.STANDING
    body = person(rng, furnisher.make, stature, posture, outfit, seat_m=0.01)
    yaw = float(rng.uniform(0, 2 * np.pi))
    half = turned_half(body.prop.half_x, body.prop.half_y, yaw)
    place = furnisher.plan.free_place(rng, *half)
    if place is None:
        return None
    furnisher.plan.take(*place, *half)
    return _placed(furnisher, body, *place, yaw)


def _stature(rng: np.random.Generator, options: WorldOptions) -> float:
    if rng.random() < options.children:
        return float(rng.uniform(0.85, 1.5))
    low, high = options.stature_m
    return float(np.clip(rng.normal(1.71, 0.1), low, high))


def _placed(furnisher: Furnisher, body: Person, x: float, y: float, yaw: float) -> Inhabitant:
    furnisher.instances += 1
    parts = body.prop.placed(x, y, yaw, instance=furnisher.instances)
    return Inhabitant(body, x, y, furnisher.instances, tuple(parts))
