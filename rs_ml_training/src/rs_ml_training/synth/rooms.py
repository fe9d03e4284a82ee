"""Floor plans, and the walls, floor, ceiling and fittings around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rs_ml_training.synth.families import FAMILIES, Hole
from rs_ml_training.synth.materials import Material, MaterialMaker
from rs_ml_training.synth.mesh import Mesh, joined
from rs_ml_training.synth.numerics import rotation_about_z
from rs_ml_training.synth.options import Side, WorldOptions
from rs_ml_training.synth.props import LABEL
from rs_ml_training.synth.ray_scene import Part
from rs_ml_training.synth.solids import box, wall_with_holes


@dataclass(frozen=True)
class WallLine:
    """A wall seen from inside: `start` is its right end, `yaw_rad` looks into the room."""

    start: tuple[float, float]
    yaw_rad: float
    length_m: float

    def place(self, along_m: float, into_m: float) -> tuple[float, float]:
        """Floor coordinates of a place along the wall and before it."""
        c, s = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        x, y = self.start
        return float(x + c * into_m - s * along_m), float(y + s * into_m + c * along_m)


@dataclass(frozen=True, eq=False)
class FloorPlan:
    """A room from above.

    Attributes:
        outline: float (N, 2), corners counter-clockwise [m].
        height_m: of the ceiling.
        taken: x_min, y_min, x_max, y_max of placed furniture.
    """

    outline: np.ndarray
    height_m: float
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    @property
    def walls(self) -> list[WallLine]:
        """One per side of the outline."""
        ends = np.roll(self.outline, -1, axis=0)
        lines = []
        for start, end in zip(self.outline, ends, strict=True):
            way = end - start
            inward = np.arctan2(way[0], -way[1])
            lines.append(WallLine(tuple(end), float(inward), float(np.hypot(*way))))
        return lines

    def holds(self, x: float, y: float) -> bool:
        """Whether a place is inside the outline."""
        corners = self.outline.tolist()
        inside = False
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
            if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
                inside = not inside
        return inside

    def contains(self, x: float, y: float, half_x: float, half_y: float) -> bool:
        """Whether all corners of a level rectangle are inside the outline."""
        return all(self.holds(x + i * half_x, y + j * half_y) for i in (-1, 1) for j in (-1, 1))

    def is_free(self, x: float, y: float, half_x: float, half_y: float) -> bool:
        """Whether a level rectangle is inside and touches nothing."""
        if not self.contains(x, y, half_x, half_y):
            return False
        left, low, right, high = x - half_x, y - half_y, x + half_x, y + half_y
        return not any(
            left < t[2] and t[0] < right and low < t[3] and t[1] < high for t in self.taken
        )

    def take(self, x: float, y: float, half_x: float, half_y: float) -> None:
        """Mark a level rectangle as taken."""
        self.taken.append((x - half_x, y - half_y, x + half_x, y + half_y))

    def free_place(
        self, rng: np.random.Generator, half_x: float, half_y: float, *, tries: int = 25
    ) -> tuple[float, float] | None:
        """Somewhere free, None if none was found."""
        low, high = self.outline.min(axis=0), self.outline.max(axis=0)
        for _ in range(tries):
            x, y = (float(v) for v in rng.uniform(low, high))
            if self.is_free(x, y, half_x, half_y):
                return x, y
        return None


def turned_half(half_x: float, half_y: float, yaw_rad: float) -> tuple[float, float]:
    """Half sizes of the level rectangle around a turned one."""
    c, s = abs(np.cos(yaw_rad)), abs(np.sin(yaw_rad))
    return float(c * half_x + s * half_y), float(s * half_x + c * half_y)


def draw_plan(rng: np.random.Generator, room_m: Sequence[float], side: Side) -> FloorPlan:
    """A rectangle for training; an L or a room with a corner cut off for tests."""
    wide, long = sorted(rng.uniform(room_m[0], room_m[1], 2))
    height = float(rng.uniform(2.3, 3.4))
    corners = [(0, 0), (long, 0), (long, wide), (0, wide)]
    if side is Side.TEST:
        cut_x, cut_y = rng.uniform(0.2, 0.5) * long, rng.uniform(0.2, 0.5) * wide
        niche = [(long, wide - cut_y), (long - cut_x, wide)]
        if rng.random() < 0.6:
            niche.insert(1, (long - cut_x, wide - cut_y))
        corners[2:3] = niche
    return FloorPlan(np.array(corners, float), height)


def shell(
    rng: np.random.Generator, plan: FloorPlan, make: MaterialMaker, options: WorldOptions
) -> list[Part]:
    """Everything that bounds the room; doors, windows and pictures among it."""
    paint = make.paint()
    low, high = plan.outline.min(axis=0), plan.outline.max(axis=0)
    size, middle = high - low, (high + low) / 2
    floor = box((*(size + 0.4), 0.1), (*middle, -0.05))
    ceiling = box((*(size + 0.4), 0.1), (*middle, plan.height_m + 0.05))
    parts = [
        Part(floor, make.floor(), LABEL['floor']),
        Part(ceiling, make.paint(), LABEL['ceiling']),
    ]
    for wall in plan.walls:
        other = make.paint() if rng.random() < 0.25 else paint
        parts += _wall(rng, wall, plan.height_m, other, make, options)
    return parts


def _wall(
    rng: np.random.Generator,
    wall: WallLine,
    height_m: float,
    paint: Material,
    make: MaterialMaker,
    options: WorldOptions,
) -> list[Part]:
    families = FAMILIES[options.side]
    holes: list[Hole] = []
    pieces: list[tuple[Mesh, Material, str]] = []
    if rng.random() < options.window_share and wall.length_m > 1.4:
        hole = _window_hole(rng, wall.length_m, height_m)
        holes.append(hole)
        window = families.windows[rng.integers(len(families.windows))]
        pieces += [(p.mesh, p.material, p.label or 'window') for p in window(rng, make, hole)]
        if rng.random() < 0.6:
            pieces.append((_drapery(rng, hole, options), make.cloth(), 'window'))
    elif options.furniture[1]:
        pieces += _hung(rng, wall.length_m, make, options)
    pieces.append((wall_with_holes(wall.length_m, height_m, holes), paint, 'wall'))
    if rng.random() < 0.6:
        pieces.append((_skirting(wall.length_m), make.wood(), 'wall'))
    turn = rotation_about_z(wall.yaw_rad)
    return [
        Part(mesh.moved(turn, (*wall.start, 0.0)), material, LABEL[label])
        for mesh, material, label in pieces
    ]


def _window_hole(rng: np.random.Generator, length_m: float, height_m: float) -> Hole:
    wide = rng.uniform(0.8, min(length_m - 0.4, 2.6))
    y = rng.uniform(0.2, length_m - wide - 0.2)
    return y, rng.uniform(0.1, 1.0), y + wide, height_m - rng.uniform(0.15, 0.5)


def _drapery(rng: np.random.Generator, hole: Hole, options: WorldOptions) -> Mesh:
    drape = FAMILIES[options.side].draperies[0]
    y0, z0, y1, z1 = hole
    if rng.random() < 0.5:
        return drape(rng, (y0 + y1) / 2, y1 - y0 + 0.1, z1 + 0.05, max(z0 - 0.1, 0.05))
    wide = 0.3 * (y1 - y0)
    sides = [y0 + wide / 2 - 0.1, y1 - wide / 2 + 0.1]
    return joined([drape(rng, y, wide, z1 + 0.05, max(z0 - 0.1, 0.05)) for y in sides])


def _hung(
    rng: np.random.Generator, length_m: float, make: MaterialMaker, options: WorldOptions
) -> list[tuple[Mesh, Material, str]]:
    """Doors and pictures side by side along a wall."""
    families = FAMILIES[options.side]
    pieces: list[tuple[Mesh, Material, str]] = []
    along = 0.2
    while True:
        builders = families.doors if rng.random() < 0.35 else families.pictures
        fitting = builders[rng.integers(len(builders))](rng, make)
        along += float(rng.uniform(0.1, 1.5)) + fitting.half_y
        if along + fitting.half_y > length_m - 0.1:
            return pieces
        pieces += [
            (p.mesh.shifted(0, along, 0), p.material, p.label or fitting.label)
            for p in fitting.pieces
        ]
        along += fitting.half_y


def _skirting(length_m: float) -> Mesh:
    return box((0.015, length_m, 0.08), (0.0075, length_m / 2, 0.04))
