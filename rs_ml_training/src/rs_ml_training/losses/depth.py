"""Losses of depth maps; every one is `f(target_m, prediction_m, mask) -> scalar`.

Depths are (B, H, W, 1) metres, (B, H, W) for target and mask too; the mask is 1 (or True) where
the target is known. All are computed in float32; a mask without a pixel gives 0 and no gradient.
"""

from __future__ import annotations

from collections.abc import Callable

from keras import ops

from rs_ml_training.losses.masking import Tensor, kept, like, masked_mean, safe_sqrt

DepthLoss = Callable[[Tensor, Tensor, Tensor], Tensor]
SMALLEST_M = 1e-3
"""Predictions are not taken to be nearer than this in a logarithm [m]."""


def masked(target_m: Tensor, prediction_m: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Target, prediction and mask as float32 of one shape; unknown pixels are 1 m in both."""
    mask = like(mask, prediction_m)
    target = kept(like(target_m, prediction_m), mask, 1.0)
    return target, kept(prediction_m, mask, 1.0), mask


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

    Source: Laina et al., Deeper Depth Prediction (arXiv 1606.00373), eq. 1. c is a constant to
    the gradient.
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


DEPTH_LOSSES: dict[str, DepthLoss] = {'l1': l1, 'l2': l2, 'berhu': berhu, 'silog': silog}
"""The losses by the name that commands take."""
