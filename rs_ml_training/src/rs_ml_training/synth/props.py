"""Props, the furniture and objects of a room: meshes around a place on the floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rs_ml_training.data.indoor_classes import INDOOR_LABELS
from rs_ml_training.synth.materials import Material
from rs_ml_training.synth.mesh import Mesh
from rs_ml_training.synth.numerics import rotation_about_z
from rs_ml_training.synth.ray_scene import Part

LABEL = {name: index for index, name in enumerate(INDOOR_LABELS)}
"""Class ids by name."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A mesh of one material; `label` None: that of the prop."""

    mesh: Mesh
    material: Material
    label: str | None = None


@dataclass(frozen=True)
class Top:
    """A level rectangle that smaller props may stand on: middle, height, half sizes [m]."""

    x: float
    y: float
    z: float
    half_x: float
    half_y: float


@dataclass(frozen=True)
class Seat:
    """Where a person may sit, looking along +x: middle of the seat, its height [m]."""

    x: float
    y: float
    z: float


@dataclass(frozen=True, eq=False)
class Prop:
    """A piece of furniture or an object; its front looks along +x, it stands on z = 0.

    Attributes:
        label: name of its class.
        pieces: its parts.
        half_x: half the depth of the floor it takes [m].
        half_y: half the width of the floor it takes [m].
        tops: surfaces that others may stand on.
        seats: where people may sit.
    """

    label: str
    pieces: tuple[Piece, ...]
    half_x: float
    half_y: float
    tops: tuple[Top, ...] = ()
    seats: tuple[Seat, ...] = ()

    def placed(
        self, x: float, y: float, yaw_rad: float, *, z: float = 0.0, instance: int = 0
    ) -> list[Part]:
        """The pieces in the room, turned by yaw around their origin."""
        turn = rotation_about_z(yaw_rad)
        return [
            Part(
                piece.mesh.moved(turn, (x, y, z)),
                piece.material,
                LABEL[piece.label or self.label],
                instance,
            )
            for piece in self.pieces
        ]


def prop(
    label: str,
    pieces: Sequence[Piece],
    *,
    tops: Sequence[Top] = (),
    seats: Sequence[Seat] = (),
) -> Prop:
    """A prop with the footprint of its meshes, which are moved to the origin."""
    corners = np.concatenate([piece.mesh.vertices[:, :2] for piece in pieces])
    low, high = corners.min(axis=0), corners.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    x, y = -float(middle[0]), -float(middle[1])
    return Prop(
        label,
        tuple(Piece(p.mesh.shifted(x, y, 0), p.material, p.label) for p in pieces),
        float(half[0]),
        float(half[1]),
        tuple(Top(t.x + x, t.y + y, t.z, t.half_x, t.half_y) for t in tops),
        tuple(Seat(s.x + x, s.y + y, s.z) for s in seats),
    )
