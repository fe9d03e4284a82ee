"""Heads with faces, hair or hoods."""

from __future__ import annotations

import numpy as np

from rs_ml_training.synth.materials import Material, MaterialMaker
from rs_ml_training.synth.mesh import Mesh, joined
from rs_ml_training.synth.solids import cushion, ellipses, loft, tube
from rs_ml_training.synth.thing import Piece

_HEAD = np.array([
    # z from the middle of the head, half depth, half width, forward
    (-0.068, 0.012, 0.012, 0.026), (-0.060, 0.028, 0.026, 0.020), (-0.045, 0.042, 0.034, 0.010),
    (-0.020, 0.050, 0.041, 0.004), (0.005, 0.055, 0.043, 0.000), (0.030, 0.055, 0.043, -0.004),
    (0.048, 0.044, 0.036, -0.006), (0.058, 0.030, 0.024, -0.006), (0.064, 0.001, 0.001, -0.006),
])  # fmt: skip
_EYES = Material(0, 1.0, (0.02,) * 3, (0.03,) * 3, 0.05, 0.08, gloss=0.3)


def head_pieces(
    rng: np.random.Generator, make: MaterialMaker, skin: Material, hood: Material | None
) -> list[Piece]:
    """A head around the origin that looks along +x, for a body of stature 1.

    Args:
        rng: source of numbers.
        make: of materials.
        skin: of the face.
        hood: of a hood over the head; None: hair.
    """
    z, deep, wide, ahead = _HEAD.T
    xy = np.stack([ahead, np.zeros_like(ahead)], axis=-1)
    eye = cushion((0.008, 0.014, 0.008), squareness=1.0, sides=8)
    mouth = cushion((0.006, 0.03, 0.006), squareness=1.0, sides=8).shifted(0.0475, 0, -0.036)
    eyes = joined([eye.shifted(0.05, side * 0.019, 0.008) for side in (-1, 1)])
    return [
        Piece(loft(ellipses(xy, z, deep, wide, sides=24, squareness=0.85)), skin),
        Piece(_face(), skin),
        Piece(eyes, _EYES),
        Piece(mouth, make.skin()),
        *(_hair(rng, make.hair()) if hood is None else [Piece(_hood(), hood)]),
    ]


def _face() -> Mesh:
    """Nose and ears."""
    nose = cushion((0.022, 0.014, 0.028), squareness=0.9, sides=10).shifted(0.052, 0, -0.014)
    ears = [
        cushion((0.018, 0.008, 0.03), squareness=1.0, sides=10).shifted(-0.002, s * 0.043, -0.004)
        for s in (-1, 1)
    ]
    return joined([nose, *ears])


def _hair(rng: np.random.Generator, hair: Material) -> list[Piece]:
    """A cap, now and then long, in a bun, or none."""
    style = rng.choice(['short', 'long', 'bun', 'bald'], p=[0.5, 0.28, 0.12, 0.1])
    if style == 'bald':
        return []
    cap = cushion((0.118, 0.098, 0.09), squareness=0.95, sides=24).shifted(-0.013, 0, 0.027)
    meshes = [cap]
    if style == 'long':
        path = np.array(
            [
                [-0.03, 0, 0.02],
                [-0.045, 0, -0.03],
                [-0.052, 0, -0.08],
                [-0.055, 0, rng.uniform(-0.16, -0.1)],
            ]
        )
        meshes.append(tube(path, [0.042, 0.045, 0.04, 0.025], flatness=0.6, sides=16))
    if style == 'bun':
        meshes.append(cushion((0.05,) * 3, squareness=1.0, sides=12).shifted(-0.07, 0, 0.035))
    return [Piece(joined(meshes), hair)]


def _hood() -> Mesh:
    cap = cushion((0.13, 0.115, 0.125), squareness=0.9, sides=24).shifted(-0.02, 0, 0.008)
    return joined([cap, tube(np.array([[-0.04, 0, -0.06], [-0.05, 0, -0.1]]), 0.045, sides=14)])
