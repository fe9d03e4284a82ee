"""Losses of a detector that predicts the centres of objects (CenterNet)."""

from __future__ import annotations

from collections.abc import Mapping

from keras import ops

from rs_ml_training.losses.masking import Tensor, masked_mean

# CenterNet's weights 1, 0.1 and 1; 0.1 was per cell of 4 px, `size` here is in pixels.
TERM_WEIGHTS: Mapping[str, float] = {'heatmap': 1.0, 'size': 0.025, 'offset': 1.0}
# Least target of a peak.
LEAST_PEAK = 0.1


def heatmap_focal(
    target: Tensor, prediction: Tensor, *, alpha: float = 2.0, beta: float = 4.0
) -> Tensor:
    """Penalty-reduced focal loss of centre heatmaps (B, h, w, C), per object of the batch.

    Cells of target 1 are centres; others count by (1 - target)^beta. Source: Zhou et al., Objects
    as Points (arXiv 1904.07850), eq. 1. Without objects it is the sum over the background.
    """
    target = ops.cast(target, 'float32')
    share = ops.clip(ops.cast(prediction, 'float32'), 1e-4, 1.0 - 1e-4)
    centre = ops.cast(target >= 1.0, 'float32')
    found = centre * ops.power(1.0 - share, alpha) * ops.log(share)
    penalty = ops.power(ops.maximum(1.0 - target, 0.0), beta)
    empty = penalty * ops.power(share, alpha) * ops.log1p(-share)
    return -ops.sum(found + empty) / ops.maximum(ops.sum(centre), 1.0)


def heatmap_soft(
    target: Tensor, prediction: Tensor, *, beta: float = 2.0, peak_weight: float = 8.0
) -> Tensor:
    """Quality focal loss of heat maps (B, h, w, C) whose targets are any scores, by their peaks.

    Cross entropy weighed by |target - prediction|^beta (Li 2020, arXiv 2006.04388, eq. 5), which
    is 0 where both agree; a peak of the target counts `peak_weight` times its height more.
    """
    target = ops.cast(target, 'float32')
    share = ops.clip(ops.cast(prediction, 'float32'), 1e-4, 1.0 - 1e-4)
    entropy = -(target * ops.log(share) + (1.0 - target) * ops.log1p(-share))
    highest = ops.max_pool(target, 3, strides=1, padding='same')
    is_peak = ops.logical_and(target >= highest, target >= LEAST_PEAK)
    height = ops.where(is_peak, target, ops.zeros_like(target))
    weights = ops.power(ops.abs(target - share), beta) * (1.0 + peak_weight * height)
    return ops.sum(weights * entropy) / ops.maximum(ops.sum(height), 1.0)


def centre_l1(target: Tensor, prediction: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute error of (B, h, w, 2) in the cells where the mask (B, h, w, 1) is set."""
    error = ops.abs(ops.cast(prediction, 'float32') - ops.cast(target, 'float32'))
    return masked_mean(error, ops.cast(mask, 'float32') + ops.zeros_like(error))


def detection_loss(
    targets: Mapping[str, Tensor],
    outputs: Mapping[str, Tensor],
    weights: Mapping[str, float] = TERM_WEIGHTS,
    *,
    alpha: float = 2.0,
    beta: float = 4.0,
) -> dict[str, Tensor]:
    """The weighted terms `heatmap`, `size` and `offset`; their sum is the loss.

    Args:
        targets: `heatmap` (B, h, w, C) in 0..1, `size` and `offset` (B, h, w, 2), and `mask`
            (B, h, w, 1), 1 in the cells of centres.
        outputs: `heatmap` after its sigmoid, `size`, `offset`, of the same shapes.
        weights: of the terms.
        alpha: exponent of `heatmap_focal`,
        beta: and its other one.
    """
    heat = heatmap_focal(targets['heatmap'], outputs['heatmap'], alpha=alpha, beta=beta)
    return _terms(targets, outputs, heat, weights)


def soft_detection_loss(
    targets: Mapping[str, Tensor],
    outputs: Mapping[str, Tensor],
    weights: Mapping[str, float] = TERM_WEIGHTS,
    *,
    beta: float = 2.0,
    peak_weight: float = 8.0,
) -> dict[str, Tensor]:
    """`detection_loss` for targets that are soft scores, see `heatmap_soft`.

    The `mask` is the weight of the extent in each cell.
    """
    heat = heatmap_soft(targets['heatmap'], outputs['heatmap'], beta=beta, peak_weight=peak_weight)
    return _terms(targets, outputs, heat, weights)


def _terms(
    targets: Mapping[str, Tensor],
    outputs: Mapping[str, Tensor],
    heat: Tensor,
    weights: Mapping[str, float],
) -> dict[str, Tensor]:
    mask = targets['mask']
    terms = {'heatmap': heat}
    terms |= {n: centre_l1(targets[n], outputs[n], mask) for n in ('size', 'offset')}
    return {name: weights[name] * term for name, term in terms.items()}
