"""The floor in a depth image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.gravity import Up, UpMethod, camera_vertical
from rs_ml_perception.core.geometry.projection import deproject, horizontal_axes, median, unit
from rs_ml_perception.core.geometry.registration import check_size
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage

Metres = TypeVar('Metres', float, np.ndarray)

MAX_TILT_DEG = 35.0
"""Without gravity the floor is within this angle of the image vertical."""

_SAMPLES = 5000
_MIN_INLIERS = 60
_HEIGHTS_M = (0.15, 3.0)
"""Range of the height of a camera above the floor."""

_TRIPLES = 300
_JUDGES = 1000
_AT_ONCE = 64
"""Planes judged at a time, so that the products stay in the CPU cache."""

_BIN_M = 0.02
_PEAK_FRACTION = 0.2
_TILT_STDDEV = 0.01
"""[rad] Error of gravity; it keeps a strip of floor from tilting the plane."""

_LEAST_NOISE = 0.4
"""Lower limit of the noise of the points on the floor, as a fraction of the expected noise."""

_LEVEL_STDDEV_M = 0.004
"""Systematic error of a stereo camera over a whole surface; averaging does not remove it."""


def depth_stddev_m(depth_m: Metres) -> Metres:
    """Expected noise of one pixel of an active stereo camera; tolerances are multiples of it.

    It grows with the square of the distance for a fixed disparity error (about 0.1 pixel at 50 mm
    baseline); edges and calibration add the linear part.
    """
    return depth_m * (0.008 + 0.002 * depth_m)


@dataclass(frozen=True, eq=False)
class FloorPlane:
    """Points p with normal . p + offset_m = 0, in a camera's optical frame.

    Attributes:
        normal: float64 (3,), unit, points up.
        offset_m: height of the camera's centre above the floor.
        num_points: samples that lie on it.
        axes: float64 (2, 3), horizontal unit vectors to which the covariance refers.
        covariance: float64 (3, 3), of the slopes along both axes and the level, m^2.
    """

    normal: np.ndarray
    offset_m: float
    num_points: int
    axes: np.ndarray
    covariance: np.ndarray

    def height_above(self, points_m: np.ndarray) -> np.ndarray:
        """Heights (...,) of points (..., 3), metres."""
        planes = np.moveaxis(points_m, -1, 0)
        along = self.normal.astype(points_m.dtype) @ planes.reshape(3, -1)
        return along.reshape(planes.shape[1:]) + points_m.dtype.type(self.offset_m)

    def stddev_at(self, point_m: np.ndarray) -> float:
        """Standard deviation of the level below a point (3,), metres."""
        row = np.array([*(self.axes @ point_m), 1.0])
        return float(np.sqrt(row @ self.covariance @ row + _LEVEL_STDDEV_M**2))

    def moved(self, target_from_source: RigidTransform) -> FloorPlane:
        """The same plane in another camera's frame."""
        rotation, shift = target_from_source.rotation, target_from_source.translation_m
        normal = rotation @ self.normal
        offset_m = float(self.offset_m - normal @ shift)
        axes = self.axes @ rotation.T
        return FloorPlane(normal, offset_m, self.num_points, axes, self.covariance)

    def as_up(self) -> Up:
        """The direction of up given by the floor."""
        return Up(self.normal, UpMethod.FLOOR_PLANE)


def fit_floor(depth: DepthImage, camera: CameraModel, up: Up | None = None) -> FloorPlane | None:
    """The lowest large level surface in the image.

    With known gravity it is the lowest peak of the histogram of heights; without, the best of some
    hundred planes through three points each that are at most MAX_TILT_DEG from the image vertical
    and have hardly any points below. Both are refined by weighted least squares. The result is
    deterministic.

    Args:
        depth: depth image.
        camera: its intrinsics; the plane is in its frame.
        up: gravity in that frame, or None.

    Returns:
        None if too few pixels show a floor.
    """
    check_size(depth, camera)
    points = _sample_points(depth, camera)
    if points.shape[1] < _MIN_INLIERS:
        return None
    if up is None:
        return _fit_without_gravity(points)
    level = _lowest_level(_along(up.vector, points))
    if level is None:
        return None
    return _refine(points, up.vector, level, tilt_stddev=_TILT_STDDEV)


def _sample_points(depth: DepthImage, camera: CameraModel) -> np.ndarray:
    """About _SAMPLES points (3, N), float64, evenly spaced over the image."""
    step = max(1, int(np.sqrt(depth.width * depth.height / _SAMPLES)))
    depth_m = depth.to_metres(depth.values[::step, ::step])
    planes = deproject(depth_m, camera, step=step).transpose(2, 0, 1).reshape(3, -1)
    return planes.take(np.flatnonzero(np.isfinite(depth_m)), axis=1).astype(np.float64)


