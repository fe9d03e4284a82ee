"""The objective of detection: which arrays each loss learns, and metrics of boxes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.objects.boxes import cell_centres

from rs_ml_training.data.sample import Arrays, Boxes, Fit, Sample, required
from rs_ml_training.metrics.precision import AveragePrecision
from rs_ml_training.networks.centernet.targets import targets_of
from rs_ml_training.prediction.box_decoding import STRIDES, boxes_of_cells, boxes_of_peaks
from rs_ml_training.prediction.colors import side_by_side
from rs_ml_training.prediction.results import BoxPrediction
from rs_ml_training.tasks.objective import (
    Accumulated,
    Augmentation,
    Objective,
    Tensors,
    chosen_loss,
    with_options,
)
from rs_ml_training.trained import ModelSpec

Loss = Callable[..., dict[str, Any]]
# Image and targets of its annotated boxes -> targets to learn; see teaching.distillation.
Teacher = Callable[[np.ndarray, Arrays], Arrays]

# Most boxes of an image in validation; crowded photos of COCO have fewer.
MAX_TRUTH = 128
CELL_OUTPUTS = ('scores', 'distances')
PEAK_OUTPUTS = ('heatmap', 'size', 'offset')
_DRAWN_SCORE = 0.3


@dataclass(frozen=True, eq=False)
class Objects:
    """The annotated objects of an image.

    Attributes:
        boxes: of the learned classes.
        marked: float32 (C,), 1 for the classes of which every object has its box.
        size: (width, height) of the image.
        has_teacher: a teacher adds targets to them.
    """

    boxes: Boxes
    marked: np.ndarray
    size: tuple[int, int]
    has_teacher: bool


@dataclass(frozen=True)
class DetectionLoss:
    """A row of the table of losses.

    Attributes:
        loss_of: size (width, height) of the network input -> (targets, outputs, options) -> terms.
        targets: arrays to learn, in addition to the boxes.
        outputs: of the network, that it needs.
        terms: names of its parts.
        untaught: whether it may (or must) do without a teacher: True, False or both.
    """

    loss_of: Callable[[tuple[int, int]], Loss]
    targets: Callable[[Objects], Arrays]
    outputs: tuple[str, ...]
    terms: tuple[str, ...]
    untaught: tuple[bool, ...]


def detection_losses() -> Mapping[str, DetectionLoss]:
    """Losses by name; imports Keras."""
    from rs_ml_training.losses import generalized_focal as focal
    from rs_ml_training.losses import heatmap
    from rs_ml_training.losses.assignment import Cells

    def of_cells(size: tuple[int, int]) -> Loss:
        return partial(focal.generalized_focal, cells=Cells(*cell_centres(size, STRIDES)))

    terms = tuple(heatmap.TERM_WEIGHTS)
    return {
        'centernet': DetectionLoss(
            lambda size: heatmap.detection_loss, _peak_targets, PEAK_OUTPUTS, terms, (True,)
        ),
        'soft_centernet': DetectionLoss(
            lambda size: heatmap.soft_detection_loss, _peak_targets, PEAK_OUTPUTS, terms, (False,)
        ),
        'generalized_focal': DetectionLoss(
            of_cells, _cell_targets, CELL_OUTPUTS, focal.TERMS, (True, False)
        ),
    }


def _peak_targets(objects: Objects) -> Arrays:
    """Maps of the centres; doubtful objects are left to the teacher."""
    boxes = objects.boxes
    if objects.has_teacher:
        keep = ~boxes.is_crowd
        boxes = Boxes(boxes.xyxy[keep], boxes.class_ids[keep], boxes.is_crowd[keep])
    return targets_of(boxes, objects.size, len(objects.marked))


def _cell_targets(objects: Objects) -> Arrays:
    """The boxes suffice: their assignment to cells depends on the network's predictions."""
    return {'marked': objects.marked}


