"""sensor_msgs/CameraInfo to and from CameraModel."""

from __future__ import annotations

from typing import Any

import numpy as np
from sensor_msgs.msg import CameraInfo

from rs_ml_perception.core.camera import CameraModel


def camera_model(info: CameraInfo) -> CameraModel:
    """Intrinsics of the full image the message describes, its binning and ROI applied.

    Raises:
        InputError: NaN or zero focal lengths (an uncalibrated camera).
    """
    k = info.k
    model = CameraModel(
        width=info.width,
        height=info.height,
        fx=float(k[0]),
        fy=float(k[4]),
        cx=float(k[2]),
        cy=float(k[5]),
        distortion_model=info.distortion_model,
        distortion=tuple(float(value) for value in info.d),
    )
    roi = info.roi
    if roi.width and roi.height:
        model = model.cropped(roi.x_offset, roi.y_offset, roi.width, roi.height)
    bin_x, bin_y = max(info.binning_x, 1), max(info.binning_y, 1)
    if bin_x > 1 or bin_y > 1:
        model = model.resized(model.width // bin_x, model.height // bin_y)
    return model


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
