"""Losses of detectors by name: what each needs of the boxes, of the network and of a teacher."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from rs_ml_perception.core.objects.boxes import cell_centres

from rs_ml_training.data.sample import Boxes
from rs_ml_training.data.sequence import Arrays
from rs_ml_training.losses import generalized_focal as focal
from rs_ml_training.losses.assignment import Cells
from rs_ml_training.losses.heatmap import TERM_WEIGHTS, detection_loss, soft_detection_loss
from rs_ml_training.networks.centernet.targets import targets_of
from rs_ml_training.prediction.cells import STRIDES

Loss = Callable[..., dict[str, Any]]
_MAPS = ('heatmap', 'size', 'offset')


@dataclass(frozen=True, eq=False)
class Objects:
    """What is known of a picture.

    Attributes:
        boxes: of the learned classes.
        marked: float32 (C,), 1 for the classes of which every object has its box.
        size: (width, height) of the picture.
        has_teacher: somebody else says more of it.
    """

    boxes: Boxes
    marked: np.ndarray
    size: tuple[int, int]
    has_teacher: bool


@dataclass(frozen=True)
class DetectionLoss:
    """A row of LOSSES.

    Attributes:
        loss_of: size (width, height) of the network input -> (targets, outputs, options) -> terms.
        targets: arrays to learn, beside the boxes.
        outputs: of the network, that it needs.
        terms: names of its parts.
        untaught: whether it may (or must) do without a teacher: True, False or both.
    """

    loss_of: Callable[[tuple[int, int]], Loss]
    targets: Callable[[Objects], Arrays]
    outputs: tuple[str, ...]
    terms: tuple[str, ...]
    untaught: tuple[bool, ...]


def _peaks(objects: Objects) -> Arrays:
    """Maps of the centres; what is too doubtful to be marked is for the teacher to say."""
    boxes = objects.boxes
    if objects.has_teacher:
        keep = ~boxes.is_crowd
        boxes = Boxes(boxes.xyxy[keep], boxes.class_ids[keep], boxes.is_crowd[keep])
    return targets_of(boxes, objects.size, len(objects.marked))


def _cells(objects: Objects) -> Arrays:
    """The boxes are enough: which cell learns which depends on what the network says."""
    return {'marked': objects.marked}


def _generalized_focal(size: tuple[int, int]) -> Loss:
    return partial(focal.generalized_focal, cells=Cells(*cell_centres(size, STRIDES)))


LOSSES: Mapping[str, DetectionLoss] = {
    'centernet': DetectionLoss(
        lambda size: detection_loss, _peaks, _MAPS, tuple(TERM_WEIGHTS), (True,)
    ),
    'soft_centernet': DetectionLoss(
        lambda size: soft_detection_loss, _peaks, _MAPS, tuple(TERM_WEIGHTS), (False,)
    ),
    'generalized_focal': DetectionLoss(
        _generalized_focal, _cells, ('scores', 'distances'), focal.TERMS, (True, False)
    ),
}
