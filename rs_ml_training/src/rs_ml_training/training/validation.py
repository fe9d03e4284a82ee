"""Metrics and pictures of a network on validation batches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rs_ml_training.data.sequence import Arrays, SampleSequence, stack
from rs_ml_training.tasks.task import Task

Predict = Callable[[Arrays], Arrays]


def validate(task: Task, predict: Predict, batches: SampleSequence) -> dict[str, float]:
    """The task's metrics over all batches.

    Args:
        task: gives the metrics.
        predict: named input arrays to named output arrays.
        batches: not shuffled.
    """
    metrics = task.metrics()
    for i in range(len(batches)):
        inputs, targets = batches[i]
        metrics.update(targets, predict(inputs))
    return metrics.result()


def draw(task: Task, predict: Predict, batches: SampleSequence, count: int) -> np.ndarray | None:
    """Strips of `count` samples spread over the data, one below the other, uint8 (h, w, 3)."""
    total = batches.samples
    chosen = np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(int))
    strips = []
    for index in chosen:
        inputs, targets = batches.pair(int(index))
        outputs = predict(stack([inputs]))
        strips.append(task.picture(inputs, targets, {n: a[0] for n, a in outputs.items()}))
    return np.concatenate(strips) if strips else None
