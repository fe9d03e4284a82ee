"""Clothed bodies of exactly known height.

Every mesh is built for a stature of 1 and stretched; the highest point of the hair is the stature.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.synth.frame import Posture
from rs_ml_training.synth.materials import Material, MaterialMaker
from rs_ml_training.synth.mesh import Mesh, joined
from rs_ml_training.synth.props import Piece, Prop
from rs_ml_training.synth.skeleton import HIP, SOLE, Skeleton, posed
from rs_ml_training.synth.solids import cushion, ellipses, loft, tube

_HEAD = np.array([
    # z from the middle of the head, half depth, half width, forward
    (-0.068, 0.012, 0.012, 0.026), (-0.060, 0.028, 0.026, 0.020), (-0.045, 0.042, 0.034, 0.010),
    (-0.020, 0.050, 0.041, 0.004), (0.005, 0.055, 0.043, 0.000), (0.030, 0.055, 0.043, -0.004),
    (0.048, 0.044, 0.036, -0.006), (0.058, 0.030, 0.024, -0.006), (0.064, 0.001, 0.001, -0.006),
])  # fmt: skip
_EYES = Material(0, 1.0, (0.02,) * 3, (0.03,) * 3, 0.05, 0.08, gloss=0.3)

_TORSO = np.array([
    # z above the hip, half depth, half width, forward
    (-0.065, 0.030, 0.045, 0.000), (-0.045, 0.058, 0.078, -0.004), (0.000, 0.070, 0.092, -0.006),
    (0.030, 0.066, 0.090, -0.002), (0.080, 0.056, 0.076, 0.004), (0.130, 0.060, 0.083, 0.004),
    (0.190, 0.066, 0.094, 0.002), (0.235, 0.062, 0.103, -0.002), (0.265, 0.052, 0.112, -0.006),
    (0.286, 0.042, 0.100, -0.008), (0.300, 0.034, 0.066, -0.006), (0.310, 0.029, 0.040, -0.004),
])  # fmt: skip

_NECK = np.array(
    [(0.285, 0.030, 0.033, -0.004), (0.33, 0.027, 0.028, 0.002), (0.365, 0.028, 0.028, 0.006)]
)

_BELT = 0.035
"""Where the trousers end, above the joint of the hip."""

_LEG = (0.054, 0.052, 0.046, 0.038, 0.034, 0.036, 0.034, 0.026, 0.021)

_ARM = (0.028, 0.029, 0.027, 0.025, 0.023, 0.024, 0.022, 0.018, 0.015)


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


class Outfit(Enum):
    """Clothes; the first three are of the training side, the others of the test side."""

    SHIRT_AND_TROUSERS = 'shirt and trousers'
    SHORTS = 'shorts'
    SKIRT = 'skirt'
    COAT = 'coat'
    DRESS = 'dress'
    HOODED = 'hooded'


@dataclass(frozen=True, eq=False)
class Person:
    """A body in world coordinates, its lowest point on its support.

    Attributes:
        prop: its meshes, label person; the origin is between its feet or below its pelvis.
        stature_m: height when standing upright.
        top_m: highest point above the floor.
        posture: of the body.
    """

    prop: Prop
    stature_m: float
    top_m: float
    posture: Posture


def person(
    rng: np.random.Generator,
    make: MaterialMaker,
    stature_m: float,
    posture: Posture,
    outfit: Outfit,
    *,
    seat_m: float = 0.45,
    step: float | None = None,
) -> Person:
    """A body; `seat_m` is the height of the seat or bed of a sitting or lying one.

    `step` is where in two steps a walking one is, 0..1; without it one foot is far ahead.

    Raises:
        ConfigError: the stature is out of range.
    """
    if not 0.5 <= stature_m <= 2.3:
        raise ConfigError(f'stature_m must be within 0.5 to 2.3 m, got {stature_m}')
    skeleton = posed(posture, rng, seat=seat_m / stature_m, step=step)
    # Children have larger heads; grown-ups differ in width.
    child = np.clip((1.45 - stature_m) / 0.8, 0, 1)
    pieces = _clothed(rng, make, skeleton, outfit, rng.uniform(0.9, 1.25), 1 + 0.35 * child)
    low = min(piece.mesh.bottom_m for piece in pieces)
    rise = {Posture.SITTING: 0.0, Posture.LYING: seat_m - low * stature_m}.get(
        posture, -low * stature_m
    )
    placed = tuple(
        Piece(p.mesh.stretched(*(stature_m,) * 3).shifted(0, 0, rise), p.material) for p in pieces
    )
    top = max(piece.mesh.top_m for piece in placed)
    corners = np.concatenate([piece.mesh.vertices[:, :2] for piece in placed])
    half_x, half_y = (float(h) for h in np.abs(corners).max(axis=0))
    return Person(Prop('person', placed, half_x, half_y), stature_m, top, posture)


def _clothed(
    rng: np.random.Generator,
    make: MaterialMaker,
    bones: Skeleton,
    outfit: Outfit,
    girth: float,
    head_size: float,
) -> list[Piece]:
    skin, top, bottom, shoe = make.skin(), make.cloth(), make.cloth(), make.plastic()
    if outfit is Outfit.DRESS:
        bottom = top
    loose = {Outfit.COAT: 1.18, Outfit.HOODED: 1.15}.get(outfit, rng.uniform(1.0, 1.1))
    bare_legs = outfit in (Outfit.SHORTS, Outfit.SKIRT, Outfit.DRESS)
    short_sleeves = outfit is Outfit.SHORTS or rng.random() < 0.35
    pieces = [
        Piece(_torso(bones, girth * loose, _BELT - 0.02, None), top),
        Piece(_torso(bones, girth * 1.02, None, _BELT), bottom),
        Piece(_rings(_NECK, bones.trunk, bones.pelvis, 1.0), skin),
        *_head(rng, make, bones, skin, head_size, top if outfit is Outfit.HOODED else None),
    ]
    for side in (0, 1):
        pieces += _leg(bones, side, girth, bottom, skin, bare=bare_legs)
        pieces.append(Piece(_shoe(bones, side), shoe))
        pieces += _arm(bones, side, girth * loose, top, skin, short=short_sleeves)
    if outfit in (Outfit.SKIRT, Outfit.DRESS, Outfit.COAT):
        reach = {Outfit.SKIRT: 0.75, Outfit.DRESS: 1.1, Outfit.COAT: 0.8}[outfit]
        cloth = top if outfit is Outfit.COAT else bottom
        pieces.append(Piece(_skirt(bones, girth, reach), cloth))
    return pieces


def _rings(
    rows: np.ndarray, turn: np.ndarray, origin: np.ndarray, girth: float, sides: int = 24
) -> Mesh:
    z, deep, wide, ahead = rows.T
    xy = np.stack([ahead, np.zeros_like(ahead)], axis=-1)
    rings = ellipses(xy, z, deep * girth, wide * girth, sides=sides, squareness=0.85)
    return loft(rings @ turn.T + origin)


def _torso(bones: Skeleton, girth: float, low: float | None, high: float | None) -> Mesh:
    """The trunk between two heights above the joints of the hips."""
    z = _TORSO[:, 0]
    ends = [z[0] if low is None else low, z[-1] if high is None else high]
    inner = z[(z > ends[0]) & (z < ends[1])]
    heights = np.array([ends[0], *inner, ends[1]])
    columns = [np.interp(heights, z, _TORSO[:, i]) for i in (1, 2, 3)]
    return _rings(np.stack([heights, *columns], axis=-1), bones.trunk, bones.pelvis, girth)


def _limb(joints: np.ndarray, radii: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Points along two bones and their radii; the joint in the middle is bent softly."""
    a, b, c = joints
    radii = np.asarray(radii)
    shares = np.linspace(0, 1, len(radii) // 2 + 1)
    upper, lower = a + shares[:, None] * (b - a), b + shares[1:, None] * (c - b)
    path = np.concatenate([upper, lower])
    return path, np.interp(np.linspace(0, 1, len(path)), np.linspace(0, 1, len(radii)), radii)


def _leg(
    bones: Skeleton, side: int, girth: float, cloth: Material, skin: Material, *, bare: bool
) -> list[Piece]:
    path, radii = _limb(bones.legs[side], _LEG)
    wide = np.sqrt(girth)
    if bare:
        half = len(path) // 2
        trousers = tube(path[:half], 1.1 * wide * radii[:half] + 0.004, sides=16)
        return [Piece(tube(path, wide * radii, sides=16), skin), Piece(trousers, cloth)]
    # Trousers do not narrow as legs do.
    loose = np.maximum(1.05 * wide * radii, 0.030)
    return [Piece(tube(path, loose, sides=16), cloth)]


def _arm(
    bones: Skeleton, side: int, girth: float, cloth: Material, skin: Material, *, short: bool
) -> list[Piece]:
    path, radii = _limb(bones.arms[side], _ARM)
    end = len(path) // 2 if short else len(path) - 1
    sleeve = tube(path[: end + 1], np.sqrt(girth) * 1.05 * radii[: end + 1] + 0.002, sides=14)
    wrist, along = path[-1], path[-1] - path[-2]
    along = along / np.linalg.norm(along)
    hand_path = wrist + along * np.array([0.0, 0.03, 0.065, 0.09])[:, None]
    hand = tube(
        hand_path, [0.015, 0.024, 0.021, 0.012], sides=10, flatness=0.5, side_axis=(1, 0, 0)
    )
    bare = tube(path[end - 1 :], radii[end - 1 :], sides=12)
    return [Piece(sleeve, cloth), Piece(joined([hand, bare]), skin)]


def _shoe(bones: Skeleton, side: int) -> Mesh:
    """A rounded block with a flat sole below the ankle."""
    block = cushion((0.152, 0.058, 0.09), squareness=0.6, sides=20)
    vertices = block.vertices.copy()
    # Lower towards the toes, flat below.
    vertices[:, 2] *= np.interp(vertices[:, 0], [-0.076, 0.0, 0.076], [1.0, 0.75, 0.5])
    vertices[:, 2] = np.maximum(vertices[:, 2], -0.012)
    shaped = Mesh(vertices, block.normals, block.uv, block.faces).shifted(0.035, 0, 0.012 - SOLE)
    return shaped.moved(bones.feet[side], bones.legs[side][2])


def _skirt(bones: Skeleton, girth: float, reach: float) -> Mesh:
    """From the waist around both legs; `reach` 1 is the knee."""
    hips, knees = bones.legs[:, 0], bones.legs[:, 1]
    waist = bones.pelvis + bones.trunk @ np.array([0.0, 0.0, 0.07])
    middle, end = hips.mean(axis=0), hips.mean(axis=0) + reach * (knees - hips).mean(axis=0)
    spread = 0.5 * np.linalg.norm(knees[1] - knees[0])
    along = np.stack([waist, middle + np.array([0, 0, 0.01]), 0.5 * (middle + end), end])
    wide = np.array([0.08, 0.102, 0.105 + 0.4 * spread, 0.115 + 0.9 * spread]) * girth
    deep = np.array([0.064, 0.08, 0.085, 0.095]) * girth
    step = np.gradient(along, axis=0)
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    side = np.array([0.0, 1.0, 0.0])
    front = np.cross(side, -step)
    angle = 2 * np.pi * np.arange(24) / 24
    folds = 1 + 0.04 * np.sin(7 * angle) * np.linspace(0, 1, 4)[:, None]
    c, s = np.cos(angle) * folds, np.sin(angle) * folds
    rings = (
        along[:, None]
        + (deep[:, None] * c)[..., None] * front[:, None]
        + (wide[:, None] * s)[..., None] * side
    )
    return loft(rings[::-1], capped=False)


def _head(
    rng: np.random.Generator,
    make: MaterialMaker,
    bones: Skeleton,
    skin: Material,
    size: float,
    hood: Material | None,
) -> list[Piece]:
    parts = head_pieces(rng, make, skin, hood)
    # The top of the head is exactly where the stature ends when the body is upright.
    top = max(part.mesh.top_m for part in parts) * size
    neck = bones.pelvis + bones.trunk @ np.array([0.0, 0.0, 0.365])
    middle = neck + bones.head @ np.array([0.0, 0.0, 1 - HIP - 0.365 - top])
    return [
        Piece(p.mesh.stretched(size, size, size).moved(bones.head, middle), p.material)
        for p in parts
    ]
