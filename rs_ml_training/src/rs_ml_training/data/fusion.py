"""Clean depth of a view, fused from neighbouring frames with known poses.

A truncated signed distance (Curless and Levoy, SIGGRAPH 1996) as KinectFusion computes it
(Newcombe et al., ISMAR 2011), not on the cubes of a room but along the rays of the view that is
wanted: distances of a camera to the surface, averaged over the frames, change sign at the surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel

TRUNCATION_M = 0.06
"""Signed distances are clamped to this, about three times the noise of a Kinect at 3 m."""

_COARSE_M, _FINE_M = 0.04, 0.01
_FEWEST_FRAMES = 6
_ROWS = 24
"""Rows of the view at a time, which keeps the arrays in the cache."""


@dataclass(frozen=True, eq=False)
class PosedDepth:
    """A depth map and where it was taken.

    Attributes:
        depth_m: float32 (H, W), 0 where unknown.
        world_from_camera: float64 (4, 4), rigid.
    """

    depth_m: np.ndarray
    world_from_camera: np.ndarray


def fuse_depth(
    frames: Sequence[PosedDepth],
    camera: CameraModel,
    world_from_view: np.ndarray,
    *,
    range_m: tuple[float, float] = (0.4, 4.5),
    step_px: int = 1,
) -> np.ndarray:
    """Depth of a view from other views of a static scene.

    Args:
        frames: other frames of the same camera; without the view's own frame, the noise of that
            frame is not in the result.
        camera: intrinsics of all of them.
        world_from_view: float64 (4, 4), the pose of the view.
        range_m: depth is looked for between these.
        step_px: only every so many rows and columns are computed; the others stay 0.

    Returns:
        float32 (H, W), metres, 0 where fewer than six frames see a surface, or none is found.

    Raises:
        InputError: a frame is not of the camera's size.
    """
    for frame in frames:
        if frame.depth_m.shape != (camera.height, camera.width):
            raise InputError(
                f'a depth map of {frame.depth_m.shape[1]}x{frame.depth_m.shape[0]} is not of the '
                f'camera, which is {camera.width}x{camera.height}'
            )
    fused = np.zeros((camera.height, camera.width), np.float32)
    poses = [np.linalg.inv(frame.world_from_camera) @ world_from_view for frame in frames]
    coarse = np.arange(*range_m, _COARSE_M, dtype=np.float32)
    fine = np.arange(-_COARSE_M, _COARSE_M + _FINE_M / 2, _FINE_M, dtype=np.float32)
    for top in range(0, camera.height, _ROWS * step_px):
        rows = slice(top, min(top + _ROWS * step_px, camera.height), step_px)
        rays = _rays(camera, rows, step_px)
        views = [(f.depth_m, _moved(p, rays)) for f, p in zip(frames, poses, strict=True)]
        about_m = _crossing(views, camera, np.broadcast_to(coarse, (len(rays), len(coarse))))
        found_m = _crossing(views, camera, about_m[:, None] + fine)
        fused[rows, ::step_px] = found_m.reshape(fused[rows, ::step_px].shape)
    return fused


def _rays(camera: CameraModel, rows: slice, step_px: int) -> np.ndarray:
    """Float32 (N, 3), points at depth 1 of the pixels of some rows."""
    v, u = np.mgrid[rows, 0 : camera.width : step_px].reshape(2, -1)
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    return np.stack([x, y, np.ones(x.shape)], axis=1).astype(np.float32)


def _moved(pose: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Directions (N, 3) and origin (3,) of the rays in another camera."""
    rotation, origin = pose[:3, :3].astype(np.float32), pose[:3, 3].astype(np.float32)
    return rays @ rotation.T, origin


def _crossing(
    views: Sequence[tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]],
    camera: CameraModel,
    at_m: np.ndarray,
) -> np.ndarray:
    """Depth (N,) where the mean signed distance at depths (N, S) first turns negative, or 0."""
    total, weight = np.zeros(at_m.shape, np.float32), np.zeros(at_m.shape, np.float32)
    seen = np.zeros(at_m.shape, np.uint8)
    for depth_m, (directions, origin) in views:
        distance_m, z_m = _signed_distance(depth_m, directions, origin, camera, at_m)
        counts = distance_m > -TRUNCATION_M
        gain = np.where(counts, 1 / np.square(np.maximum(z_m, 0.1)), np.float32(0))
        total += gain * np.minimum(np.where(counts, distance_m, 0), TRUNCATION_M)
        weight += gain
        seen += counts
    mean_m = np.where(seen >= _FEWEST_FRAMES, total / np.maximum(weight, 1e-9), np.nan)
    before, after = mean_m[:, :-1], mean_m[:, 1:]
    with np.errstate(invalid='ignore'):
        turns = (before > 0) & (after <= 0)
    first = turns.argmax(axis=1)
    row = np.arange(len(at_m))
    near, far = before[row, first], after[row, first]
    with np.errstate(invalid='ignore', divide='ignore'):
        part = near / (near - far)
    found_m = at_m[row, first] + part * (at_m[row, first + 1] - at_m[row, first])
    return np.where(turns[row, first], found_m, np.float32(0)).astype(np.float32)


def _signed_distance(
    depth_m: np.ndarray,
    directions: np.ndarray,
    origin: np.ndarray,
    camera: CameraModel,
    at_m: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """How far (N, S) the surface that a frame sees lies behind the points, and their depth.

    Points that the frame does not see get -infinity.
    """
    x, y, z = (at_m * directions[:, k, None] + origin[k] for k in range(3))
    scale = 1 / np.maximum(z, 1e-3)
    u = np.rint(camera.fx * x * scale + np.float32(camera.cx)).astype(np.int32)
    v = np.rint(camera.fy * y * scale + np.float32(camera.cy)).astype(np.int32)
    inside = (z > 0.1) & (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    measured_m = depth_m[np.where(inside, v, 0), np.where(inside, u, 0)]
    return np.where(inside & (measured_m > 0), measured_m - z, np.float32(-np.inf)), z
