"""Objects that stand on the floor, on tables and on boards."""

from __future__ import annotations

import numpy as np

from rs_ml_training.synth.materials import MaterialMaker
from rs_ml_training.synth.mesh import joined
from rs_ml_training.synth.numerics import rotation_about_x, rotation_about_y, rotation_about_z
from rs_ml_training.synth.props import Piece, Prop, prop
from rs_ml_training.synth.solids import box, cushion, cylinder, lathe, sheet, sphere, tube

_Rng = np.random.Generator


def ball(rng: _Rng, make: MaterialMaker) -> Prop:
    """A ball on the floor."""
    radius = rng.uniform(0.08, 0.16)
    return prop('objects', [Piece(sphere(radius).shifted(0, 0, radius), make.cloth())])


def crate(rng: _Rng, make: MaterialMaker) -> Prop:
    """A large box, one upon the other now and then."""
    size = rng.uniform(0.25, 0.6, 3)
    pieces = [
        Piece(box(size, (0, 0, size[2] / 2)), make.wood() if rng.random() < 0.6 else make.print())
    ]
    if rng.random() < 0.3:
        upper = 0.7 * size
        turned = box(upper).moved(
            rotation_about_z(rng.uniform(0, 0.5)), (0, 0, size[2] + upper[2] / 2)
        )
        pieces.append(Piece(turned, make.print()))
    return prop('objects', pieces)


def plant(rng: _Rng, make: MaterialMaker) -> Prop:
    """A pot with arching leaves."""
    pot, high = rng.uniform(0.12, 0.2), rng.uniform(0.3, 0.9)
    pieces = [
        Piece(
            lathe(
                [(0.7 * pot, 0), (pot, 1.6 * pot), (0.9 * pot, 1.6 * pot), (0.85 * pot, 1.4 * pot)]
            ),
            make.plastic(),
        )
    ]
    leaves = []
    for angle in rng.uniform(0, 2 * np.pi, rng.integers(8, 22)):
        s = np.linspace(0, 1, 6)
        reach, rise = rng.uniform(0.1, 0.4), rng.uniform(0.5, 1.0) * high
        width = rng.uniform(0.02, 0.06) * np.sin(np.pi * np.clip(s, 0.05, 0.97))
        x, z = reach * s**1.5, 1.4 * pot + rise * (s - 0.45 * s**3)
        rows = np.stack([np.stack([x, w * width, z + 0.01 * abs(w)], -1) for w in (-1, 0, 1)], 1)
        leaves.append(sheet(rows).moved(rotation_about_z(angle), (0, 0, 0)))
    return prop('objects', [*pieces, Piece(joined(leaves), make.leaf())])


def floor_lamp(rng: _Rng, make: MaterialMaker) -> Prop:
    """A pole with a shade."""
    top, r = rng.uniform(1.3, 1.8), rng.uniform(0.12, 0.22)
    pole = joined([cylinder(0.14, 0.03), cylinder(0.012, top - 0.1, sides=8)])
    shade = lathe([(r, top - 0.3), (0.6 * r, top)])
    return prop(
        'objects',
        [
            Piece(pole, make.metal()),
            Piece(shade, make.lamp() if rng.random() < 0.6 else make.cloth()),
        ],
    )


def bin_(rng: _Rng, make: MaterialMaker) -> Prop:
    """A waste-paper basket."""
    r, h = rng.uniform(0.1, 0.18), rng.uniform(0.25, 0.5)
    wall = lathe([(0.75 * r, 0), (r, h), (0.96 * r, h), (0.72 * r, 0.02)])
    return prop('objects', [Piece(wall, make.plastic())])


