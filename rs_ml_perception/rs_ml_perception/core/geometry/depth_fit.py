"""Scale and shift that take estimated depth to measured depth, robustly and over time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

_ITERATIONS = 5
_TUKEY = 4.685
"""Cut-off of Tukey's biweight in standard deviations: 95 % efficiency for normal errors."""

_MAD_TO_STDDEV = 1.4826
_LEAST_RESIDUAL = 0.01
_MOST_RESIDUAL = 0.5
"""Estimates that differ more from what is measured describe another scene."""

_LEAST_PAIRS, _MOST_PAIRS = 20, 500
_LEAST_FRACTION = 0.02
_PATCHES = 50
"""Independent errors in one image: the errors of a network are smooth."""

_SHIFT_STDDEV_M = 0.3
"""Expected shift before anything is measured."""

_SCALE_DRIFT = 0.3
_SHIFT_DRIFT_M = 0.3
"""Expected change within a second: relative of the scale, and of the shift."""

_LEAST_SLOPE = 0.3
"""A shift changes depth to this fraction of its scaled value at least."""


@dataclass(frozen=True, eq=False)
class DepthFit:
    """measured = scale * estimated + shift_m.

    Attributes:
        scale: factor.
        shift_m: offset in metres, 0 in a fit of the scale alone.
        residual: robust standard deviation of measured depth around the fit, relative to it.
        inlier_fraction: fraction of the pairs with a weight above 0.
        covariance: float64 (2, 2), of scale and shift.
    """

    scale: float
    shift_m: float
    residual: float
    inlier_fraction: float
    covariance: np.ndarray

    def apply_to(self, depth_m: np.ndarray) -> None:
        """Turn estimated depth (any shape) into measured metres, in place; it stays positive."""
        depth_m *= np.float32(self.scale)
        if self.shift_m:
            least_m = np.float32(_LEAST_SLOPE) * depth_m
            depth_m += np.float32(self.shift_m)
            np.maximum(depth_m, least_m, out=depth_m)

    def after(self, secs: float) -> DepthFit:
        """The same, less certain after a time."""
        drift = np.diag([(_SCALE_DRIFT * self.scale) ** 2, _SHIFT_DRIFT_M**2]) * secs
        return replace(self, covariance=self.covariance + drift)


def fit_depth(
    estimated_m: np.ndarray,
    measured_m: np.ndarray,
    *,
    with_shift: bool,
    noise_growth_per_m: float = 0.0,
    prior: DepthFit | None = None,
) -> DepthFit | None:
    """Fit by iteratively reweighted least squares with Tukey's biweight.

    The start is the median ratio, right with up to half of the pairs wrong. A pair weighs by the
    spread of the ratios and by the noise of the measurement, which grows with its square.

    Args:
        estimated_m: float32 (h, w), metres, NaN where unknown; a coarse grid is enough.
        measured_m: float32 (h, w), the same pixels measured, NaN where unknown.
        with_shift: whether to fit a shift, too.
        noise_growth_per_m: the standard deviation of measured depth z is this times z squared.
        prior: an earlier fit, which counts by its covariance.

    Returns:
        None where less than 2 % of the grid, or too few pairs, are known or where the two do not
        agree at all.
    """
    known = np.isfinite(estimated_m) & (estimated_m > 0) & (measured_m > 0)
    count = np.count_nonzero(known)
    if count < max(_LEAST_PAIRS, _LEAST_FRACTION * known.size):
        return None
    step = 1 + count // _MOST_PAIRS
    x = estimated_m[known][::step].astype(np.float64)
    z = measured_m[known][::step].astype(np.float64)
    weight_of_pair = _PATCHES * step / known.size
    scale, shift_m = float(np.median(z / x)), 0.0
    precision, expected = _before(prior, scale, with_shift)
    noise = noise_growth_per_m * z
    for _ in range(_ITERATIONS):
        errors = (z - scale * x - shift_m) / z
        residual = max(_MAD_TO_STDDEV * float(np.median(np.abs(errors))), _LEAST_RESIDUAL)
        spread_2 = residual**2 + noise**2
        biweight = np.maximum(1.0 - errors**2 / (_TUKEY**2 * spread_2), 0.0) ** 2
        weights = weight_of_pair * biweight / (spread_2 * z**2)
        information = precision + _moments(x, weights)
        wanted = precision @ expected + np.array([weights @ (x * z), weights @ z])
        scale, shift_m = _solved(information, wanted, with_shift)
    if residual > _MOST_RESIDUAL or not scale > 0:
        return None
    covariance = np.linalg.inv(information)
    return DepthFit(scale, shift_m, residual, float(np.mean(biweight > 0)), covariance)


def _before(
    prior: DepthFit | None, scale: float, with_shift: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and mean of scale and shift before the measurement."""
    if prior is None:
        return np.diag([1e-6, _SHIFT_STDDEV_M**-2]), np.array([scale, 0.0])
    if not with_shift:
        return np.diag([1 / prior.covariance[0, 0], 1.0]), np.array([prior.scale, 0.0])
    return np.linalg.inv(prior.covariance), np.array([prior.scale, prior.shift_m])


def _moments(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    first = weights @ x
    return np.array([[weights @ (x * x), first], [first, weights.sum()]])


def _solved(information: np.ndarray, wanted: np.ndarray, with_shift: bool) -> tuple[float, float]:
    if not with_shift:
        return float(wanted[0] / information[0, 0]), 0.0
    scale, shift_m = np.linalg.solve(information, wanted)
    return float(scale), float(shift_m)


class FitOverTime:
    """The fit of each frame, carried to the next ones.

    Frames whose depth tells little lean on earlier ones; with much depth a change of scale is
    followed at once. Frames with stamp 0 stand alone.

    Args:
        hold_secs: how long the last fit serves frames without depth.

    Attributes:
        age_secs: of the fit that `__call__` returned last, NaN for none.
    """

    def __init__(self, hold_secs: float) -> None:
        self.hold_secs = hold_secs
        self.reset()

    def reset(self) -> None:
        """Forget earlier frames."""
        self.age_secs = float('nan')
        self._last: DepthFit | None = None
        self._stamp_ns = 0

    def __call__(
        self,
        stamp_ns: int,
        estimated_m: np.ndarray,
        measured_m: np.ndarray | None,
        *,
        with_shift: bool,
        noise_growth_per_m: float = 0.0,
    ) -> DepthFit | None:
        """The fit for a frame: its own, else the last one within hold_secs, else None.

        Args:
            stamp_ns: of the frame; a stamp before the last one resets.
            estimated_m: see fit_depth.
            measured_m: see fit_depth; None without depth.
            with_shift: see fit_depth.
            noise_growth_per_m: see fit_depth.
        """
        carried, age_secs = self._carried(stamp_ns)
        fit = None
        if measured_m is not None:
            fit = fit_depth(
                estimated_m,
                measured_m,
                with_shift=with_shift,
                noise_growth_per_m=noise_growth_per_m,
                prior=carried,
            )
        if fit is not None:
            self._last, self._stamp_ns, self.age_secs = fit, stamp_ns, 0.0
            return fit
        self.age_secs = age_secs
        return carried

    def _carried(self, stamp_ns: int) -> tuple[DepthFit | None, float]:
        """The last fit and its age; none if it is too old or of another time line."""
        age_secs = 1e-9 * (stamp_ns - self._stamp_ns)
        is_usable = stamp_ns > 0 and self._stamp_ns > 0 and 0 <= age_secs <= self.hold_secs
        if self._last is None or not is_usable:
            if age_secs < 0:
                self._last = None
            return None, float('nan')
        return self._last.after(age_secs), age_secs
