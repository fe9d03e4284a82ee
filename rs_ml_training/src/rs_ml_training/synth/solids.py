"""Shapes as meshes, z up, around or above the origin."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from rs_ml_training.synth.mesh import Mesh, joined, unit
from rs_ml_training.synth.numerics import cross

_FACES = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((-1, 0, 0), (0, -1, 0), (0, 0, 1)),
    ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
    ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    ((0, 0, 1), (1, 0, 0), (0, 1, 0)),
    ((0, 0, -1), (1, 0, 0), (0, -1, 0)),
)
"""Outward normal and the two directions along each face of a cube."""


def _unit_box() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Corners and normals (24, 3), uv (24, 2) of the cube from -1 to 1, and the axes of uv."""
    signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    n, right, up = np.array(_FACES).transpose(1, 0, 2)
    corners = n[:, None] + signs[:, :1] * right[:, None] + signs[:, 1:] * up[:, None]
    axes = np.stack([np.abs(right).argmax(axis=1), np.abs(up).argmax(axis=1)], axis=1)
    normals = np.repeat(n, 4, axis=0).astype(np.float32)
    return corners.reshape(-1, 3), normals, np.tile(signs, (6, 1)), np.repeat(axes, 4, axis=0)


_CORNERS, _NORMALS, _UV, _AXES = _unit_box()
_BOX_FACES = (4 * np.arange(6)[:, None, None] + [[0, 1, 2], [0, 2, 3]]).reshape(-1, 3)
_BOX_FACES = _BOX_FACES.astype(np.int32)
for _shared in (_NORMALS, _BOX_FACES):
    _shared.flags.writeable = False


def box(size: ArrayLike, center: ArrayLike = (0.0, 0.0, 0.0)) -> Mesh:
    """An axis-parallel box with sharp edges; `size` and `center` are (x, y, z) [m]."""
    half = np.asarray(size) / 2
    return Mesh(
        f32(np.asarray(center) + half * _CORNERS), _NORMALS, f32(_UV * half[_AXES]), _BOX_FACES
    )


def sheet(points: np.ndarray) -> Mesh:
    """A smooth surface through a grid of points.

    Args:
        points: (R, C, 3) [m]; normals point to the right-handed side of rows x columns.
    """
    points = np.asarray(points, np.float32)
    normals = unit(cross(_gradient(points.swapaxes(0, 1)).swapaxes(0, 1), _gradient(points)))
    return _woven(points, normals)


def _woven(points: np.ndarray, normals: np.ndarray) -> Mesh:
    """A grid of points (R, C, 3) with their normals as a mesh."""
    u, v = np.zeros(points.shape[:2], np.float32), np.zeros(points.shape[:2], np.float32)
    u[:, 1:] = _length(points[:, 1:] - points[:, :-1]).cumsum(axis=1)
    v[1:] = _length(points[1:] - points[:-1]).cumsum(axis=0)
    # Lines of one column start together, whatever the shape does in between.
    uv = np.stack([np.broadcast_to(u.mean(axis=0), u.shape), v], axis=-1)
    faces = _grid_faces(*points.shape[:2])
    return Mesh(points.reshape(-1, 3), normals.reshape(-1, 3), f32(uv.reshape(-1, 2)), faces)


def _gradient(values: np.ndarray) -> np.ndarray:
    """Half the difference of the neighbours along the first axis, at the ends to the only one."""
    result = np.empty_like(values)
    result[1:-1] = (values[2:] - values[:-2]) / 2
    result[0], result[-1] = values[1] - values[0], values[-1] - values[-2]
    return result


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt((vectors * vectors).sum(axis=-1))


