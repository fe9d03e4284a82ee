"""Triangle meshes with smooth normals and surface coordinates in metres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rs_ml_perception.core.errors import InputError


@dataclass(frozen=True, eq=False)
class Mesh:
    """A surface; it may be empty and need not be closed.

    Attributes:
        vertices: float32 (V, 3) [m].
        normals: float32 (V, 3), unit.
        uv: float32 (V, 2), place on the surface [m], for textures.
        faces: int32 (F, 3), places in `vertices`.
    """

    vertices: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    faces: np.ndarray

    def __post_init__(self) -> None:
        count = len(self.vertices)
        if self.normals.shape != (count, 3) or self.uv.shape != (count, 2):
            shapes = self.normals.shape, self.uv.shape
            raise InputError(f'normals and uv must be those of {count} vertices, got {shapes}')

    def moved(self, rotation: np.ndarray, translation: Sequence[float]) -> Mesh:
        """The same mesh at rotation @ vertex + translation."""
        turn = np.asarray(rotation, np.float32).T
        vertices = self.vertices @ turn + np.asarray(translation, np.float32)
        return Mesh(vertices, self.normals @ turn, self.uv, self.faces)

    def shifted(self, x: float, y: float, z: float) -> Mesh:
        """The same mesh elsewhere."""
        vertices = self.vertices + np.array([x, y, z], np.float32)
        return Mesh(vertices, self.normals, self.uv, self.faces)

    def stretched(self, x: float, y: float, z: float) -> Mesh:
        """The mesh stretched along the axes by positive factors."""
        factors = np.array([x, y, z], np.float32)
        normals = unit(self.normals / factors)
        return Mesh(self.vertices * factors, normals, self.uv, self.faces)

    @property
    def top_m(self) -> float:
        """Greatest z of all vertices."""
        return float(self.vertices[:, 2].max())

    @property
    def bottom_m(self) -> float:
        """Least z of all vertices."""
        return float(self.vertices[:, 2].min())


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """All meshes as one; none give an empty mesh."""
    if not meshes:
        empty = np.zeros((0, 3), np.float32)
        return Mesh(empty, empty, empty[:, :2], np.zeros((0, 3), np.int32))
    starts = np.cumsum([0, *(len(m.vertices) for m in meshes[:-1])])
    faces = [m.faces + np.int32(start) for m, start in zip(meshes, starts, strict=True)]
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.normals for m in meshes]),
        np.concatenate([m.uv for m in meshes]),
        np.concatenate(faces),
    )


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) of length 1, zero vectors as they are; float32."""
    length = np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True))
    return (vectors / np.maximum(length, 1e-12)).astype(np.float32)
