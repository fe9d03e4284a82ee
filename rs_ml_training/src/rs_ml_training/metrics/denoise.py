"""Metrics of denoised depth: errors, filled holes, removed pixels."""

from __future__ import annotations

import math

import cv2
import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel

EDGE_SHARE = 0.05
"""A jump of more than this fraction of the depth between neighbours is an edge."""
EDGE_REACH_PX = 3
WINDOW_PX = 32
PLANAR_M = 0.002
"""A window counts if the truth strays from a plane by less than this fraction of its depth ..."""
WINDOW_FILL = 0.9
"""... at least this fraction has truth and measurement, the same for all networks ..."""
CLEANED_FILL = 0.5
"""... and this fraction of it is left."""
GOOD_M, GOOD_SHARE = 0.02, 0.02
"""A pixel is good within 2 cm or this fraction of its depth, whichever is larger."""


_MASKS = 'truth', 'hole', 'filled', 'measured', 'removed'


class DenoiseMetrics:
    """Accumulates errors of cleaned depth maps; all pixels of all images count equally.

    A pixel without depth is 0 or NaN in all three maps. Errors are those of pixels that have
    truth and a cleaned depth; `coverage` says how much of the truth that is.
    """

    def __init__(self) -> None:
        self._pictures = 0
        self._squares = {name: 0.0 for name in ('all', 'raw', 'seen')}
        self._sizes = {name: 0.0 for name in ('all', 'raw', 'edge', 'edge_raw')}
        self._counts: dict[str, int] = dict.fromkeys(
            (*self._squares, *self._sizes, *_MASKS, 'good', 'good_seen', 'plane'), 0
        )
        self._plane = 0.0

    def update(
        self,
        truth_m: np.ndarray,
        raw_m: np.ndarray,
        cleaned_m: np.ndarray,
        intrinsics: CameraModel | None = None,
    ) -> None:
        """One picture: three maps (H, W) or (H, W, 1) in metres; intrinsics for its planes.

        Raises:
            InputError: the maps differ in size.
        """
        truth, raw, cleaned = (_plane(m) for m in (truth_m, raw_m, cleaned_m))
        if not truth.shape == raw.shape == cleaned.shape:
            shapes = f'{truth.shape}, {raw.shape}, {cleaned.shape}'
            raise InputError(f'truth, raw and cleaned depth must be of one size, got {shapes}')
        self._pictures += 1
        self._count(truth > 0, raw > 0, cleaned > 0)
        self._errors(truth, raw > 0, cleaned)
        self._planes(truth, raw, cleaned, intrinsics)

    def result(self) -> dict[str, float]:
        """Metrics by name; NaN where there was nothing to measure.

        `rmse_m`, `mae_m` over every truth pixel that is known, `rmse_raw_m`, `mae_raw_m` over
        those that the camera measured too; `rmse_strict_m` over every pixel that was measured, a
        removed one counting as a depth of 0, so that removing never pays. `edge_mae_m` and
        `edge_raw_mae_m` within 3 px of depth edges of the truth, of all known and of measured
        pixels. `good` is the fraction of all truth pixels within 2 cm or 2 %, `good_raw` that of
        measured ones; removed pixels and holes are not good. `coverage` is the fraction of truth
        pixels that are known, `hole_coverage` that of unmeasured ones, `removed` the fraction of
        measured pixels that are gone; `plane_rms_m` the RMS distance from their planes in windows
        where the truth is planar; `count` the images.
        """
        n, sizes = self._counts, self._sizes
        return {
            'rmse_m': math.sqrt(_share(self._squares['all'], n['all'])),
            'mae_m': _share(sizes['all'], n['all']),
            'rmse_raw_m': math.sqrt(_share(self._squares['raw'], n['raw'])),
            'mae_raw_m': _share(sizes['raw'], n['raw']),
            'rmse_strict_m': math.sqrt(_share(self._squares['seen'], n['seen'])),
            'edge_mae_m': _share(sizes['edge'], n['edge']),
            'edge_raw_mae_m': _share(sizes['edge_raw'], n['edge_raw']),
            'good': _share(n['good'], n['truth']),
            'good_raw': _share(n['good_seen'], n['seen']),
            'coverage': _share(n['all'], n['truth']),
            'hole_coverage': _share(n['filled'], n['hole']),
            'removed': _share(n['removed'], n['measured']),
            'plane_rms_m': math.sqrt(_share(self._plane, n['plane'])),
            'count': float(self._pictures),
        }

    def _count(self, truth: np.ndarray, raw: np.ndarray, cleaned: np.ndarray) -> None:
        masks = truth, truth & ~raw, truth & ~raw & cleaned, raw, raw & ~cleaned
        for name, mask in zip(_MASKS, masks, strict=True):
            self._counts[name] += int(np.count_nonzero(mask))

    def _errors(self, truth: np.ndarray, measured: np.ndarray, cleaned: np.ndarray) -> None:
        error = np.where(truth > 0, np.abs(cleaned - truth), np.float32(0))
        known, seen = (truth > 0) & (cleaned > 0), (truth > 0) & measured
        edge = known & near_edges(truth)
        good = known & (error <= np.maximum(GOOD_M, GOOD_SHARE * truth))
        parts = {'all': known, 'raw': known & measured, 'seen': seen, 'edge': edge}
        parts |= {'edge_raw': edge & measured, 'good': good, 'good_seen': good & measured}
        for name, mask in parts.items():
            self._counts[name] += int(np.count_nonzero(mask))
        for name in self._sizes:
            self._sizes[name] += float(error.sum(where=parts[name], dtype=np.float64))
        for name in self._squares:
            self._squares[name] += float(np.square(error).sum(where=parts[name], dtype=np.float64))

    def _planes(
        self,
        truth: np.ndarray,
        raw: np.ndarray,
        cleaned: np.ndarray,
        intrinsics: CameraModel | None,
    ) -> None:
        planar = planar_windows(truth, intrinsics) & (filled_windows(raw) >= WINDOW_FILL)
        counts = planar & (filled_windows(cleaned) >= CLEANED_FILL)
        if counts.any():
            points = points_of(cleaned, intrinsics)
            rms = planes_of_windows(points, cleaned > 0, WINDOW_PX)
            self._plane += float(np.square(rms[counts]).sum())
            self._counts['plane'] += int(np.count_nonzero(counts))


