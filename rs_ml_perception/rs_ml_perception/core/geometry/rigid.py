"""Rigid transforms named target_from_source."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from rs_ml_perception.core.errors import InputError


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
        """From parts of rigid transforms: only overflow is left to check, the rest costs more."""
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
        """The transform at a fraction of the way to another one, as tf2 has it.

        The translation is linear; the rotation turns at constant speed about one axis (slerp).
        """
        turn, _ = cv2.Rodrigues(self.rotation.T @ other.rotation)
        part, _ = cv2.Rodrigues(turn * fraction)
        step_m = other.translation_m - self.translation_m
        return RigidTransform(self.rotation @ part, self.translation_m + fraction * step_m)

    def apply(self, points_m: np.ndarray) -> np.ndarray:
        """Move points of shape (..., 3), metres; NaN stays NaN."""
        return points_m @ self.rotation.T + self.translation_m


def _not_rigid(rotation: np.ndarray, translation_m: np.ndarray) -> InputError:
    return InputError(
        f'not a rigid transform: rotation {rotation.tolist()}, '
        f'translation {translation_m.tolist()}'
    )
