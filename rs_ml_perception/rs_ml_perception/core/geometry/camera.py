"""Pinhole camera models that follow every resize and crop, and those of a typical D435."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.distortion import check_lens

_SMALLEST_FOCAL_PX = 1e-3
_LARGEST_PX = 1e7
"""Positions overflow float32 beyond these limits; no real lens comes close, cropped or not."""


@dataclass(frozen=True)
class CameraModel:
    """Intrinsics of one image. Pixel centres lie at integer coordinates (librealsense, ROS).

    Attributes:
        width, height: image size in pixels.
        fx, fy: focal lengths in pixels.
        cx, cy: principal point in pixels.
        distortion_model: as in sensor_msgs/CameraInfo ('' and all-zero coefficients: none).
        distortion: coefficients in the order of that model.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion_model: str = ''
    distortion: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        values = (self.fx, self.fy, self.cx, self.cy, *self.distortion)
        if not np.all(np.isfinite(values)):
            raise InputError(f'camera intrinsics must be finite, got {values}: check camera_info')
        if self.fx <= 0 or self.fy <= 0:
            raise InputError(
                f'focal lengths must be positive, got fx={self.fx} fy={self.fy}: '
                'the camera is not calibrated'
            )
        if min(self.fx, self.fy) < _SMALLEST_FOCAL_PX or max(map(abs, values)) > _LARGEST_PX:
            raise InputError(
                f'no camera has fx={self.fx:g} fy={self.fy:g} cx={self.cx:g} cy={self.cy:g} and '
                f'distortion {list(self.distortion)}: check camera_info'
            )
        if self.width <= 0 or self.height <= 0:
            raise InputError(f'image size must be positive, got {self.width}x{self.height}')

    @property
    def matrix(self) -> np.ndarray:
        """float64 (3, 3), the camera matrix K."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    @property
    def is_distorted(self) -> bool:
        return any(self.distortion)

    @property
    def lens_problem(self) -> str:
        """Why pixels cannot be turned into directions, '' if they can.

        Focal lengths remain usable.
        """
        try:
            check_lens(self.distortion_model, self.distortion)
        except InputError as error:
            return str(error)
        return ''

    def resized(self, width: int, height: int) -> CameraModel:
        """The model of the image resampled to width x height pixels."""
        sx, sy = width / self.width, height / self.height
        return replace(
            self,
            width=width,
            height=height,
            fx=self.fx * sx,
            fy=self.fy * sy,
            cx=(self.cx + 0.5) * sx - 0.5,
            cy=(self.cy + 0.5) * sy - 0.5,
        )

    def cropped(self, x: int, y: int, width: int, height: int) -> CameraModel:
        """The model of the sub-image whose upper left pixel is (x, y)."""
        return replace(self, width=width, height=height, cx=self.cx - x, cy=self.cy - y)


D435_DEPTH = (
    CameraModel(848, 480, 421.5, 421.5, 424.3, 239.4),
    CameraModel(1280, 720, 636.2, 636.2, 640.7, 359.6),
    CameraModel(640, 480, 383.2, 383.2, 320.6, 238.1),
)
"""Depth cameras of a D435 at the sizes of its driver; devices differ by a few per cent."""


def d435_depth_camera(width: int, height: int) -> CameraModel:
    """The depth camera of a typical D435; other sizes are 848x480 stretched."""
    for camera in D435_DEPTH:
        if (camera.width, camera.height) == (width, height):
            return camera
    return D435_DEPTH[0].resized(width, height)
