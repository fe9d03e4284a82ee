"""Solid primitives and how rays meet them.

All `intersect` methods share one contract: rays start at `origin` (3,) and run along `directions`
(N, 3), which need no particular length; the result (N,) is the multiple of the direction at the
first surface in front of the origin, infinity where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Protocol

import numpy as np


class SynthClass(IntEnum):
    """Class ids of the rendered masks."""

    FLOOR = 0
    WALL = 1
    PERSON = 2
    FURNITURE = 3
    CLUTTER = 4


@dataclass(frozen=True)
class Surface:
    """What a primitive looks like and belongs to.

    Attributes:
        class_id: what it is.
        instance_id: parts of one body share it; 0 where nobody asks.
        color: RGB in 0..1.
    """

    class_id: SynthClass = SynthClass.CLUTTER
    instance_id: int = 0
    color: tuple[float, float, float] = (0.6, 0.6, 0.6)


class Primitive(Protocol):
    """A shape with a surface."""

    surface: Surface

    def intersect(self, origin: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Multiples (N,) of the directions at the first surface, see the module."""

    def normals(self, points: np.ndarray) -> np.ndarray:
        """Unit outward normals (N, 3) at points (N, 3) of the surface."""

    def bounding_sphere(self) -> tuple[np.ndarray, float]:
        """Centre (3,) and radius; infinite for unbounded shapes."""

    def moved(self, rotation: np.ndarray, translation: np.ndarray) -> Primitive:
        """The same shape at rotation @ point + translation."""


def _first_root(a: np.ndarray, half_b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Lesser root of a t^2 + 2 half_b t + c where it is real and positive, else infinity."""
    discriminant = half_b * half_b - a * c
    with np.errstate(invalid='ignore', divide='ignore'):
        t = (-half_b - np.sqrt(discriminant)) / a
    return np.where((discriminant > 0) & (t > 0), t, np.inf)


def _normalised(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@dataclass(frozen=True, eq=False)
class Plane:
    """All points p with normal . (p - point) = 0."""

    point: np.ndarray
    normal: np.ndarray
    surface: Surface = field(default_factory=Surface)

    def intersect(self, origin: np.ndarray, directions: np.ndarray) -> np.ndarray:
        slope = directions @ self.normal
        with np.errstate(divide='ignore', invalid='ignore'):
            t = ((self.point - origin) @ self.normal) / slope
        return np.where(t > 0, t, np.inf)

    def normals(self, points: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.normal, points.shape)

    def bounding_sphere(self) -> tuple[np.ndarray, float]:
        return np.asarray(self.point, float), np.inf

    def moved(self, rotation: np.ndarray, translation: np.ndarray) -> Plane:
        point = rotation @ self.point + translation
        return replace(self, point=point, normal=rotation @ self.normal)


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """Semi-axes `radii` along the columns of `rotation` around `center`."""

    center: np.ndarray
    radii: np.ndarray
    rotation: np.ndarray = field(default_factory=lambda: np.eye(3))
    surface: Surface = field(default_factory=Surface)

    def _local(self, vectors: np.ndarray) -> np.ndarray:
        return vectors @ self.rotation / self.radii

    def intersect(self, origin: np.ndarray, directions: np.ndarray) -> np.ndarray:
        o, d = self._local(origin - self.center), self._local(directions)
        return _first_root((d * d).sum(-1), d @ o, o @ o - 1.0)

    def normals(self, points: np.ndarray) -> np.ndarray:
        local = self._local(points - self.center)
        return _normalised(local / self.radii @ self.rotation.T)

    def bounding_sphere(self) -> tuple[np.ndarray, float]:
        return np.asarray(self.center, float), float(np.max(self.radii))

    def moved(self, rotation: np.ndarray, translation: np.ndarray) -> Ellipsoid:
        center = rotation @ self.center + translation
        return replace(self, center=center, rotation=rotation @ self.rotation)


@dataclass(frozen=True, eq=False)
class Capsule:
    """All points within `radius` of the line from `start` to `end`."""

    start: np.ndarray
    end: np.ndarray
    radius: float
    surface: Surface = field(default_factory=Surface)

    def intersect(self, origin: np.ndarray, directions: np.ndarray) -> np.ndarray:
        axis, offset = self.end - self.start, origin - self.start
        squared = axis @ axis
        along, start_along = directions @ axis, offset @ axis
        length = (directions * directions).sum(-1)
        a = squared * length - along * along
        half_b = squared * (directions @ offset) - start_along * along
        c = squared * (offset @ offset) - start_along**2 - self.radius**2 * squared
        t = _first_root(a, half_b, c)
        position = start_along + np.where(np.isfinite(t), t, 0.0) * along
        t = np.where((position > 0) & (position < squared), t, np.inf)
        for end in (self.start, self.end):
            t = np.minimum(t, self._meet_ball(origin - end, directions, length))
        return t

    def _meet_ball(self, o: np.ndarray, d: np.ndarray, length: np.ndarray) -> np.ndarray:
        return _first_root(length, d @ o, o @ o - self.radius**2)

    def normals(self, points: np.ndarray) -> np.ndarray:
        axis = self.end - self.start
        share = np.clip((points - self.start) @ axis / (axis @ axis), 0.0, 1.0)
        return _normalised(points - self.start - share[:, None] * axis)

    def bounding_sphere(self) -> tuple[np.ndarray, float]:
        half = 0.5 * float(np.linalg.norm(self.end - self.start))
        return 0.5 * (self.start + self.end), half + self.radius

    def moved(self, rotation: np.ndarray, translation: np.ndarray) -> Capsule:
        start, end = rotation @ self.start + translation, rotation @ self.end + translation
        return replace(self, start=start, end=end)


@dataclass(frozen=True, eq=False)
class Box:
    """Half extents along the columns of `rotation` around `center`."""

    center: np.ndarray
    half_extents: np.ndarray
    rotation: np.ndarray = field(default_factory=lambda: np.eye(3))
    surface: Surface = field(default_factory=Surface)

    def intersect(self, origin: np.ndarray, directions: np.ndarray) -> np.ndarray:
        o, d = (origin - self.center) @ self.rotation, directions @ self.rotation
        with np.errstate(divide='ignore', invalid='ignore'):
            one, other = (-self.half_extents - o) / d, (self.half_extents - o) / d
        enter = np.minimum(one, other).max(axis=-1)
        leave = np.maximum(one, other).min(axis=-1)
        return np.where((enter <= leave) & (enter > 0), enter, np.inf)

    def normals(self, points: np.ndarray) -> np.ndarray:
        local = (points - self.center) @ self.rotation / self.half_extents
        face = np.argmax(np.abs(local), axis=-1)
        rows = np.arange(len(points))
        return np.sign(local[rows, face])[:, None] * self.rotation.T[face]

    def bounding_sphere(self) -> tuple[np.ndarray, float]:
        return np.asarray(self.center, float), float(np.linalg.norm(self.half_extents))

    def moved(self, rotation: np.ndarray, translation: np.ndarray) -> Box:
        center = rotation @ self.center + translation
        return replace(self, center=center, rotation=rotation @ self.rotation)


def rotation_about_z(angle_rad: float) -> np.ndarray:
    """Counter-clockwise seen from above, float64 (3, 3)."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def rotation_about_y(angle_rad: float) -> np.ndarray:
    """From z toward x, float64 (3, 3)."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def rotation_about_x(angle_rad: float) -> np.ndarray:
    """From y toward z, float64 (3, 3)."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
