"""The metrics of a task for a served network: what int8 costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.export.artifact import Network
from rs_ml_training.export.samples import ServedSample
from rs_ml_training.trained import ModelSpec

Outputs = Mapping[str, np.ndarray]
Update = Callable[[ServedSample, Outputs], None]

METRICS: dict[str, tuple[str, ...]] = {
    'depth': ('abs_rel', 'rms', 'd1'),
    'segmentation': ('miou', 'pixel_accuracy'),
    'denoise': ('rmse_m', 'mae_m'),
    'detection': ('ap50', 'ap50_95'),
}
"""Task -> the metrics shown."""


def measure(
    network: Network, spec: ModelSpec, samples: Iterable[ServedSample]
) -> dict[str, float]:
    """Metrics of a served network, dense maps at the network's own size.

    Raises:
        InputError: a sample lacks the truth.
    """
    accumulator, update = _ACCUMULATORS[spec.task](spec)
    for served in samples:
        update(served, network(served.inputs))
    found = accumulator.result()
    return {name: found[name] for name in METRICS[spec.task] if name in found}


def _depth(spec: ModelSpec) -> tuple[Any, Update]:
    from rs_ml_training.metrics.depth import DepthMetrics

    near, far = spec.depth_range_m
    metrics = DepthMetrics(max(near, 1e-3), far)

    def update(served: ServedSample, outputs: Outputs) -> None:
        truth_m = _at_model_size(served, 'depth_m')
        metrics.update(truth_m=truth_m, prediction_m=outputs['depth'][0, :, :, 0])

    return metrics, update


def _segmentation(spec: ModelSpec) -> tuple[Any, Update]:
    from rs_ml_training.metrics.confusion import ConfusionMatrix

    metrics = ConfusionMatrix(max(len(spec.labels), 2))

    def update(served: ServedSample, outputs: Outputs) -> None:
        labels = _at_model_size(served, 'labels')
        ids = _class_ids(outputs['mask'][0])
        size = served.view.model_size
        if ids.shape != size[::-1]:
            ids = cv2.resize(ids.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        metrics.update(labels=labels, predicted=ids)

    return metrics, update


def _denoise(spec: ModelSpec) -> tuple[Any, Update]:
    from rs_ml_training.metrics.denoise import DenoiseMetrics

    metrics = DenoiseMetrics()

    def update(served: ServedSample, outputs: Outputs) -> None:
        truth_m, raw_m = _at_model_size(served, 'depth_m'), served.inputs['raw_depth'][0, :, :, 0]
        metrics.update(truth_m=truth_m, raw_m=raw_m, cleaned_m=outputs['depth'][0, :, :, 0])

    return metrics, update


def _detection(spec: ModelSpec) -> tuple[Any, Update]:
    from rs_ml_training.metrics.precision import AveragePrecision
    from rs_ml_training.tasks.detection import predictions_of

    metrics = AveragePrecision(max(len(spec.labels), 1))

    def update(served: ServedSample, outputs: Outputs) -> None:
        if served.sample.boxes is None:
            raise InputError(f'{served.sample.name} has no boxes to measure a detector with')
        (found,) = predictions_of(outputs, served.view.model_size)
        boxes = served.view.boxes_to_source(found.xyxy)
        metrics.update(boxes, found.scores, found.class_ids, served.sample.boxes)

    return metrics, update


_ACCUMULATORS: dict[str, Callable[[ModelSpec], tuple[Any, Update]]] = {
    'depth': _depth,
    'segmentation': _segmentation,
    'denoise': _denoise,
    'detection': _detection,
}


def _at_model_size(served: ServedSample, name: str) -> np.ndarray:
    truth = getattr(served.sample, name)
    if truth is None:
        raise InputError(f'{served.sample.name} has no {name} to measure the network with')
    return served.view.measured(truth)


def _class_ids(mask: np.ndarray) -> np.ndarray:
    """Class ids (H, W) of a class map or of scores (H, W, C)."""
    if mask.ndim == 2:
        return mask
    if mask.shape[2] == 1:
        return (mask[..., 0] >= 0.5).astype(np.uint8)
    return mask.argmax(axis=2)
