"""Objects that stand on the floor."""

from __future__ import annotations

import numpy as np

from rs_ml_training.synth.materials import MaterialMaker
from rs_ml_training.synth.mesh import joined
from rs_ml_training.synth.solids import box, cushion, cylinder, lathe, sheet, sphere, tube
from rs_ml_training.synth.thing import Piece, Thing, thing
from rs_ml_training.synth.vectors import rotation_about_y, rotation_about_z

_Rng = np.random.Generator


def ball(rng: _Rng, make: MaterialMaker) -> Thing:
    """A ball on the floor."""
    radius = rng.uniform(0.08, 0.16)
    return thing('objects', [Piece(sphere(radius).shifted(0, 0, radius), make.cloth())])


def crate(rng: _Rng, make: MaterialMaker) -> Thing:
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
    return thing('objects', pieces)


def plant(rng: _Rng, make: MaterialMaker) -> Thing:
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
    return thing('objects', [*pieces, Piece(joined(leaves), make.leaf())])


def floor_lamp(rng: _Rng, make: MaterialMaker) -> Thing:
    """A pole with a shade."""
    top, r = rng.uniform(1.3, 1.8), rng.uniform(0.12, 0.22)
    pole = joined([cylinder(0.14, 0.03), cylinder(0.012, top - 0.1, sides=8)])
    shade = lathe([(r, top - 0.3), (0.6 * r, top)])
    return thing(
        'objects',
        [
            Piece(pole, make.metal()),
            Piece(shade, make.lamp() if rng.random() < 0.6 else make.cloth()),
        ],
    )


def bin_(rng: _Rng, make: MaterialMaker) -> Thing:
    """A waste-paper basket."""
    r, h = rng.uniform(0.1, 0.18), rng.uniform(0.25, 0.5)
    wall = lathe([(0.75 * r, 0), (r, h), (0.96 * r, h), (0.72 * r, 0.02)])
    return thing('objects', [Piece(wall, make.plastic())])


def backpack(rng: _Rng, make: MaterialMaker) -> Thing:
    """A bag leaning on itself."""
    cloth, h = make.cloth(), rng.uniform(0.35, 0.5)
    lean = rotation_about_y(-rng.uniform(0.05, 0.3))
    body = cushion((0.2, 0.32, h), squareness=0.5).moved(lean, (0, 0, h / 2))
    pocket = cushion((0.08, 0.24, 0.45 * h), squareness=0.5).moved(lean, (0.11, 0, 0.3 * h))
    return thing('objects', [Piece(body, cloth), Piece(pocket, make.cloth())])


def cables(rng: _Rng, make: MaterialMaker) -> Thing:
    """A black cable in curves on the floor."""
    s = np.linspace(0, 1, 40)
    x = 0.7 * s + 0.15 * np.sin(rng.uniform(4, 10) * s + rng.uniform(0, 6))
    y = 0.2 * np.sin(rng.uniform(3, 9) * s + rng.uniform(0, 6))
    path = np.stack([x, y, np.full_like(s, 0.006)], axis=-1)
    return thing('objects', [Piece(tube(path, 0.005, sides=6), make.plastic())])


def suitcase(rng: _Rng, make: MaterialMaker) -> Thing:
    """A case on wheels with its handle out."""
    h, w, d = rng.uniform(0.5, 0.75), rng.uniform(0.35, 0.5), 0.25
    handle = np.array(
        [[-0.1, -0.1, h], [-0.1, -0.1, h + 0.35], [-0.1, 0.1, h + 0.35], [-0.1, 0.1, h]]
    )
    body = cushion((d, w, h - 0.05), squareness=0.25).shifted(0, 0, 0.05 + (h - 0.05) / 2)
    feet = [
        sphere(0.025, sides=8).shifted(x, y, 0.025) for x in (-0.08, 0.08) for y in (-0.15, 0.15)
    ]
    return thing(
        'objects',
        [
            Piece(body, make.plastic()),
            Piece(joined([tube(handle, 0.01, sides=8), *feet]), make.metal()),
        ],
    )


def cactus(rng: _Rng, make: MaterialMaker) -> Thing:
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
    return thing('objects', [Piece(joined(arms), make.leaf()), Piece(pot, make.plastic())])


def toy(rng: _Rng, make: MaterialMaker) -> Thing:
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
    return thing('objects', [Piece(joined(balls).stretched(s, s, s), fur)])


def drum(rng: _Rng, make: MaterialMaker) -> Thing:
    """A pouf or barrel."""
    r, h = rng.uniform(0.2, 0.32), rng.uniform(0.3, 0.5)
    return thing(
        'objects',
        [Piece(lathe([(0.8 * r, 0), (r, 0.3 * h), (r, 0.7 * h), (0.85 * r, h)]), make.cloth())],
    )


def arc_lamp(rng: _Rng, make: MaterialMaker) -> Thing:
    """A lamp on a long arc."""
    s = np.linspace(0, 1, 12)
    high, reach = rng.uniform(1.5, 1.9), rng.uniform(0.4, 0.8)
    arc = np.stack([reach * s**2, 0 * s, high * np.sin(0.55 * np.pi * s)], axis=-1)
    end = arc[-1]
    shade = sphere(0.13).shifted(end[0], 0, end[2] - 0.14)
    pieces = [Piece(joined([tube(arc, 0.012, sides=8), cylinder(0.16, 0.05)]), make.metal())]
    return thing(
        'objects', [*pieces, Piece(shade, make.lamp() if rng.random() < 0.6 else make.metal())]
    )


def umbrella(rng: _Rng, make: MaterialMaker) -> Thing:
    """Sticks in a stand."""
    sticks = [
        tube(
            np.array([[*rng.uniform(-0.05, 0.05, 2), 0.02], [*rng.uniform(-0.09, 0.09, 2), 0.8]]),
            rng.uniform(0.01, 0.03),
        )
        for _ in range(3)
    ]
    stand = lathe([(0.1, 0), (0.11, 0.5), (0.1, 0.5), (0.095, 0.03)])
    return thing('objects', [Piece(joined(sticks), make.plastic()), Piece(stand, make.metal())])
