"""A smooth factor over the image between estimated and measured depth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_LEVELS = ((4.0, 0.2), (1.5, 0.05))
"""Standard deviation of the smoothing in cells of a grid of 42 columns, and the density of
measured cells at which a correction is halved, from coarse to fine."""

_MOST_LOG_ERROR = 0.5
"""Larger errors than 65 % count as errors of 65 %: filled holes and flying pixels."""


@dataclass(frozen=True, eq=False)
class DepthField:
    """The correction of a grid.

    Attributes:
        log_factor: float32 (h, w), to be added to the logarithm of depth; 0 far from any
            measurement.
        residual: robust standard deviation of what remains at measured cells, relative; NaN
            without any.
    """

    log_factor: np.ndarray
    residual: float


def fit_field(estimated_m: np.ndarray, measured_m: np.ndarray) -> DepthField:
    """Smooth the ratios of measured to estimated depth, from coarse to fine.

    Each level is a normalised convolution (Knutsson and Westin, CVPR 1993) of what the coarser one
    leaves, drawn to 0 where few cells are measured.

    Args:
        estimated_m: float32 (h, w), metres, NaN where unknown.
        measured_m: float32 (h, w), NaN where unknown.
    """
    known = (estimated_m > 0) & (measured_m > 0)
    mask = known.astype(np.float32)
    errors = np.zeros_like(mask)
    errors[known] = np.log(measured_m[known] / estimated_m[known])
    field = np.zeros_like(mask)
    for sigma, halving_density in _LEVELS:
        left = np.clip(errors - field, -_MOST_LOG_ERROR, _MOST_LOG_ERROR) * mask
        density = cv2.GaussianBlur(mask, (0, 0), sigma)
        field = field + cv2.GaussianBlur(left, (0, 0), sigma) / (density + halving_density)
    left = np.abs(errors - field)[known]
    residual = 1.4826 * float(np.median(left)) if len(left) else float('nan')
    return DepthField(field, residual)
