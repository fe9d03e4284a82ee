"""The nine depth metrics of Eigen et al. and BTS, and the mean absolute error."""

from __future__ import annotations

import math

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.metrics.crops import window

NAMES = ('silog', 'abs_rel', 'log10', 'rms', 'sq_rel', 'log_rms', 'd1', 'd2', 'd3', 'mae')


class DepthMetrics:
    """Accumulates depth errors over images.

    Pixels count where min_depth_m < truth < max_depth_m inside the crop. Predictions are clamped
    to [min_depth_m, max_depth_m], NaN to min_depth_m, as in the PyTorch code of BTS. The result
    is the mean over images of each picture's metrics, or with `pooled` the metrics of all
    pixels together; images without such a pixel are left out.

    With `median_aligned` each prediction is first multiplied so that its median becomes that of
    the truth, which leaves the shape alone to be judged. Such figures are never comparable with
    those of depth in metres.
    """

    def __init__(
        self,
        min_depth_m: float = 1e-3,
        max_depth_m: float = 10.0,
        crop: str | None = None,
        pooled: bool = False,
        *,
        median_aligned: bool = False,
    ) -> None:
        if not 0 < min_depth_m < max_depth_m:
            raise ConfigError(
                f'depth limits must be 0 < min < max, got {min_depth_m}, {max_depth_m}'
            )
        window(crop, 480, 640)
        self.min_depth_m, self.max_depth_m = min_depth_m, max_depth_m
        self.crop, self.pooled, self.median_aligned = crop, pooled, median_aligned
        self._sums: list[np.ndarray] = []

    def update(self, truth_m: np.ndarray, prediction_m: np.ndarray) -> None:
        """One image (H, W) or (H, W, 1), or a batch (B, H, W, 1) or (B, H, W); metres.

        Raises:
            InputError: truth and prediction differ in size.
        """
        truths, predictions = _planes(truth_m), _planes(prediction_m)
        if truths.shape != predictions.shape:
            raise InputError(
                f'truth {np.shape(truth_m)} and prediction {np.shape(prediction_m)} differ in '
                'size; resize the prediction to the truth'
            )
        for truth, prediction in zip(truths, predictions, strict=True):
            sums = self._picture(truth, prediction)
            if sums[0]:
                self._sums.append(sums)

    def result(self) -> dict[str, float]:
        """Every metric by name (NaN without images), and `count`, the images with truth."""
        sums = np.array(self._sums).reshape(-1, 11)
        count = len(sums)
        if self.pooled:
            sums = sums.sum(axis=0, keepdims=True)
        values = _metrics(sums).mean(axis=0) if count else np.full(len(NAMES), math.nan)
        return dict(zip(NAMES, values.tolist(), strict=True)) | {'count': float(count)}

    def _picture(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        """Sums over the pixels that count; the first is their number."""
        part = window(self.crop, *truth.shape)
        truth, prediction = truth[part], prediction[part]
        counts = (truth > self.min_depth_m) & (truth < self.max_depth_m)
        truth, prediction = truth[counts], prediction[counts]
        if self.median_aligned:
            prediction = prediction * _median_ratio(truth, prediction)
        prediction = np.clip(prediction, self.min_depth_m, self.max_depth_m)
        np.nan_to_num(prediction, copy=False, nan=self.min_depth_m)
        return _sums(truth, prediction)


def _median_ratio(truth: np.ndarray, prediction: np.ndarray) -> float:
    """1 where there is no truth or no positive prediction to compare."""
    usable = np.isfinite(prediction) & (prediction > 0)
    if not usable.any():
        return 1.0
    return float(np.median(truth[usable]) / np.median(prediction[usable]))


def _planes(depth_m: np.ndarray) -> np.ndarray:
    """As (B, H, W)."""
    depth_m = np.asarray(depth_m)
    depth_m = depth_m.astype(np.result_type(depth_m, np.float32), copy=False)
    if depth_m.ndim >= 3 and depth_m.shape[-1] == 1:
        depth_m = depth_m[..., 0]
    if depth_m.ndim not in (2, 3):
        raise InputError(f'a depth map is (H, W) or a batch (B, H, W, 1), got {depth_m.shape}')
    return depth_m if depth_m.ndim == 3 else depth_m[None]


def _sums(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """n, then sums of e, e^2 and |e| (e = ln of the ratio), inliers, errors in metres."""
    log_ratio = np.log(prediction / truth).astype(np.float64)
    size = np.abs(log_ratio)
    inliers = [np.count_nonzero(size < k * math.log(1.25)) for k in (1, 2, 3)]
    error = np.abs(prediction - truth)
    relative = error / truth
    terms = log_ratio, log_ratio**2, size, relative, relative * error, error**2, error
    totals = [term.sum(dtype=np.float64) for term in terms]
    return np.array([len(truth), *totals[:3], *inliers, *totals[3:]], np.float64)


def _metrics(sums: np.ndarray) -> np.ndarray:
    """Metrics (N, 10) in the order of NAMES from sums (N, 11)."""
    means = sums[:, 1:] / sums[:, :1]
    log, log_2, log_size, d1, d2, d3, abs_rel, sq_rel, square, mae = means.T
    silog = 100 * np.sqrt(np.maximum(log_2 - log**2, 0))
    log10 = log_size / math.log(10)
    rms, log_rms = np.sqrt(square), np.sqrt(log_2)
    return np.stack([silog, abs_rel, log10, rms, sq_rel, log_rms, d1, d2, d3, mae], axis=1)
