"""A scene of triangle meshes that rays are cast into, by Intel Embree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rs_ml_training.errors import ConfigError
from rs_ml_training.synth.materials import Material, MaterialTable
from rs_ml_training.synth.mesh import Mesh, joined

NOTHING = 255
"""Class id where no ray ends."""


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh of one material that belongs to a thing.

    Attributes:
        mesh: in world coordinates, z up [m].
        material: what it looks like.
        label: class id.
        instance: parts of one thing share it; 0 where nobody asks.
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


@dataclass(frozen=True, eq=False)
class SurfacePoints:
    """What lies where rays end.

    Attributes:
        normals: float32 (N, 3), unit, towards where the ray comes from.
        uv: float32 (N, 2) [m].
        material: int32 (N,), rows of the scene's table.
    """

    normals: np.ndarray
    uv: np.ndarray
    material: np.ndarray


class TracedScene:
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
        self._material = np.repeat([rows[p.material] for p in parts], counts).astype(np.int32)
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
            origins: float32 (N, 3), or (3,) for all.
            directions: float32 (N, 3) of any length.
            solid: look through what is clear.
        """
        scene = self._solid_embree if solid else self._embree
        directions = np.ascontiguousarray(directions, np.float32)
        origins = np.ascontiguousarray(np.broadcast_to(origins, directions.shape), np.float32)
        found = scene.run(origins, directions, output=True)
        face = found['primID']
        if solid and not self._all_solid:
            face = np.where(face >= 0, self._solid[face], -1)
        t = np.where(face >= 0, found['tfar'], np.float32(np.inf))
        return Hits(t, face, found['u'], found['v'])

    def blocked(self, points: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Whether something solid lies between points and targets (N, 3), bool (N,)."""
        way = (targets - points).astype(np.float32)
        start = (points + np.float32(0.002) * way).astype(np.float32)
        reach = np.full(len(way), 0.996, np.float32)
        found = self._solid_embree.run(
            np.ascontiguousarray(start), np.ascontiguousarray(way), reach, query='OCCLUDED'
        )
        return np.asarray(found) >= 0

    def surface(self, hits: Hits, directions: np.ndarray) -> SurfacePoints:
        """Normals, places and materials; of no meaning where a ray never ends."""
        corners = self._corners.take(hits.face, axis=0)
        found = corners[:, 0] + hits.u[:, None] * corners[:, 1] + hits.v[:, None] * corners[:, 2]
        n, place = found[:, :3], found[:, 3:]
        length = np.sqrt(np.einsum('ij,ij->i', n, n))
        facing = np.einsum('ij,ij->i', n, directions)
        n = n * np.copysign(1 / np.maximum(length, np.float32(1e-9)), -facing)[:, None]
        return SurfacePoints(n, place, self._material[hits.face])

    def labels_of(self, face: np.ndarray) -> np.ndarray:
        """Class ids of faces, uint8; NOTHING for -1."""
        return np.where(face >= 0, self.label[face], np.uint8(NOTHING))

    def instances_of(self, face: np.ndarray) -> np.ndarray:
        """Instances of faces, int32; 0 for -1."""
        return np.where(face >= 0, self.instance[face], 0)


def _corner_table(mesh: Mesh) -> np.ndarray:
    """Normal and uv of each face's first corner, and what the others add, float32 (F, 3, 5)."""
    values = np.concatenate([mesh.normals, mesh.uv], axis=1)
    first, second, third = (values[mesh.faces[:, i]] for i in range(3))
    return np.stack([first, second - first, third - first], axis=1)


def _embree_scene(vertices: np.ndarray, faces: np.ndarray):
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    scene = EmbreeScene(robust=False)
    TriangleMesh(scene, np.ascontiguousarray(vertices), np.ascontiguousarray(faces))
    return scene
