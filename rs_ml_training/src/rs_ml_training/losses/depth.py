"""Losses of depth maps; every one is `f(target_m, prediction_m, mask) -> scalar`.

Depths are (B, H, W, 1) metres, (B, H, W) for target and mask too; the mask is 1 (or True) where
the target is known. All are computed in float32; a mask without a pixel gives 0 and no gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from keras import ops
from rs_ml_perception.core.geometry.camera import CameraModel

from rs_ml_training.losses.masking import Tensor, masked, masked_mean, safe_sqrt
from rs_ml_training.losses.normals import normal_loss, steps, steps_known

DepthLoss = Callable[[Tensor, Tensor, Tensor], Tensor]
# Least depth of predictions in a logarithm [m].
SMALLEST_M = 1e-3


def gaussian(window: int) -> np.ndarray:
    """Weights float32 (window,) of sum 1; sigma = 1.5 for 11 pixels and in proportion."""
    x = np.arange(window) - (window - 1) / 2
    weights = np.exp(-0.5 * (x / (1.5 * window / 11)) ** 2)
    return np.asarray(weights / weights.sum(), np.float32)


def blurred(maps: Tensor, window: int) -> Tensor:
    """Gaussian sums of (B, H, W, 1) around every pixel; zeros beyond the border."""
    weights = gaussian(window)
    maps = ops.conv(maps, weights.reshape(-1, 1, 1, 1), padding='same')
    return ops.conv(maps, weights.reshape(1, -1, 1, 1), padding='same')


def ssim_map(
    target_m: Tensor,
    prediction_m: Tensor,
    mask: Tensor,
    *,
    window: int = 11,
    range_m: float = 10.0,
) -> Tensor:
    """SSIM around every pixel, (B, H, W, 1) in -1..1.

    Wang et al. 2004 with its constants 0.01 and 0.03, Gaussian weights renormalised to the known
    pixels of the window; where all are known it is the published formula. `range_m` is its L.
    """
    target, prediction, mask = masked(target_m, prediction_m, mask)
    x, y = target / range_m, prediction / range_m
    weight = ops.maximum(blurred(mask, window), 1e-6)
    maps = ops.concatenate([x, y, x * x, y * y, x * y], axis=0)
    maps = blurred(maps * ops.tile(mask, (5, 1, 1, 1)), window)
    x, y, xx, yy, xy = (m / weight for m in ops.split(maps, 5, axis=0))
    c1, c2 = 0.01**2, 0.03**2
    structure = (2 * (xy - x * y) + c2) / (xx - x * x + yy - y * y + c2)
    return structure * (2 * x * y + c1) / (x * x + y * y + c1)


def ssim_loss(
    target_m: Tensor,
    prediction_m: Tensor,
    mask: Tensor,
    *,
    window: int = 11,
    range_m: float = 10.0,
) -> Tensor:
    """Mean of (1 - SSIM) / 2 over the known pixels: 0 for equal maps, at most 1."""
    similarity = ssim_map(target_m, prediction_m, mask, window=window, range_m=range_m)
    known = ops.reshape(ops.cast(mask, 'float32'), ops.shape(prediction_m))
    return masked_mean((1.0 - similarity) / 2.0, known)


def l1(target_m: Tensor, prediction_m: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute error [m]."""
    target, prediction, mask = masked(target_m, prediction_m, mask)
    return masked_mean(ops.abs(prediction - target), mask)


def l2(target_m: Tensor, prediction_m: Tensor, mask: Tensor) -> Tensor:
    """Mean squared error [m^2]."""
    target, prediction, mask = masked(target_m, prediction_m, mask)
    return masked_mean(ops.square(prediction - target), mask)


def berhu(target_m: Tensor, prediction_m: Tensor, mask: Tensor, *, share: float = 0.2) -> Tensor:
    """Reversed Huber loss [m]: linear up to c = share * max|error| of the batch, then quadratic.

    Source: Laina et al., Deeper Depth Prediction (arXiv 1606.00373), eq. 1. c is constant to the
    gradient.
    """
    target, prediction, mask = masked(target_m, prediction_m, mask)
    error = ops.abs(prediction - target)
    c = ops.stop_gradient(share * ops.max(error, initial=0.0))
    c = ops.maximum(c, 1e-6)
    return masked_mean(ops.where(error <= c, error, (ops.square(error) + c * c) / (2 * c)), mask)


