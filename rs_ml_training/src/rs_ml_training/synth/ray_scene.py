"""A scene of triangle meshes that rays are cast into, by Intel Embree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.synth.materials import Material, MaterialTable
from rs_ml_training.synth.mesh import Mesh, joined
from rs_ml_training.synth.numerics import dot

NOTHING = 255
"""Class id where no ray ends."""


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh of one material that belongs to a prop.

    Attributes:
        mesh: in world coordinates, z up [m].
        material: of its surface.
        label: class id.
        instance: parts of one prop share it; 0: not asked for.
    """

    mesh: Mesh
    material: Material
    label: int
    instance: int = 0


@dataclass(frozen=True, eq=False)
class Hits:
    """Where rays end.

    Attributes:
        t: float32 (N,), multiple of the direction, infinite where a ray never ends.
        face: int32 (N,), -1 where a ray never ends.
        u: float32 (N,), first barycentric coordinate.
        v: float32 (N,), second barycentric coordinate.
    """

    t: np.ndarray
    face: np.ndarray
    u: np.ndarray
    v: np.ndarray

    def __getitem__(self, some: slice | np.ndarray) -> Hits:
        """Those of some rays."""
        return Hits(self.t[some], self.face[some], self.u[some], self.v[some])


@dataclass(frozen=True, eq=False)
class SurfacePoints:
    """Surfaces at the ends of rays.

    Attributes:
        normals: float32 (3, N), unit, towards where the ray comes from.
        uv: float32 (2, N) [m].
        material: int32 (N,), rows of the scene's table.
    """

    normals: np.ndarray
    uv: np.ndarray
    material: np.ndarray


class RayScene:
    """Parts, ready to be seen; it does not change any more."""

    def __init__(self, parts: Sequence[Part]) -> None:
        if not parts:
            raise ConfigError('a scene needs at least one part, got none')
        mesh = joined([part.mesh for part in parts])
        counts = [len(part.mesh.faces) for part in parts]
        materials = list(dict.fromkeys(part.material for part in parts))
        rows = {material: row for row, material in enumerate(materials)}
        self.materials = MaterialTable(materials)
        self.label = np.repeat([part.label for part in parts], counts).astype(np.uint8)
        self.instance = np.repeat([part.instance for part in parts], counts).astype(np.int32)
        self._material = np.repeat([rows[p.material] for p in parts], counts)
        self._corners = _corner_table(mesh)
        self._embree = _embree_scene(mesh.vertices, mesh.faces)
        clear = self.materials.clear[self._material] > 0
        self._solid = np.flatnonzero(~clear).astype(np.int32)
        self._solid_embree = (
            _embree_scene(mesh.vertices, mesh.faces[self._solid]) if clear.any() else self._embree
        )
        self._all_solid = not clear.any()

    def cast(self, origins: np.ndarray, directions: np.ndarray, *, solid: bool = False) -> Hits:
        """First hits.

        Args:
            origins: (3, N), or (3,) for all [m].
            directions: float32 (3, N) of any length.
            solid: look through clear surfaces.
        """
        scene = self._solid_embree if solid else self._embree
        origins = np.asarray(origins, np.float32).reshape(3, -1)
        origins = np.broadcast_to(origins, directions.shape)
        found = scene.run(origins.T, directions.T, output=True)
        face = found['primID']
        if solid and not self._all_solid:
            face = np.where(face >= 0, self._solid[face], -1)
        t = found['tfar']
        t[face < 0] = np.inf
        return Hits(t, face, found['u'], found['v'])

    def blocked(self, points: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Whether something solid lies between points and targets (3, N), bool (N,)."""
        way = targets - points
        start = points + np.float32(0.002) * way
        reach = np.full(way.shape[1], 0.996, np.float32)
        found = self._solid_embree.run(start.T, way.T, reach, query='OCCLUDED')
        return np.asarray(found) >= 0

    def surface(self, hits: Hits, directions: np.ndarray) -> SurfacePoints:
        """Normals, places and materials; of no meaning where a ray never ends.

        Args:
            hits: where rays end.
            directions: float32 (3, N), of the rays.
        """
        face = hits.face.astype(np.intp)
        corners = cv2.transpose(self._corners.take(face, axis=0)).reshape(3, 5, -1)
        found = corners[1]
        found *= hits.u
        found += corners[0]
        corners[2] *= hits.v
        found += corners[2]
        normals = found[:3]
        length = np.sqrt(dot(normals, normals))
        np.maximum(length, np.float32(1e-9), out=length)
        normals *= _against(1 / length, dot(normals, directions))
        return SurfacePoints(normals, found[3:], self._material.take(face))

    def labels_of(self, face: np.ndarray) -> np.ndarray:
        """Class ids of faces, uint8; NOTHING for -1."""
        return np.where(face >= 0, self.label[face], np.uint8(NOTHING))

    def instances_of(self, face: np.ndarray) -> np.ndarray:
        """Instances of faces, int32; 0 for -1."""
        return np.where(face >= 0, self.instance[face], 0)


def _against(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Positive values (N,) with the sign that the others have not; `numpy.copysign` is slow."""
    bits = values.view(np.uint32)
    bits |= ~others.view(np.uint32) & np.uint32(1 << 31)
    return values


def _corner_table(mesh: Mesh) -> np.ndarray:
    """Normal and uv of each face's first corner, and steps to the others, float32 (F, 15)."""
    values = np.concatenate([mesh.normals, mesh.uv], axis=1)
    first, second, third = (values[mesh.faces[:, i]] for i in range(3))
    return np.concatenate([first, second - first, third - first], axis=1)


def _embree_scene(vertices: np.ndarray, faces: np.ndarray) -> Any:
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    scene = EmbreeScene(robust=False)
    # Embreex takes one number after the other, which is slower from arrays than from Python's own.
    places = np.arange(len(vertices)).astype(object)
    corners = np.fromiter(zip(*places[faces.T], strict=True), object, len(faces))
    TriangleMesh(scene, vertices.astype(object), corners)
    return scene
