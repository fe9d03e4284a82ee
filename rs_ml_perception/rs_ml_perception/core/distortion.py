"""Lens distortion on the plane z = 1, with the formulas of librealsense (rsutil.h).

realsense2_camera names every polynomial model `plumb_bob` in camera_info; files of librealsense
keep its own names, which are understood as well.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rs_ml_perception.core.errors import InputError

_ITERATIONS = 10  # as librealsense; the lenses of the D400 family converge to 1e-6 in five

Coefficients = tuple[float, ...]


def distort(xy: np.ndarray, model: str, coefficients: Coefficients) -> np.ndarray:
    """Ideal to observed position.

    Args:
        xy: (..., 2), x/z and y/z of the ideal pinhole.
        model: name of the distortion model; '' and all-zero coefficients: none.
        coefficients: k1, k2, p1, p2, k3 of the Brown-Conrady family, k1..k4 of `equidistant`.

    Returns:
        (..., 2) of the dtype of xy.

    Raises:
        InputError: the model is not known.
    """
    if not any(coefficients):
        return xy
    return _lookup(model)[0](xy, _padded(coefficients))


def undistort(xy: np.ndarray, model: str, coefficients: Coefficients) -> np.ndarray:
    """Observed to ideal position: the inverse of `distort`, by fixed-point iteration."""
    if not any(coefficients):
        return xy
    return _lookup(model)[1](xy, _padded(coefficients))


def _padded(coefficients: Coefficients) -> Coefficients:
    return (*coefficients, 0.0, 0.0, 0.0, 0.0, 0.0)[: max(5, len(coefficients))]


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
    """The tangential part acts on what the radial part has moved already."""
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


_Function = Callable[[np.ndarray, Coefficients], np.ndarray]

_MODELS: dict[str, tuple[_Function, _Function]] = {
    'plumb_bob': (_brown_conrady, _brown_conrady_inverse),
    'brown_conrady': (_brown_conrady, _brown_conrady_inverse),
    'inverse_brown_conrady': (_modified_brown_conrady, _modified_brown_conrady_inverse),
    'modified_brown_conrady': (_modified_brown_conrady, _modified_brown_conrady_inverse),
    'equidistant': (_equidistant, _equidistant_inverse),
    'kannala_brandt4': (_equidistant, _equidistant_inverse),
}


def _lookup(model: str) -> tuple[_Function, _Function]:
    name = model.lower().replace(' ', '_').removeprefix('distortion.')
    if name not in _MODELS:
        raise InputError(
            f'distortion model {model!r} with non-zero coefficients is not supported: '
            f'use one of {", ".join(_MODELS)}, or rectified images'
        )
    return _MODELS[name]
