"""Planes through points, and how far the points are from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.errors import InputError

MIN_POINTS = 3


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
