"""Intrinsics of a typical device, for pictures that come without theirs."""

from __future__ import annotations

from rs_ml_perception.core.geometry.camera import CameraModel

D435_DEPTH = (
    CameraModel(848, 480, 421.5, 421.5, 424.3, 239.4),
    CameraModel(1280, 720, 636.2, 636.2, 640.7, 359.6),
    CameraModel(640, 480, 383.2, 383.2, 320.6, 238.1),
)
"""Depth cameras of a D435 at the sizes of its driver; other devices of the size differ by a few
per cent."""


def d435_depth_camera(width: int, height: int) -> CameraModel:
    """The depth camera of a typical D435; other sizes are 848x480 stretched."""
    for camera in D435_DEPTH:
        if (camera.width, camera.height) == (width, height):
            return camera
    return D435_DEPTH[0].resized(width, height)
