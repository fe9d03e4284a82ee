"""The cameras of one device and how they sit beside each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.geometry.camera import D435_DEPTH, CameraModel

DEPTH_848, DEPTH_1280, DEPTH_640 = D435_DEPTH
COLOR_640 = CameraModel(640, 480, 613.2, 613.4, 319.9, 239.2)
COLOR_848 = CameraModel(848, 480, 614.2, 614.4, 426.1, 244.7)
COLOR_1280 = CameraModel(1280, 720, 921.3, 921.6, 639.4, 367.3)
BASELINE_M = 0.05
COLOR_LEFT_OF_DEPTH_M = 0.015
PROJECTOR_FROM_LEFT_M = 0.029


@dataclass(frozen=True, eq=False)
class Rig:
    """A D435: two rectified infrared imagers, a dot projector and a colour camera.

    Attributes:
        depth: of both infrared imagers; depth images are those of the left one.
        color: of the colour camera.
        baseline_m: from the left to the right imager along x.
        projector_m: from the left imager to the projector along x.
        color_from_depth: float64 (4, 4), points of the left imager's optical frame [m] in the
            colour camera's optical frame.
    """

    depth: CameraModel
    color: CameraModel
    baseline_m: float
    projector_m: float
    color_from_depth: np.ndarray

    def __post_init__(self) -> None:
        if not 0.01 <= self.baseline_m <= 0.5:
            raise ConfigError(f'baseline_m must be within 0.01 to 0.5 m, got {self.baseline_m}')

    @property
    def focal_baseline(self) -> float:
        """Disparity [px] at 1 m."""
        return self.depth.fx * self.baseline_m


_DEPTH = {(c.width, c.height): c for c in (DEPTH_848, DEPTH_1280, DEPTH_640)}
_COLOR = {(c.width, c.height): c for c in (COLOR_848, COLOR_1280, COLOR_640)}


def d435(size: tuple[int, int] = (848, 480), color_size: tuple[int, int] | None = None) -> Rig:
    """The typical device, its colour camera 15 mm to the left of the left imager.

    Args:
        size: (width, height) of the depth images [px]; 848x480, 1280x720 and 640x480 are those
            of a D435, others are 848x480 stretched.
        color_size: (width, height) of the colour images [px], `size` if left out.
    """
    color_size = color_size or size
    color_from_depth = np.eye(4)
    color_from_depth[0, 3] = COLOR_LEFT_OF_DEPTH_M
    depth = _DEPTH.get(size) or DEPTH_848.resized(*size)
    color = _COLOR.get(color_size) or COLOR_848.resized(*color_size)
    return Rig(depth, color, BASELINE_M, PROJECTOR_FROM_LEFT_M, color_from_depth)