def loft(rings: np.ndarray, *, capped: bool = True) -> Mesh:
    """A smooth surface through closed rings.

    Args:
        rings: (R, S, 3) [m], each ring counter-clockwise as seen from beyond the last one.
        capped: close the first and the last ring with flat lids.
    """
    rings = np.asarray(rings, np.float32)
    closed = np.concatenate([rings, rings[:, :1]], axis=1)
    wrapped = np.concatenate([rings[:, -1:], rings, rings[:, :2]], axis=1)
    around = (wrapped[:, 2:] - wrapped[:, :-2])[:, : closed.shape[1]]
    normals = unit(cross(around, _gradient(closed)))
    for end, sign in ((0, -1), (-1, 1)):
        pole = _length(around[end]) < 1e-6
        if pole.any():
            axis = unit(closed[-1].mean(axis=0) - closed[0].mean(axis=0))
            normals[end][pole] = sign * axis
    body = _woven(closed, normals)
    return joined([body, _lid(rings[0][::-1]), _lid(rings[-1])]) if capped else body


def _lid(ring: np.ndarray) -> Mesh:
    """A flat fan over a ring that runs counter-clockwise as seen from outside."""
    middle = ring.mean(axis=0)
    spread = ring - middle
    normal = unit(cross(spread, np.roll(spread, -1, axis=0)).sum(axis=0))
    count = len(ring)
    right = unit(spread[0])
    up = cross(normal, right)
    vertices = np.concatenate([ring, middle[None]])
    uv = np.stack([(vertices - middle) @ right, (vertices - middle) @ up], axis=-1)
    around = np.arange(count)
    faces = np.stack([np.full(count, count), around, (around + 1) % count], axis=1)
    normals = np.tile(normal, (count + 1, 1))
    return Mesh(f32(vertices), f32(normals), f32(uv), faces.astype(np.int32))


def lathe(profile: Sequence[tuple[float, float]], *, sides: int = 20) -> Mesh:
    """A turned body: `profile` holds (radius, z) [m] from below to above."""
    radius, z = np.asarray(profile, float).T
    return loft(ellipses(np.zeros((len(z), 2)), z, radius, radius, sides=sides))


def cylinder(radius: float, height: float, *, sides: int = 20) -> Mesh:
    """An upright cylinder that stands on z = 0."""
    return lathe([(radius, 0.0), (radius, height)], sides=sides)


def ellipses(
    xy: np.ndarray,
    z: np.ndarray,
    radius_x: np.ndarray,
    radius_y: np.ndarray,
    *,
    sides: int = 20,
    squareness: float = 1.0,
) -> np.ndarray:
    """Level rings for `loft`, float (R, sides, 3).

    Args:
        xy: (R, 2), centre of each ring [m].
        z: (R,), its height [m].
        radius_x: (R,), half its width [m].
        radius_y: (R,), half its depth [m].
        sides: points of each ring.
        squareness: 1 is an ellipse, less is squarer (exponent of a superellipse).
    """
    angle = 2 * np.pi * np.arange(sides) / sides
    c, s = (_signed_power(f(angle), squareness) for f in (np.cos, np.sin))
    x = np.asarray(xy)[:, :1] + np.asarray(radius_x)[:, None] * c
    y = np.asarray(xy)[:, 1:] + np.asarray(radius_y)[:, None] * s
    return np.stack([x, y, np.broadcast_to(np.asarray(z)[:, None], x.shape)], axis=-1)


def cushion(size: Sequence[float], *, squareness: float = 0.35, sides: int = 24) -> Mesh:
    """A box with round edges (a superellipsoid) around the origin; 1 is an ellipsoid."""
    return _cushion(tuple(float(s) for s in size), squareness, sides)


