"""Chairs, sofas and beds; the front looks along +x."""

from __future__ import annotations

import numpy as np

from rs_ml_training.synth.materials import MaterialMaker
from rs_ml_training.synth.mesh import Mesh, joined
from rs_ml_training.synth.props import Piece, Prop, Seat, prop
from rs_ml_training.synth.solids import box, cushion, cylinder, ellipses, loft, sheet, tube

_Rng = np.random.Generator


def legs(half_x: float, half_y: float, height: float, radius: float, *, square: bool) -> Mesh:
    """Four legs at the corners of a rectangle."""
    leg = box((2 * radius, 2 * radius, height), (0, 0, height / 2))
    if not square:
        leg = cylinder(radius, height, sides=10)
    places = [(sx * half_x, sy * half_y) for sx in (-1, 1) for sy in (-1, 1)]
    return joined([leg.shifted(x, y, 0) for x, y in places])


def four_leg_chair(rng: _Rng, make: MaterialMaker) -> Prop:
    """A kitchen chair with a back of slats or of one board."""
    seat, half, top = rng.uniform(0.42, 0.48), rng.uniform(0.19, 0.24), rng.uniform(0.8, 1.05)
    frame = make.wood() if rng.random() < 0.7 else make.metal()
    padded = rng.random() < 0.4
    pieces = [
        Piece(legs(half - 0.02, half - 0.02, seat - 0.02, 0.018, square=padded), frame),
        Piece(box((2 * half, 2 * half, 0.035), (0, 0, seat - 0.0175)), frame),
    ]
    posts = [
        tube(
            np.array(
                [[-half + 0.02, s * (half - 0.02), seat], [-half - 0.05, s * (half - 0.02), top]]
            ),
            0.017,
        )
        for s in (-1, 1)
    ]
    pieces.append(Piece(joined(posts), frame))
    slats = rng.integers(1, 5)
    height = (top - seat) * (0.75 if slats == 1 else 0.6 / slats)
    for z in np.linspace(seat + 0.3 * (top - seat), top - height / 2, slats):
        lean = -half + 0.02 - 0.07 * (z - seat) / (top - seat)
        pieces.append(Piece(box((0.02, 2 * half - 0.04, height * 0.8), (lean, 0, z)), frame))
    if padded:
        pad = cushion((2 * half - 0.02, 2 * half - 0.02, 0.07)).shifted(0, 0, seat + 0.02)
        pieces.append(Piece(pad, make.cloth()))
    return prop('chair', pieces, seats=[Seat(-0.02, 0, seat + 0.035 * padded)])


def office_chair(rng: _Rng, make: MaterialMaker) -> Prop:
    """A swivel chair on castors."""
    seat, foot, cover = rng.uniform(0.44, 0.54), make.plastic(), make.cloth()
    angles = 2 * np.pi * np.arange(5) / 5 + rng.uniform(0, 1)
    arms = [
        tube(np.array([[0, 0, 0.09], [0.28 * np.cos(a), 0.28 * np.sin(a), 0.06]]), 0.022)
        for a in angles
    ]
    wheels = [
        cushion((0.06,) * 3, squareness=1.0, sides=10).shifted(
            0.28 * np.cos(a), 0.28 * np.sin(a), 0.03
        )
        for a in angles
    ]
    back = cushion((0.09, 0.44, rng.uniform(0.45, 0.65))).shifted(-0.24, 0, seat + 0.38)
    pieces = [
        Piece(joined([*arms, *wheels, cylinder(0.03, seat - 0.05)]), foot),
        Piece(cushion((0.48, 0.48, 0.1)).shifted(0, 0, seat - 0.05), cover),
        Piece(back, cover),
        Piece(
            tube(
                np.array(
                    [[-0.1, 0, seat - 0.07], [-0.27, 0, seat - 0.05], [-0.29, 0, seat + 0.3]]
                ),
                0.025,
            ),
            foot,
        ),
    ]
    if rng.random() < 0.6:
        for side in (-1, 1):
            path = np.array([[-0.05, 0.22, -0.06], [-0.02, 0.28, 0.05], [0.0, 0.28, 0.2]])
            rest = tube(path * [1, side, 1] + [0, 0, seat], 0.018)
            pieces.append(Piece(rest, foot))
            pad = cushion((0.25, 0.07, 0.035)).shifted(0.02, side * 0.28, seat + 0.21)
            pieces.append(Piece(pad, foot))
    return prop('chair', pieces, seats=[Seat(0, 0, seat)])


