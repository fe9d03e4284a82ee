"""Detection: boxes of objects, from the peaks of a heat map or from cells that vote."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.sample import Boxes, Sample
from rs_ml_training.data.sequence import Arrays, Fit
from rs_ml_training.metrics.precision import AveragePrecision
from rs_ml_training.prediction import cells, peaks
from rs_ml_training.prediction.results import BoxPrediction
from rs_ml_training.tasks import strip
from rs_ml_training.tasks.detection_losses import LOSSES, Objects
from rs_ml_training.tasks.task import Metrics, Task, Tensors, require, with_options
from rs_ml_training.trained import ModelSpec

# Boxes of a picture that validation can hold; crowded photos of COCO have fewer.
MAX_TRUTH = 128
_DRAWN_SCORE = 0.3

# Picture and targets of its known boxes -> targets to learn; see teaching.watching_detector.
Teacher = Callable[[np.ndarray, Arrays], Arrays]


class DetectionTask(Task):
    """See tasks.task.Task.

    Args:
        spec: of the network; its labels are those that are learned.
        data_labels: of the data, among which boxes of other classes are left out.
        loss: one of LOSSES.
        loss_options: keywords of it.
        teacher: watches each picture as training shows it, and says what is to be learned.
    """

    def __init__(
        self,
        spec: ModelSpec,
        data_labels: Sequence[str],
        loss: str,
        loss_options: Mapping[str, Any] = MappingProxyType({}),
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__(spec)
        if loss not in LOSSES:
            raise ConfigError(f'no detection loss {loss!r}; there are {", ".join(LOSSES)}')
        self._name, kind = loss, LOSSES[loss]
        if (teacher is None) not in kind.untaught:
            raise ConfigError(
                f'--loss {loss} with{"out" if teacher is None else ""} --teacher: scores of a '
                'teacher are learned with --loss soft_centernet or generalized_focal'
            )
        self._kind, self._teacher = kind, teacher
        self._loss = with_options(kind.loss_of(spec.input_size), loss_options)
        learned = {label: i for i, label in enumerate(spec.labels)}
        self._ids = np.array([learned.get(label, -1) for label in data_labels], np.int64)

    def training_fit(self, *args: Any, **kwargs: Any) -> Fit:
        fit, teacher = super().training_fit(*args, **kwargs), self._teacher
        if teacher is None:
            return fit

        def taught(sample: Sample, rng: np.random.Generator) -> tuple[Arrays, Arrays]:
            inputs, targets = fit(sample, rng)
            return inputs, teacher(inputs['image'], targets)

        return taught

    def arrays(self, sample: Sample) -> tuple[Arrays, Arrays]:
        require(sample, 'image', 'boxes')
        boxes = self._learned(sample.boxes)
        objects = Objects(boxes, self._marked(sample), sample.size, self._teacher is not None)
        targets = self._kind.targets(objects) | {'truth': _padded(boxes)}
        return {'image': sample.image}, targets

    def losses(self, targets: Tensors, outputs: Tensors) -> dict[str, Any]:
        return self._loss(targets, outputs)

    def part_names(self, outputs: Collection[str]) -> tuple[str, ...]:
        missing = [name for name in self._kind.outputs if name not in outputs]
        if missing:
            raise ConfigError(
                f'--loss {self._name} is for networks that give {", ".join(self._kind.outputs)}, '
                f'{self.spec.network} gives {", ".join(outputs)}: choose another --loss or --model'
            )
        return self._kind.terms

    def metrics(self) -> Metrics:
        return _BoxMetrics(AveragePrecision(self.spec.labels), self.spec.input_size)

    def picture(self, inputs: Arrays, targets: Arrays, outputs: Arrays) -> np.ndarray:
        (found,) = predictions_of({n: a[None] for n, a in outputs.items()}, self.spec.input_size)
        truth = _unpadded(targets['truth']).xyxy
        shown = truth, found.above(_DRAWN_SCORE).xyxy
        pictures = (_drawn(inputs['image'], xyxy) for xyxy in shown)
        return strip.side_by_side(*pictures)

    def _learned(self, boxes: Boxes) -> Boxes:
        """Boxes of the learned classes with their ids."""
        class_ids = self._ids[boxes.class_ids] if len(boxes) else boxes.class_ids
        keep = class_ids >= 0
        return Boxes(boxes.xyxy[keep], class_ids[keep], boxes.is_crowd[keep])

    def _marked(self, sample: Sample) -> np.ndarray:
        """1 for the learned classes that are marked in a picture, float32 (C,)."""
        count = len(self.spec.labels)
        if sample.marked is None:
            return np.ones(count, np.float32)
        return np.isin(np.arange(count), self._ids[list(sample.marked)]).astype(np.float32)


class _BoxMetrics(Metrics):
    def __init__(self, accumulator: AveragePrecision, size: tuple[int, int]) -> None:
        self._accumulator, self._size = accumulator, size

    def update(self, targets: Arrays, outputs: Arrays) -> None:
        found = predictions_of(outputs, self._size)
        for seen, truth in zip(found, targets['truth'], strict=True):
            boxes = _unpadded(truth)
            self._accumulator.update(seen.xyxy, seen.scores, seen.class_ids, boxes)

    def result(self) -> dict[str, float]:
        return self._accumulator.result()


def predictions_of(outputs: Arrays, size: tuple[int, int]) -> list[BoxPrediction]:
    """Boxes of each picture of a batch at size (width, height), whatever kind of detector."""
    decode, names = (
        (cells.boxes_of, ('scores', 'distances'))
        if 'distances' in outputs
        else (peaks.boxes_of, ('heatmap', 'size', 'offset'))
    )
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
