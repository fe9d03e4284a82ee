"""Samples of a data set as the served network gets them, and their truth at its size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.export.artifact import Port
from rs_ml_training.prediction.view import View, view_of
from rs_ml_training.tasks.known_depth import measured_m

Crop = tuple[float, float, float, float] | None


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
