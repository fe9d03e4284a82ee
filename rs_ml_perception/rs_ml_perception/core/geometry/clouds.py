"""Points, normals and coloured point clouds of depth maps."""

from __future__ import annotations

import cv2
import numpy as np

from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.projection import camera_rays

EDGE_LIMIT = 0.015
"""Relative change of depth per pixel; networks smear an edge over several pixels. A level floor is
as steep 67 pixels below the horizon."""

_VERTEX = np.dtype([('xyz', '<f4', 3), ('rgb', 'u1', 3)])
_HEADER = (
    'ply\nformat binary_little_endian 1.0\nelement vertex {count}\n'
    'property float x\nproperty float y\nproperty float z\n'
    'property uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n'
)


def sphere_rays(width: int, height: int) -> np.ndarray:
    """Unit directions of an equirectangular image, float64 (H, W, 3), x right, y down, z ahead.

    The middle column looks ahead, the uppermost row up.
    """
    longitude = ((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi
    latitude = (0.5 - (np.arange(height) + 0.5) / height) * np.pi
    level = np.cos(latitude)[:, None]
    x, z = level * np.sin(longitude), level * np.cos(longitude)
    y = np.broadcast_to(-np.sin(latitude)[:, None], x.shape)
    return np.stack([x, y, z], axis=-1)


def points_of(depth_m: np.ndarray, camera: CameraModel | None) -> np.ndarray:
    """Points in the camera's axes, float32 (H, W, 3) metres, NaN where depth is unknown.

    Args:
        depth_m: (H, W), metres; NaN or 0 unknown.
        camera: pinhole of the depth map; None: it is a panorama with depth along the ray.
    """
    height, width = depth_m.shape
    rays = sphere_rays(width, height) if camera is None else camera_rays(camera)
    known = np.where(depth_m > 0, depth_m, np.nan)
    return (rays * known[..., None]).astype(np.float32)


def normals_of(points: np.ndarray) -> np.ndarray:
    """Unit normals towards the camera, float32 (H, W, 3), of organised points (H, W, 3).

    From central differences of the neighbours left and right, above and below; NaN where one of
    them is unknown, and at the border.
    """
    normals = np.full_like(points, np.nan)
    right = points[1:-1, 2:] - points[1:-1, :-2]
    down = points[2:, 1:-1] - points[:-2, 1:-1]
    inner = np.cross(right, down)
    length = np.linalg.norm(inner, axis=2, keepdims=True)
    inner = inner / np.where(length > 0, length, np.nan)
    away = (inner * points[1:-1, 1:-1]).sum(axis=2, keepdims=True) > 0
    normals[1:-1, 1:-1] = np.where(away, -inner, inner)
    return normals


def is_edge(depth_m: np.ndarray, limit: float = EDGE_LIMIT) -> np.ndarray:
    """Where depth changes steeply, or borders on unknown depth; bool (H, W).

    Args:
        depth_m: (H, W), metres; NaN or 0 unknown.
        limit: Sobel gradient of the logarithm of depth, per pixel.
    """
    known = np.nan_to_num(depth_m).astype(np.float32)
    logarithm = np.log(np.maximum(known, np.float32(1e-3)))
    across = cv2.Sobel(logarithm, cv2.CV_32F, 1, 0, scale=0.125)
    along = cv2.Sobel(logarithm, cv2.CV_32F, 0, 1, scale=0.125)
    return np.hypot(across, along) > limit


def ply_bytes(points: np.ndarray, rgb: np.ndarray, keep: np.ndarray | None = None) -> bytes:
    """A binary PLY file of coloured points.

    Args:
        points: float32 (H, W, 3) metres; points that are not finite are left out.
        rgb: uint8 (H, W, 3).
        keep: bool (H, W) or None: all.
    """
    chosen = np.isfinite(points).all(axis=2)
    if keep is not None:
        chosen &= keep
    vertices = np.empty(np.count_nonzero(chosen), _VERTEX)
    vertices['xyz'], vertices['rgb'] = points[chosen], rgb[chosen]
    return _HEADER.format(count=len(vertices)).encode() + vertices.tobytes()
