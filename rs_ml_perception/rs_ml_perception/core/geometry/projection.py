"""From pixels to points and back, and the bytes of a PointCloud2."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.distortion import distort, undistort

POINT_FIELDS = ('x', 'y', 'z', 'rgb')
"""Names of the float32 fields of `packed_points`, 4 bytes each, in order."""


_FEW = 2000
"""Up to so many values are sorted faster than they are partitioned."""


@lru_cache(maxsize=8)
def ray_planes(camera: CameraModel) -> tuple[np.ndarray, np.ndarray]:
    """x/z and y/z of every pixel centre, computed once per camera.

    Returns:
        Two of float32 (H, W), read-only, free of distortion. Without distortion they repeat one
        row and one column, which stay in the CPU cache.
    """
    shape = (camera.height, camera.width)
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    rays = pixel_rays(np.stack([u, v], axis=-1), camera).astype(np.float32)
    x, y = rays[..., 0].copy(), rays[..., 1].copy()
    if not camera.is_distorted:
        x, y = x[:1].copy(), y[:, :1].copy()
    return np.broadcast_to(x, shape), np.broadcast_to(y, shape)


def pixel_rays(pixels: np.ndarray, camera: CameraModel) -> np.ndarray:
    """x/z and y/z of pixels (..., 2) given as u, v; float64 (..., 2)."""
    xy = (np.asarray(pixels, np.float64) - (camera.cx, camera.cy)) / (camera.fx, camera.fy)
    return undistort(xy, camera.distortion_model, camera.distortion)


def camera_rays(camera: CameraModel) -> np.ndarray:
    """Directions of all pixel centres with z = 1, float64 (H, W, 3), free of distortion."""
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    xy = pixel_rays(np.stack([u, v], axis=-1), camera)
    return np.concatenate([xy, np.ones_like(xy[..., :1])], axis=-1)


def deproject(
    depth_m: np.ndarray, camera: CameraModel, *, x_min: int = 0, y_min: int = 0, step: int = 1
) -> np.ndarray:
    """Points of a depth window.

    Args:
        depth_m: float32 (h, w), metres, NaN where invalid: rows and columns
            `y_min + step * i`, `x_min + step * j` of the image of `camera`.
        camera: intrinsics of the whole depth image.
        x_min: column of the window's first pixel.
        y_min: row of the window's first pixel.
        step: pixels from one sample to the next.

    Returns:
        float32 (h, w, 3), metres, in the optical frame of that image; NaN where invalid. Each
        coordinate is a plane in memory: numpy is several times as fast along w as along 3.
    """
    h, w = depth_m.shape
    window = np.s_[y_min : y_min + h * step : step, x_min : x_min + w * step : step]
    planes = np.empty((3, h, w), np.float32)
    for plane, rays in zip(planes, ray_planes(camera), strict=False):
        np.multiply(rays[window], depth_m, out=plane)
    planes[2] = depth_m
    return planes.transpose(1, 2, 0)


def project(points_m: np.ndarray, camera: CameraModel) -> np.ndarray:
    """Pixels at which points appear.

    Args:
        points_m: (..., 3), metres, in the optical frame of `camera`.
        camera: its intrinsics.

    Returns:
        (..., 2), u and v in pixels, not clipped to the image; NaN for points not in front of it.
    """
    z = np.where(points_m[..., 2] > 0, points_m[..., 2], np.nan)
    xy = points_m[..., :2] / z[..., None]
    xy = distort(xy, camera.distortion_model, camera.distortion)
    focal = np.array([camera.fx, camera.fy], xy.dtype)
    centre = np.array([camera.cx, camera.cy], xy.dtype)
    return xy * focal + centre


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector scaled to length 1, float64."""
    vector = np.asarray(vector, np.float64)
    return vector / np.linalg.norm(vector)


def horizontal_axes(up: np.ndarray, toward: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (forward, right), both at right angles to up.

    Args:
        up: float64 (3,), unit.
        toward: float64 (3,), any direction not parallel to up; forward is its horizontal part.
    """
    forward = unit(toward - up * (toward @ up))
    (a, b, c), (x, y, z) = forward, up
    return forward, np.array([b * z - c * y, c * x - a * z, a * y - b * x])


def evenly_chosen(values: np.ndarray, *, max_samples: int = 1000) -> np.ndarray:
    """About max_samples of N values, one every few; all if they are fewer."""
    return values[:: max(1, len(values) // max_samples)]


def sampled_median(values: np.ndarray) -> float:
    """Median of some evenly chosen values, which is much cheaper than of all.

    Args:
        values: (N,), free of NaN.

    Returns:
        NaN for N = 0.
    """
    if len(values) == 0:
        return float('nan')
    return median(evenly_chosen(values))


def median(values: np.ndarray) -> float:
    """Median of values (N,), N > 0, free of NaN; `np.median` spends longer on its checks."""
    middle = (len(values) - 1) // 2, len(values) // 2
    ordered = values.copy()
    if len(values) > _FEW:
        ordered.partition(middle)
    else:
        ordered.sort()
    return 0.5 * float(ordered[middle[0]] + ordered[middle[1]])


def sorted_quantiles(ascending: np.ndarray, fractions: Sequence[float]) -> np.ndarray:
    """Quantiles (len(fractions),) of sorted values (N,), N > 0, between neighbours linearly.

    `np.quantile` takes several times as long for some thousand values.
    """
    places = np.multiply(fractions, len(ascending) - 1)
    return np.interp(places, np.arange(len(ascending)), ascending)


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
    """One coloured point per pixel, in the layout of sensor_msgs/PointCloud2.

    Args:
        depth_m: float32 (H, W), metres, NaN where invalid.
        camera: intrinsics of the depth image, of the same size.
        rgb: uint8 (H, W, 3), RGB, pixel by pixel the colours of the depth.

    Returns:
        float32 (H, W, 4), the fields of `POINT_FIELDS`; the bits of the last are 0x00RRGGBB, the
        convention of PCL and RViz.

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