# Castors, pads and shoes come in sets of the same.
@lru_cache(maxsize=16)
def _cushion(size: tuple[float, ...], squareness: float, sides: int) -> Mesh:
    half = np.asarray(size) / 2
    rise = np.linspace(-np.pi / 2, np.pi / 2, max(sides // 2, 5))
    z = half[2] * _signed_power(np.sin(rise), squareness)
    wide = _signed_power(np.cos(rise), squareness)
    wide[[0, -1]] = 0.0
    zeros = np.zeros((len(z), 2))
    rings = ellipses(zeros, z, half[0] * wide, half[1] * wide, sides=sides, squareness=squareness)
    mesh = loft(rings, capped=False)
    for shared in (mesh.vertices, mesh.normals, mesh.uv):
        shared.flags.writeable = False
    return mesh


def sphere(radius: float, *, sides: int = 20) -> Mesh:
    """A ball around the origin."""
    return cushion((2 * radius,) * 3, squareness=1.0, sides=sides)


def tube(
    path: np.ndarray,
    radii: ArrayLike,
    *,
    sides: int = 12,
    flatness: float = 1.0,
    side_axis: Sequence[float] = (0.0, 1.0, 0.0),
) -> Mesh:
    """A pipe along a path with round ends.

    Args:
        path: (P, 3), P at least 2, its middle line [m].
        radii: of each point, or one for all [m].
        sides: points around.
        flatness: thickness across `side_axis` as a fraction of the radius.
        side_axis: direction in which the full radius lies.
    """
    path = np.asarray(path, float)
    path, around = _rounded_ends(path, np.broadcast_to(np.asarray(radii, float), len(path)))
    along = unit(_gradient(path)).astype(float)
    side = np.asarray(side_axis, float) - (along @ side_axis)[:, None] * along
    weak = _length(side) < 0.05
    side[weak] = cross(along[weak], np.array([0.31, 0.17, 0.94]))
    side = unit(side).astype(float)
    other = cross(along, side)
    angle = 2 * np.pi * np.arange(sides) / sides
    ring = (
        side[:, None] * np.cos(angle)[:, None] + flatness * other[:, None] * np.sin(angle)[:, None]
    )
    return loft(path[:, None] + around[:, None, None] * ring, capped=False)


def _rounded_ends(path: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half balls before the first and after the last point."""
    first, last = unit(path[0] - path[1]), unit(path[-1] - path[-2])
    angle = np.radians([90, 60, 30])
    out, shrink = np.sin(angle), np.cos(angle)
    head = path[0] + first * (out * radii[0])[:, None]
    tail = path[-1] + last * (out * radii[-1])[::-1, None]
    shrink[0] = 0.0
    points = np.concatenate([head, path, tail])
    return points, np.concatenate([shrink * radii[0], radii, shrink[::-1] * radii[-1]])


def wall_with_holes(
    width: float, height: float, holes: Sequence[tuple[float, float, float, float]]
) -> Mesh:
    """A wall in the plane x = 0 that faces +x, y from 0 to width, z from 0 to height.

    Args:
        width: of the wall [m].
        height: of the wall [m].
        holes: (y_min, z_min, y_max, z_max) of each [m].
    """
    ys = np.unique(np.clip([0, width, *(h[i] for h in holes for i in (0, 2))], 0, width))
    zs = np.unique(np.clip([0, height, *(h[i] for h in holes for i in (1, 3))], 0, height))
    meshes = []
    for y0, y1 in pairwise(ys):
        for z0, z1 in pairwise(zs):
            y, z = (y0 + y1) / 2, (z0 + z1) / 2
            if not any(h[0] < y < h[2] and h[1] < z < h[3] for h in holes):
                meshes.append(_wall_piece(y0, y1, z0, z1))
    return joined(meshes)


def _wall_piece(y0: float, y1: float, z0: float, z1: float) -> Mesh:
    uv = np.array([(y0, z0), (y1, z0), (y1, z1), (y0, z1)], np.float32)
    vertices = np.concatenate([np.zeros((4, 1), np.float32), uv], axis=1)
    normals = np.tile(np.array([1, 0, 0], np.float32), (4, 1))
    return Mesh(vertices, normals, uv, np.array([[0, 1, 2], [0, 2, 3]], np.int32))


@lru_cache(maxsize=256)
def _grid_faces(rows: int, columns: int) -> np.ndarray:
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    first = np.stack([corner, corner + 1, corner + columns + 1], axis=1)
    second = np.stack([corner, corner + columns + 1, corner + columns], axis=1)
    faces = np.concatenate([first, second]).astype(np.int32)
    faces.flags.writeable = False
    return faces


def _signed_power(values: np.ndarray, exponent: float) -> np.ndarray:
    return np.sign(values) * np.abs(values) ** exponent


def f32(array: np.ndarray) -> np.ndarray:
    """As float32, contiguous."""
    return np.ascontiguousarray(array, np.float32)
