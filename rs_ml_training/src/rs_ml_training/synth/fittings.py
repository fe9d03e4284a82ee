"""Fittings on walls: the wall is the plane x = 0 and faces +x, z = 0 is the floor."""

from __future__ import annotations

import numpy as np

from rs_ml_training.synth.materials import MaterialMaker
from rs_ml_training.synth.mesh import Mesh, joined
from rs_ml_training.synth.numerics import rotation_about_y
from rs_ml_training.synth.props import Piece, Prop
from rs_ml_training.synth.solids import box, cushion, cylinder, sheet

_Rng = np.random.Generator


def framed_picture(rng: _Rng, make: MaterialMaker) -> Prop:
    """A rectangle in a frame."""
    wide, high, middle = rng.uniform(0.3, 1.1), rng.uniform(0.3, 0.8), rng.uniform(1.3, 1.8)
    frame = box((0.025, wide, high), (0.013, 0, middle))
    canvas = box((0.004, wide - 0.06, high - 0.06), (0.027, 0, middle))
    return Prop(
        'picture', (Piece(frame, make.wood()), Piece(canvas, make.print())), 0.03, wide / 2
    )


def wall_clocks(rng: _Rng, make: MaterialMaker) -> Prop:
    """Some round plates."""
    pieces, middle = [], rng.uniform(1.4, 1.8)
    for place in range(rng.integers(1, 4)):
        radius = rng.uniform(0.1, 0.25)
        disc = cylinder(radius, 0.03, sides=32).moved(rotation_about_y(np.pi / 2), (0, 0, 0))
        pieces.append(
            Piece(
                disc.shifted(0, 0.55 * place - 0.4, middle + rng.uniform(-0.2, 0.2)), make.print()
            )
        )
    return Prop('picture', tuple(pieces), 0.04, 0.9)


def panel_door(rng: _Rng, make: MaterialMaker) -> Prop:
    """A door with a frame and a handle."""
    wide, high, wood = rng.uniform(0.8, 0.95), rng.uniform(1.97, 2.1), make.wood()
    frame = joined(
        [
            box((0.06, 0.08, high + 0.08), (0.03, s * (wide / 2 + 0.04), (high + 0.08) / 2))
            for s in (-1, 1)
        ]
        + [box((0.06, wide, 0.08), (0.03, 0, high + 0.04))]
    )
    leaf = box((0.03, wide, high), (0.015, 0, high / 2))
    panels = [
        box((0.01, wide * 0.32, high * 0.36), (0.034, s * wide * 0.21, high * z))
        for s in (-1, 1)
        for z in (0.25, 0.72)
    ]
    handle = box((0.05, 0.12, 0.02), (0.06, wide / 2 - 0.1, 1.05))
    pieces = (
        Piece(frame, make.wood()),
        Piece(joined([leaf, *panels]), wood),
        Piece(handle, make.metal()),
    )
    return Prop('furniture', pieces, 0.06, wide / 2 + 0.08)


def double_door(rng: _Rng, make: MaterialMaker) -> Prop:
    """Two narrow leaves with panes."""
    wide, high, wood = rng.uniform(1.2, 1.6), rng.uniform(2.0, 2.15), make.wood()
    bars = []
    for side in (-1, 1):
        y = side * wide / 4
        bars += [
            box((0.04, 0.09, high), (0.02, y + s * (wide / 4 - 0.045), high / 2)) for s in (-1, 1)
        ]
        bars += [
            box((0.04, wide / 2, 0.12), (0.02, y, z)) for z in (0.06, high * 0.5, high - 0.06)
        ]
    pane = box((0.008, wide - 0.1, high - 0.1), (0.01, 0, high / 2))
    return Prop(
        'furniture', (Piece(joined(bars), wood), Piece(pane, make.screen())), 0.06, wide / 2
    )


def cross_window(
    rng: _Rng, make: MaterialMaker, hole: tuple[float, float, float, float]
) -> list[Piece]:
    """Frame, bars, glass and the view outside of a hole (y_min, z_min, y_max, z_max)."""
    return _window(rng, make, hole, columns=int(rng.integers(1, 4)), rows=int(rng.integers(1, 3)))


def row_window(
    rng: _Rng, make: MaterialMaker, hole: tuple[float, float, float, float]
) -> list[Piece]:
    """A window of many small panes."""
    return _window(rng, make, hole, columns=int(rng.integers(4, 7)), rows=int(rng.integers(3, 5)))


def _window(
    rng: _Rng,
    make: MaterialMaker,
    hole: tuple[float, float, float, float],
    *,
    columns: int,
    rows: int,
) -> list[Piece]:
    y0, z0, y1, z1 = hole
    y, z, wide, high = (y0 + y1) / 2, (z0 + z1) / 2, y1 - y0, z1 - z0
    bars = [box((0.1, 0.05, high), (-0.04, e, z)) for e in np.linspace(y0, y1, columns + 1)]
    bars += [box((0.1, wide, 0.05), (-0.04, y, e)) for e in np.linspace(z0, z1, rows + 1)]
    bars.append(box((0.28, wide + 0.1, 0.03), (0.06, y, z0 - 0.015)))
    glass = box((0.006, wide, high), (-0.05, y, z))
    away = rng.uniform(1.5, 8.0)
    view = sheet(
        np.array(
            [
                [[-away, y + 9, 6.0], [-away, y - 9, 6.0]],
                [[-away, y + 9, -3.0], [-away, y - 9, -3.0]],
            ]
        )
    )
    return [
        Piece(joined(bars), make.wood(), 'window'),
        Piece(glass, make.glass(), 'window'),
        Piece(view, make.outside(), 'window'),
    ]


def curtain(rng: _Rng, y: float, wide: float, top: float, bottom: float) -> Mesh:
    """A cloth in folds before the wall."""
    u = np.linspace(-0.5, 0.5, max(int(60 * wide), 12))
    v = np.linspace(0, 1, 8)
    waves = rng.uniform(8, 16) * wide
    fold = 0.035 * np.sin(2 * np.pi * waves * u[None] + 0.6 * np.sin(3 * v[:, None]))
    yy = y + u * wide * (1 + 0.04 * v[:, None])
    zz = np.broadcast_to(top + (bottom - top) * v[:, None], fold.shape)
    return sheet(np.stack([0.12 + fold, yy, zz], axis=-1))


def blind(rng: _Rng, y: float, wide: float, top: float, bottom: float) -> Mesh:
    """Level slats before the window, let down more or less."""
    low = top - (top - bottom) * rng.uniform(0.3, 1.0)
    tilt = rotation_about_y(rng.uniform(-1.2, 1.2))
    slats = [box((0.05, wide, 0.003)).moved(tilt, (0.09, y, z)) for z in np.arange(low, top, 0.05)]
    return joined([*slats, cushion((0.06, wide + 0.04, 0.05)).shifted(0.09, y, top + 0.02)])
