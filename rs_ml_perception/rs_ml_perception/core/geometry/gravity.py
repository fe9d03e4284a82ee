"""Which way is up, and who says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.geometry.projection import unit
from rs_ml_perception.core.geometry.rigid import RigidTransform
from rs_ml_perception.core.people.heights import UpMethod

STANDARD_GRAVITY = 9.80665
"""Metres per square second."""

MAX_DEVIATION = 0.6
"""[m/s2] The mean reading may be off 1 g by 6 %: the bias of an uncalibrated D435i stays below."""

MAX_SPREAD = 1.0
"""[m/s2] Standard deviation of one axis over the samples: more, and the camera is being moved."""


@dataclass(frozen=True, eq=False)
class Up:
    """The direction against gravity.

    Attributes:
        vector: float64 (3,), unit, in the optical frame of the colour image (x right, y down).
        method: where it comes from.
    """

    vector: np.ndarray
    method: UpMethod

    def __post_init__(self) -> None:
        vector = np.asarray(self.vector, np.float64)
        if vector.shape != (3,) or not np.linalg.norm(vector) > 1e-6:
            raise ValueError(f'up must be a vector of shape (3,) and not zero, got {vector}')
        object.__setattr__(self, 'vector', unit(vector))


def camera_vertical() -> Up:
    """Up of a camera that is taken to be level: against the image's y."""
    return Up(np.array([0.0, -1.0, 0.0]), UpMethod.CAMERA_VERTICAL)


def up_from_accelerometer(
    samples: np.ndarray, color_from_imu: RigidTransform | None = None
) -> Up | None:
    """Up by the mean of some accelerometer readings.

    At rest an accelerometer measures the force that holds it up: its reading points up (REP-145).

    Args:
        samples: float (N, 3) or (3,), m/s2, in the optical frame of the IMU, as realsense2_camera
            publishes `accel/sample`.
        color_from_imu: extrinsics; None where both frames have the same axes.

    Returns:
        None while that is not gravity alone: no finite sample, a mean more than MAX_DEVIATION from
        1 g, or readings that spread by more than MAX_SPREAD.
    """
    samples = np.asarray(samples, np.float64).reshape(-1, 3)
    samples = samples[np.isfinite(samples).all(axis=1)]
    if len(samples) == 0 or samples.std(axis=0).max() > MAX_SPREAD:
        return None
    mean = samples.mean(axis=0)
    if abs(np.linalg.norm(mean) - STANDARD_GRAVITY) > MAX_DEVIATION:
        return None
    rotation = np.eye(3) if color_from_imu is None else color_from_imu.rotation
    return Up(rotation @ mean, UpMethod.IMU)


def up_from_rotation(camera_from_gravity_frame: RigidTransform | np.ndarray) -> Up:
    """Up as the z axis of a frame that stands upright (REP-103: z up), for instance by TF.

    Args:
        camera_from_gravity_frame: transform, or its rotation (3, 3), into the optical frame.
    """
    if not isinstance(camera_from_gravity_frame, RigidTransform):
        camera_from_gravity_frame = RigidTransform(camera_from_gravity_frame, np.zeros(3))
    return Up(camera_from_gravity_frame.rotation[:, 2], UpMethod.TF)