def near_edges(depth_m: np.ndarray) -> np.ndarray:
    """Bool (H, W): within 3 px of a jump of more than 5 % of the depth between known pixels."""
    if not depth_m.size:
        return np.zeros(depth_m.shape, bool)
    kernel = np.ones((3, 3), np.uint8)
    far = cv2.dilate(depth_m, kernel)
    near = cv2.erode(np.where(depth_m > 0, depth_m, np.float32(np.inf)), kernel)
    edges = ((far - near > EDGE_SHARE * depth_m) & (depth_m > 0)).astype(np.uint8)
    side = 2 * EDGE_REACH_PX + 1
    return cv2.dilate(edges, np.ones((side, side), np.uint8)) > 0


def planar_windows(depth_m: np.ndarray, intrinsics: CameraModel | None) -> np.ndarray:
    """Bool (rows, columns): 32 x 32 windows that are known and planar to 0.2 % of their depth."""
    rms = planes_of_windows(points_of(depth_m, intrinsics), depth_m > 0, WINDOW_PX)
    filled = filled_windows(depth_m)
    mean_m = _tiles(depth_m).mean(axis=(1, 3)) / np.maximum(filled, 1e-6)
    with np.errstate(invalid='ignore'):
        return (rms < PLANAR_M * mean_m) & (filled >= WINDOW_FILL)


