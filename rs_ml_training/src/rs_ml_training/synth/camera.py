"""Cameras and where they stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_training.synth.vectors import rotation_about_y, rotation_about_z

STANDARD_GRAVITY = 9.80665

_WORLD_FROM_OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Optical axes (x right, y down, z forward) of a level camera that looks along world x."""


@dataclass(frozen=True)
class CameraPose:
    """Where a camera stands, above the origin of the world unless said otherwise.

    Attributes:
        height_m: of the optical centre above the floor.
        pitch_rad: positive looks up.
        roll_rad: positive turns the camera clockwise as seen from behind it.
        yaw_rad: positive looks to the left of world x.
        x_m, y_m: of the optical centre along the floor.
    """

    height_m: float
    pitch_rad: float = 0.0
    roll_rad: float = 0.0
    yaw_rad: float = 0.0
    x_m: float = 0.0
    y_m: float = 0.0

    @property
    def position(self) -> np.ndarray:
        return np.array([self.x_m, self.y_m, self.height_m])

    @property
    def world_from_camera(self) -> np.ndarray:
        """Rotation of optical axes into world axes, float64 (3, 3)."""
        c, s = np.cos(self.roll_rad), np.sin(self.roll_rad)
        roll = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        tilt = rotation_about_z(self.yaw_rad) @ rotation_about_y(-self.pitch_rad)
        return tilt @ _WORLD_FROM_OPTICAL @ roll

    @property
    def up_in_camera(self) -> np.ndarray:
        """World z in optical axes, float64 (3,), unit."""
        return self.world_from_camera[2]

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) in the optical frame."""
        return (points - self.position) @ self.world_from_camera


def accelerometer_samples(
    pose: CameraPose,
    rng: np.random.Generator,
    *,
    count: int = 20,
    noise: float = 0.05,
    bias: float = 0.05,
) -> np.ndarray:
    """Readings of a camera at rest.

    Args:
        pose: where the camera looks.
        rng: source of noise.
        count: number of samples.
        noise: [m/s2] standard deviation of each reading.
        bias: [m/s2] standard deviation of the constant error of each axis.

    Returns:
        float64 (count, 3), m/s2, in axes parallel to the optical frame.
    """
    rest = STANDARD_GRAVITY * pose.up_in_camera + rng.normal(0.0, bias, 3)
    return rest + rng.normal(0.0, noise, (count, 3))
