"""Lens distortion on the plane z = 1, with the formulas of librealsense (rsutil.h) and OpenCV.

realsense2_camera names every polynomial model `plumb_bob` in camera_info; files of librealsense
keep its own names, which are understood as well. `rational_polynomial` is OpenCV's model of 8, 12
or 14 coefficients (calib3d, `projectPoints`), which other depth cameras publish.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rs_ml_perception.core.errors import InputError

_ITERATIONS = 10  # as librealsense; the lenses of the D400 family converge to 1e-6 in five
_RATIONAL_ITERATIONS = 40  # wide lenses; the iteration ends sooner where nothing moves any more
_RATIONAL_TOLERANCE = 1e-9

Coefficients = tuple[float, ...]


def distort(xy: np.ndarray, model: str, coefficients: Coefficients) -> np.ndarray:
    """Ideal to observed position.

    Args:
        xy: (..., 2), x/z and y/z of the ideal pinhole.
        model: name of the distortion model; '' and all-zero coefficients: none.
        coefficients: k1, k2, p1, p2, k3 of the Brown-Conrady family, k1..k4 of `equidistant`,
            k1, k2, p1, p2, k3..k6, s1..s4, tau_x, tau_y of `rational_polynomial`; missing ones
            are 0.

    Returns:
        (..., 2) of the dtype of xy.

    Raises:
        InputError: see `check_lens`.
    """
    if not any(coefficients):
        return xy
    lens = _lookup(model, coefficients)
    return lens.distort(xy, lens.padded(coefficients)).astype(xy.dtype, copy=False)


def undistort(xy: np.ndarray, model: str, coefficients: Coefficients) -> np.ndarray:
    """Observed to ideal position: the inverse of `distort`, by fixed-point iteration."""
    if not any(coefficients):
        return xy
    lens = _lookup(model, coefficients)
    return lens.undistort(xy, lens.padded(coefficients)).astype(xy.dtype, copy=False)


def check_lens(model: str, coefficients: Coefficients) -> None:
    """Refuse a lens whose points cannot be placed.

    Raises:
        InputError: the model is not known, or has fewer coefficients than are given.
    """
    if any(coefficients):
        _lookup(model, coefficients)


def _radial(r2: np.ndarray, k: Coefficients) -> np.ndarray:
    return 1 + ((k[4] * r2 + k[1]) * r2 + k[0]) * r2


def _tangential(x: np.ndarray, y: np.ndarray, r2: np.ndarray, k: Coefficients) -> np.ndarray:
    dx = 2 * k[2] * x * y + k[3] * (r2 + 2 * x * x)
    dy = 2 * k[3] * x * y + k[2] * (r2 + 2 * y * y)
    return np.stack([dx, dy], axis=-1)


def _split(xy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = xy[..., 0], xy[..., 1]
    return x, y, x * x + y * y


def _brown_conrady(xy: np.ndarray, k: Coefficients) -> np.ndarray:
    x, y, r2 = _split(xy)
    return xy * _radial(r2, k)[..., None] + _tangential(x, y, r2, k)


def _brown_conrady_inverse(xy: np.ndarray, k: Coefficients) -> np.ndarray:
    ideal = xy
    for _ in range(_ITERATIONS):
        x, y, r2 = _split(ideal)
        ideal = (xy - _tangential(x, y, r2, k)) / _radial(r2, k)[..., None]
    return ideal


def _modified_brown_conrady(xy: np.ndarray, k: Coefficients) -> np.ndarray:
    """The tangential part acts on points after the radial part."""
    r2 = _split(xy)[2]
    moved = xy * _radial(r2, k)[..., None]
    return moved + _tangential(moved[..., 0], moved[..., 1], r2, k)


def _modified_brown_conrady_inverse(xy: np.ndarray, k: Coefficients) -> np.ndarray:
    ideal = xy
    for _ in range(_ITERATIONS):
        r2 = _split(ideal)[2]
        radial = _radial(r2, k)[..., None]
        moved = ideal * radial
        ideal = (xy - _tangential(moved[..., 0], moved[..., 1], r2, k)) / radial
    return ideal


def _equidistant(xy: np.ndarray, k: Coefficients) -> np.ndarray:
    """Kannala-Brandt with four coefficients."""
    r = np.maximum(np.sqrt(_split(xy)[2]), 1e-9)
    theta = np.arctan(r)
    t2 = theta * theta
    observed = theta * (1 + t2 * (k[0] + t2 * (k[1] + t2 * (k[2] + t2 * k[3]))))
    return xy * (observed / r)[..., None]


def _equidistant_inverse(xy: np.ndarray, k: Coefficients) -> np.ndarray:
    observed = np.maximum(np.sqrt(_split(xy)[2]), 1e-9)
    theta = observed
    for _ in range(_ITERATIONS):
        t2 = theta * theta
        theta = observed / (1 + t2 * (k[0] + t2 * (k[1] + t2 * (k[2] + t2 * k[3]))))
    return xy * (np.tan(theta) / observed)[..., None]


def _rational(xy: np.ndarray, k: Coefficients) -> np.ndarray:
    x, y, r2 = _split(xy)
    observed = xy * _ratio(r2, k)[..., None] + _tangential(x, y, r2, k) + _thin_prism(r2, k)
    return _tilted(observed, _tilt(k[12], k[13]))


def _rational_inverse(xy: np.ndarray, k: Coefficients) -> np.ndarray:
    level = _tilted(xy, np.linalg.inv(_tilt(k[12], k[13])))
    ideal = level
    for _ in range(_RATIONAL_ITERATIONS):
        x, y, r2 = _split(ideal)
        shift = _tangential(x, y, r2, k) + _thin_prism(r2, k)
        before, ideal = ideal, (level - shift) / _ratio(r2, k)[..., None]
        if not np.nanmax(np.abs(ideal - before), initial=0.0) > _RATIONAL_TOLERANCE:
            break
    return ideal


def _ratio(r2: np.ndarray, k: Coefficients) -> np.ndarray:
    return _radial(r2, k) / (1 + ((k[7] * r2 + k[6]) * r2 + k[5]) * r2)


def _thin_prism(r2: np.ndarray, k: Coefficients) -> np.ndarray:
    return np.stack([(k[9] * r2 + k[8]) * r2, (k[11] * r2 + k[10]) * r2], axis=-1)


@lru_cache(maxsize=8)
def _tilt(tau_x: float, tau_y: float) -> np.ndarray:
    """Homography (3, 3) of a sensor that is tilted about x, then about y [rad]."""
    sx, cx, sy, cy = math.sin(tau_x), math.cos(tau_x), math.sin(tau_y), math.cos(tau_y)
    about_x = np.array([[1, 0, 0], [0, cx, sx], [0, -sx, cx]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    rotation = about_y @ about_x
    r13, r23, r33 = rotation[:, 2]
    return np.array([[r33, 0, -r13], [0, r33, -r23], [0, 0, 1]]) @ rotation


def _tilted(xy: np.ndarray, homography: np.ndarray) -> np.ndarray:
    if np.array_equal(homography, np.eye(3)):
        return xy
    moved = xy @ homography[:, :2].T + homography[:, 2]
    return moved[..., :2] / moved[..., 2:]


@dataclass(frozen=True)
class _Lens:
    """A model: ideal to observed position, the way back, and how many coefficients it has."""

    distort: Callable[[np.ndarray, Coefficients], np.ndarray]
    undistort: Callable[[np.ndarray, Coefficients], np.ndarray]
    num_coefficients: int = 5

    def padded(self, coefficients: Coefficients) -> Coefficients:
        missing = (0.0,) * self.num_coefficients
        return (*coefficients, *missing)[: self.num_coefficients]


_BROWN_CONRADY = _Lens(_brown_conrady, _brown_conrady_inverse)
_MODIFIED_BROWN_CONRADY = _Lens(_modified_brown_conrady, _modified_brown_conrady_inverse)
_EQUIDISTANT = _Lens(_equidistant, _equidistant_inverse, 4)

_MODELS: dict[str, _Lens] = {
    'plumb_bob': _BROWN_CONRADY,
    'brown_conrady': _BROWN_CONRADY,
    'inverse_brown_conrady': _MODIFIED_BROWN_CONRADY,
    'modified_brown_conrady': _MODIFIED_BROWN_CONRADY,
    'equidistant': _EQUIDISTANT,
    'kannala_brandt4': _EQUIDISTANT,
    'rational_polynomial': _Lens(_rational, _rational_inverse, 14),
}


def _lookup(model: str, coefficients: Coefficients) -> _Lens:
    lens = _MODELS.get(model.lower().replace(' ', '_').removeprefix('distortion.'))
    if lens is None:
        raise InputError(
            f'distortion model {model!r} with non-zero coefficients is not supported: '
            f'use one of {", ".join(_MODELS)}, or rectified images'
        )
    if any(coefficients[lens.num_coefficients :]):
        raise InputError(
            f'{model} has {lens.num_coefficients} distortion coefficients, camera_info gives '
            f'{len(coefficients)}: is it rational_polynomial?'
        )
    return lens