def points_of(depth_m: np.ndarray, camera: CameraModel | None = None) -> np.ndarray:
    """Points in the optical frame (H, W, 3) [m] in the type of the map; 0 where depth is unknown.

    Args:
        depth_m: (H, W) [m].
        camera: of the map; None: focal lengths of one image width and height, as
            `tools/rmse.py` of librealsense's TensorFlow wrapper assumes.

    Raises:
        InputError: the camera is of another size.
    """
    height, width = depth_m.shape
    if camera is not None and (camera.width, camera.height) != (width, height):
        raise InputError(
            f'intrinsics are of {camera.width} x {camera.height}, the depth map is '
            f'{width} x {height}; resize the intrinsics'
        )
    fx, fy, cx, cy = (
        (camera.fx, camera.fy, camera.cx, camera.cy)
        if camera
        else (width, height, width / 2, height / 2)
    )
    z = np.nan_to_num(depth_m, posinf=0.0, neginf=0.0)
    x = ((np.arange(width) - cx) / fx).astype(z.dtype)
    y = ((np.arange(height) - cy) / fy).astype(z.dtype)
    return np.stack([z * x, z * y[:, None], z], axis=-1)


def planes_of_windows(points_in_camera: np.ndarray, valid: np.ndarray, side: int) -> np.ndarray:
    """RMS distance [m] from the least-squares plane of each window of side x side pixels.

    All windows at once, in the type of the points: `core.plane` fits a single plane.

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
    return _rms_of_fits(points, used).reshape(rows, columns)


def filled_windows(depth_m: np.ndarray) -> np.ndarray:
    """Fraction (rows, columns) of known pixels in windows of 32 x 32."""
    return (_tiles(depth_m) > 0).mean(axis=(1, 3))


def _tiles(depth_m: np.ndarray) -> np.ndarray:
    """As (rows, 32, columns, 32), without incomplete windows."""
    rows, columns = (n // WINDOW_PX for n in depth_m.shape)
    whole = depth_m[: rows * WINDOW_PX, : columns * WINDOW_PX]
    return whole.reshape(rows, WINDOW_PX, columns, WINDOW_PX)


def _windows(maps: np.ndarray, rows: int, columns: int, side: int) -> np.ndarray:
    """(H, W, C) as (rows * columns, C, side * side)."""
    channels = maps.shape[-1]
    maps = maps[: rows * side, : columns * side]
    maps = maps.reshape(rows, side, columns, side, channels).transpose(0, 2, 4, 1, 3)
    return maps.reshape(rows * columns, channels, side * side)


def _rms_of_fits(points: np.ndarray, used: np.ndarray) -> np.ndarray:
    """RMS distance (N,) of N sets of points (N, 3, P) from their planes, with P - 1 below it."""
    count = used.sum(axis=1)
    weight = used.astype(points.dtype)
    centroid = np.einsum('nip,np->ni', points, weight) / np.maximum(count, 1)[:, None]
    spread = (points - centroid[..., None].astype(points.dtype)) * weight[:, None]
    covariance = np.einsum('nip,njp->nij', spread, spread)
    normal = np.linalg.eigh(covariance)[1][..., 0]
    # The eigenvalue says the same, but in single precision only to 0.1 mm.
    distance = np.einsum('nip,ni->np', spread, normal)
    rms = np.sqrt(np.square(distance).sum(axis=1) / np.maximum(count - 1, 1))
    return np.where(count >= 3, rms, math.nan)


def _plane(depth_m: np.ndarray) -> np.ndarray:
    """float32 (H, W), 0 where nothing is known."""
    depth_m = np.asarray(depth_m, np.float32)
    if depth_m.ndim == 3 and depth_m.shape[-1] == 1:
        depth_m = depth_m[..., 0]
    if depth_m.ndim != 2:
        raise InputError(f'a depth map is (H, W), got {depth_m.shape}')
    return np.where(np.isfinite(depth_m) & (depth_m > 0), depth_m, np.float32(0))


def _share(total: float, count: int) -> float:
    return float(total) / count if count else math.nan