def cantilever_chair(rng: _Rng, make: MaterialMaker) -> Prop:
    """A bent steel pipe with a seat and a back hung into it."""
    seat, half, top = rng.uniform(0.43, 0.47), 0.23, rng.uniform(0.8, 0.9)
    metal, cover = make.metal(), make.cloth()
    path = np.array(
        [
            [-0.25, 0, 0.015],
            [0.2, 0, 0.015],
            [0.25, 0, 0.06],
            [0.25, 0, seat - 0.05],
            [0.2, 0, seat],
            [-0.2, 0, seat - 0.02],
            [-0.24, 0, seat + 0.05],
            [-0.3, 0, top],
        ]
    )
    pipes = joined(
        [tube(path + np.array([0, s * half, 0]), 0.0125, side_axis=(0, 1, 0)) for s in (-1, 1)]
    )
    seat_pad = cushion((0.42, 0.44, 0.05)).shifted(0, 0, seat + 0.02)
    back = cushion((0.05, 0.44, 0.3)).shifted(-0.285, 0, top - 0.14)
    pieces = [Piece(pipes, metal), Piece(seat_pad, cover), Piece(back, cover)]
    return prop('chair', pieces, seats=[Seat(0, 0, seat + 0.04)])


def shell_chair(rng: _Rng, make: MaterialMaker) -> Prop:
    """A moulded shell on a trumpet foot."""
    seat, color = rng.uniform(0.42, 0.47), make.plastic()
    along = np.array(
        [
            [0.24, seat - 0.03],
            [0.2, seat],
            [0.0, seat - 0.02],
            [-0.15, seat - 0.01],
            [-0.22, seat + 0.06],
            [-0.25, seat + 0.2],
            [-0.29, seat + 0.4],
        ]
    )
    width = np.array([0.18, 0.21, 0.23, 0.24, 0.25, 0.23, 0.14])
    across = np.linspace(-1, 1, 9)
    bowl = 0.1 * across**2
    x = along[:, :1] + bowl * np.array([0, 0, 0, 0.3, 0.8, 1.0, 1.0])[:, None]
    z = along[:, 1:] + bowl * np.array([0, 0.3, 0.6, 0.8, 0.5, 0.2, 0])[:, None]
    shell = sheet(np.stack([x, width[:, None] * across, z], axis=-1))
    heights = np.array([0, 0.02, 0.1, seat - 0.03])
    radii = np.array([0.24, 0.22, 0.04, 0.05])
    foot = loft(ellipses(np.zeros((4, 2)), heights, radii, radii))
    return prop('chair', [Piece(shell, color), Piece(foot, color)], seats=[Seat(0.02, 0, seat)])


def block_sofa(rng: _Rng, make: MaterialMaker) -> Prop:
    """Straight arms, loose cushions."""
    places = int(rng.integers(1, 4))
    wide, seat, top = 0.6 * places, rng.uniform(0.4, 0.47), rng.uniform(0.72, 0.95)
    arm, deep = rng.uniform(0.1, 0.22), rng.uniform(0.55, 0.65)
    cover = make.cloth()
    pieces = [
        Piece(
            box((deep + 0.2, wide + 2 * arm, seat - 0.18), (0, 0, 0.06 + (seat - 0.18) / 2)), cover
        ),
        Piece(
            cushion((0.22, wide + 2 * arm, top - 0.08), squareness=0.2).shifted(
                -deep / 2, 0, 0.08 + (top - 0.08) / 2
            ),
            cover,
        ),
        Piece(legs(deep / 2, wide / 2, 0.07, 0.025, square=True), make.wood()),
    ]
    for side in (-1, 1):
        rest = cushion((deep + 0.2, arm, seat + 0.12), squareness=0.2)
        y = side * (wide + arm) / 2
        pieces.append(Piece(rest.shifted(0, y, 0.07 + (seat + 0.12) / 2), cover))
    seats = []
    for place in range(places):
        y = (place - (places - 1) / 2) * 0.6
        pad = cushion((deep, 0.59, 0.16), squareness=0.3).shifted(0.08, y, seat - 0.07)
        pieces.append(Piece(pad, cover))
        seats.append(Seat(0.1, y, seat))
    return prop('sofa', _with_pillows(rng, make, pieces, wide, seat), seats=seats)


def _with_pillows(
    rng: _Rng, make: MaterialMaker, pieces: list[Piece], wide: float, seat: float
) -> list[Piece]:
    for _ in range(rng.integers(0, 3)):
        pillow = cushion((0.14, 0.42, 0.42), squareness=0.5)
        pillow = pillow.shifted(-0.12, rng.uniform(-0.5, 0.5) * max(wide - 0.4, 0), seat + 0.2)
        pieces.append(Piece(pillow, make.cloth(), 'objects'))
    return pieces


def round_sofa(rng: _Rng, make: MaterialMaker) -> Prop:
    """A shell of padding bent around the seat."""
    places = int(rng.integers(1, 3))
    half, seat, cover = 0.35 + 0.3 * places, rng.uniform(0.4, 0.45), make.cloth()
    angle = np.linspace(-0.62 * np.pi, 0.62 * np.pi, 15) + np.pi
    path = np.stack([0.38 * np.cos(angle), half * np.sin(angle), 0.62 + 0.12 * -np.cos(angle)], -1)
    roll = tube(path, 0.13, side_axis=(0, 0, 1))
    skirt_rings = np.stack([path - [0, 0, 0.1], path * [1, 1, 0] + [0, 0, 0.08]])
    base = cushion((0.72, 2 * half - 0.1, seat - 0.1), squareness=0.5)
    pieces = [
        Piece(roll, cover),
        Piece(sheet(skirt_rings), cover),
        Piece(base.shifted(0.06, 0, 0.06 + (seat - 0.1) / 2), cover),
        Piece(
            cushion((0.6, 2 * half - 0.24, 0.16), squareness=0.45).shifted(0.08, 0, seat - 0.07),
            make.cloth(),
        ),
        Piece(legs(0.2, half * 0.5, 0.1, 0.02, square=False), make.metal()),
    ]
    seats = [Seat(0.1, (p - (places - 1) / 2) * 0.55, seat) for p in range(places)]
    return prop('sofa', _with_pillows(rng, make, pieces, half, seat), seats=seats)


