"""CameraModel to sensor_msgs/CameraInfo."""

from __future__ import annotations

from typing import Any

import numpy as np
from sensor_msgs.msg import CameraInfo

from rs_ml_perception.core.geometry.camera import CameraModel


def camera_info(camera: CameraModel, header: Any) -> CameraInfo:
    """A message for an image with these intrinsics: K and P agree, no ROI, no binning left."""
    info = CameraInfo(header=header, width=camera.width, height=camera.height)
    info.distortion_model = camera.distortion_model or 'plumb_bob'
    info.d = list(camera.distortion) or [0.0] * 5
    info.k = camera.matrix.ravel().tolist()
    info.r = np.eye(3).ravel().tolist()
    p = np.zeros((3, 4))
    p[:, :3] = camera.matrix
    info.p = p.ravel().tolist()
    return info