def backpack(rng: _Rng, make: MaterialMaker) -> Prop:
    """A bag leaning on itself."""
    cloth, h = make.cloth(), rng.uniform(0.35, 0.5)
    lean = rotation_about_y(-rng.uniform(0.05, 0.3))
    body = cushion((0.2, 0.32, h), squareness=0.5).moved(lean, (0, 0, h / 2))
    pocket = cushion((0.08, 0.24, 0.45 * h), squareness=0.5).moved(lean, (0.11, 0, 0.3 * h))
    return prop('objects', [Piece(body, cloth), Piece(pocket, make.cloth())])


def cables(rng: _Rng, make: MaterialMaker) -> Prop:
    """A black cable in curves on the floor."""
    s = np.linspace(0, 1, 40)
    x = 0.7 * s + 0.15 * np.sin(rng.uniform(4, 10) * s + rng.uniform(0, 6))
    y = 0.2 * np.sin(rng.uniform(3, 9) * s + rng.uniform(0, 6))
    path = np.stack([x, y, np.full_like(s, 0.006)], axis=-1)
    return prop('objects', [Piece(tube(path, 0.005, sides=6), make.plastic())])


def suitcase(rng: _Rng, make: MaterialMaker) -> Prop:
    """A case on wheels with its handle out."""
    h, w, d = rng.uniform(0.5, 0.75), rng.uniform(0.35, 0.5), 0.25
    handle = np.array(
        [[-0.1, -0.1, h], [-0.1, -0.1, h + 0.35], [-0.1, 0.1, h + 0.35], [-0.1, 0.1, h]]
    )
    body = cushion((d, w, h - 0.05), squareness=0.25).shifted(0, 0, 0.05 + (h - 0.05) / 2)
    feet = [
        sphere(0.025, sides=8).shifted(x, y, 0.025) for x in (-0.08, 0.08) for y in (-0.15, 0.15)
    ]
    return prop(
        'objects',
        [
            Piece(body, make.plastic()),
            Piece(joined([tube(handle, 0.01, sides=8), *feet]), make.metal()),
        ],
    )


def cactus(rng: _Rng, make: MaterialMaker) -> Prop:
    """A column with arms in a pot."""
    h, r = rng.uniform(0.4, 1.1), rng.uniform(0.05, 0.09)
    arms = [tube(np.array([[0, 0, 0.2], [0, 0, 0.2 + h]]), r)]
    for side in (-1, 1):
        z = 0.2 + h * rng.uniform(0.3, 0.6)
        arms.append(
            tube(
                np.array(
                    [[0, 0, z], [0, side * 2.6 * r, z + 0.03], [0, side * 2.8 * r, z + 0.35 * h]]
                ),
                0.65 * r,
            )
        )
    pot = lathe([(0.13, 0), (0.16, 0.22), (0.14, 0.22), (0.13, 0.18)])
    return prop('objects', [Piece(joined(arms), make.leaf()), Piece(pot, make.plastic())])


def toy(rng: _Rng, make: MaterialMaker) -> Prop:
    """A stuffed bear that sits."""
    fur, s = make.cloth(), rng.uniform(0.2, 0.5)
    parts = [
        ((0.5, 0.55, 0.6), (0, 0, 0.3)),
        ((0.42, 0.45, 0.4), (0.02, 0, 0.75)),
        ((0.1, 0.14, 0.14), (0, 0.18, 0.95)),
        ((0.1, 0.14, 0.14), (0, -0.18, 0.95)),
        ((0.45, 0.2, 0.2), (0.3, 0.2, 0.1)),
        ((0.45, 0.2, 0.2), (0.3, -0.2, 0.1)),
        ((0.18, 0.4, 0.18), (0.15, 0.3, 0.45)),
        ((0.18, 0.4, 0.18), (0.15, -0.3, 0.45)),
    ]
    balls = [cushion(size, squareness=0.95, sides=16).shifted(*place) for size, place in parts]
    return prop('objects', [Piece(joined(balls).stretched(s, s, s), fur)])