class DetectionObjective(Objective):
    """Boxes, from the peaks of a heat map or from cells.

    Args:
        spec: of the network; its labels are those that are learned.
        data_labels: of the data; boxes of classes that are not learned are left out.
        loss: key of detection_losses().
        loss_options: keywords of it.
        teacher: gives targets for each augmented image.
    """

    def __init__(
        self,
        spec: ModelSpec,
        data_labels: Sequence[str],
        loss: str,
        loss_options: Mapping[str, Any] | None = None,
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__(spec)
        kind: DetectionLoss = chosen_loss(detection_losses(), loss, 'detection')
        if (teacher is None) not in kind.untaught:
            raise ConfigError(
                f'--loss {loss} with{"out" if teacher is None else ""} --teacher: scores of a '
                'teacher are learned with --loss soft_centernet or generalized_focal'
            )
        self._name, self._kind, self._teacher = loss, kind, teacher
        self._loss = with_options(kind.loss_of(spec.input_size), loss_options or {})
        learned = {label: i for i, label in enumerate(spec.labels)}
        self._ids = np.array([learned.get(label, -1) for label in data_labels], np.int64)

    def training_fit(self, augmentation: Augmentation) -> Fit:
        fit, teacher = super().training_fit(augmentation), self._teacher
        if teacher is None:
            return fit

        def taught(sample: Sample, rng: np.random.Generator) -> tuple[Arrays, Arrays]:
            inputs, targets = fit(sample, rng)
            return inputs, teacher(inputs['image'], targets)

        return taught

    def arrays(self, sample: Sample) -> tuple[Arrays, Arrays]:
        image, annotated = (required(sample, n, 'to train on') for n in ('image', 'boxes'))
        boxes = self._learned(annotated)
        objects = Objects(boxes, self._marked(sample), sample.size, self._teacher is not None)
        targets = self._kind.targets(objects) | {'truth': _padded(boxes)}
        return {'image': image}, targets

    def losses(self, targets: Tensors, outputs: Tensors) -> dict[str, Any]:
        terms: dict[str, Any] = self._loss(targets, outputs)
        return terms

    def part_names(self, outputs: Collection[str]) -> tuple[str, ...]:
        missing = [name for name in self._kind.outputs if name not in outputs]
        if missing:
            raise ConfigError(
                f'--loss {self._name} is for networks that give {", ".join(self._kind.outputs)}, '
                f'{self.spec.network} gives {", ".join(outputs)}: choose another --loss or --model'
            )
        return self._kind.terms

    def metrics(self) -> _BatchMetrics:
        return _BatchMetrics(AveragePrecision(self.spec.labels), self.spec.input_size)

    def picture(self, inputs: Arrays, targets: Arrays, outputs: Arrays) -> np.ndarray:
        (found,) = predictions_of({n: a[None] for n, a in outputs.items()}, self.spec.input_size)
        shown = _unpadded(targets['truth']).xyxy, found.above(_DRAWN_SCORE).xyxy
        return side_by_side(*(_drawn(inputs['image'], xyxy) for xyxy in shown))

    def _learned(self, boxes: Boxes) -> Boxes:
        """Boxes of the learned classes with their ids."""
        class_ids = self._ids[boxes.class_ids] if len(boxes) else boxes.class_ids
        keep = class_ids >= 0
        return Boxes(boxes.xyxy[keep], class_ids[keep], boxes.is_crowd[keep])

    def _marked(self, sample: Sample) -> np.ndarray:
        """1 for the learned classes that are fully annotated in an image, float32 (C,)."""
        count = len(self.spec.labels)
        if sample.marked is None:
            return np.ones(count, np.float32)
        return np.isin(np.arange(count), self._ids[list(sample.marked)]).astype(np.float32)


class _BatchMetrics(Accumulated):
    def __init__(self, accumulator: AveragePrecision, size: tuple[int, int]) -> None:
        super().__init__(accumulator)
        self._size = size

    def update(self, targets: Arrays, outputs: Arrays) -> None:
        found = predictions_of(outputs, self._size)
        for seen, truth in zip(found, targets['truth'], strict=True):
            boxes = _unpadded(truth)
            self.accumulator.update(seen.xyxy, seen.scores, seen.class_ids, boxes)


def predictions_of(
    outputs: Mapping[str, np.ndarray], size: tuple[int, int]
) -> list[BoxPrediction]:
    """Boxes of each image of a batch at size (width, height), for either kind of detector."""
    has_cells = set(CELL_OUTPUTS) <= set(outputs)
    decode: Callable[..., BoxPrediction] = boxes_of_cells if has_cells else boxes_of_peaks
    names = CELL_OUTPUTS if has_cells else PEAK_OUTPUTS
    batch = zip(*(np.asarray(outputs[name]) for name in names), strict=True)
    return [decode(*maps, size) for maps in batch]


def _padded(boxes: Boxes) -> np.ndarray:
    """float32 (MAX_TRUTH, 6) rows [x_min, y_min, x_max, y_max, class, crowd]; -1 beyond."""
    rows = np.full((MAX_TRUTH, 6), -1, np.float32)
    columns = (boxes.xyxy, boxes.class_ids[:, None], boxes.is_crowd[:, None])
    given = np.concatenate([c.astype(np.float32) for c in columns], axis=1)[:MAX_TRUTH]
    rows[: len(given)] = given
    return rows


def _unpadded(rows: np.ndarray) -> Boxes:
    rows = rows[rows[:, 4] >= 0]
    return Boxes.of(rows[:, :4], rows[:, 4], rows[:, 5] > 0)


def _drawn(image: np.ndarray, xyxy: np.ndarray) -> np.ndarray:
    drawn = np.array(image, order='C')
    for x_min, y_min, x_max, y_max in np.round(xyxy).astype(int).tolist():
        cv2.rectangle(drawn, (x_min, y_min), (x_max, y_max), (255, 160, 0), 2)
    return drawn
