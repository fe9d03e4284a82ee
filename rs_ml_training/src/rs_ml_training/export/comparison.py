"""Exported files against the trained network: samples, errors and metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from rs_ml_perception.inference.output_errors import usual_errors

from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample, measured_m, required
from rs_ml_training.errors import ExportError
from rs_ml_training.export.artifact import Arrays, Network, Port
from rs_ml_training.prediction.preprocess import View, view_of
from rs_ml_training.tasks.registry import task_named
from rs_ml_training.tasks.task import ServedSample
from rs_ml_training.trained import ModelSpec

_PURPOSE = 'for the network to read: give other data'

Crop = tuple[float, float, float, float] | None
# Largest error allowed of any output, see output_errors.usual_measure.
LIMITS = {'float32': 1e-3, 'float16': 1e-2}
# Output -> error.
Errors = dict[str, float]


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
    """One sample; missing infrared is black, and missing depth of a colour image is 0.

    Raises:
        InputError: it lacks a map that the network reads.
    """
    view = view_of(sample.size, ports[0].size, crop)
    inputs = {port.name: _INPUTS[port.name](sample, view) for port in ports}
    return ServedSample(sample, view, inputs)


def _raw_depth(sample: Sample, view: View) -> np.ndarray:
    depth_m = np.nan_to_num(required(sample, 'raw_depth_m', _PURPOSE)).astype(np.float32)
    return view.measured(depth_m)[None, :, :, None]


def _depth(sample: Sample, view: View) -> np.ndarray:
    return view.measured(measured_m(sample)[..., 0])[None, :, :, None]


def _image(sample: Sample, view: View) -> np.ndarray:
    return view.picture(required(sample, 'image', _PURPOSE))[None]


def _infrared(sample: Sample, view: View) -> np.ndarray:
    infrared = sample.infrared
    if infrared is None:
        infrared = np.zeros(sample.size[::-1], np.uint8)
    return view.picture(infrared)[None, :, :, None]


# Name of a served input -> the array of a sample.
_INPUTS = {'image': _image, 'raw_depth': _raw_depth, 'depth': _depth, 'infrared': _infrared}


def measure(
    network: Network, spec: ModelSpec, samples: Iterable[ServedSample]
) -> dict[str, float]:
    """Metrics of a served network, dense maps at the network's own size.

    Raises:
        InputError: a sample lacks the truth.
    """
    task = task_named(spec.task)
    metrics = task.served_metrics(spec)
    for served in samples:
        metrics.update(served, network(served.inputs))
    found = metrics.result()
    return {name: found[name] for name in task.shown_metrics if name in found}


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
    """Raise ExportError if an error is above the limit of its precision; int8 has none."""
    limit = LIMITS.get(precision)
    for name, error in errors.items():
        if limit is not None and not error <= limit:
            raise ExportError(
                f'{what} does not reproduce the trained network: {name} is off by {error:.3g}, '
                f'{precision} allows {limit:g}; nothing was written, leave this format out'
            )
