"""Objects that stand on tables and boards."""

from __future__ import annotations

import numpy as np

from rs_ml_training.synth.materials import MaterialMaker
from rs_ml_training.synth.mesh import joined
from rs_ml_training.synth.solids import box, cylinder, lathe, sphere, tube
from rs_ml_training.synth.thing import Piece, Thing, thing
from rs_ml_training.synth.vectors import rotation_about_x, rotation_about_y, rotation_about_z

_Rng = np.random.Generator


def carton(rng: _Rng, make: MaterialMaker) -> Thing:
    """A cardboard box, open now and then."""
    size = rng.uniform(0.08, 0.22, 3)
    pieces = [
        Piece(box(size, (0, 0, size[2] / 2)), make.print() if rng.random() < 0.5 else make.wood())
    ]
    return thing('objects', pieces)


def bottle(rng: _Rng, make: MaterialMaker) -> Thing:
    """Of glass or plastic."""
    r, h = rng.uniform(0.03, 0.05), rng.uniform(0.18, 0.32)
    body = lathe([(r, 0), (r, 0.6 * h), (0.4 * r, 0.78 * h), (0.35 * r, h)])
    glass = rng.random() < 0.5
    pieces = [Piece(body, make.glass() if glass else make.plastic())]
    label = cylinder(1.02 * r, 0.25 * h).shifted(0, 0, 0.2 * h)
    return thing('objects', [*pieces, Piece(label, make.print())])


def mug(rng: _Rng, make: MaterialMaker) -> Thing:
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
    return thing('objects', [Piece(joined([body, tube(ring, 0.006, sides=8)]), make.plastic())])


def book_stack(rng: _Rng, make: MaterialMaker) -> Thing:
    """Some books on top of each other."""
    pieces, z = [], 0.0
    for _ in range(rng.integers(1, 6)):
        thick = rng.uniform(0.012, 0.045)
        turn = rotation_about_z(rng.normal(0, 0.25))
        book = box((rng.uniform(0.14, 0.22), rng.uniform(0.2, 0.3), thick * 0.96))
        pieces.append(Piece(book.moved(turn, (0, 0, z + thick / 2)), make.print()))
        z += thick
    return thing('books', pieces)


def screen_on_foot(rng: _Rng, make: MaterialMaker) -> Thing:
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
    return thing('tv', pieces)


def jug(rng: _Rng, make: MaterialMaker) -> Thing:
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
    return thing(
        'objects', [Piece(body, cover), Piece(tube(ring, 0.008, sides=8), make.plastic())]
    )


def goblet(rng: _Rng, make: MaterialMaker) -> Thing:
    """A glass on a stem."""
    r, h = rng.uniform(0.03, 0.045), rng.uniform(0.13, 0.2)
    shape = lathe([(r, 0), (0.15 * r, 0.06 * h), (0.15 * r, 0.45 * h), (r, 0.7 * h), (0.8 * r, h)])
    return thing('objects', [Piece(shape, make.glass())])


def laptop(rng: _Rng, make: MaterialMaker) -> Thing:
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
    return thing('objects', pieces)


def bowl_of_fruit(rng: _Rng, make: MaterialMaker) -> Thing:
    """Balls in a bowl."""
    bowl = lathe([(0.05, 0), (0.13, 0.05), (0.16, 0.09), (0.15, 0.09), (0.1, 0.03)])
    fruit = [
        Piece(
            sphere(rng.uniform(0.03, 0.045), sides=14).shifted(*rng.uniform(-0.07, 0.07, 2), 0.08),
            make.plastic(),
        )
        for _ in range(rng.integers(2, 7))
    ]
    return thing('objects', [Piece(bowl, make.plastic()), *fruit])


def leaning_books(rng: _Rng, make: MaterialMaker) -> Thing:
    """Books that lean against each other."""
    pieces = []
    for place in range(rng.integers(3, 8)):
        high, thick = rng.uniform(0.16, 0.26), rng.uniform(0.012, 0.04)
        turn = rotation_about_x(0.12 * (place % 3))
        book = box((0.15, thick, high), (0, 0, high / 2)).moved(turn, (0, 0.042 * place, 0))
        pieces.append(Piece(book, make.print()))
    return thing('books', pieces)
