"""Predictions against truth, task by task, at the full size of the pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.sample import IGNORE, Sample
from rs_ml_training.metrics.confusion import ConfusionMatrix
from rs_ml_training.metrics.denoise import DenoiseMetrics
from rs_ml_training.metrics.depth import DepthMetrics
from rs_ml_training.metrics.precision import AveragePrecision
from rs_ml_training.prediction.classes import class_table, with_classes
from rs_ml_training.prediction.results import (
    BoxPrediction,
    DenoisePrediction,
    DepthPrediction,
    MaskPrediction,
)

Result = TypeVar('Result')


class Scorer(ABC, Generic[Result]):
    """Accumulates the metrics of a task.

    Attributes:
        judge: metric by which single pictures are called good or bad.
        lower_is_better: of that metric.
    """

    judge: str
    lower_is_better: bool

    @abstractmethod
    def update(self, sample: Sample, prediction: Result) -> None:
        """One picture.

        Raises:
            InputError: the sample has no truth, or it does not fit the prediction.
        """

    @abstractmethod
    def result(self) -> dict[str, float]:
        """Metrics by name, NaN where nothing was measured."""

    @abstractmethod
    def fresh(self) -> Scorer[Result]:
        """A scorer with the same rules that has seen nothing."""


class DepthScorer(Scorer[DepthPrediction]):
    """Monocular depth.

    Args:
        min_depth_m, max_depth_m: truth that counts.
        crop: see metrics.crops.
        pooled: all pixels of all pictures alike, instead of picture by picture.
        reference_focal_px: truth was divided by focal length / this; None: it was not.
    """

    judge, lower_is_better = 'abs_rel', True

    def __init__(
        self,
        min_depth_m: float = 1e-3,
        max_depth_m: float = 10.0,
        crop: str | None = None,
        pooled: bool = False,
        reference_focal_px: float | None = None,
    ) -> None:
        self._rules = min_depth_m, max_depth_m, crop, pooled
        self._reference_focal_px = reference_focal_px
        self._metrics = DepthMetrics(*self._rules)

    def update(self, sample: Sample, prediction: DepthPrediction) -> None:
        truth_m = _truth(sample, 'depth_m')
        if self._reference_focal_px and sample.focal_px:
            truth_m = truth_m * np.float32(sample.focal_px / self._reference_focal_px)
        self._metrics.update(truth_m, prediction.depth_m)

    def result(self) -> dict[str, float]:
        return self._metrics.result()

    def fresh(self) -> DepthScorer:
        return DepthScorer(*self._rules, self._reference_focal_px)


class MaskScorer(Scorer[MaskPrediction]):
    """Semantic segmentation. Pixels that the network left open are counted as `coverage` only.

    Args:
        labels: class names of the network.
        data_labels: class names of the truth; classes that the network lacks do not count.
    """

    judge, lower_is_better = 'miou', False

    def __init__(self, labels: Sequence[str], data_labels: Sequence[str] = ()) -> None:
        self._labels, self._data_labels = tuple(labels or data_labels), tuple(data_labels)
        self._table = class_table(self._labels, self._data_labels)
        self._metrics = ConfusionMatrix(self._labels)
        self._labelled = self._covered = 0

    def update(self, sample: Sample, prediction: MaskPrediction) -> None:
        truth = _truth(with_classes(sample, self._table), 'labels')
        if prediction.mask.shape != truth.shape:
            raise InputError(
                f'{sample.name}: mask {prediction.mask.shape} and truth {truth.shape} '
                'differ in size; resize the mask to the truth'
            )
        labelled, open_ = truth != IGNORE, prediction.mask == IGNORE
        self._labelled += int(np.count_nonzero(labelled))
        self._covered += int(np.count_nonzero(labelled & ~open_))
        truth = np.where(open_, np.uint8(IGNORE), truth)
        self._metrics.update(truth, np.where(open_, 0, prediction.mask))

    def result(self) -> dict[str, float]:
        covered = self._covered / self._labelled if self._labelled else float('nan')
        return {**self._metrics.result(), 'coverage': covered}

    def fresh(self) -> MaskScorer:
        return MaskScorer(self._labels, self._data_labels)


class DenoiseScorer(Scorer[DenoisePrediction]):
    """Denoised depth, and what was filled and lost."""

    judge, lower_is_better = 'rmse_m', True

    def __init__(self) -> None:
        self._metrics = DenoiseMetrics()

    def update(self, sample: Sample, prediction: DenoisePrediction) -> None:
        truth_m, raw_m = _truth(sample, 'depth_m'), _truth(sample, 'raw_depth_m')
        self._metrics.update(truth_m, raw_m, prediction.depth_m, sample.intrinsics)

    def result(self) -> dict[str, float]:
        return self._metrics.result()

    def fresh(self) -> DenoiseScorer:
        return DenoiseScorer()


class BoxScorer(Scorer[BoxPrediction]):
    """Objects.

    Args:
        labels: class names of the network.
        data_labels: class names of the truth; objects of other classes do not count.
    """

    judge, lower_is_better = 'ap50', False

    def __init__(self, labels: Sequence[str], data_labels: Sequence[str] = ()) -> None:
        self._labels, self._data_labels = tuple(labels or data_labels), tuple(data_labels)
        self._table = class_table(self._labels, self._data_labels)
        self._metrics = AveragePrecision(self._labels)

    def update(self, sample: Sample, prediction: BoxPrediction) -> None:
        truth = _truth(with_classes(sample, self._table), 'boxes')
        self._metrics.update(prediction.xyxy, prediction.scores, prediction.class_ids, truth)

    def result(self) -> dict[str, float]:
        return self._metrics.result()

    def fresh(self) -> BoxScorer:
        return BoxScorer(self._labels, self._data_labels)


def _truth(sample: Sample, name: str) -> Any:
    values = getattr(sample, name)
    if values is None:
        raise InputError(f'{sample.name} has no {name} to compare with: give other --data')
    return values
