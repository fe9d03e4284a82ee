"""Tables, cupboards, shelves and televisions; the front looks along +x."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from rs_ml_training.synth.materials import MaterialMaker
from rs_ml_training.synth.mesh import Mesh, joined
from rs_ml_training.synth.props import Piece, Prop, Top, prop
from rs_ml_training.synth.seating import legs
from rs_ml_training.synth.solids import box, cylinder, lathe, tube

_Rng = np.random.Generator


def leg_table(rng: _Rng, make: MaterialMaker) -> Prop:
    """A dining table or a desk."""
    deep, wide, top = rng.uniform(0.6, 1.0), rng.uniform(0.8, 1.8), rng.uniform(0.68, 0.8)
    wood, square = make.wood(), rng.random() < 0.6
    radius = rng.uniform(0.018, 0.04)
    pieces = [
        Piece(box((deep, wide, 0.03), (0, 0, top - 0.015)), wood),
        Piece(
            legs(deep / 2 - 0.06, wide / 2 - 0.06, top - 0.03, radius, square=square),
            wood if rng.random() < 0.7 else make.metal(),
        ),
    ]
    return prop('table', pieces, tops=[Top(0, 0, top, deep / 2 - 0.05, wide / 2 - 0.05)])


def drawer_desk(rng: _Rng, make: MaterialMaker) -> Prop:
    """A desk with drawers on one side and a panel on the other."""
    deep, wide, top, wood = 0.65, rng.uniform(1.1, 1.6), 0.74, make.wood()
    side = rng.choice([-1, 1])
    pieces = [
        Piece(box((deep, wide, 0.03), (0, 0, top - 0.015)), wood),
        Piece(
            box((deep - 0.04, 0.4, top - 0.03), (0, side * (wide / 2 - 0.2), (top - 0.03) / 2)),
            wood,
        ),
        Piece(
            box((deep - 0.04, 0.03, top - 0.03), (0, -side * (wide / 2 - 0.02), (top - 0.03) / 2)),
            wood,
        ),
    ]
    knobs = [
        cylinder(0.015, 0.03, sides=8).shifted(deep / 2 - 0.01, side * (wide / 2 - 0.2), z)
        for z in (0.15, 0.37, 0.6)
    ]
    pieces.append(Piece(joined(knobs), make.metal()))
    return prop('table', pieces, tops=[Top(0, 0, top, deep / 2 - 0.05, wide / 2 - 0.05)])


def coffee_table(rng: _Rng, make: MaterialMaker) -> Prop:
    """A low table, one in three of glass."""
    deep, wide, top = rng.uniform(0.45, 0.7), rng.uniform(0.7, 1.2), rng.uniform(0.35, 0.5)
    plate = make.glass() if rng.random() < 1 / 3 else make.wood()
    frame = make.metal() if plate.clear else make.wood()
    pieces = [
        Piece(box((deep, wide, 0.02), (0, 0, top - 0.01)), plate),
        Piece(legs(deep / 2 - 0.04, wide / 2 - 0.04, top - 0.02, 0.025, square=True), frame),
    ]
    if rng.random() < 0.5:
        pieces.append(Piece(box((deep - 0.1, wide - 0.1, 0.02), (0, 0, 0.15)), frame))
    return prop('table', pieces, tops=[Top(0, 0, top, deep / 2 - 0.05, wide / 2 - 0.05)])


def round_table(rng: _Rng, make: MaterialMaker) -> Prop:
    """A round plate on one turned leg."""
    radius, top = rng.uniform(0.35, 0.65), rng.choice([0.55, 0.75, 1.05])
    wood = make.wood()
    leg = lathe([(0.3, 0), (0.28, 0.03), (0.05, 0.08), (0.04, top / 2), (0.06, top - 0.03)])
    pieces = [
        Piece(cylinder(radius, 0.03, sides=36).shifted(0, 0, top - 0.03), wood),
        Piece(leg, make.metal()),
    ]
    return prop('table', pieces, tops=[Top(0, 0, top, 0.6 * radius, 0.6 * radius)])


def trestle_table(rng: _Rng, make: MaterialMaker) -> Prop:
    """A plate on two trestles of crossed beams."""
    deep, wide, top = rng.uniform(0.7, 0.9), rng.uniform(1.2, 1.9), 0.75
    beams = []
    for y in (-wide / 2 + 0.25, wide / 2 - 0.25):
        for x in (-1, 1):
            ends = np.array(
                [[x * deep / 2.4, y, 0.02], [-x * deep / 2.4, y + 0.03 * x, top - 0.05]]
            )
            beams.append(tube(ends, 0.025, sides=6))
    pieces = [
        Piece(box((deep, wide, 0.04), (0, 0, top - 0.02)), make.wood()),
        Piece(joined(beams), make.wood()),
    ]
    return prop('table', pieces, tops=[Top(0, 0, top, deep / 2 - 0.05, wide / 2 - 0.05)])


def cabinet(rng: _Rng, make: MaterialMaker) -> Prop:
    """Doors or drawers with handles, up to the height of a wardrobe."""
    deep, wide, top = rng.uniform(0.35, 0.6), rng.uniform(0.5, 1.6), rng.uniform(0.6, 2.1)
    wood, front = make.wood(), make.wood()
    columns, rows = max(round(wide / 0.5), 1), max(round(top / rng.uniform(0.3, 1.4)), 1)
    pieces = [Piece(box((deep, wide, top), (0, 0, top / 2)), wood)]
    doors, handles = [], []
    w, h = wide / columns, (top - 0.08) / rows
    for column in range(columns):
        for row in range(rows):
            y, z = -wide / 2 + (column + 0.5) * w, 0.06 + (row + 0.5) * h
            doors.append(box((0.02, w - 0.012, h - 0.012), (deep / 2 + 0.01, y, z)))
            handles.append(box((0.02, 0.1, 0.012), (deep / 2 + 0.035, y, z + h * 0.35)))
    pieces += [Piece(joined(doors), front), Piece(joined(handles), make.metal())]
    tops = [Top(0, 0, top, deep / 2 - 0.05, wide / 2 - 0.05)] if top < 1.4 else []
    return prop('furniture', pieces, tops=tops)


def book_shelf(rng: _Rng, make: MaterialMaker) -> Prop:
    """Boards between sides, a back, and rows of books."""
    deep, wide, top = rng.uniform(0.24, 0.35), rng.uniform(0.6, 1.2), rng.uniform(0.9, 2.1)
    wood, boards = make.wood(), max(round(top / 0.36), 2)
    solid = [box((0.02, wide, top), (-deep / 2 + 0.01, 0, top / 2))]
    solid += [box((deep, 0.02, top), (0, s * (wide / 2 - 0.01), top / 2)) for s in (-1, 1)]
    heights = np.linspace(0.05, top - 0.01, boards + 1)
    solid += [box((deep - 0.02, wide - 0.04, 0.02), (0.01, 0, z)) for z in heights]
    pieces = [Piece(joined(solid), wood)]
    for z, above in pairwise(heights):
        pieces += _books(rng, make, wide, deep, z + 0.01, above - z - 0.05)
    tops = [Top(0, 0, top, deep / 2, wide / 2)] if top < 1.4 else []
    return prop('furniture', pieces, tops=tops)


def _books(
    rng: _Rng, make: MaterialMaker, wide: float, deep: float, z: float, room: float
) -> list[Piece]:
    """Books side by side until the board is full or the owner had no more."""
    y, end = -wide / 2 + 0.03, rng.uniform(-0.3, 0.5) * wide
    covers = [make.print() if rng.random() < 0.3 else make.plastic() for _ in range(5)]
    stacks: list[list[Mesh]] = [[] for _ in covers]
    while y < end:
        thick = rng.uniform(0.015, 0.05)
        high, back = rng.uniform(0.6, 0.98) * room, rng.uniform(0.6, 0.9) * deep
        center = (deep / 2 - 0.01 - back / 2 - rng.uniform(0, 0.03), y + thick / 2, z + high / 2)
        stacks[rng.integers(len(covers))].append(box((back, thick * 0.94, high), center))
        y += thick
    return [Piece(joined(s), c, 'books') for s, c in zip(stacks, covers, strict=True) if s]


def ladder_shelf(rng: _Rng, make: MaterialMaker) -> Prop:
    """Boards between leaning poles, no back."""
    wide, top, wood = rng.uniform(0.5, 0.9), rng.uniform(1.4, 1.9), make.wood()
    poles = []
    for side in (-1, 1):
        y = side * wide / 2
        poles.append(tube(np.array([[0.2, y, 0], [-0.14, y, top]]), 0.02, sides=6))
        poles.append(tube(np.array([[-0.18, y, 0], [-0.18, y, top]]), 0.02, sides=6))
    pieces = [Piece(joined(poles), make.metal() if rng.random() < 0.5 else wood)]
    tops = []
    for share in np.linspace(0.15, 0.95, int(rng.integers(3, 6))):
        front = 0.2 - 0.34 * share
        deep = front + 0.18
        x, z = front - deep / 2, share * top
        pieces.append(Piece(box((deep, wide, 0.025), (x, 0, z)), wood))
        tops.append(Top(x, 0, z + 0.0125, deep / 2 - 0.03, wide / 2 - 0.05))
    return prop('furniture', pieces, tops=tops)


def glass_cabinet(rng: _Rng, make: MaterialMaker) -> Prop:
    """A frame with panes, boards behind them."""
    deep, wide, top = 0.4, rng.uniform(0.6, 1.0), rng.uniform(1.2, 1.9)
    wood = make.wood()
    frame = [
        box((0.02, wide, top), (-deep / 2 + 0.01, 0, top / 2)),
        box((deep, wide, 0.05), (0, 0, 0.025)),
        box((deep, wide, 0.03), (0, 0, top - 0.015)),
    ]
    frame += [
        box((0.04, 0.04, top), (sx * (deep / 2 - 0.02), sy * (wide / 2 - 0.02), top / 2))
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    heights = np.linspace(0.05, top, 5)[1:-1]
    frame += [box((deep - 0.06, wide - 0.06, 0.015), (-0.01, 0, z)) for z in heights]
    panes = box((0.006, wide - 0.08, top - 0.08), (deep / 2 - 0.015, 0, top / 2))
    tops = [Top(-0.03, 0, z + 0.008, deep / 2 - 0.1, wide / 2 - 0.1) for z in heights]
    return prop('furniture', [Piece(joined(frame), wood), Piece(panes, make.glass())], tops=tops)


def mirror_wardrobe(rng: _Rng, make: MaterialMaker) -> Prop:
    """Sliding doors, one of which is a mirror."""
    deep, wide, top = 0.6, rng.uniform(1.2, 2.0), rng.uniform(1.9, 2.15)
    wood = make.wood()
    doors = [
        (
            box(
                (0.02, wide / 2 - 0.02, top - 0.1),
                (deep / 2 + 0.01 + 0.02 * i, (i - 0.5) * wide / 2, top / 2),
            )
        )
        for i in (0, 1)
    ]
    pieces = [
        Piece(box((deep, wide, top), (0, 0, top / 2)), wood),
        Piece(doors[0], make.wood()),
        Piece(doors[1], make.mirror() if rng.random() < 0.6 else make.wood()),
    ]
    return prop('furniture', pieces)


def flat_tv(rng: _Rng, make: MaterialMaker) -> Prop:
    """A flat television on a foot; stands on something."""
    wide = rng.uniform(0.7, 1.4)
    high = wide * 0.58
    frame = make.plastic()
    pieces = [
        Piece(box((0.04, wide, high), (0, 0, 0.06 + high / 2)), frame),
        Piece(box((0.004, wide - 0.03, high - 0.03), (0.022, 0, 0.06 + high / 2)), make.screen()),
        Piece(box((0.2, wide * 0.4, 0.015), (0, 0, 0.0075)), frame),
        Piece(box((0.03, 0.12, 0.08), (-0.01, 0, 0.04)), frame),
    ]
    return prop('tv', pieces)


def tube_tv(rng: _Rng, make: MaterialMaker) -> Prop:
    """A deep old television with its speaker next to the screen."""
    wide = rng.uniform(0.5, 0.8)
    high, frame = wide * 0.75, make.plastic()
    pieces = [
        Piece(box((0.25, wide, high), (0.1, 0, high / 2)), frame),
        Piece(box((0.25, wide * 0.7, high * 0.7), (-0.15, 0, high * 0.45)), frame),
        Piece(
            box((0.006, wide * 0.75, high * 0.8), (0.229, -wide * 0.08, high / 2)), make.screen()
        ),
    ]
    return prop('tv', pieces)
