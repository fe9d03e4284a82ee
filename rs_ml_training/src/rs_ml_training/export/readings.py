"""What OpenVINO makes of a TFLite file, which it reads as well as LiteRT does."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.inference.golden_recording import USUAL_LIMITS
from rs_ml_perception.inference.manifest import Tolerance
from rs_ml_perception.inference.output_errors import usual_measure

from rs_ml_training.export import bfloat16
from rs_ml_training.export.artifact import Arrays, Artifact, Network
from rs_ml_training.export.onnx_file import converted_tflite

HINTS = {'float32': 'f32', 'bfloat16': 'bf16'}
"""Precision as manifests name it -> as OpenVINO does."""

MARGIN = 1.5
LARGEST_TOLERANCE = 0.1
"""A runtime that strays further than this share of the range computes another network."""


@dataclass(frozen=True)
class Reading:
    """A file in a runtime that it was not written for.

    Attributes:
        title: of the file and the runtime.
        precision: key of HINTS.
        errors: of each output on the golden input.
        metrics: of the task, where they were measured.
    """

    title: str
    precision: str
    errors: Mapping[str, float]
    metrics: Mapping[str, float] = field(default_factory=dict)


def networks(artifact: Artifact, folder: Path) -> Iterator[tuple[str, str, Network]]:
    """(title, precision, network) of a TFLite file in OpenVINO.

    Where the CPU has no units for bfloat16 it is emulated. Nothing for other files, nor where
    OpenVINO is missing.
    """
    if artifact.format != 'tflite' or importlib.util.find_spec('openvino') is None:
        return
    yield 'in OpenVINO, float32', 'float32', _compiled(artifact, folder, 'float32')
    if bfloat16.has_units():
        yield 'in OpenVINO, bfloat16', 'bfloat16', _compiled(artifact, folder, 'bfloat16')
    elif importlib.util.find_spec('tf2onnx') and importlib.util.find_spec('onnxruntime'):
        theirs = {tensor: name for name, tensor in artifact.names.items()}
        model = converted_tflite(folder / artifact.path, theirs)
        yield 'bfloat16, emulated', 'bfloat16', bfloat16.emulated(model)


def tolerances(
    outputs: Arrays, float32: Mapping[str, float], readings: Iterable[Reading]
) -> dict[str, Tolerance]:
    """By how much each output may miss the golden one: what was found here and half as much.

    Args:
        outputs: the golden ones.
        float32: output -> least tolerance in float32.
        readings: what was found; bfloat16 is allowed the usual at least.
    """
    found = {
        name: {'float32': least, 'bfloat16': max(USUAL_LIMITS['bfloat16'], least)}
        for name, least in float32.items()
    }
    for reading in readings:
        for name, error in reading.errors.items():
            wanted = math.ceil(min(error * MARGIN, LARGEST_TOLERANCE) * 1e3) / 1e3
            found[name][reading.precision] = max(found[name][reading.precision], wanted)
    return {
        name: Tolerance(usual_measure(name, outputs[name]), limits)
        for name, limits in found.items()
    }


def _compiled(artifact: Artifact, folder: Path, precision: str) -> Network:
    import openvino

    names = {tensor: name for name, tensor in artifact.names.items()}
    hint = {'INFERENCE_PRECISION_HINT': HINTS[precision]}
    compiled = openvino.Core().compile_model(folder / artifact.path, 'CPU', hint)
    inputs = {_named(port, names): port for port in compiled.inputs}

    def run(arrays: Arrays) -> dict[str, Any]:
        results = compiled({inputs[name]: array for name, array in arrays.items()})
        return {_named(port, names): np.array(array) for port, array in results.items()}

    return run


def _named(port: Any, names: Mapping[str, str]) -> str:
    """Our name of a tensor; without ':0', which OpenVINO keeps of some."""
    known = (names.get(name) or names.get(name.removesuffix(':0')) for name in port.get_names())
    return next((name for name in known if name), port.get_any_name())
