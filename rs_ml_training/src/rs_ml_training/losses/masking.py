"""Masked means that stay finite where the mask is empty."""

from __future__ import annotations

from typing import Any

from keras import ops

# A tensor of the Keras backend in use, or a NumPy array.
Tensor = Any


def like(values: Tensor, other: Tensor) -> Tensor:
    """`values` as float32 in the shape of `other`: (B, H, W) becomes (B, H, W, 1)."""
    return ops.reshape(ops.cast(values, 'float32'), ops.shape(other))


def kept(values: Tensor, mask: Tensor, fill: float) -> Tensor:
    """`values` float32 where the mask is set, `fill` elsewhere, which also stops gradients there.

    Replacing before a division or a logarithm is what keeps gradients finite: a product with 0
    afterwards would turn an infinite one into NaN.
    """
    values = ops.cast(values, 'float32')
    return ops.where(mask > 0, values, ops.full_like(values, fill))


def masked(target_m: Tensor, prediction_m: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Target, prediction and mask as float32 of one shape; unknown pixels are 1 m in both."""
    mask = like(mask, prediction_m)
    target = kept(like(target_m, prediction_m), mask, 1.0)
    return target, kept(prediction_m, mask, 1.0), mask


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of `values` weighted with `mask` (same shape); 0 where all weights are 0."""
    weights = ops.cast(mask, 'float32')
    total = ops.sum(kept(values, weights, 0.0) * weights)
    count = ops.sum(weights)
    return total / ops.where(count > 0, count, ops.ones_like(count))


def safe_sqrt(value: Tensor) -> Tensor:
    """Square root whose gradient at 0 is 0 instead of infinite."""
    positive = value > 1e-12
    root = ops.sqrt(ops.where(positive, value, ops.ones_like(value)))
    return ops.where(positive, root, ops.zeros_like(root))
