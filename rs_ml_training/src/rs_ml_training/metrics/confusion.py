"""Segmentation metrics from one confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.sample import IGNORE


class ConfusionMatrix:
    """Counts pixels by true class (row) and predicted class (column).

    Attributes:
        matrix: int64 (classes, classes).
        names: of the classes, their numbers unless given.
    """

    def __init__(self, classes: int | Sequence[str], ignore: int = IGNORE) -> None:
        names = map(str, range(classes)) if isinstance(classes, int) else classes
        self.names = tuple(names)
        self.ignore = ignore
        self.matrix = np.zeros((len(self.names), len(self.names)), np.int64)

    def update(self, labels: np.ndarray, predicted: np.ndarray) -> None:
        """Class ids of equal shape, any integers; pixels with the label `ignore` do not count.

        Raises:
            InputError: sizes differ, or a class id is out of range.
        """
        labels, predicted = np.asarray(labels), np.asarray(predicted)
        if labels.shape != predicted.shape:
            raise InputError(
                f'labels {labels.shape} and prediction {predicted.shape} differ in size; '
                'resize the prediction to the labels'
            )
        counts = labels != self.ignore
        labels, predicted = self._ids(labels[counts]), self._ids(predicted[counts])
        n = len(self.names)
        self.matrix += np.bincount(labels * n + predicted, minlength=n * n).reshape(n, n)

    def result(self) -> dict[str, float]:
        """`miou`, `dice` (mean over classes), `pixel_accuracy`, `iou_<name>`, `count` of pixels.

        Classes in neither truth nor prediction are NaN and left out of the means.
        """
        hit = np.diag(self.matrix).astype(np.float64)
        either = self.matrix.sum(axis=0) + self.matrix.sum(axis=1)
        with np.errstate(invalid='ignore'):
            iou, dice = hit / (either - hit), 2 * hit / either
        count = int(self.matrix.sum())
        accuracy = float(hit.sum()) / count if count else math.nan
        means = {'miou': _mean(iou), 'dice': _mean(dice), 'pixel_accuracy': accuracy}
        each = {f'iou_{name}': float(v) for name, v in zip(self.names, iou, strict=True)}
        return means | each | {'count': float(count)}

    def _ids(self, ids: np.ndarray) -> np.ndarray:
        if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < len(self.names):
            wrong = int(ids.max()) if int(ids.min()) >= 0 else int(ids.min())
            raise InputError(f'class id {wrong} is not one of the {len(self.names)} classes')
        return ids.astype(np.int64)


def _mean(values: np.ndarray) -> float:
    """Mean of the values that are not NaN, NaN without any."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if there.size else math.nan
