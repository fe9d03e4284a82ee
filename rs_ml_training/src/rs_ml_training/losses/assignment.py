"""Assignment of objects to the cells of a detector, with soft labels.

Each object takes the cells of least cost. Their number depends on how well its predictions fit
(SimOTA, Ge 2021, arXiv 2107.08430), and the class cost is that of a soft label (RTMDet, Lyu 2022,
arXiv 2212.07784). A cell belongs to one object.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from keras import ops

from rs_ml_training.losses.masking import Tensor

# Of one object.
MOST_CELLS = 13
# Objects of one image that get cells; further ones are ignored, as crowds are.
MOST_OBJECTS = 32
_IOU_COST = 3.0
# Cost of a cell whose centre is d strides from that of the object: _BASE ** (d - _REACH).
_BASE, _REACH = 10.0, 3.0
_NEVER = 1e8


@dataclass(frozen=True)
class Cells:
    """The cells of a network.

    Attributes:
        centres: float32 (N, 2), x and y [px of the network input].
        strides: float32 (N,) [px].
    """

    centres: np.ndarray
    strides: np.ndarray


@dataclass(frozen=True)
class Assignment:
    """The targets of each cell.

    Attributes:
        is_object: float32 (B, N), 1 where it learns an object.
        boxes: float32 (B, N, 4) of that object [px]; anything elsewhere.
        quality: float32 (B, N), intersection over union of the prediction with it, else 0.
        classes: float32 (B, N, C), 1 for its class, else 0.
        ignored: float32 (B, N, C), 1 where an object of the class is allowed but not required.
    """

    is_object: Tensor
    boxes: Tensor
    quality: Tensor
    classes: Tensor
    ignored: Tensor


def assigned(truth: Tensor, logits: Tensor, boxes: Tensor, cells: Cells) -> Assignment:
    """Assign the objects of each image to cells, without gradients.

    Args:
        truth: float (B, M, 6) rows [x_min, y_min, x_max, y_max, class, crowd]; class -1: no row.
        logits: (B, N, C) of the classes, as predicted.
        boxes: (B, N, 4) [px], as predicted.
        cells: of the network.
    """
    truth, logits, boxes = (
        ops.stop_gradient(ops.cast(x, 'float32')) for x in (truth, logits, boxes)
    )
    there = ops.cast(truth[..., 4] >= 0, 'float32')
    classes = ops.one_hot(ops.cast(truth[..., 4], 'int32'), logits.shape[-1]) * there[..., None]
    inside = _inside(truth, cells)
    single = (there * (1.0 - truth[..., 5]))[:, :MOST_OBJECTS]
    mine, iou = _owned(truth[:, :MOST_OBJECTS], single, inside, logits, classes, boxes, cells)
    crowds = ops.concatenate([there[:, :MOST_OBJECTS] - single, there[:, MOST_OBJECTS:]], axis=1)
    ignored = ops.matmul(ops.transpose(inside * crowds[..., None], (0, 2, 1)), classes)
    learned = ops.matmul(mine, classes[:, :MOST_OBJECTS])
    return Assignment(
        is_object=ops.sum(mine, axis=-1),
        boxes=ops.matmul(mine, truth[:, :MOST_OBJECTS, :4]),
        quality=ops.sum(mine * ops.transpose(iou, (0, 2, 1)), axis=-1),
        classes=learned,
        ignored=ops.minimum(ignored, 1.0) * (1.0 - learned),
    )


def _owned(
    truth: Tensor,
    single: Tensor,
    inside: Tensor,
    logits: Tensor,
    classes: Tensor,
    boxes: Tensor,
    cells: Cells,
) -> tuple[Tensor, Tensor]:
    """1 where a cell belongs to an object (B, N, M), and the IoU of predictions (B, M, N)."""
    most = truth.shape[1]
    candidates = ops.maximum(inside[:, :most], _nearest(truth, cells)) * single[..., None]
    iou = overlaps(truth[:, :, None, :4], boxes[:, None])
    costs = _costs(truth, logits, classes[:, :most], iou, cells)
    chosen, costs = _chosen(candidates, iou * candidates, costs)
    owner = ops.argmin(ops.where(chosen > 0, costs, _NEVER), axis=1)
    return ops.one_hot(owner, most) * ops.max(chosen, axis=1)[..., None], iou


def overlaps(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes (..., 4) whose leading axes broadcast."""
    low, high = ops.maximum(a[..., :2], b[..., :2]), ops.minimum(a[..., 2:], b[..., 2:])
    sides = ops.maximum(high - low, 0.0)
    shared = sides[..., 0] * sides[..., 1]
    return shared / ops.maximum(areas(a) + areas(b) - shared, 1e-6)


def areas(boxes: Tensor) -> Tensor:
    """(..., 4) to (...)."""
    sides = ops.maximum(boxes[..., 2:] - boxes[..., :2], 0.0)
    return sides[..., 0] * sides[..., 1]


def _inside(truth: Tensor, cells: Cells) -> Tensor:
    """1 where the centre of a cell lies in a box: (B, M, N)."""
    centres = cells.centres[None, None]
    first, last = centres - truth[:, :, None, :2], truth[:, :, None, 2:4] - centres
    return ops.cast(ops.min(ops.minimum(first, last), axis=-1) > 0, 'float32')


def _nearest(truth: Tensor, cells: Cells) -> Tensor:
    """1 for the cell of each stride that is nearest to the centre of a box: (B, M, N)."""
    return ops.cast(ops.max(_apart(truth, cells), axis=-1) <= 0.5, 'float32')


def _apart(truth: Tensor, cells: Cells) -> Tensor:
    """Distance in x and y of each cell from the centre of each box [strides]: (B, M, N, 2)."""
    middles = (truth[..., :2] + truth[..., 2:4]) / 2
    return ops.abs(middles[:, :, None] - cells.centres[None, None]) / cells.strides[:, None]


def _costs(truth: Tensor, logits: Tensor, classes: Tensor, iou: Tensor, cells: Cells) -> Tensor:
    """Cost of each cell for each object (B, M, N)."""
    own = ops.matmul(classes, ops.transpose(logits, (0, 2, 1)))
    entropy = ops.softplus(own) - iou * own
    unlike = ops.square(iou - ops.sigmoid(own))
    apart = ops.sqrt(ops.sum(ops.square(_apart(truth, cells)), axis=-1))
    far = ops.power(_BASE, ops.minimum(apart, 2 * _REACH) - _REACH)
    return entropy * unlike - _IOU_COST * ops.log(iou + 1e-7) + far


def _chosen(candidates: Tensor, fit: Tensor, cost: Tensor) -> tuple[Tensor, Tensor]:
    """1 for the cells that each object takes (B, M, N), and the costs, _NEVER elsewhere."""
    cost = ops.where(candidates > 0, cost, _NEVER)
    most = min(MOST_CELLS, cost.shape[-1])
    count = ops.sum(ops.top_k(fit, most)[0], axis=-1)
    count = ops.cast(ops.clip(count, 1.0, float(most)), 'int32')
    least = -ops.top_k(-cost, most)[0]
    limit = ops.take_along_axis(least, count[..., None] - 1, axis=-1)
    return ops.cast(cost <= limit, 'float32') * candidates, cost