def drum(rng: _Rng, make: MaterialMaker) -> Prop:
    """A pouf or barrel."""
    r, h = rng.uniform(0.2, 0.32), rng.uniform(0.3, 0.5)
    return prop(
        'objects',
        [Piece(lathe([(0.8 * r, 0), (r, 0.3 * h), (r, 0.7 * h), (0.85 * r, h)]), make.cloth())],
    )


def arc_lamp(rng: _Rng, make: MaterialMaker) -> Prop:
    """A lamp on a long arc."""
    s = np.linspace(0, 1, 12)
    high, reach = rng.uniform(1.5, 1.9), rng.uniform(0.4, 0.8)
    arc = np.stack([reach * s**2, 0 * s, high * np.sin(0.55 * np.pi * s)], axis=-1)
    end = arc[-1]
    shade = sphere(0.13).shifted(end[0], 0, end[2] - 0.14)
    pieces = [Piece(joined([tube(arc, 0.012, sides=8), cylinder(0.16, 0.05)]), make.metal())]
    return prop(
        'objects', [*pieces, Piece(shade, make.lamp() if rng.random() < 0.6 else make.metal())]
    )


def umbrella(rng: _Rng, make: MaterialMaker) -> Prop:
    """Sticks in a stand."""
    sticks = [
        tube(
            np.array([[*rng.uniform(-0.05, 0.05, 2), 0.02], [*rng.uniform(-0.09, 0.09, 2), 0.8]]),
            rng.uniform(0.01, 0.03),
        )
        for _ in range(3)
    ]
    stand = lathe([(0.1, 0), (0.11, 0.5), (0.1, 0.5), (0.095, 0.03)])
    return prop('objects', [Piece(joined(sticks), make.plastic()), Piece(stand, make.metal())])


def carton(rng: _Rng, make: MaterialMaker) -> Prop:
    """A cardboard box, open now and then."""
    size = rng.uniform(0.08, 0.22, 3)
    pieces = [
        Piece(box(size, (0, 0, size[2] / 2)), make.print() if rng.random() < 0.5 else make.wood())
    ]
    return prop('objects', pieces)


def bottle(rng: _Rng, make: MaterialMaker) -> Prop:
    """Of glass or plastic."""
    r, h = rng.uniform(0.03, 0.05), rng.uniform(0.18, 0.32)
    body = lathe([(r, 0), (r, 0.6 * h), (0.4 * r, 0.78 * h), (0.35 * r, h)])
    glass = rng.random() < 0.5
    pieces = [Piece(body, make.glass() if glass else make.plastic())]
    label = cylinder(1.02 * r, 0.25 * h).shifted(0, 0, 0.2 * h)
    return prop('objects', [*pieces, Piece(label, make.print())])


def mug(rng: _Rng, make: MaterialMaker) -> Prop:
    """A mug with a handle."""
    r, h = rng.uniform(0.035, 0.05), rng.uniform(0.08, 0.12)
    ring = np.array(
        [
            [r * 0.95, 0, 0.75 * h],
            [1.6 * r, 0, 0.7 * h],
            [1.6 * r, 0, 0.35 * h],
            [r * 0.95, 0, 0.25 * h],
        ]
    )
    body = lathe([(r, 0), (r, h), (0.88 * r, h), (0.85 * r, 0.1 * h)])
    return prop('objects', [Piece(joined([body, tube(ring, 0.006, sides=8)]), make.plastic())])


def book_stack(rng: _Rng, make: MaterialMaker) -> Prop:
    """Some books on top of each other."""
    pieces, z = [], 0.0
    for _ in range(rng.integers(1, 6)):
        thick = rng.uniform(0.012, 0.045)
        turn = rotation_about_z(rng.normal(0, 0.25))
        book = box((rng.uniform(0.14, 0.22), rng.uniform(0.2, 0.3), thick * 0.96))
        pieces.append(Piece(book.moved(turn, (0, 0, z + thick / 2)), make.print()))
        z += thick
    return prop('books', pieces)


