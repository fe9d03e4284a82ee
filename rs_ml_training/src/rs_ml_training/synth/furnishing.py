"""Placing furniture, objects and people in a room.

Rooms for training have their furniture along the walls, chairs at tables, tables before sofas.
Rooms for tests have it at any angle in the middle of the room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rs_ml_training.synth.body import Person, person
from rs_ml_training.synth.families import FAMILIES, Builder
from rs_ml_training.synth.frame import Posture
from rs_ml_training.synth.materials import MaterialMaker
from rs_ml_training.synth.numerics import rotation_about_z
from rs_ml_training.synth.options import Side, WorldOptions
from rs_ml_training.synth.props import Prop, Seat
from rs_ml_training.synth.ray_scene import Part
from rs_ml_training.synth.rooms import FloorPlan, turned_half


@dataclass(frozen=True)
class PlacedSeat:
    """A free seat in the room: `surface_m` above the floor, `lie` for a bed."""

    x: float
    y: float
    yaw_rad: float
    surface_m: float
    lie: bool = False


@dataclass(eq=False)
class Furnisher:
    """Puts props into a room; its lists grow.

    Attributes:
        rng: source of numbers.
        plan: the room.
        make: of materials.
        options: how much there is.
        parts: meshes placed so far.
        seats: where people may sit.
        instances: number of boxed props so far.
    """

    rng: np.random.Generator
    plan: FloorPlan
    make: MaterialMaker
    options: WorldOptions
    parts: list[Part] = field(default_factory=list)
    seats: list[PlacedSeat] = field(default_factory=list)
    instances: int = 0

    def furnish(self) -> None:
        """Furniture first, then objects on it and around it."""
        families = FAMILIES[self.options.side]
        groups = (self._table_group, self._sofa_group, self._bed, self._storage, self._chair)
        for _ in range(
            self.rng.integers(self.options.furniture[0], self.options.furniture[1] + 1)
        ):
            groups[self.rng.choice(5, p=[0.28, 0.2, 0.12, 0.28, 0.12])]()
        for _ in range(self.rng.integers(self.options.objects[0], self.options.objects[1] + 1)):
            built = self._built(families.large)
            yaw = float(self.rng.uniform(0, 2 * np.pi))
            place = self.plan.free_place(self.rng, *turned_half(built.half_x, built.half_y, yaw))
            if place:
                self.put(built, *place, yaw)

    def put(self, built: Prop, x: float, y: float, yaw: float, *, z: float = 0.0) -> None:
        """Place a prop, mark its floor, and let smaller ones stand on it."""
        self.instances += 1
        self.parts += built.placed(x, y, yaw, z=z, instance=self.instances)
        if z == 0.0:
            self.plan.take(x, y, *turned_half(built.half_x, built.half_y, yaw))
        turn = rotation_about_z(yaw)[:2, :2]
        for seat in built.seats:
            self._keep_seat(seat, turn, x, y, yaw, built.label == 'bed')
        for top in built.tops:
            low, high = self.options.objects_on_tops
            for _ in range(self.rng.integers(low, high + 1)):
                small = self._built(FAMILIES[self.options.side].small)
                room = np.array([top.half_x - small.half_x, top.half_y - small.half_y])
                if (room <= 0).any():
                    continue
                at = turn @ (self.rng.uniform(-room, room) + np.array([top.x, top.y]))
                spin = yaw + float(self.rng.normal(0, 0.4))
                self.instances += 1
                self.parts += small.placed(
                    x + at[0], y + at[1], spin, z=z + top.z, instance=self.instances
                )

    def _keep_seat(
        self, seat: Seat, turn: np.ndarray, x: float, y: float, yaw: float, bed: bool
    ) -> None:
        at = turn @ [seat.x, seat.y]
        if bed and self.rng.random() < 0.6:
            self.seats.append(PlacedSeat(x, y, yaw, seat.z + 0.03, lie=True))
        else:
            self.seats.append(PlacedSeat(float(x + at[0]), float(y + at[1]), yaw, seat.z))

    def _built(self, builders: Sequence[Builder]) -> Prop:
        return builders[int(self.rng.integers(len(builders)))](self.rng, self.make)

    def _place_of(self, built: Prop, gap: float = 0.03) -> tuple[float, float, float] | None:
        """x, y and yaw: along a wall in training, anywhere else in tests."""
        if self.options.side is Side.TEST:
            yaw = float(self.rng.uniform(0, 2 * np.pi))
            place = self.plan.free_place(self.rng, *turned_half(built.half_x, built.half_y, yaw))
            return (*place, yaw) if place else None
        for _ in range(20):
            wall = self.plan.walls[self.rng.integers(len(self.plan.walls))]
            if wall.length_m < 2 * built.half_y + 0.1:
                continue
            along = self.rng.uniform(built.half_y + 0.05, wall.length_m - built.half_y - 0.05)
            x, y = wall.place(along, built.half_x + gap)
            half = turned_half(built.half_x, built.half_y, wall.yaw_rad)
            if self.plan.is_free(x, y, *half):
                return x, y, wall.yaw_rad
        return None

    def _table_group(self) -> None:
        """A table, alone or with chairs that look at it."""
        families = FAMILIES[self.options.side]
        table = self._built(families.tables)
        free = self.rng.random() < 0.6
        yaw = float(self.rng.choice([0, np.pi / 2]) + self.rng.normal(0, 0.05))
        half = turned_half(table.half_x, table.half_y, yaw)
        place = self.plan.free_place(self.rng, half[0] + 0.4, half[1] + 0.4) if free else None
        found = (*place, yaw) if place else self._place_of(table)
        if found is None:
            return
        self.put(table, *found)
        sides = [0.0, np.pi, np.pi / 2, -np.pi / 2] if free else [0.0]
        for direction in sides[: self.rng.integers(0, len(sides) + 1)]:
            self._chair_at(table, *found, direction)

    def _chair_at(self, table: Prop, x: float, y: float, yaw: float, direction: float) -> None:
        chair = self._built(FAMILIES[self.options.side].chairs)
        # Pushed under the table more or less.
        reach = table.half_x if abs(np.sin(direction)) < 0.5 else table.half_y
        away = reach + chair.half_x + self.rng.uniform(-0.05, 0.25)
        heading = yaw + direction
        at = x + away * np.cos(heading), y + away * np.sin(heading)
        turn = float(heading + np.pi + self.rng.normal(0, 0.25))
        half_x, half_y = turned_half(chair.half_x, chair.half_y, turn)
        fits = self.plan.contains(*at, half_x, half_y)
        if fits and self.plan.is_free(*at, 0.7 * half_x, 0.7 * half_y):
            self.put(chair, float(at[0]), float(at[1]), turn)

    def _sofa_group(self) -> None:
        """A sofa, a low table before it, now and then a television opposite."""
        families = FAMILIES[self.options.side]
        sofa = self._built(families.sofas)
        found = self._place_of(sofa)
        if found is None:
            return
        self.put(sofa, *found)
        x, y, yaw = found
        ahead = np.array([np.cos(yaw), np.sin(yaw)])
        if self.rng.random() < 0.6:
            table = self._built(families.tables)
            at = np.array([x, y]) + ahead * (
                sofa.half_x + table.half_x + self.rng.uniform(0.3, 0.6)
            )
            half = turned_half(table.half_x, table.half_y, yaw)
            x, y = map(float, at)
            if self.plan.is_free(x, y, *half):
                self.put(table, x, y, yaw)
        if self.rng.random() < 0.6:
            self._television()

    def _television(self) -> None:
        families = FAMILIES[self.options.side]
        stand, screen = self._built(families.storage), self._built(families.televisions)
        found = self._place_of(stand)
        if found is None:
            return
        x, y, yaw = found
        tops = [t for t in stand.tops if t.half_y > 0.8 * screen.half_y and 0.3 < t.z < 1.3]
        self.put(stand, x, y, yaw)
        if tops:
            self.put(screen, x, y, yaw, z=tops[-1].z)

    def _bed(self) -> None:
        self._alone(FAMILIES[self.options.side].beds)

    def _storage(self) -> None:
        self._alone(FAMILIES[self.options.side].storage)

    def _alone(self, builders: Sequence[Builder]) -> None:
        built = self._built(builders)
        found = self._place_of(built)
        if found:
            self.put(built, *found)

    def _chair(self) -> None:
        """A chair somewhere, looking anywhere."""
        chair = self._built(FAMILIES[self.options.side].chairs)
        yaw = float(self.rng.uniform(0, 2 * np.pi))
        place = self.plan.free_place(self.rng, *turned_half(chair.half_x, chair.half_y, yaw))
        if place:
            self.put(chair, *place, yaw)


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
    """As many people as the options ask for and the room has places for."""
    options = furnisher.options
    count = rng.integers(options.people[0], options.people[1] + 1)
    found = [_draw_inhabitant(rng, furnisher) for _ in range(count)]
    return tuple(one for one in found if one is not None)


def _draw_inhabitant(rng: np.random.Generator, furnisher: Furnisher) -> Inhabitant | None:
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
