"""Which way is up, from the best source at hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from rs_ml_perception.core.geometry.gravity import Up, up_from_accelerometer, up_from_rotation
from rs_ml_perception.core.geometry.rigid import RigidTransform

WINDOW_NS = 500_000_000
"""Accelerometer samples averaged: half a second, 30 to 200 samples of a D435i."""

MAX_SAMPLES = 400

MAX_READING = 1000.0
"""[m/s2] Six times the widest range of the cameras' accelerometers."""

Lookup = Callable[[str, str, int], RigidTransform | None]
"""(target, source, stamp_ns) -> target_from_source."""


class UpSource:
    """TF when a gravity frame is named, else the accelerometer, else None: look at the floor.

    Attributes:
        problem: why the source asked for gave nothing, '' when it did or none was asked for.
        reading_problem: why the latest reading was left out, '' when it was not.
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
        """Note one reading, m/s2, in the IMU's optical frame; an impossible one is left out."""
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
        """Up in the colour optical frame at a time; None: neither source knows it."""
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
