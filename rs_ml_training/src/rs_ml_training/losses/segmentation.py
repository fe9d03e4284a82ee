"""Losses of segmentation: `f(labels, logits, ...) -> scalar`.

Labels are (B, H, W) integers, IGNORE where unlabelled; logits (B, H, W, C). All are computed in
float32; a batch without a labelled pixel gives 0 and no gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from keras import ops

from rs_ml_training.data.sample import IGNORE
from rs_ml_training.losses.masking import Tensor, masked_mean

SegmentationLoss = Callable[[Tensor, Tensor], Tensor]
# For networks with one channel,
SIGMOID_LOSSES = frozenset(('binary_cross_entropy', 'binary_focal'))
# and for networks with a channel per class; the other losses take both.
SOFTMAX_LOSSES = frozenset(('cross_entropy', 'focal'))


def known(labels: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Labels int32 (B, H, W) with 0 where unlabelled, and the float32 mask of the labelled."""
    labels = ops.reshape(ops.cast(labels, 'int32'), ops.shape(logits)[:-1])
    labelled = ops.not_equal(labels, IGNORE)
    return ops.where(labelled, labels, ops.zeros_like(labels)), ops.cast(labelled, 'float32')


def pixel_weights(labels: Tensor, mask: Tensor, class_weights: Sequence[float] | None) -> Tensor:
    """The mask times the weight of each pixel's class."""
    if class_weights is None:
        return mask
    return mask * ops.take(ops.convert_to_tensor(class_weights, 'float32'), labels)


def cross_entropy(
    labels: Tensor,
    logits: Tensor,
    *,
    class_weights: Sequence[float] | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Softmax cross-entropy; with class weights it is the weighted mean (sum of weights below)."""
    labels, mask = known(labels, logits)
    logits = ops.cast(logits, 'float32')
    loss = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    if label_smoothing:
        even = -ops.mean(ops.log_softmax(logits, axis=-1), axis=-1)
        loss = (1.0 - label_smoothing) * loss + label_smoothing * even
    return masked_mean(loss, pixel_weights(labels, mask, class_weights))


def focal(
    labels: Tensor,
    logits: Tensor,
    *,
    gamma: float = 2.0,
    alpha: Sequence[float] | None = None,
) -> Tensor:
    """Softmax focal loss: mean of (1 - p)^gamma * CE, times alpha[class] where given.

    Source: Lin et al. (arXiv 1708.02002), eq. 5.
    """
    labels, mask = known(labels, logits)
    loss = ops.sparse_categorical_crossentropy(
        labels, ops.cast(logits, 'float32'), from_logits=True
    )
    # 1 - p without the cancellation near p = 1; rounding must not make it negative.
    missing = ops.maximum(-ops.expm1(-loss), 0.0)
    factor = 1.0 if alpha is None else pixel_weights(labels, ops.ones_like(mask), alpha)
    return masked_mean(factor * ops.power(missing, gamma) * loss, mask)


def binary_cross_entropy(labels: Tensor, logits: Tensor) -> Tensor:
    """Sigmoid cross-entropy of one channel: labels 0 or 1, logits (B, H, W, 1)."""
    labels, mask = known(labels, logits)
    return masked_mean(_sigmoid_loss(labels, logits), mask)


def binary_focal(
    labels: Tensor, logits: Tensor, *, alpha: float = 0.25, gamma: float = 2.0
) -> Tensor:
    """Sigmoid focal loss of one channel (arXiv 1708.02002); alpha weighs label 1, 1 - alpha 0."""
    labels, mask = known(labels, logits)
    loss = _sigmoid_loss(labels, logits)
    positive = ops.cast(labels, 'float32')
    factor = alpha * positive + (1.0 - alpha) * (1.0 - positive)
    missing = ops.maximum(-ops.expm1(-loss), 0.0)
    return masked_mean(factor * ops.power(missing, gamma) * loss, mask)


def dice(labels: Tensor, logits: Tensor, *, smooth: float = 1.0) -> Tensor:
    """1 - mean over classes of the soft Dice coefficient over the batch.

    One channel is a sigmoid foreground, several a softmax. `smooth` is added above and below
    (Milletari et al., arXiv 1606.04797, with the usual smoothing).
    """
    classes = logits.shape[-1]
    labels, mask = known(labels, logits)
    logits = ops.cast(logits, 'float32')
    if classes == 1:
        truth, share = ops.cast(labels, 'float32')[..., None], ops.sigmoid(logits)
    else:
        truth, share = ops.one_hot(labels, classes), ops.softmax(logits, axis=-1)
    mask = mask[..., None]
    both = ops.sum(truth * share * mask, axis=(0, 1, 2))
    either = ops.sum((truth + share) * mask, axis=(0, 1, 2))
    return 1.0 - ops.mean((2.0 * both + smooth) / (either + smooth))


def cross_entropy_dice(labels: Tensor, logits: Tensor) -> Tensor:
    """Cross-entropy plus Dice, sigmoid or softmax by the number of channels."""
    entropy = binary_cross_entropy if logits.shape[-1] == 1 else cross_entropy
    return entropy(labels, logits) + dice(labels, logits)


def _sigmoid_loss(labels: Tensor, logits: Tensor) -> Tensor:
    """Per-pixel sigmoid cross-entropy (B, H, W) of logits (B, H, W, 1)."""
    logits = ops.cast(logits, 'float32')[..., 0]
    target = ops.cast(labels, 'float32')
    return ops.maximum(logits, 0.0) - logits * target + ops.log1p(ops.exp(-ops.abs(logits)))


def confidence_loss(labels: Tensor, confidence: Tensor) -> Tensor:
    """Mean BCE of `confidence` (B, H, W, 1, sigmoid) against label >= 1.

    Source: chansoopark98/Tensorflow-Keras-Realtime-Segmentation, July 2022 form.
    """
    confidence = ops.cast(confidence, 'float32')
    labels_0, mask = known(labels, confidence)
    present = ops.cast(labels_0 >= 1, 'float32')
    entropy = ops.binary_crossentropy(present[..., None], confidence)
    return masked_mean(entropy, mask[..., None])


def none_of(unlisted: Tensor, logits: Tensor, classes: Sequence[int]) -> Tensor:
    """Mean of -log(1 - p) over marked pixels, p the probability of being any of the classes.

    For pixels known to be none of them.

    Args:
        unlisted: (B, H, W), 1 where a pixel is none of the classes.
        logits: (B, H, W, C).
        classes: their ids, not all there are.
    """
    logits = ops.cast(logits, 'float32')
    others = [i for i in range(logits.shape[-1]) if i not in classes]
    possible = ops.logsumexp(ops.take(logits, others, axis=-1), axis=-1)
    mask = ops.reshape(ops.cast(unlisted, 'float32'), ops.shape(logits)[:-1])
    return masked_mean(ops.logsumexp(logits, axis=-1) - possible, mask)


def at_scores(maps: Tensor, logits: Tensor) -> Tensor:
    """Maps (B, H, W) at the size of scores (B, H/n, W/n, C): of each n by n pixels one.

    The one nearest to the middle, lower right of it where n is even.
    """
    step = maps.shape[1] // logits.shape[1]
    return maps[:, step // 2 :: step, step // 2 :: step] if step > 1 else maps


# Losses by name.
SEGMENTATION_LOSSES: dict[str, SegmentationLoss] = {
    'cross_entropy': cross_entropy,
    'focal': focal,
    'binary_cross_entropy': binary_cross_entropy,
    'binary_focal': binary_focal,
    'dice': dice,
    'cross_entropy_dice': cross_entropy_dice,
}
