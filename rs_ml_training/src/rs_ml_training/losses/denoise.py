"""Loss of networks that denoise depth and predict a confidence for each pixel."""

from __future__ import annotations

from collections.abc import Mapping

from keras import ops

from rs_ml_training.losses.masking import Tensor, like, masked, masked_mean
from rs_ml_training.losses.normals import steps, steps_known

TERM_WEIGHTS: Mapping[str, float] = {
    'depth_m': 1.0,
    'gross': 2.0,
    'slope': 0.25,
    'confidence': 0.5,
}


def noise_m(depth_m: Tensor, floor_m: float = 0.002, growth: float = 0.0025) -> Tensor:
    """Depth noise of a stereo camera [m]: floor_m + growth * z^2.

    growth = subpixel error / (focal length * baseline): 0.08 px / (640 px * 5 cm) for a D4xx.
    """
    return floor_m + growth * ops.square(depth_m)


def edge_map(depth_m: Tensor, mask: Tensor, share: float = 0.05) -> Tensor:
    """1 next to jumps of more than this fraction of the depth, in 3 x 3 known neighbours.

    float32 (B, H, W, 1), for `depth_m` and `mask` of that shape.
    """
    far = ops.max_pool(ops.where(mask > 0, depth_m, 0.0), 3, 1, padding='same')
    near = -ops.max_pool(ops.where(mask > 0, -depth_m, -1e6), 3, 1, padding='same')
    return ops.cast(far - near > share * depth_m, 'float32') * mask


def charbonnier(error: Tensor, knee: float = 1.0) -> Tensor:
    """Robust size of an error: quadratic well below `knee`, linear above it."""
    return ops.sqrt(ops.square(error) + knee**2) - knee


def confidence_loss(
    target_m: Tensor,
    depth_m: Tensor,
    confidence: Tensor,
    mask: Tensor,
    *,
    tolerance_m: float = 0.25,
    tolerance_share: float = 0.05,
) -> Tensor:
    """BCE of the confidence against 1 - min((error / tolerance)^2, 1).

    The tolerance is max(tolerance_m, tolerance_share * z). The confidence learns the expected
    squared error: the most confident pixels have the smallest RMSE, and one gross error in twenty
    costs a pixel more than a certain one of a few centimetres. The depth is constant to its
    gradient, so the confidence does not change it.
    """
    target, depth, mask = masked(target_m, ops.stop_gradient(depth_m), mask)
    allowed = ops.maximum(tolerance_m, tolerance_share * target)
    good = 1.0 - ops.minimum(ops.square((depth - target) / allowed), 1.0)
    share = ops.clip(like(confidence, depth), 1e-6, 1.0 - 1e-6)
    entropy = -(good * ops.log(share) + (1.0 - good) * ops.log1p(-share))
    return masked_mean(entropy, mask)


def denoise_loss(
    target_m: Tensor,
    outputs: Mapping[str, Tensor],
    mask: Tensor | None = None,
    *,
    relative: bool = True,
    noise_share: float = 1.0,
    edge_weight: float = 2.0,
    gross_m: float = 0.3,
    tolerance_m: float = 0.25,
    tolerance_share: float = 0.05,
    weights: Mapping[str, float] = TERM_WEIGHTS,
) -> dict[str, Tensor]:
    """The weighted terms `depth_m`, `gross`, `slope` and, if the network has it, `confidence`.

    Their sum is the loss. All count where the truth is known, with or without a measurement.

    Args:
        target_m: (B, H, W, 1) or (B, H, W) metres, 0 = unknown.
        outputs: `depth_m` (B, H, W, 1), `confidence` (B, H, W, 1) in 0..1.
        mask: where the truth counts; None: where it is above 0.
        relative: errors in units of `noise_m`, which grows with z^2; otherwise centimetres. Their
            logarithm counts, so that hopeless pixels do not outweigh exact ones.
        noise_share: of that noise, as the unit: the smaller, the more small errors count.
        edge_weight: of pixels at depth edges, where others weigh 1.
        gross_m: knee of the term `gross`, which counts errors in metres whatever the depth:
            quadratic below, as the RMSE, and linear above.
        tolerance_m: an error of this size deserves no confidence,
        tolerance_share: or one of this fraction of the depth, whichever is larger.
        weights: of the terms.
    """
    depth_m = outputs['depth_m']
    mask = ops.greater(target_m, 0) if mask is None else mask
    target, depth, known = masked(target_m, depth_m, mask)
    unit_m = noise_share * noise_m(target) if relative else ops.full_like(target, 0.01)
    error = (depth - target) / unit_m
    weight = known * (1.0 + (edge_weight - 1.0) * edge_map(target, known))
    terms = {'depth_m': masked_mean(ops.log1p(charbonnier(error)), weight)}
    terms['gross'] = masked_mean(charbonnier((depth - target) / gross_m), known)
    both = steps_known(known)
    terms['slope'] = sum(masked_mean(charbonnier(s), both) for s in steps(error)) / 2.0
    if 'confidence' in outputs:
        tolerance = {'tolerance_m': tolerance_m, 'tolerance_share': tolerance_share}
        confidence = outputs['confidence']
        terms['confidence'] = confidence_loss(target_m, depth_m, confidence, mask, **tolerance)
    return {name: weights[name] * term for name, term in terms.items()}
