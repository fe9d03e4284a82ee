"""Walls, floor, ceiling, and what is fitted to them."""

from __future__ import annotations

import numpy as np

from rs_ml_training.synth.families import FAMILIES, Hole
from rs_ml_training.synth.floor_plan import FloorPlan, WallLine
from rs_ml_training.synth.materials import Material, MaterialMaker
from rs_ml_training.synth.mesh import Mesh, joined
from rs_ml_training.synth.options import WorldOptions
from rs_ml_training.synth.solids import box, wall_with_holes
from rs_ml_training.synth.thing import LABEL
from rs_ml_training.synth.traced import Part
from rs_ml_training.synth.vectors import rotation_about_z


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
