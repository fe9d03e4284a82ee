"""Planes through points, and how far the points are from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.errors import InputError

MIN_POINTS = 3

INLIER_SIGMAS = 3.5
"""Points farther from the plane than this many standard deviations are outliers; of Gaussian noise
that is one point in two thousand."""

_TRIPLES, _JUDGES, _MOST_REFITS = 200, 1000, 20
_SIGMA_OF_MEDIAN = 1.4826
_LEAST_SIGMA_M = 1e-5
_FLATNESS_PERCENTILES = (1, 99)


@dataclass(frozen=True, eq=False)
class PlaneFit:
    """The plane of least squared distances.

    Attributes:
        centroid_m: float64 (3,), metres.
        normal: float64 (3,), unit, toward the origin.
        rmse_m: root mean square distance of the points, metres.
        num_points: finite points used.
    """

    centroid_m: np.ndarray
    normal: np.ndarray
    rmse_m: float
    num_points: int

    def distances_m(self, points_m: np.ndarray) -> np.ndarray:
        """Signed distances of points (..., 3), positive toward the origin; NaN stays NaN."""
        return (points_m - self.centroid_m) @ self.normal


def fit_plane(points_m: np.ndarray) -> PlaneFit:
    """Fit a plane by principal components (Pearson 1901).

    The normal is the eigenvector of the covariance's least eigenvalue; that eigenvalue is the mean
    squared distance, with n - 1 in the denominator.

    Args:
        points_m: float (..., 3), metres; rows with NaN are left out.

    Raises:
        InputError: fewer than three finite points, or all on one line.
    """
    points = np.asarray(points_m, np.float64).reshape(-1, 3)
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < MIN_POINTS:
        raise InputError(
            f'a plane needs at least {MIN_POINTS} points with valid depth, got {len(points)}'
        )
    centroid = points.mean(axis=0)
    covariance = np.cov((points - centroid).T)
    eigenvalues, eigenvectors = np.linalg.eigh(covariance)
    if eigenvalues[1] <= 1e-9 * eigenvalues[2]:
        raise InputError(f'{len(points)} points on one line span no plane: take a larger region')
    normal = eigenvectors[:, 0]
    if normal @ centroid > 0:
        normal = -normal
    return PlaneFit(centroid, normal, float(np.sqrt(max(0.0, eigenvalues[0]))), len(points))


def fit_plane_robustly(points_m: np.ndarray, *, resolution_m: float = 0.0) -> PlaneFit:
    """Fit a plane to the points without outliers.

    Of 200 planes through three points each (RANSAC, Fischler and Bolles 1981) that of the least
    median distance (Rousseeuw 1984) chooses the inliers; then the plane of least squares through
    them and their number are found in turns.

    Args:
        points_m: float (..., 3), metres; rows with NaN are left out.
        resolution_m: step of the depth; closer points are never outliers.

    Returns:
        The fit of the inliers.

    Raises:
        InputError: fewer than three finite points, or all on one line.
    """
    points = np.asarray(points_m, np.float64).reshape(-1, 3)
    points = points[np.isfinite(points).all(axis=1)]
    fit = fit_plane(points)
    start = _least_median(points)
    if start is None:
        return fit
    normal, point = start
    distances = np.abs((points - point) @ normal)
    least_sigma_m = max(_LEAST_SIGMA_M, resolution_m)
    sigma_m = max(least_sigma_m, _SIGMA_OF_MEDIAN * float(np.median(distances)))
    used = distances <= INLIER_SIGMAS * sigma_m
    for _ in range(_MOST_REFITS):
        fit = fit_plane(points[used])
        distances = np.abs(fit.distances_m(points))
        now = distances <= INLIER_SIGMAS * max(least_sigma_m, fit.rmse_m)
        if np.array_equal(now, used):
            break
        used = now
    return fit


def _least_median(points: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Normal and a point of the best plane through three of the points (N, 3), None if none is."""
    rng = np.random.default_rng(0)
    corners = points[rng.integers(0, len(points), (_TRIPLES, 3))]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    is_plane = lengths > 0
    if not is_plane.any():
        return None
    normals, anchors = normals[is_plane] / lengths[is_plane, None], corners[is_plane, 0]
    judges = points[rng.integers(0, len(points), min(_JUDGES, len(points)))]
    offsets = np.einsum('ij,ij->i', normals, anchors)
    medians = np.median(np.abs(normals @ judges.T - offsets[:, None]), axis=1)
    best = int(np.argmin(medians))
    return normals[best], anchors[best]


@dataclass(frozen=True)
class PlaneQuality:
    """How well a depth image shows a plane.

    Attributes:
        rmse_m: root mean square distance of the points that were fitted.
        rmse_of_z: the same as a fraction of `z_m`.
        flatness_m: distance of two planes parallel to the fit that have 98 % of the fitted points
            between them.
        z_m: depth of the centre of the fitted points, along the optical axis.
        distance_m: from the camera's centre to the plane.
        fill: fraction of the pixels that are valid.
        outliers: fraction of the valid pixels that were not fitted.
    """

    rmse_m: float
    rmse_of_z: float
    flatness_m: float
    z_m: float
    distance_m: float
    fill: float
    outliers: float


def plane_quality(
    points_m: np.ndarray, fit: PlaneFit, limit_m: float | None = None
) -> PlaneQuality:
    """Describe the points of a region.

    Args:
        points_m: float (H, W, 3), metres, NaN where depth is invalid.
        fit: of these points.
        limit_m: distance beyond which points are outliers; None: there are none.
    """
    distances = fit.distances_m(points_m).ravel()
    valid = distances[np.isfinite(distances)]
    fitted = valid if limit_m is None else valid[np.abs(valid) <= limit_m]
    low, high = np.percentile(fitted, _FLATNESS_PERCENTILES) if len(fitted) else (0.0, 0.0)
    z_m = float(fit.centroid_m[2])
    return PlaneQuality(
        rmse_m=fit.rmse_m,
        rmse_of_z=fit.rmse_m / z_m,
        flatness_m=float(high - low),
        z_m=z_m,
        distance_m=float(-fit.normal @ fit.centroid_m),
        fill=len(valid) / max(1, len(distances)),
        outliers=1 - fit.num_points / max(1, len(valid)),
    )