def _along(vector: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Vector @ points, on one thread: BLAS takes more for vectors this long, which costs more."""
    x, y, z = points
    return vector[0] * x + vector[1] * y + vector[2] * z


def _lowest_level(heights_m: np.ndarray) -> float | None:
    """Level of the lowest peak among heights relative to the camera, all below it."""
    low, high = -_HEIGHTS_M[1], -_HEIGHTS_M[0]
    num_bins = int(np.ceil((high - low) / _BIN_M))
    bins = np.clip((heights_m - low) / _BIN_M + 1.0, 0, num_bins + 1).astype(np.int64)
    counts = np.bincount(bins, minlength=num_bins + 2)[1:-1]  # without those outside the range
    density = np.convolve(counts, np.ones(3), mode='same')
    is_peak = (density >= np.roll(density, 1)) & (density >= np.roll(density, -1))
    strong = density >= max(_PEAK_FRACTION * density.max(), 0.5 * _MIN_INLIERS)
    peaks = np.flatnonzero(is_peak & strong)
    return None if len(peaks) == 0 else float(low + (peaks[0] + 0.5) * _BIN_M)


def _fit_without_gravity(points: np.ndarray) -> FloorPlane | None:
    rng = np.random.default_rng(0)
    down = points[1] / points[2]
    lower_half = points.take(np.flatnonzero(down > median(down)), axis=1)
    if lower_half.shape[1] == 0:
        return None
    normals, offsets = _planes_through_triples(lower_half.T, rng)
    if len(normals) == 0:
        return None
    judges = points.take(rng.integers(0, points.shape[1], _JUDGES), axis=1).astype(np.float32)
    planes = np.column_stack([normals, offsets]).astype(np.float32)
    votes = [_votes(judges, planes[i : i + _AT_ONCE]) for i in range(0, len(planes), _AT_ONCE)]
    best = int(np.argmax(np.concatenate(votes)))
    if np.concatenate(votes)[best] <= 0:
        return None
    floor = _refine(points, normals[best], -float(offsets[best]), tilt_stddev=1.0)
    return floor if floor is not None and _is_level(floor.normal) else None


def _is_level(normals: np.ndarray) -> np.ndarray:
    return normals @ camera_vertical().vector > np.cos(np.radians(MAX_TILT_DEG))


def _planes_through_triples(
    points: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Normals (M, 3) and offsets (M,) of possible floors."""
    a, b, c = points[rng.integers(0, len(points), (3, _TRIPLES))]
    normals = np.cross(b - a, c - a)
    lengths = np.linalg.norm(normals, axis=1)
    normals = normals / np.maximum(lengths, 1e-12)[:, None]
    normals *= np.where(normals[:, 1] > 0, -1.0, 1.0)[:, None]
    offsets = -(normals * a).sum(axis=1)
    possible = (offsets > _HEIGHTS_M[0]) & (offsets < _HEIGHTS_M[1])
    # The normal of a thin triangle is arbitrary.
    good = _is_level(normals) & possible & (lengths > 0.02)
    return normals[good], offsets[good]


def _votes(points: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """Number of points (3, N) on each of the planes (M, 4) minus three times those below.

    Noise moves a point along its ray, and therefore across the floor by the same percentage of
    the height of the camera.
    """
    normals, offsets = planes[:, :3], planes[:, 3:]
    relative = depth_stddev_m(points[2]) / points[2]
    heights = normals @ points
    heights += offsets
    heights /= np.float32(0.01) + np.float32(2.5) * np.abs(offsets) * relative
    on = np.count_nonzero(np.abs(heights) < 1, axis=1)
    return on - 3 * np.count_nonzero(heights < -2, axis=1)


def _refine(
    points: np.ndarray, up: np.ndarray, level: float, *, tilt_stddev: float
) -> FloorPlane | None:
    """Weighted least squares of level and slopes, from points near the last estimate."""
    axes = np.stack(horizontal_axes(up, np.array([0.0, 0.0, 1.0])))
    heights = _along(up, points)
    near = np.flatnonzero(np.abs(heights - level) < _reach_m(points[2], level))
    points, heights = points.take(near, axis=1), heights[near]
    depth_m, places = points[2], axes @ points
    prior = np.diag([tilt_stddev**-2, tilt_stddev**-2, 0.0])
    per_stddev = 1.0 / (0.003 + depth_stddev_m(depth_m) / depth_m * abs(level))
    terms = np.concatenate([places, np.ones((1, len(near))), heights[None]]) * per_stddev
    slack = 0.005 * per_stddev
    solution = np.array([0.0, 0.0, level])
    noise = 1.0
    for reach in (4.0, 3.0, 2.5, 2.5, 2.5):
        residuals = np.abs(terms[3] - _along(solution, terms[:3]))
        on = np.flatnonzero(residuals < reach * noise + slack)
        if len(on) < _MIN_INLIERS:
            return None
        noise = min(max(1.4826 * median(residuals[on]), _LEAST_NOISE), 1.0)
        seen = terms.take(on, axis=1)
        sums = seen @ seen.T
        covariance = np.linalg.inv(sums[:3, :3] + prior)
        solution = covariance @ sums[:3, 3]
    if not _is_surface(places.take(on, axis=1), depth_m[on]):
        return None
    normal = up - solution[:2] @ axes
    scale = np.linalg.norm(normal)
    return FloorPlane(unit(normal), float(-solution[2] / scale), len(on), axes, covariance)


def _reach_m(depth_m: np.ndarray, level: float) -> np.ndarray:
    """Distance from the first estimate within which points may be on the floor.

    Far above all noise: the estimate may be off by _BIN_M or several degrees.
    """
    return 0.1 + 0.1 * depth_m + 6.0 * depth_stddev_m(depth_m) / depth_m * abs(level)


def _is_surface(places: np.ndarray, depth_m: np.ndarray) -> bool:
    """Whether points (2, N) seen from above spread both ways; a strip of wall does not."""
    offsets = places - places.mean(axis=1, keepdims=True)
    covariance = offsets @ offsets.T / (offsets.shape[1] - 1)
    least_spread_m = np.sqrt(max(np.linalg.eigvalsh(covariance)[0], 0.0))
    return bool(least_spread_m > 0.05 + 1.5 * depth_stddev_m(median(depth_m)))
