"""Planes through depth maps, and how far their points stray from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.intrinsics import Intrinsics


@dataclass(frozen=True)
class Plane:
    """A least-squares plane in the optical frame.

    Attributes:
        centroid_m: float64 (3,), a point of it.
        normal: float64 (3,), unit length, towards the camera.
        rms_m: root mean square distance of the points [m]; NaN for fewer than three.
        count: points that it was fitted to.
    """

    centroid_m: np.ndarray
    normal: np.ndarray
    rms_m: float
    count: int

    def distances_m(self, points_in_camera: np.ndarray) -> np.ndarray:
        """Absolute distances (...) of points (..., 3)."""
        return np.abs((points_in_camera - self.centroid_m) @ self.normal)


def fit_plane(points_in_camera: np.ndarray) -> Plane:
    """The plane through points (N, 3) by principal components.

    The normal belongs to the smallest eigenvalue of the covariance (divided by N - 1), whose
    square root rms_m is, as in `tools/rmse.py` of librealsense's TensorFlow wrapper.
    """
    count = len(points_in_camera)
    if count < 3:
        return Plane(np.full(3, math.nan), np.full(3, math.nan), math.nan, count)
    centroid, normal, rms = _fits(points_in_camera.T[None], np.ones((1, count), bool))
    return Plane(centroid[0], normal[0], float(rms[0]), count)


def fit_in_roi(
    depth_m: np.ndarray,
    roi: tuple[int, int, int, int],
    intrinsics: Intrinsics | None = None,
) -> tuple[Plane, np.ndarray]:
    """The plane of the measured pixels in a rectangle, and their distances from it.

    Args:
        depth_m: (H, W), 0 or NaN = nothing measured.
        roi: (x, y, width, height) pixels.
        intrinsics: of the map; None: focal lengths of one picture width and height, as the
            librealsense tool assumes.

    Returns:
        The plane and float64 (height, width) absolute distances [m], NaN where nothing was
        measured.

    Raises:
        InputError: the rectangle is empty or reaches beyond the picture.
    """
    x, y, width, height = roi
    rows, columns = depth_m.shape
    if min(width, height) < 1 or x < 0 or y < 0 or x + width > columns or y + height > rows:
        raise InputError(f'region {roi} (x, y, width, height) is not inside {columns} x {rows}')
    points = points_of(depth_m.astype(np.float64), intrinsics)[y : y + height, x : x + width]
    measured = points[..., 2] > 0
    plane = fit_plane(points[measured])
    return plane, np.where(measured, plane.distances_m(points), math.nan)


def points_of(depth_m: np.ndarray, intrinsics: Intrinsics | None = None) -> np.ndarray:
    """Points in the optical frame (H, W, 3) in the type of the map; 0 where nothing is known."""
    height, width = depth_m.shape
    camera = intrinsics or Intrinsics(width, height, width, height, width / 2, height / 2)
    if (camera.width, camera.height) != (width, height):
        raise InputError(
            f'intrinsics are of {camera.width} x {camera.height}, the depth map is '
            f'{width} x {height}; resize the intrinsics'
        )
    z = np.nan_to_num(depth_m, posinf=0.0, neginf=0.0)
    u, v = np.arange(width) - camera.cx, np.arange(height) - camera.cy
    x, y = (u / camera.fx).astype(z.dtype), (v / camera.fy).astype(z.dtype)
    return np.stack([z * x, z * y[:, None], z], axis=-1)


def planes_of_windows(points_in_camera: np.ndarray, valid: np.ndarray, side: int) -> np.ndarray:
    """RMS distance [m] from the plane of each window of side x side pixels.

    Args:
        points_in_camera: (H, W, 3).
        valid: bool (H, W).
        side: of the windows [px]; rows and columns beyond the last whole window are left out.

    Returns:
        (rows, columns), NaN below three valid points.
    """
    rows, columns = valid.shape[0] // side, valid.shape[1] // side
    points = _windows(points_in_camera, rows, columns, side)
    used = _windows(valid[..., None], rows, columns, side)[:, 0]
    return _fits(points, used)[2].reshape(rows, columns)


def _windows(maps: np.ndarray, rows: int, columns: int, side: int) -> np.ndarray:
    """(H, W, C) as (rows * columns, C, side * side)."""
    channels = maps.shape[-1]
    maps = maps[: rows * side, : columns * side]
    maps = maps.reshape(rows, side, columns, side, channels).transpose(0, 2, 4, 1, 3)
    return maps.reshape(rows * columns, channels, side * side)


def _fits(points: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centroids (N, 3), normals (N, 3) and RMS (N,) of N sets of points (N, 3, P)."""
    count = used.sum(axis=1)
    weight = used.astype(points.dtype)
    centroid = np.einsum('nip,np->ni', points, weight) / np.maximum(count, 1)[:, None]
    spread = (points - centroid[..., None].astype(points.dtype)) * weight[:, None]
    covariance = np.einsum('nip,njp->nij', spread, spread)
    normal = np.linalg.eigh(covariance)[1][..., 0]
    normal = np.where(np.sum(normal * centroid, axis=1, keepdims=True) > 0, -normal, normal)
    # The eigenvalue says the same, but in single precision only to 0.1 mm.
    distance = np.einsum('nip,ni->np', spread, normal)
    rms = np.sqrt(np.square(distance).sum(axis=1) / np.maximum(count - 1, 1))
    return centroid, normal, np.where(count >= 3, rms, math.nan)
