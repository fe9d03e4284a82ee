"""Generalized focal loss of a detector (Li 2020, arXiv 2006.04388).

A score is the quality of the box that goes with it; a side of a box is a distribution of its
distance from the cell.
"""

from __future__ import annotations

from collections.abc import Mapping

from keras import ops

from rs_ml_training.losses.assignment import Assignment, Cells, areas, assigned, overlaps
from rs_ml_training.losses.masking import Tensor

TERMS = ('quality', 'overlap', 'distribution')
_SIDES = 4


def generalized_focal(
    targets: Mapping[str, Tensor],
    outputs: Mapping[str, Tensor],
    *,
    cells: Cells,
    beta: float = 2.0,
    overlap_weight: float = 2.0,
    distribution_weight: float = 0.25,
) -> dict[str, Tensor]:
    """The weighted terms of TERMS; their sum is the loss.

    Args:
        targets: `truth` (B, M, 6), see assignment.assigned; `marked` (B, C), 1 for the classes of
            which every object in the image is annotated; optionally `taught` (B, N, C), scores
            0..1 of a teacher. Classes that are neither are not learned.
        outputs: `scores` (B, N, C) and `distances` (B, N, 4 * bins), logits.
        cells: of the network.
        beta: exponent of the focus on wrong scores.
        overlap_weight: of 1 - GIoU,
        distribution_weight: and of the distribution, in addition to the scores.
    """
    shape = ops.shape(outputs['distances'])
    bins = ops.reshape(outputs['distances'], (shape[0], shape[1], _SIDES, shape[2] // _SIDES))
    boxes = boxes_of(bins, cells)
    found = assigned(targets['truth'], outputs['scores'], boxes, cells)
    sure = ops.stop_gradient(ops.max(ops.sigmoid(outputs['scores']), axis=-1)) * found.is_object
    total = ops.maximum(ops.sum(sure), 1.0)
    apart = 1.0 - generalized_iou(found.boxes, boxes)
    spread = distribution_focal(found, bins, cells)
    return {
        'quality': _quality(targets, outputs['scores'], found, beta),
        'overlap': overlap_weight * ops.sum(apart * sure) / total,
        'distribution': distribution_weight * ops.sum(spread * sure) / total,
    }


def boxes_of(bins: Tensor, cells: Cells) -> Tensor:
    """Boxes (B, N, 4) [px] of distributions (B, N, 4, bins)."""
    steps = ops.arange(bins.shape[-1], dtype='float32')
    reach = ops.sum(ops.softmax(bins, axis=-1) * steps, axis=-1) * cells.strides[:, None]
    return ops.concatenate(
        [cells.centres - reach[..., :2], cells.centres + reach[..., 2:]], axis=-1
    )


def distribution_focal(found: Assignment, bins: Tensor, cells: Cells) -> Tensor:
    """Cross entropy with the two bins around the true distance, mean of the sides: (B, N)."""
    count = bins.shape[-1]
    centres, strides = cells.centres, cells.strides[:, None]
    reach = ops.concatenate([centres - found.boxes[..., :2], found.boxes[..., 2:] - centres], -1)
    reach = ops.clip(reach / strides, 0.0, count - 1.0)
    steps = ops.arange(count, dtype='float32')
    share = ops.maximum(1.0 - ops.abs(reach[..., None] - steps), 0.0)
    return -ops.mean(ops.sum(share * ops.log_softmax(bins, axis=-1), axis=-1), axis=-1)


def generalized_iou(a: Tensor, b: Tensor) -> Tensor:
    """Of boxes (..., 4), -1..1 (Rezatofighi 2019, arXiv 1902.09630)."""
    low, high = ops.minimum(a[..., :2], b[..., :2]), ops.maximum(a[..., 2:], b[..., 2:])
    hull = areas(ops.concatenate([low, high], axis=-1))
    iou = overlaps(a, b)
    union = (areas(a) + areas(b)) / (1.0 + iou)
    return iou - (hull - union) / ops.maximum(hull, 1e-6)


def _quality(
    targets: Mapping[str, Tensor], logits: Tensor, found: Assignment, beta: float
) -> Tensor:
    """Quality focal loss of all cells and classes, per unit of the quality to be learned."""
    wanted = found.classes * found.quality[..., None]
    weights = ops.cast(targets['marked'], 'float32')[:, None] * (1.0 - found.ignored)
    if 'taught' in targets:
        taught = ops.cast(targets['taught'], 'float32')
        own_share = 1.0 - ops.cast(targets['taught_share'], 'float32')[:, None, None]
        wanted = taught + weights * own_share * (wanted - taught)
        weights = ops.ones_like(wanted)
    entropy = ops.softplus(logits) - wanted * logits
    focus = ops.power(ops.abs(ops.sigmoid(logits) - wanted), beta)
    return ops.sum(weights * focus * entropy) / ops.maximum(ops.sum(found.quality), 1.0)
