"""Exported files against the trained network: on which samples, errors and metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.inference.output_errors import usual_errors

from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.errors import ExportError
from rs_ml_training.export.artifact import Arrays, Network, Port
from rs_ml_training.prediction.view import View, view_of
from rs_ml_training.tasks.known_depth import measured_m
from rs_ml_training.trained import ModelSpec

Crop = tuple[float, float, float, float] | None
Outputs = Mapping[str, np.ndarray]
# Task -> the metrics shown.
METRICS: dict[str, tuple[str, ...]] = {
    'depth': ('abs_rel', 'rms', 'd1'),
    'segmentation': ('miou', 'pixel_accuracy'),
    'denoise': ('rmse_m', 'mae_m'),
    'detection': ('ap50', 'ap50_95'),
}
# Largest error allowed of any output, see output_errors.usual_measure.
LIMITS = {'float32': 1e-3, 'float16': 1e-2}
# Output -> error.
Errors = dict[str, float]


@dataclass(frozen=True)
class ServedSample:
    """A sample and its arrays.

    Attributes:
        sample: as read.
        view: which part of it the network sees.
        inputs: name -> array with the batch axis.
    """

    sample: Sample
    view: View
    inputs: dict[str, np.ndarray]


def served_samples(
    reader: Reader, ports: Sequence[Port], crop: Crop, limit: int
) -> Iterator[ServedSample]:
    """At most `limit` samples, spread over the whole data set.

    Raises:
        InputError: a sample lacks a map that the network reads.
    """
    count = min(limit, len(reader))
    for index in np.linspace(0, len(reader) - 1, count).round().astype(int):
        yield served(reader.read(int(index)), ports, crop)


def served(sample: Sample, ports: Sequence[Port], crop: Crop) -> ServedSample:
    """One sample; infrared that was not taken is black, and depth beside a picture is 0.

    Raises:
        InputError: it lacks a map that the network reads.
    """
    view = view_of(sample.size, ports[0].size, crop)
    inputs = {port.name: _array(sample, view, port.name) for port in ports}
    return ServedSample(sample, view, inputs)


def _array(sample: Sample, view: View, name: str) -> np.ndarray:
    if name == 'raw_depth':
        depth_m = np.nan_to_num(_required(sample, 'raw_depth_m')).astype(np.float32)
        return view.measured(depth_m)[None, :, :, None]
    if name == 'depth':
        return view.measured(measured_m(sample)[..., 0])[None, :, :, None]
    if name == 'image':
        return view.picture(_required(sample, 'image'))[None]
    infrared = sample.infrared
    if infrared is None:
        infrared = np.zeros(sample.size[::-1], np.uint8)
    return view.picture(infrared)[None, :, :, None]


def _required(sample: Sample, name: str) -> np.ndarray:
    array = getattr(sample, name)
    if array is None:
        raise InputError(f'{sample.name} has no {name}, which the network reads: give other data')
    return array


Update = Callable[[ServedSample, Outputs], None]


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


def difference(expected: Arrays, actual: Arrays) -> Errors:
    """Compare two results of one input, output by output.

    Raises:
        ExportError: the outputs have other names.
    """
    if set(expected) != set(actual):
        raise ExportError(f'outputs are {sorted(actual)} in place of {sorted(expected)}')
    return usual_errors(expected, actual)


def worst_of(differences: Iterable[Errors]) -> Errors:
    """The largest error of each output."""
    worst: Errors = {}
    for errors in differences:
        for name, error in errors.items():
            worst[name] = max(error, worst.get(name, 0.0))
    return worst


def refuse_if_beyond(errors: Errors, precision: str, what: str) -> None:
    """Raise ExportError if an error is larger than its precision excuses; int8 is not judged."""
    limit = LIMITS.get(precision)
    for name, error in errors.items():
        if limit is not None and not error <= limit:
            raise ExportError(
                f'{what} does not reproduce the trained network: {name} is off by {error:.3g}, '
                f'{precision} allows {limit:g}; nothing was written, leave this format out'
            )
