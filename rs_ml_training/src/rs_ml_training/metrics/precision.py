"""Average precision of detections, as COCO counts it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.objects.boxes import box_areas, box_intersections

from rs_ml_training.data.sample import Boxes

OVERLAPS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
MOST_PER_PICTURE = 100


@dataclass
class _Found:
    """Detections of one class: a row per image."""

    scores: list[np.ndarray] = field(default_factory=list)
    hits: list[np.ndarray] = field(default_factory=list)
    ignored: list[np.ndarray] = field(default_factory=list)
    truths: int = 0


class AveragePrecision:
    """Average precision over intersection-over-union thresholds, classes and 101 recalls.

    The rules are those of COCO's evaluation (cocodataset/cocoapi, bbox, all areas, 100 detections
    per image and class): greedy by score, each object once; a detection on a crowd box counts
    neither for nor against.
    """

    def __init__(self, classes: int | Sequence[str]) -> None:
        names = map(str, range(classes)) if isinstance(classes, int) else classes
        self.names = tuple(names)
        self._found = [_Found() for _ in self.names]
        self._pictures = 0

    def update(
        self, boxes_xyxy: np.ndarray, scores: np.ndarray, class_ids: np.ndarray, truth: Boxes
    ) -> None:
        """The detections of one picture: (N, 4) pixels, (N,), (N,), and the truth.

        Raises:
            InputError: lengths differ, or a class id is out of range.
        """
        boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
        scores = np.asarray(scores, np.float64).reshape(-1)
        class_ids = np.asarray(class_ids, np.int64).reshape(-1)
        if not len(boxes) == len(scores) == len(class_ids):
            raise InputError(
                f'{len(boxes)} boxes, {len(scores)} scores and {len(class_ids)} classes; '
                'every detection has one of each'
            )
        for ids in (class_ids, truth.class_ids):
            if ids.size and not 0 <= ids.min() <= ids.max() < len(self.names):
                raise InputError(f'class ids {np.unique(ids)} go beyond {len(self.names)} classes')
        self._pictures += 1
        for c in np.union1d(class_ids, truth.class_ids):
            mine, real = class_ids == c, truth.class_ids == c
            self._picture(
                int(c), boxes[mine], scores[mine], truth.xyxy[real], truth.is_crowd[real]
            )

    def result(self) -> dict[str, float]:
        """`ap50`, `ap50_95`, `ap50_<name>`, and `count` of images.

        Classes without an object are NaN and left out of the means.
        """
        table = np.array([_class_precision(found) for found in self._found])
        table = table.reshape(-1, len(OVERLAPS))
        there = table[~np.isnan(table[:, 0])]
        mean = there.mean(axis=0) if len(there) else np.full(len(OVERLAPS), math.nan)
        each = {f'ap50_{name}': float(ap[0]) for name, ap in zip(self.names, table, strict=True)}
        means = {'ap50': float(mean[0]), 'ap50_95': float(mean.mean())}
        return means | each | {'count': float(self._pictures)}

    def _picture(
        self,
        class_id: int,
        boxes: np.ndarray,
        scores: np.ndarray,
        real: np.ndarray,
        is_crowd: np.ndarray,
    ) -> None:
        order = np.argsort(-scores, kind='stable')[:MOST_PER_PICTURE]
        hits, ignored = _matched(overlaps(boxes[order], real, is_crowd), is_crowd)
        found = self._found[class_id]
        found.scores.append(scores[order])
        found.hits.append(hits)
        found.ignored.append(ignored)
        found.truths += int(np.count_nonzero(~is_crowd))


def overlaps(boxes: np.ndarray, real: np.ndarray, is_crowd: np.ndarray) -> np.ndarray:
    """Intersection over union (N, M) of boxes [x0, y0, x1, y1]; with crowds over the box alone."""
    boxes, real = boxes.astype(np.float64), real.astype(np.float64)
    shared, area = box_intersections(boxes, real), box_areas(boxes)[:, None]
    either = np.where(is_crowd[None], area, area + box_areas(real)[None] - shared)
    return shared / np.maximum(either, 1e-12)


def _matched(iou: np.ndarray, is_crowd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hits and ignored detections, bool (thresholds, N); rows of `iou` are sorted by score."""
    hits = np.zeros((len(OVERLAPS), len(iou)), bool)
    ignored = np.zeros_like(hits)
    free = np.tile(~is_crowd, (len(OVERLAPS), 1))
    if not iou.size:
        return hits, ignored
    in_crowd = np.where(is_crowd, iou, 0.0).max(axis=1)
    every = np.arange(len(OVERLAPS))
    for d, row in enumerate(iou):
        open_iou = np.where(free, row, -1.0)
        best = open_iou.argmax(axis=1)
        hits[:, d] = open_iou[every, best] >= OVERLAPS
        free[every, best] &= ~hits[:, d]
        ignored[:, d] = ~hits[:, d] & (in_crowd[d] >= OVERLAPS)
    return hits, ignored


def _class_precision(found: _Found) -> np.ndarray:
    """Average precision (thresholds,) of one class; NaN without an object."""
    if not found.truths:
        return np.full(len(OVERLAPS), math.nan)
    scores = np.concatenate(found.scores)
    order = np.argsort(-scores, kind='stable')
    hits = np.concatenate(found.hits, axis=1)[:, order]
    ignored = np.concatenate(found.ignored, axis=1)[:, order]
    right = np.cumsum(hits, axis=1)
    wrong = np.cumsum(~hits & ~ignored, axis=1)
    precision = right / np.maximum(right + wrong, 1)
    # The best precision at this recall or a higher one.
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    recall = right / found.truths
    return np.array([_area(r, p) for r, p in zip(recall, precision, strict=True)])


def _area(recall: np.ndarray, precision: np.ndarray) -> float:
    """Mean precision at the 101 recalls, 0 beyond the last one reached."""
    at = np.searchsorted(recall, RECALLS, side='left')
    return float(np.append(precision, 0.0)[at].mean())
