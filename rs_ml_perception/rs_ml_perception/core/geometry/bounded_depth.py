"""Bounds for what a denoiser may do to measurements, and to holes between them.

Expected noise is growth * z^2 (core/geometry/stereo.py). A network that was trained on more noise
than a camera has moves good pixels, too, and mostly toward the camera, from the far side of an
edge onto the near one. In the other direction its large moves are right more often: cameras
measure the surroundings of a near edge too near (foreground fattening, flying pixels).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rs_ml_perception.core.geometry.stereo import SUBPIXEL_PX

_LEVELS = (0.5, 4.0)
"""Least and largest noise of an image, in units of the expected."""

_TRUST_POWER = 3
"""Growth of the bound toward the camera with a noise level above 1, chosen on rooms."""

_SAMPLE_STEP_PX, _FEWEST_SAMPLES = 8, 50
_STDDEV_OF_MEDIAN = 1.4826
_REACH_PX = 16
"""Networks fill holes from measurements around them. Farther from any measurement they invent
depth, such as a wall in a blank image; in real recordings no filled pixel is farther."""

_STRIP_ROWS = 96
"""Rows at a time, so that the scratch arrays stay in the cache."""


@dataclass(frozen=True)
class MoveLimits:
    """How far depth may move.

    Attributes:
        toward: the camera, in standard deviations of the expected noise.
        away: from the camera, in the same unit.
        growth_per_m: noise over depth squared.
    """

    toward: float
    away: float
    growth_per_m: float


@dataclass(frozen=True)
class Moves:
    """What happened to an image.

    Attributes:
        noise_level: noise of the image in units of the expected; 1 with too few measurements.
        clamped: fraction of the measured pixels that were held at a bound.
    """

    noise_level: float = 1.0
    clamped: float = 0.0

    @property
    def noise_px(self) -> float:
        """Standard deviation of the disparity."""
        return SUBPIXEL_PX * self.noise_level


class DepthBounds:
    """Holds denoised depth within bounds around the measurement; keeps its memory."""

    def __init__(self) -> None:
        self._scratch = np.empty((0, 0, 0), np.float32)
        self._masks = np.empty((0, 0, 0), bool)

    def __call__(
        self,
        raw_m: np.ndarray,
        denoised_m: np.ndarray,
        confidence: np.ndarray,
        limits: MoveLimits,
    ) -> Moves:
        """Clamp `denoised_m` and lower `confidence`, in place; holes of `raw_m` stay as they are.

        The noise of an image is estimated from how far its pixels move in the middle, and the
        bounds follow: by half in a calm image, and up in one noisier than its camera should be.
        There the network's doubt counts, too: confidence is 1 - e^2 / t^2 for the expected error
        e, to whose square that of the refused part of a move is added.

        Args:
            raw_m: float32 (H, W), metres, 0 in holes.
            denoised_m: float32 (H, W), metres; what is no distance becomes NaN.
            confidence: float32 (H, W), 0..1.
            limits: for these images.
        """
        _remove_nonsense(denoised_m)
        level = noise_level(raw_m, denoised_m, limits.growth_per_m)
        factors, doubt = _allowed(limits, level)
        height, width = raw_m.shape
        self._reserve(min(height, _STRIP_ROWS), width)
        measured = clamped = 0
        for top in range(0, height, _STRIP_ROWS):
            rows = slice(top, top + _STRIP_ROWS)
            parts = raw_m[rows], denoised_m[rows], confidence[rows]
            counts = self._strip(*parts, factors, doubt)
            measured, clamped = measured + counts[0], clamped + counts[1]
        return Moves(level, clamped / measured if measured else 0.0)

    def _reserve(self, rows: int, width: int) -> None:
        if self._masks.shape[1:] != (rows, width):
            self._scratch = np.empty((3, rows, width), np.float32)
            self._masks = np.empty((3, rows, width), bool)

    def _strip(
        self,
        raw_m: np.ndarray,
        denoised_m: np.ndarray,
        confidence: np.ndarray,
        factors: tuple[float, float],
        doubt: float,
    ) -> tuple[int, int]:
        """Numbers of measured and of clamped pixels."""
        rows = len(raw_m)
        low_m, high_m, move_m = self._scratch[:, :rows]
        is_measured, is_beyond, is_above = self._masks[:, :rows]
        np.multiply(raw_m, raw_m, out=high_m)
        np.multiply(high_m, np.float32(factors[0]), out=low_m)
        np.multiply(high_m, np.float32(factors[1]), out=high_m)
        np.subtract(denoised_m, raw_m, out=move_m)
        np.greater(raw_m, 0, out=is_measured)
        np.less(move_m, low_m, out=is_beyond)
        np.greater(move_m, high_m, out=is_above)
        is_beyond |= is_above
        is_beyond &= is_measured
        clamped = int(np.count_nonzero(is_beyond))
        if clamped:
            np.maximum(low_m, move_m, out=low_m)
            np.minimum(low_m, high_m, out=low_m)
            if doubt > 0:
                move_m -= low_m
                _lower(confidence, denoised_m, move_m, is_beyond, doubt)
            low_m += raw_m
            # Eight times as fast as numpy's masked copy.
            cv2.copyTo(low_m, is_beyond.view(np.uint8), denoised_m)
        return int(np.count_nonzero(is_measured)), clamped


def _allowed(limits: MoveLimits, level: float) -> tuple[tuple[float, float], float]:
    """Bounds over depth squared [1/m], toward (negative) and away; weight of refused moves."""
    low, high = _LEVELS
    level = min(max(level, low), high)
    toward = limits.toward * (level**_TRUST_POWER if level > 1 else level)
    away = limits.away * level
    if limits.toward <= limits.away:  # the trust in noisy images must not turn them round
        away = max(away, toward)
    factors = -toward * limits.growth_per_m, away * limits.growth_per_m
    return factors, min(max(level - 1.0, 0.0), 1.0)


def noise_level(raw_m: np.ndarray, denoised_m: np.ndarray, growth_per_m: float) -> float:
    """Standard deviation of the moves, from their median, in units of growth * z^2.

    1 with fewer than 50 measurements on a grid of 8 pixels.
    """
    step = _SAMPLE_STEP_PX
    raw_m, denoised_m = raw_m[::step, ::step], denoised_m[::step, ::step]
    is_used = (raw_m > 0) & (denoised_m > 0)
    if np.count_nonzero(is_used) < _FEWEST_SAMPLES:
        return 1.0
    raw_m, denoised_m = raw_m[is_used], denoised_m[is_used]
    moves = np.abs(denoised_m - raw_m) / np.square(raw_m)
    return _STDDEV_OF_MEDIAN * float(np.median(moves)) / growth_per_m


def _remove_nonsense(denoised_m: np.ndarray) -> None:
    """Set to NaN what is no distance."""
    if denoised_m.min() > 0 and denoised_m.max() < np.inf:
        return
    with np.errstate(invalid='ignore'):
        denoised_m[~((denoised_m > 0) & (denoised_m < np.inf))] = np.nan


def _lower(
    confidence: np.ndarray,
    denoised_m: np.ndarray,
    refused_m: np.ndarray,
    is_beyond: np.ndarray,
    doubt: float,
) -> None:
    """Subtract the squared refused part of the moves, relative to the tolerance."""
    refused = refused_m[is_beyond] / tolerance_m(denoised_m[is_beyond])
    lowered = confidence[is_beyond] - np.float32(doubt) * np.square(refused)
    confidence[is_beyond] = np.maximum(lowered, 0)


def tolerance_m(depth_m: np.ndarray) -> np.ndarray:
    """The error at which confidence reaches 0: 1 m, or a tenth of the depth."""
    return np.maximum(np.float32(1.0), np.float32(0.1) * depth_m)


def is_unfounded(is_measured: np.ndarray) -> np.ndarray:
    """Mask of pixels far from any measurement, bool (H, W) to (H, W).

    True where none is within twice _REACH_PX, false where one is within _REACH_PX: cells of
    pixels are compared, which costs a fraction of exact distances.
    """
    height, width = is_measured.shape
    cells = -(-width // _REACH_PX), -(-height // _REACH_PX)
    fraction = cv2.resize(is_measured.astype(np.float32), cells, interpolation=cv2.INTER_AREA)
    is_near = cv2.dilate((fraction > 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    if is_near.all():
        return np.zeros(is_measured.shape, bool)
    is_near = cv2.resize(is_near, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.equal(is_near, 0)
