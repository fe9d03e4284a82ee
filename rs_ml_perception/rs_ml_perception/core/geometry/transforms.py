"""Rigid transforms named target_from_source, and a tree of them between named frames.

The tree answers as the buffer of tf2 does, interpolation included, with two differences: stamps
that go back start a new history (a looped recording), and a moving frame may be asked for a little
before its first or after its last transform, since images often arrive before the transforms of
their stamp.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.streams.stamps import StampHistory

MAX_DEPTH = 64
HISTORY = 1000  # transforms of a moving frame: 10 s at 100 Hz
MAX_SKEW_NS = 100_000_000
"""How far outside its history a moving frame is assumed still."""


@dataclass(frozen=True, eq=False)
class RigidTransform:
    """points_in_target = rotation @ points_in_source + translation_m.

    Attributes:
        rotation: float64 (3, 3), orthonormal, determinant +1.
        translation_m: float64 (3,), metres.
    """

    rotation: np.ndarray
    translation_m: np.ndarray

    def __post_init__(self) -> None:
        rotation = np.asarray(self.rotation, np.float64).reshape(3, 3)
        translation_m = np.asarray(self.translation_m, np.float64).reshape(3)
        drift = np.abs(rotation @ rotation.T - np.eye(3)).max()
        if not drift < 1e-3 or np.linalg.det(rotation) < 0 or not np.isfinite(translation_m).all():
            raise _not_rigid(rotation, translation_m)
        object.__setattr__(self, 'rotation', rotation)
        object.__setattr__(self, 'translation_m', translation_m)

    @classmethod
    def _of_rigid(cls, rotation: np.ndarray, translation_m: np.ndarray) -> RigidTransform:
        """From parts of rigid transforms: only overflow is checked, since full checks are slow."""
        if not math.isfinite(translation_m.sum()):
            raise _not_rigid(rotation, translation_m)
        transform = object.__new__(cls)
        object.__setattr__(transform, 'rotation', rotation)
        object.__setattr__(transform, 'translation_m', translation_m)
        return transform

    @classmethod
    def identity(cls) -> RigidTransform:
        return cls._of_rigid(np.eye(3), np.zeros(3))

    @classmethod
    def from_quaternion(cls, xyzw: np.ndarray, translation_m: np.ndarray) -> RigidTransform:
        """From a quaternion in ROS order (x, y, z, w), normalised here."""
        norm = float(np.linalg.norm(xyzw))
        if not norm > 1e-9:
            raise InputError(f'a quaternion of length {norm} is no rotation: {list(xyzw)}')
        x, y, z, w = np.asarray(xyzw, np.float64) / norm
        rotation = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )
        return cls(rotation, translation_m)

    def inverse(self) -> RigidTransform:
        return self._of_rigid(self.rotation.T, -self.rotation.T @ self.translation_m)

    def __matmul__(self, other: RigidTransform) -> RigidTransform:
        """a_from_b @ b_from_c = a_from_c."""
        return self._of_rigid(
            self.rotation @ other.rotation,
            self.rotation @ other.translation_m + self.translation_m,
        )

    def interpolate(self, other: RigidTransform, fraction: float) -> RigidTransform:
        """The transform at a fraction of the way to another one, as tf2 interpolates.

        The translation is linear; the rotation is spherical (slerp).
        """
        turn, _ = cv2.Rodrigues(self.rotation.T @ other.rotation)
        part, _ = cv2.Rodrigues(turn * fraction)
        step_m = other.translation_m - self.translation_m
        return RigidTransform(self.rotation @ part, self.translation_m + fraction * step_m)

    def apply(self, points_m: np.ndarray) -> np.ndarray:
        """Move points of shape (..., 3), metres; NaN stays NaN."""
        axes = range(points_m.ndim - 1)
        planes = points_m.transpose(-1, *axes)
        moved = (self.rotation @ planes.reshape(3, -1)).reshape(planes.shape)
        return moved.transpose(*range(1, points_m.ndim), 0) + self.translation_m


def _not_rigid(rotation: np.ndarray, translation_m: np.ndarray) -> InputError:
    return InputError(
        f'not a rigid transform: rotation {rotation.tolist()}, '
        f'translation {translation_m.tolist()}'
    )


Placed = tuple[str, RigidTransform]
"""Parent of a frame, and parent_from_child."""


class TransformTree:
    """Each frame has one parent. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given: Mapping[str, Placed] = {}
        self._static: dict[str, Placed] = {}
        self._moving: dict[str, tuple[str, StampHistory[RigidTransform]]] = {}

    def give(self, given: Mapping[str, Placed]) -> None:
        """Replace the frames given by hand, which override all others; by child."""
        with self._lock:
            self._given = dict(given)

    def set_static(self, parent: str, child: str, parent_from_child: RigidTransform) -> None:
        with self._lock:
            self._static[child] = (parent, parent_from_child)

    def add(
        self, parent: str, child: str, stamp_ns: int, parent_from_child: RigidTransform
    ) -> None:
        """Add the pose of a moving frame; a new parent starts a new history."""
        with self._lock:
            known = self._moving.get(child)
            if known is None or known[0] != parent:
                known = self._moving[child] = (parent, StampHistory(HISTORY))
            known[1].add_or_restart(stamp_ns, parent_from_child)

    def lookup(self, target: str, source: str, stamp_ns: int) -> RigidTransform | None:
        """target_from_source at a time, or None if the frames are not connected then."""
        if target == source:
            return RigidTransform.identity()
        with self._lock:
            to_target = self._chain(target, stamp_ns)
            to_source = self._chain(source, stamp_ns)
        for frame, frame_from_target in to_target.items():
            if frame in to_source:
                return frame_from_target.inverse() @ to_source[frame]
        return None

    def _chain(self, frame: str, stamp_ns: int) -> dict[str, RigidTransform]:
        """Every ancestor, nearest first -> ancestor_from_frame."""
        chain = {frame: RigidTransform.identity()}
        ancestor_from_frame = chain[frame]
        for _ in range(MAX_DEPTH):
            step = self._parent(frame, stamp_ns)
            if step is None or step[0] in chain:
                break
            frame, parent_from_child = step
            ancestor_from_frame = parent_from_child @ ancestor_from_frame
            chain[frame] = ancestor_from_frame
        return chain

    def _parent(self, child: str, stamp_ns: int) -> Placed | None:
        for known in (self._given, self._static):
            if child in known:
                return known[child]
        if child not in self._moving:
            return None
        parent, history = self._moving[child]
        parent_from_child = _at(history, stamp_ns)
        return None if parent_from_child is None else (parent, parent_from_child)


