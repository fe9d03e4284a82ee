"""The direction of up, from TF, an accelerometer or the floor."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from rs_ml_perception.core.geometry.projection import unit
from rs_ml_perception.core.geometry.transforms import RigidTransform

STANDARD_GRAVITY = 9.80665
"""Metres per square second."""

MAX_DEVIATION = 0.6
"""[m/s2] Deviation of the mean reading from 1 g, 6 %: above the bias of an uncalibrated D435i."""

MAX_SPREAD = 1.0
"""[m/s2] Standard deviation of one axis over the samples; above it the camera is moving."""


WINDOW_NS = 500_000_000
"""Accelerometer samples averaged: half a second, 30 to 200 samples of a D435i."""

MAX_SAMPLES = 400
MAX_READING = 1000.0
"""[m/s2] Six times the widest range of the cameras' accelerometers."""

Lookup = Callable[[str, str, int], RigidTransform | None]
"""(target, source, stamp_ns) -> target_from_source."""


class UpMethod(IntEnum):
    """Source of the direction of up; numbers as in rs_ml_msgs/PersonHeight."""

    CAMERA_VERTICAL = 0
    IMU = 1
    TF = 2
    FLOOR_PLANE = 3


@dataclass(frozen=True, eq=False)
class Up:
    """The direction against gravity.

    Attributes:
        vector: float64 (3,), unit, in the optical frame of the colour image (x right, y down).
        method: its source.
    """

    vector: np.ndarray
    method: UpMethod

    def __post_init__(self) -> None:
        vector = np.asarray(self.vector, np.float64)
        if vector.shape != (3,) or not np.linalg.norm(vector) > 1e-6:
            raise ValueError(f'up must be a vector of shape (3,) and not zero, got {vector}')
        object.__setattr__(self, 'vector', unit(vector))


def camera_vertical() -> Up:
    """Up of a camera that is assumed level: against the y axis of the image."""
    return Up(np.array([0.0, -1.0, 0.0]), UpMethod.CAMERA_VERTICAL)


def up_from_accelerometer(
    samples: np.ndarray, color_from_imu: RigidTransform | None = None
) -> Up | None:
    """Up from the mean of accelerometer readings.

    At rest an accelerometer measures the supporting force, so its reading points up (REP-145).

    Args:
        samples: float (N, 3) or (3,), m/s2, in the optical frame of the IMU, as realsense2_camera
            publishes `accel/sample`.
        color_from_imu: extrinsics; None if both frames have the same axes.

    Returns:
        None if the readings are not gravity alone: no finite sample, a mean more than
        MAX_DEVIATION from 1 g, or a spread above MAX_SPREAD.
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
    """Up as the z axis of an upright frame (REP-103: z up), for instance from TF.

    Args:
        camera_from_gravity_frame: transform, or its rotation (3, 3), into the optical frame.
    """
    if not isinstance(camera_from_gravity_frame, RigidTransform):
        camera_from_gravity_frame = RigidTransform(camera_from_gravity_frame, np.zeros(3))
    return Up(camera_from_gravity_frame.rotation[:, 2], UpMethod.TF)


class UpSource:
    """Up from TF if a gravity frame is named, else from the accelerometer, else None.

    Attributes:
        problem: why the requested source gave nothing, '' if it did or none was requested.
        reading_problem: why the latest reading was rejected, '' if it was not.
    """

    def __init__(self, lookup: Lookup) -> None:
        self.problem = ''
        self.reading_problem = ''
        self._lookup = lookup
        self._samples: deque[tuple[int, str, tuple[float, float, float]]] = deque(
            maxlen=MAX_SAMPLES
        )

    def add_acceleration(
        self, stamp_ns: int, frame_id: str, acceleration: tuple[float, float, float]
    ) -> None:
        """Add one reading, m/s2, in the optical frame of the IMU; impossible ones are rejected."""
        # NaN compares false.
        if not all(abs(component) < MAX_READING for component in acceleration):
            self.reading_problem = (
                f'accelerometer readings of {frame_id!r} are no accelerations, '
                f'{list(acceleration)} m/s2: up is found without them; check the IMU driver'
            )
            return
        self.reading_problem = ''
        if self._samples and stamp_ns < self._samples[-1][0]:
            self._samples.clear()
        self._samples.append((stamp_ns, frame_id, acceleration))

    def up(self, camera_frame: str, stamp_ns: int, gravity_frame: str) -> Up | None:
        """Up in the colour optical frame at a time; None if neither source gives it."""
        self.problem = ''
        if gravity_frame:
            camera_from_gravity = self._lookup(camera_frame, gravity_frame, stamp_ns)
            if camera_from_gravity is not None:
                return up_from_rotation(camera_from_gravity)
            self.problem = f'no transform from gravity_frame {gravity_frame} to {camera_frame}'
        return self._by_accelerometer(camera_frame, stamp_ns)

    def _by_accelerometer(self, camera_frame: str, stamp_ns: int) -> Up | None:
        recent = [s for s in tuple(self._samples) if abs(stamp_ns - s[0]) <= WINDOW_NS]
        if not recent:
            return None
        # Without TF the IMU's optical frame counts as parallel to the camera's, which holds
        # within a degree on every D4xx with an IMU.
        camera_from_imu = self._lookup(camera_frame, recent[-1][1], stamp_ns)
        return up_from_accelerometer(np.array([s[2] for s in recent]), camera_from_imu)