def silog(
    target_m: Tensor,
    prediction_m: Tensor,
    mask: Tensor,
    *,
    variance_focus: float = 0.85,
    scale: float = 10.0,
) -> Tensor:
    """Scale-invariant logarithmic loss: scale * sqrt(mean(d^2) - variance_focus * mean(d)^2).

    d = ln(target) - ln(prediction). Source: Lee et al., BTS (arXiv 1907.10326), eq. 4. Written as
    variance + (1 - focus) * mean^2, which does not cancel.
    """
    target, prediction, mask = masked(target_m, prediction_m, mask)
    d = ops.log(ops.maximum(target, SMALLEST_M)) - ops.log(ops.maximum(prediction, SMALLEST_M))
    mean = masked_mean(d, mask)
    variance = masked_mean(ops.square(d - mean), mask)
    return scale * safe_sqrt(variance + (1.0 - variance_focus) * ops.square(mean))


def gradient(
    target_m: Tensor,
    prediction_m: Tensor,
    mask: Tensor,
    *,
    alpha: float = 0.5,
    slope: float = 1.0,
    normal: float = 1.0,
) -> Tensor:
    """Depth, gradient and normal terms: ln(|e| + alpha) of depth and of its slopes, and normals.

    Source: Hu et al., Revisiting Single Image Depth Estimation (arXiv 1803.08673), eq. 1-5, with
    ln(alpha) subtracted so that a perfect map gives 0. `slope` and `normal` are its lambda and mu.
    """
    target, prediction, known = masked(target_m, prediction_m, mask)
    error = prediction - target
    loss = masked_mean(_log_size(error, alpha), known)
    both = steps_known(known)
    slopes = sum(masked_mean(_log_size(step, alpha), both) for step in steps(error))
    return loss + slope * slopes + normal * normal_loss(target_m, prediction_m, mask)


def _log_size(error: Tensor, alpha: float) -> Tensor:
    return ops.log1p(ops.abs(error) / alpha)


def relative(
    target_m: Tensor,
    prediction_m: Tensor,
    mask: Tensor,
    *,
    metric: float = 0.2,
    slope: float = 0.5,
    scales: int = 4,
) -> Tensor:
    """Relative error, error in metres, and slopes: |d| + metric |e| + slope |grad d|.

    d = ln(prediction / target), e = prediction - target [m], `metric` is in 1/m. Slopes of d are
    compared between pixels 1, 2, 4, ... apart, `scales` times: Li and Snavely, MegaDepth
    (arXiv 1804.00607), eq. 5.
    """
    target, prediction, known = masked(target_m, prediction_m, mask)
    share = ops.log(ops.maximum(prediction, SMALLEST_M)) - ops.log(ops.maximum(target, SMALLEST_M))
    loss = masked_mean(ops.abs(share), known)
    loss = loss + metric * masked_mean(ops.abs(prediction - target), known)
    for scale in range(scales if slope else 0):
        loss = loss + slope * _slopes(share[:, :: 2**scale, :: 2**scale], known, 2**scale)
    return loss


def _slopes(values: Tensor, known: Tensor, stride: int) -> Tensor:
    """Mean step to the next value of every `stride`-th row and column."""
    both = steps_known(known[:, ::stride, ::stride])
    return sum(masked_mean(ops.abs(step), both) for step in steps(values))


def combined(
    target_m: Tensor,
    prediction_m: Tensor,
    mask: Tensor,
    *,
    l1_weight: float = 0.1,
    normal_weight: float = 0.1,
    ssim_weight: float = 0.8,
    window: int = 11,
    range_m: float = 10.0,
    intrinsics: CameraModel | None = None,
    sphere: bool = False,
) -> Tensor:
    """Weighted sum of L1, `normal_loss` and `ssim_loss`; defaults as in limchaos' Depth project.

    `intrinsics` and `sphere` choose what the normals are computed on, `range_m` is SSIM's range.
    """
    maps = target_m, prediction_m, mask
    normals = normal_loss(*maps, intrinsics=intrinsics, sphere=sphere)
    similarity = ssim_loss(*maps, window=window, range_m=range_m)
    return l1_weight * l1(*maps) + normal_weight * normals + ssim_weight * similarity


# Losses by name.
DEPTH_LOSSES: dict[str, DepthLoss] = {
    'l1': l1,
    'l2': l2,
    'berhu': berhu,
    'silog': silog,
    'gradient': gradient,
    'relative': relative,
    'l1_normal_ssim': combined,
    'l1_normal_ssim_sphere': partial(combined, sphere=True),
}
