"""The cameras of a device, where they sit, and the readings of its accelerometer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.geometry.camera import D435_DEPTH, CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform

from rs_ml_training.synth.numerics import rotation_about_y, rotation_about_z

DEPTH_848, DEPTH_1280, DEPTH_640 = D435_DEPTH
COLOR_640 = CameraModel(640, 480, 613.2, 613.4, 319.9, 239.2)
COLOR_848 = CameraModel(848, 480, 614.2, 614.4, 426.1, 244.7)
COLOR_1280 = CameraModel(1280, 720, 921.3, 921.6, 639.4, 367.3)
BASELINE_M = 0.05
COLOR_LEFT_OF_DEPTH_M = 0.015
PROJECTOR_FROM_LEFT_M = 0.029

_DEPTH = {(c.width, c.height): c for c in (DEPTH_848, DEPTH_1280, DEPTH_640)}

_COLOR = {(c.width, c.height): c for c in (COLOR_848, COLOR_1280, COLOR_640)}

STANDARD_GRAVITY = 9.80665

_WORLD_FROM_OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Optical axes (x right, y down, z forward) of a level camera that looks along world x."""


@dataclass(frozen=True, eq=False)
class Rig:
    """A D435: two rectified infrared imagers, a dot projector and a colour camera.

    Attributes:
        depth: of both infrared imagers; depth images are those of the left one.
        color: of the colour camera.
        baseline_m: from the left to the right imager along x.
        projector_m: from the left imager to the projector along x.
        color_from_depth: from the left imager's optical frame to the colour camera's.
    """

    depth: CameraModel
    color: CameraModel
    baseline_m: float
    projector_m: float
    color_from_depth: RigidTransform

    def __post_init__(self) -> None:
        if not 0.01 <= self.baseline_m <= 0.5:
            raise ConfigError(f'baseline_m must be within 0.01 to 0.5 m, got {self.baseline_m}')

    @property
    def focal_baseline(self) -> float:
        """Disparity [px] at 1 m."""
        return self.depth.fx * self.baseline_m


def d435(size: tuple[int, int] = (848, 480), color_size: tuple[int, int] | None = None) -> Rig:
    """The typical device, its colour camera 15 mm to the left of the left imager.

    Args:
        size: (width, height) of the depth images [px]; 848x480, 1280x720 and 640x480 are those
            of a D435, others are 848x480 stretched.
        color_size: (width, height) of the colour images [px], `size` if left out.
    """
    color_size = color_size or size
    color_from_depth = RigidTransform(np.eye(3), np.array([COLOR_LEFT_OF_DEPTH_M, 0.0, 0.0]))
    depth = _DEPTH.get(size) or DEPTH_848.resized(*size)
    color = _COLOR.get(color_size) or COLOR_848.resized(*color_size)
    return Rig(depth, color, BASELINE_M, PROJECTOR_FROM_LEFT_M, color_from_depth)


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
        roll = rotation_about_z(self.roll_rad)
        tilt = rotation_about_z(self.yaw_rad) @ rotation_about_y(-self.pitch_rad)
        return tilt @ _WORLD_FROM_OPTICAL @ roll

    @property
    def up_in_camera(self) -> np.ndarray:
        """World z in optical axes, float64 (3,), unit."""
        return self.world_from_camera[2]


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