def _at(history: StampHistory[RigidTransform], stamp_ns: int) -> RigidTransform | None:
    """Interpolated between two transforms; just outside the history the nearest one."""
    before, after = history.around(stamp_ns)
    if before is None or after is None or before[0] == after[0]:
        found = history.nearest(stamp_ns, tolerance_ns=MAX_SKEW_NS)
        return None if found is None else found[1]
    fraction = (stamp_ns - before[0]) / (after[0] - before[0])
    return before[1].interpolate(after[1], fraction)


def parse_static_transform(text: str) -> tuple[str, str, RigidTransform]:
    """Read 'parent child x y z qx qy qz qw' (metres, quaternion in ROS order).

    Raises:
        ConfigError: the text has another form.
    """
    words = text.split()
    try:
        parent, child, *numbers = words
        values = np.array([float(number) for number in numbers])
        if len(values) != 7:
            raise ValueError(f'{len(values)} numbers')
        return parent, child, RigidTransform.from_quaternion(values[3:], values[:3])
    except ValueError as error:
        raise ConfigError(
            f'static transform {text!r} must read "parent child x y z qx qy qz qw": {error}'
        ) from error


def format_static_transform(parent: str, child: str, parent_from_child: RigidTransform) -> str:
    """The inverse of parse_static_transform."""
    numbers = [*parent_from_child.translation_m, *quaternion_xyzw(parent_from_child.rotation)]
    return ' '.join([parent, child, *(f'{number:.9g}' for number in numbers)])


def quaternion_xyzw(rotation: np.ndarray) -> Sequence[float]:
    """Unit quaternion (x, y, z, w), w >= 0, of a rotation matrix (3, 3).

    Bar-Itzhack, "New method for extracting the quaternion from a rotation matrix", 2000: the
    eigenvector of the largest eigenvalue, well behaved for every angle.
    """
    m = np.asarray(rotation, np.float64)
    k = np.array(
        [
            [m[0, 0] - m[1, 1] - m[2, 2], 0, 0, 0],
            [m[1, 0] + m[0, 1], m[1, 1] - m[0, 0] - m[2, 2], 0, 0],
            [m[2, 0] + m[0, 2], m[2, 1] + m[1, 2], m[2, 2] - m[0, 0] - m[1, 1], 0],
            [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], np.trace(m)],
        ]
    )
    q = np.linalg.eigh(k / 3.0)[1][:, -1]  # eigh reads the lower triangle
    return (q if q[3] >= 0 else -q).tolist()
