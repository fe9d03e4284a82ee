"""Detection: objects and their boxes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.options import option, override

from rs_ml_training.data.classes import class_table, with_classes
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Arrays, Sample, required
from rs_ml_training.metrics.precision import AveragePrecision
from rs_ml_training.prediction.predictor import PredictionHead, PredictOptions
from rs_ml_training.prediction.preprocess import View
from rs_ml_training.prediction.results import BoxPrediction
from rs_ml_training.prediction.stored import StoredBoxes
from rs_ml_training.tasks.detection.objective import (
    CELL_OUTPUTS,
    PEAK_OUTPUTS,
    DetectionObjective,
    Teacher,
    predictions_of,
)
from rs_ml_training.tasks.objective import Accumulated, Augmentation, Objective, Tensors
from rs_ml_training.tasks.options import EvaluateOptions, TrainOptions, name_values
from rs_ml_training.tasks.task import (
    Scorer,
    ServedSample,
    ServingOptions,
    Task,
    further_outputs,
)
from rs_ml_training.trained import ModelSpec

if TYPE_CHECKING:
    import keras

# Decoder -> overlap (IoU) beyond which the weaker of two boxes is a duplicate.
_OVERLAPS = {'gfl': 0.6, 'centernet': 0.5}


@dataclass(frozen=True)
class DetectionTraining(TrainOptions):
    """Objects and their boxes."""

    model: str = override('centernet-light')
    loss: str = override(
        'centernet', doc='centernet, soft_centernet or generalized_focal (nanodet-plus)'
    )
    augment: str = override('detection')
    monitor: str = override('ap50')
    classes: tuple[str, ...] = option((), 'names of the classes to learn', none_doc='all')
    cutouts: str = option(
        '',
        'objects and images mixed in by detection-mixed',
        metavar='FORMAT:PATH',
    )
    teacher: Path | None = option(
        None,
        'runs on every augmented image: a frozen CenterNet (.pb), or for '
        'generalized_focal a model directory of such a network',
    )
    teacher_labels: Path | None = option(None, 'label map (.pbtxt) of a frozen CenterNet')
    teacher_share: float = option(
        0.7, 'weight of its predictions in the target, 0 to 1; the boxes get the rest', low=0
    )


@dataclass(frozen=True)
class DetectionEvaluation(EvaluateOptions):
    """Objects: ap50, ap50_95, ap50 of every class."""


class DetectionHead(PredictionHead[BoxPrediction]):
    """Boxes in the pixels of the image, from heat maps of their centres or from cells."""

    def inputs(self, sample: Sample, view: View) -> Arrays:
        return {'image': self.image(sample, view)}

    def averaged(self, outputs: Arrays, mirrored: Arrays) -> Arrays:
        if 'heatmap' not in outputs:
            raise ConfigError(
                f'cells of {self.spec.network} cannot be averaged with those of the mirrored '
                'image: leave out --flip'
            )
        # A centre's place within its cell has no mirror image on the same grid: it stays.
        names = ('heatmap', 'size')
        return outputs | {n: (outputs[n] + mirrored[n]) / 2 for n in names}

    def result(self, outputs: Arrays, view: View, sample: Sample) -> BoxPrediction:
        (found,) = predictions_of({n: a[None] for n, a in outputs.items()}, view.model_size)
        found = found.above(self.options.min_score)
        return BoxPrediction(view.boxes_to_source(found.xyxy), found.scores, found.class_ids)


class BoxScorer(Scorer[BoxPrediction]):
    """Average precision.

    Args:
        labels: class names of the network.
        data_labels: class names of the truth; objects of other classes do not count.
    """

    ranking_metric, lower_is_better = 'ap50', False

    def __init__(self, labels: Sequence[str], data_labels: Sequence[str] = ()) -> None:
        self._labels, self._data_labels = tuple(labels or data_labels), tuple(data_labels)
        self._table = class_table(self._labels, self._data_labels)
        self._metrics = AveragePrecision(self._labels)

    def update(self, sample: Sample, prediction: BoxPrediction) -> None:
        sample = with_classes(sample, self._table)
        truth = required(sample, 'boxes', 'to compare with: give other --data')
        self._metrics.update(prediction.xyxy, prediction.scores, prediction.class_ids, truth)

    def result(self) -> dict[str, float]:
        return self._metrics.result()

    def fresh(self) -> BoxScorer:
        return BoxScorer(self._labels, self._data_labels)


class _ServedMetrics(Accumulated):
    def update(self, served: ServedSample, outputs: Mapping[str, np.ndarray]) -> None:
        truth = required(served.sample, 'boxes', 'to measure a detector with')
        (found,) = predictions_of(outputs, served.view.model_size)
        boxes = served.view.boxes_to_source(found.xyxy)
        self.accumulator.update(boxes, found.scores, found.class_ids, truth)


class DetectionTask(Task[DetectionTraining, DetectionEvaluation]):
    """See tasks.task.Task."""

    name = manifest_name = 'detection'
    train_options, evaluate_options = DetectionTraining, DetectionEvaluation
    needs = ('image', 'boxes')
    shown_metrics = ('ap50', 'ap50_95')
    has_labels = True

    def objective(self, spec: ModelSpec, options: DetectionTraining, data: Reader) -> Objective:
        loss_options = name_values(options.loss_option)
        teacher = _teacher(options, spec)
        return DetectionObjective(spec, data.labels, options.loss, loss_options, teacher)

    def network_options(
        self, given: Mapping[str, Any], options: DetectionTraining, data: Reader
    ) -> dict[str, Any]:
        classes = len(self.labels(options, data))
        return {**given, 'classes': given.get('classes', classes)}

    def labels(self, options: DetectionTraining, data: Reader) -> tuple[str, ...]:
        unknown = set(options.classes) - set(data.labels)
        if unknown:
            raise ConfigError(
                f'--classes {", ".join(sorted(unknown))}: the data have {", ".join(data.labels)}'
            )
        return options.classes or data.labels

    def augmentation(self, options: DetectionTraining) -> Augmentation:
        cutouts = open_data(options.cutouts) if options.cutouts else None
        return Augmentation(options.augment, cutouts=cutouts)

    def head(self, spec: ModelSpec, options: PredictOptions) -> DetectionHead:
        return DetectionHead(spec, options)

    def scorer(
        self, options: DetectionEvaluation, labels: Sequence[str], reader: Reader
    ) -> BoxScorer:
        return BoxScorer(labels, reader.labels)

    def stored(self, options: DetectionEvaluation, folder: Path, reader: Reader) -> StoredBoxes:
        return StoredBoxes(folder, reader.labels)

    def served(self, outputs: Tensors, options: ServingOptions) -> dict[str, Any]:
        """The network's own outputs: boxes are decoded by the runtime.

        `scores` and `distances` of cells, or `heatmap`, `size` and `offset` of peaks.
        """
        own = CELL_OUTPUTS if set(CELL_OUTPUTS) <= set(outputs) else PEAK_OUTPUTS
        return {name: outputs[name] for name in own} | further_outputs(outputs, own, options)

    def decoder(
        self, model: keras.Model, outputs: Collection[str], options: ServingOptions
    ) -> str:
        return 'gfl' if set(CELL_OUTPUTS) <= set(outputs) else 'centernet'

    def manifest_part(
        self, spec: ModelSpec, decoder: str, options: ServingOptions
    ) -> dict[str, Any]:
        return {'thresholds': {'score': options.score_threshold, 'iou': _OVERLAPS[decoder]}}

    def served_metrics(self, spec: ModelSpec) -> _ServedMetrics:
        return _ServedMetrics(AveragePrecision(max(len(spec.labels), 1)))


def _teacher(options: DetectionTraining, spec: ModelSpec) -> Teacher | None:
    if not 0 <= options.teacher_share <= 1:
        raise ConfigError(f'--teacher-share is 0 to 1, got {options.teacher_share:g}')
    if options.teacher is None:
        return None
    if options.loss == 'generalized_focal':
        return _teacher_of_cells(options.teacher, options.teacher_share, spec)
    from rs_ml_training.teaching.distillation import HeatmapTeacher, blended

    if options.teacher_labels is None:
        raise ConfigError('--teacher needs --teacher-labels: give the label map (.pbtxt)')
    teach = HeatmapTeacher(options.teacher, options.teacher_labels, spec.labels)
    return lambda image, targets: blended(targets, teach(image), options.teacher_share)


def _teacher_of_cells(directory: Path, weight: float, spec: ModelSpec) -> Teacher:
    from rs_ml_training.teaching.cell_detector import CellTeacher

    teach = CellTeacher(directory, spec.labels, spec.input_size)
    share = np.asarray(weight, np.float32)
    return lambda image, targets: {**targets, 'taught': teach(image), 'taught_share': share}
