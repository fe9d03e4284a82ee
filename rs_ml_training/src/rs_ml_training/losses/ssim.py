"""Structural similarity of depth maps with holes."""

from __future__ import annotations

import numpy as np
from keras import ops

from rs_ml_training.losses.masking import Tensor, masked, masked_mean


def gaussian(window: int) -> np.ndarray:
    """Weights float32 (window,) of sum 1; sigma = 1.5 for 11 pixels and in proportion."""
    x = np.arange(window) - (window - 1) / 2
    weights = np.exp(-0.5 * (x / (1.5 * window / 11)) ** 2)
    return (weights / weights.sum()).astype(np.float32)


def blurred(maps: Tensor, window: int) -> Tensor:
    """Gaussian sums of (B, H, W, 1) around every pixel; beyond the border there is nothing."""
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