def screen_on_foot(rng: _Rng, make: MaterialMaker) -> Prop:
    """A monitor."""
    wide = rng.uniform(0.45, 0.7)
    case = make.plastic()
    high = wide * 0.6
    pieces = [
        Piece(box((0.03, wide, high), (0, 0, 0.12 + high / 2)), case),
        Piece(box((0.004, wide - 0.02, high - 0.02), (0.017, 0, 0.12 + high / 2)), make.screen()),
        Piece(
            joined(
                [box((0.2, 0.25, 0.01), (0, 0, 0.005)), box((0.02, 0.05, 0.2), (-0.02, 0, 0.1))]
            ),
            case,
        ),
    ]
    return prop('tv', pieces)


def jug(rng: _Rng, make: MaterialMaker) -> Prop:
    """A bellied jug with a handle."""
    r, h = rng.uniform(0.05, 0.08), rng.uniform(0.15, 0.28)
    body = lathe(
        [(0.6 * r, 0), (r, 0.3 * h), (0.9 * r, 0.55 * h), (0.5 * r, 0.8 * h), (0.6 * r, h)]
    )
    ring = np.array(
        [
            [0.5 * r, 0, 0.85 * h],
            [1.4 * r, 0, 0.8 * h],
            [1.3 * r, 0, 0.4 * h],
            [0.95 * r, 0, 0.35 * h],
        ]
    )
    cover = make.glass() if rng.random() < 0.3 else make.plastic()
    return prop('objects', [Piece(body, cover), Piece(tube(ring, 0.008, sides=8), make.plastic())])


def goblet(rng: _Rng, make: MaterialMaker) -> Prop:
    """A glass on a stem."""
    r, h = rng.uniform(0.03, 0.045), rng.uniform(0.13, 0.2)
    shape = lathe([(r, 0), (0.15 * r, 0.06 * h), (0.15 * r, 0.45 * h), (r, 0.7 * h), (0.8 * r, h)])
    return prop('objects', [Piece(shape, make.glass())])


def laptop(rng: _Rng, make: MaterialMaker) -> Prop:
    """An open laptop."""
    case, open_ = make.metal(), rng.uniform(0.1, 0.6)
    lid = box((0.008, 0.33, 0.22), (0, 0, 0.11)).moved(rotation_about_y(-open_), (-0.11, 0, 0.015))
    screen = box((0.002, 0.31, 0.2), (0.006, 0, 0.11)).moved(
        rotation_about_y(-open_), (-0.11, 0, 0.015)
    )
    pieces = [
        Piece(box((0.23, 0.33, 0.016), (0, 0, 0.008)), case),
        Piece(lid, case),
        Piece(screen, make.screen()),
    ]
    return prop('objects', pieces)


def bowl_of_fruit(rng: _Rng, make: MaterialMaker) -> Prop:
    """Balls in a bowl."""
    bowl = lathe([(0.05, 0), (0.13, 0.05), (0.16, 0.09), (0.15, 0.09), (0.1, 0.03)])
    fruit = [
        Piece(
            sphere(rng.uniform(0.03, 0.045), sides=14).shifted(
                rng.uniform(-0.07, 0.07), rng.uniform(-0.07, 0.07), 0.08
            ),
            make.plastic(),
        )
        for _ in range(rng.integers(2, 7))
    ]
    return prop('objects', [Piece(bowl, make.plastic()), *fruit])


def leaning_books(rng: _Rng, make: MaterialMaker) -> Prop:
    """Books that lean against each other."""
    pieces = []
    for place in range(rng.integers(3, 8)):
        high, thick = rng.uniform(0.16, 0.26), rng.uniform(0.012, 0.04)
        turn = rotation_about_x(0.12 * (place % 3))
        book = box((0.15, thick, high), (0, 0, high / 2)).moved(turn, (0, 0.042 * place, 0))
        pieces.append(Piece(book, make.print()))
    return prop('books', pieces)
