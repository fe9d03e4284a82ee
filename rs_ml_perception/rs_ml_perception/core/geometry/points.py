"""Organised point clouds, and the bytes of a PointCloud2."""

from __future__ import annotations

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.projection import deproject

POINT_FIELDS = ('x', 'y', 'z', 'rgb')
"""Names of the float32 fields of `packed_points`, 4 bytes each, in order."""


def organized_points(depth_m: np.ndarray, camera: CameraModel) -> np.ndarray:
    """One point per pixel.

    Args:
        depth_m: float32 (H, W), metres, NaN where invalid.
        camera: intrinsics of the depth image, of the same size.

    Returns:
        float32 (H, W, 3), metres, in the optical frame of the depth image; NaN where invalid.

    Raises:
        InputError: depth and camera differ in size.
    """
    if depth_m.shape != (camera.height, camera.width):
        raise InputError(
            f'camera_info is for an image of {camera.width}x{camera.height}, the depth has '
            f'{depth_m.shape[1]}x{depth_m.shape[0]}: take the camera_info of the depth topic'
        )
    return deproject(depth_m, camera)


def packed_points(depth_m: np.ndarray, camera: CameraModel, rgb: np.ndarray) -> np.ndarray:
    """One coloured point per pixel, laid out as sensor_msgs/PointCloud2 wants it.

    Args:
        depth_m: float32 (H, W), metres, NaN where invalid.
        camera: intrinsics of the depth image, of the same size.
        rgb: uint8 (H, W, 3), RGB, pixel by pixel the colours of the depth.

    Returns:
        float32 (H, W, 4), the fields of `POINT_FIELDS`; the bits of the last are 0x00RRGGBB,
        the custom of PCL and RViz.

    Raises:
        InputError: the sizes differ.
    """
    if rgb.shape != (*depth_m.shape, 3):
        raise InputError(f'colours must have shape {(*depth_m.shape, 3)}, got {rgb.shape}')
    packed = np.empty((*depth_m.shape, 4), np.float32)
    packed[..., :3] = organized_points(depth_m, camera)
    colors = rgb.astype(np.uint32)
    packed.view(np.uint32)[..., 3] = colors[..., 0] << 16 | colors[..., 1] << 8 | colors[..., 2]
    return packed