def box_bed(rng: _Rng, make: MaterialMaker) -> Prop:
    """A wooden bed, head against the wall, with a blanket and pillows."""
    long, wide = rng.uniform(1.95, 2.1), rng.uniform(0.9, 1.8)
    top, wood, sheet_cloth = rng.uniform(0.4, 0.6), make.wood(), make.cloth()
    mattress = cushion((long, wide, 0.22), squareness=0.15).shifted(0, 0, top - 0.11)
    pieces = [
        Piece(box((long + 0.06, wide + 0.06, top - 0.2), (0, 0, 0.05 + (top - 0.2) / 2)), wood),
        Piece(
            box(
                (0.05, wide + 0.1, top + rng.uniform(0.3, 0.6)),
                (-long / 2 - 0.03, 0, (top + 0.45) / 2),
            ),
            wood,
        ),
        Piece(mattress, sheet_cloth),
        Piece(
            _blanket(rng, long * 0.68, wide + 0.08, top + 0.01).shifted(long * 0.16, 0, 0),
            make.cloth(),
        ),
    ]
    return prop(
        'bed',
        _with_bed_pillows(pieces, make, long, wide, top),
        seats=[Seat(long / 2 - 0.3, 0, top)],
    )


def _with_bed_pillows(
    pieces: list[Piece], make: MaterialMaker, long: float, wide: float, top: float
) -> list[Piece]:
    cloth = make.cloth()
    count = 2 if wide > 1.3 else 1
    for place in range(count):
        pillow = cushion((0.4, 0.62, 0.15), squareness=0.55)
        y = (place - (count - 1) / 2) * 0.7
        pieces.append(Piece(pillow.shifted(-long / 2 + 0.28, y, top + 0.06), cloth))
    return pieces


def _blanket(rng: _Rng, long: float, wide: float, top: float) -> Mesh:
    """A cloth with folds that hangs down on both sides."""
    x, y = np.meshgrid(np.linspace(-long / 2, long / 2, 24), np.linspace(-1, 1, 28), indexing='ij')
    folds = sum(
        rng.uniform(0.006, 0.02)
        * np.sin(rng.uniform(3, 14) * x + rng.uniform(3, 9) * y + rng.uniform(0, 6))
        for _ in range(4)
    )
    half, hang = wide / 2, rng.uniform(0.1, 0.3)
    over = np.maximum(np.abs(y) * (half + hang) - half, 0)
    flat = np.sign(y) * (np.minimum(np.abs(y) * (half + hang), half) + 0.03)
    points = np.stack([x, flat + 0.5 * folds * (over > 0), top + 0.02 + folds - over], axis=-1)
    return sheet(points)


def post_bed(rng: _Rng, make: MaterialMaker) -> Prop:
    """A bed of metal pipes with rails at both ends."""
    long, wide = rng.uniform(1.95, 2.1), rng.uniform(0.9, 1.4)
    top, metal = rng.uniform(0.45, 0.6), make.metal()
    pieces = [
        Piece(cushion((long, wide, 0.18), squareness=0.2).shifted(0, 0, top - 0.09), make.cloth())
    ]
    for x, high in ((-long / 2, top + 0.45), (long / 2, top + 0.2)):
        half = wide / 2
        arch = np.array(
            [
                [x, -half, 0],
                [x, -half, high - 0.05],
                [x, -half + 0.06, high],
                [x, half - 0.06, high],
                [x, half, high - 0.05],
                [x, half, 0],
            ]
        )
        rails = [tube(arch, 0.018, side_axis=(1, 0, 0))]
        for y in np.linspace(-half, half, 7)[1:-1]:
            rails.append(tube(np.array([[x, y, top - 0.15], [x, y, high]]), 0.008, sides=8))
        pieces.append(Piece(joined(rails), metal))
    rails = [
        tube(
            np.array([[-long / 2, s * wide / 2, top - 0.2], [long / 2, s * wide / 2, top - 0.2]]),
            0.02,
        )
        for s in (-1, 1)
    ]
    pieces.append(Piece(joined(rails), metal))
    pieces.append(Piece(_blanket(rng, long * 0.9, wide, top + 0.01), make.cloth()))
    return prop('bed', _with_bed_pillows(pieces, make, long, wide, top), seats=[Seat(0, 0, top)])
