"""Noise of depth by range, from images alone: the deviation of flat places from planes.

The depth of a plane is one over a linear function of the pixel, so a plane is fitted to 1 / z, for
which no intrinsics are needed. Times focal length and baseline the residual is the matcher's
error in pixels of disparity; if that is the same at every range, the error of depth grows with z
squared (Keselman 2017, "Intel RealSense Stereoscopic Depth Cameras", arXiv 1705.05548).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from rs_ml_perception.core.errors import ConfigError

SIDE_PX = 24
"""Of the windows: larger than a matcher's block, small enough to lie on one surface."""

_EDGES_M = np.geomspace(0.3, 10.0, 17)
_FLATTEST = 25
_FEWEST_WINDOWS = 20


@dataclass(frozen=True, eq=False)
class NoiseCurve:
    """Noise of one camera or data set.

    Attributes:
        range_m: float64 (N,), mean range of the windows of each step [m], ascending.
        rms_m: float64 (N,), RMS from the plane that a quarter of the windows there stays below.
        windows: int64 (N,), how many there were.
        pictures: depth maps that were looked at.
        holes: fraction of pixels without measurement.
    """

    range_m: np.ndarray
    rms_m: np.ndarray
    windows: np.ndarray
    pictures: int
    holes: float

    def subpixel_px(self, focal_baseline_px_m: float) -> np.ndarray:
        """RMS error of disparity at each range [px], float64 (N,)."""
        return focal_baseline_px_m * self.rms_m / self.range_m**2

    def typical_subpixel_px(self, focal_baseline_px_m: float) -> float:
        """Their median, weighted by the windows; NaN without any."""
        if not len(self.range_m):
            return float('nan')
        subpixel = self.subpixel_px(focal_baseline_px_m)
        order = np.argsort(subpixel)
        share = np.cumsum(self.windows[order]) / self.windows.sum()
        return float(subpixel[order][np.searchsorted(share, 0.5)])


def noise_curve(depth_maps_m: Iterable[np.ndarray], side_px: int = SIDE_PX) -> NoiseCurve:
    """Measure the noise of depth maps.

    Rooms are not flat everywhere: of the windows at each range, ordered by how flat they look, the
    one at the first quarter counts.

    Args:
        depth_maps_m: (H, W) each [m], 0 or NaN where nothing was measured.
        side_px: of the windows.

    Raises:
        ConfigError: a window of less than 4 pixels.
    """
    if side_px < 4:
        raise ConfigError(f'windows of {side_px} px say nothing of a plane: give 4 or more')
    ranges, errors, pictures, holes = [np.empty(0)], [np.empty(0)], 0, 0.0
    for depth_m in depth_maps_m:
        range_m, rms_m = window_noise(depth_m, side_px)
        ranges.append(range_m)
        errors.append(rms_m)
        pictures, holes = pictures + 1, holes + np.count_nonzero(~(depth_m > 0)) / depth_m.size
    range_m, rms_m, windows = _by_range(np.concatenate(ranges), np.concatenate(errors))
    return NoiseCurve(range_m, rms_m, windows, pictures, holes / max(pictures, 1))


def window_noise(depth_m: np.ndarray, side_px: int = SIDE_PX) -> tuple[np.ndarray, np.ndarray]:
    """Range and RMS from the plane [m] of each window that was measured whole, float64 (N,) each.

    Windows overlap by half.
    """
    if min(depth_m.shape) < side_px:
        return np.empty(0), np.empty(0)
    windows = np.lib.stride_tricks.sliding_window_view(depth_m, (side_px, side_px))
    step = side_px // 2
    flat = windows[::step, ::step].reshape(-1, side_px**2).astype(np.float64)
    whole = flat[(flat > 0).all(axis=1)]
    inverse = 1.0 / whole
    basis = _plane_basis(side_px)
    residual = inverse - (inverse @ basis) @ basis.T
    rms = np.sqrt(np.square(residual).sum(axis=1) / (side_px**2 - 3))
    range_m = 1.0 / inverse.mean(axis=1)
    return range_m, rms * range_m**2


@functools.cache
def _plane_basis(side_px: int) -> np.ndarray:
    """Orthonormal constant, column and row, (side * side, 3)."""
    v, u = np.mgrid[:side_px, :side_px].reshape(2, -1) - 0.5 * (side_px - 1)
    planes = np.stack([np.ones_like(u), u, v], axis=1)
    return planes / np.linalg.norm(planes, axis=0)


def _by_range(range_m: np.ndarray, rms_m: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Range, RMS and windows of each step; the law of z squared holds within one, too."""
    step, inverse_rms = np.digitize(range_m, _EDGES_M), rms_m / range_m**2
    rows = [
        (range_m[at].mean(), np.percentile(inverse_rms[at], _FLATTEST), np.count_nonzero(at))
        for at in (step == number for number in range(1, len(_EDGES_M)))
        if np.count_nonzero(at) >= _FEWEST_WINDOWS
    ]
    mean_m, inverse, windows = np.array(rows).reshape(-1, 3).T
    return mean_m, inverse * mean_m**2, windows.astype(np.int64)
