"""Recorded outputs of a reference, which every backend and precision must reproduce.

golden.npz holds `input/<name>` arrays, made from a camera image, and `output/<name>` arrays of the
reference. The manifest has the tolerance of each output at each precision.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rs_ml_perception.core.errors import GoldenError, InputError, ModelError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.inference.manifest import Golden, ModelManifest
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.output_errors import output_errors, row_axis, usual_measure
from rs_ml_perception.inference.preprocess import InputSpec, Preprocessor, plan_transform
from rs_ml_perception.inference.shelf import locate

MAX_GOLDEN_BYTES = 1 << 28
"""Of all recorded tensors, unpacked."""
GOLDEN_NAME = 'golden.npz'
_INPUT, _OUTPUT = 'input/', 'output/'
_DEPTH_INPUTS = ('raw_depth', 'depth')
_INFRARED_INPUT = 'infrared'
_STEPS = 1 << 12
_LISTS = ('rows', 'detections')


@dataclass(frozen=True)
class OutputResult:
    """Error of one output against the reference.

    Attributes:
        name: in the manifest.
        error: by the measure in the manifest.
        limit: tolerance at this precision; None: the manifest has none.
    """

    name: str
    error: float
    limit: float | None

    @property
    def is_within(self) -> bool:
        return self.limit is not None and self.error <= self.limit

    def __str__(self) -> str:
        allowed = 'nothing is said' if self.limit is None else f'{self.limit:.3g} is allowed'
        return f'{self.name} off by {self.error:.2g} ({allowed})'


@dataclass(frozen=True)
class GoldenResult:
    """Errors of a backend against the reference.

    Attributes:
        outputs: in the order of the manifest.
    """

    outputs: tuple[OutputResult, ...]

    @property
    def is_reproduced(self) -> bool:
        return all(output.is_within for output in self.outputs)

    @property
    def is_judged(self) -> bool:
        """Whether the manifest has tolerances for this precision."""
        return all(output.limit is not None for output in self.outputs)

    @property
    def error_ratio(self) -> float:
        """Largest error in multiples of the tolerance; NaN without one."""
        if not self.is_judged:
            return float('nan')
        return max((o.error / o.limit if o.limit else o.error) for o in self.outputs)

    def __str__(self) -> str:
        return ', '.join(map(str, self.outputs))


def verify_golden(model: Model) -> GoldenResult:
    """Compare a loaded model with its golden outputs.

    Raises:
        ModelError: the model has none, or the file does not fit the manifest.
    """
    manifest = model.manifest
    golden = _golden_of(manifest)
    inputs, expected = _recording(manifest)
    actual = model(inputs)
    measures = {name: t.measure for name, t in golden.tolerance.items()}
    errors = output_errors(expected, actual, measures)
    return GoldenResult(
        tuple(
            OutputResult(name, errors[name], tolerance.limits.get(model.precision))
            for name, tolerance in golden.tolerance.items()
        )
    )


def require_golden(model: Model) -> None:
    """Refuse a model that does not reproduce its golden outputs.

    A model without golden outputs passes, and so does a precision without a tolerance.

    Raises:
        GoldenError: it does not reproduce them.
        ModelError: the file does not fit the manifest.
    """
    if model.manifest.golden is None:
        return
    result = verify_golden(model)
    if result.is_judged and not result.is_reproduced:
        raise GoldenError(
            f'{model.title}: {model.backend_name} in {model.precision} does not reproduce the '
            f'golden outputs: {result}: choose another backend (`rs-ml models tune '
            f'{model.manifest.directory}` finds those that do)'
        )


def golden_inputs(manifest: ModelManifest) -> dict[str, np.ndarray]:
    """The recorded input tensors of a model.

    Raises:
        ModelError: there is none, or the file does not fit the manifest.
    """
    return _recording(manifest)[0]


def picture_inputs(
    specs: Iterable[InputSpec], frame: Frame, *, model: str
) -> dict[str, np.ndarray]:
    """Input tensors made of a frame.

    Args:
        specs: of the tensors.
        frame: colour, depth and infrared, as required by the model.
        model: its name, for the message.

    Raises:
        InputError: the frame lacks an image required by an input.
    """
    return {spec.name: _input(spec, frame, model) for spec in specs}


def write_golden(
    path: Path, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]
) -> None:
    """Write a golden file.

    Real outputs are rounded to 1/4096 of their range, columns of a head to that of each, which
    compresses well; whole numbers and lists of detections stay unchanged.
    """
    arrays = {f'{_INPUT}{name}': array for name, array in inputs.items()}
    arrays |= {f'{_OUTPUT}{name}': _rounded(name, array) for name, array in outputs.items()}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # any may be allow_pickle


def _golden_of(manifest: ModelManifest) -> Golden:
    if manifest.golden is None:
        raise ModelError(f'{manifest.title} has no golden outputs: nothing can be verified')
    return manifest.golden


def _recording(manifest: ModelManifest) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Inputs and outputs of the file."""
    golden = _golden_of(manifest)
    if not golden.tolerance:
        raise ModelError(
            f'{manifest.title}: its golden outputs have one tolerance for all of them, which is '
            'no longer read: record them again with `rs-ml models check '
            f'{manifest.directory} --record-golden PICTURE`'
        )
    path = locate(manifest, golden.file)
    arrays = read_arrays(path)
    parts = _under(_INPUT, arrays), _under(_OUTPUT, arrays)
    wanted = {spec.name for spec in manifest.inputs}, set(manifest.outputs)
    for kind, part, names in zip(('inputs', 'outputs'), parts, wanted, strict=True):
        if set(part) != names:
            raise ModelError(f'{path} holds {kind} {sorted(part)}, the model has {sorted(names)}')
    return parts


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz from an untrusted source, in which kilobytes may hold gigabytes.

    Raises:
        ModelError: it is not such a file, damaged, or larger than MAX_GOLDEN_BYTES unpacked.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_GOLDEN_BYTES:
            raise ModelError(f'{path} unpacks to {unpacked} bytes, at most {MAX_GOLDEN_BYTES}')
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, MemoryError) as error:
        raise ModelError(f'{path} is no .npz of arrays, or damaged: {error}') from error
    strange = [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]
    if strange:
        raise ModelError(f'{path} is no .npz of arrays: {strange[0]} is none')
    return arrays


def _under(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def _input(spec: InputSpec, frame: Frame, model: str) -> np.ndarray:
    if spec.name in _DEPTH_INPUTS:
        depth = _required(frame.depth, 'depth', spec, model)
        return _plane(np.nan_to_num(depth.depth_m), spec)
    if spec.name == _INFRARED_INPUT:
        return _plane(_required(frame.infrared, 'infrared', spec, model), spec)
    rgb = _required(frame.rgb, 'colour', spec, model)
    return Preprocessor(spec)(rgb)[0].copy()


def _required(image: Any, word: str, spec: InputSpec, model: str) -> Any:
    if image is None:
        raise InputError(
            f'{model}: its input {spec.name!r} needs {word}, which the image lacks: give a '
            'recording of a camera that has it'
        )
    return image


def _plane(plane: np.ndarray, spec: InputSpec) -> np.ndarray:
    """One channel (h, w) as the tensor of the input; measured depth is not averaged."""
    transform = plan_transform(spec, (plane.shape[1], plane.shape[0]))
    x, y, width, height = transform.source_rect
    interpolation = cv2.INTER_NEAREST if spec.dtype == 'float32' else cv2.INTER_AREA
    seen = np.ascontiguousarray(plane[y : y + height, x : x + width])
    seen = cv2.resize(seen, transform.model_size, interpolation=interpolation)
    return seen.astype(spec.dtype).reshape(spec.shape(transform.model_size))


def _rounded(name: str, array: np.ndarray) -> np.ndarray:
    axis = row_axis(array) if usual_measure(name, array) == 'columns' else None
    span = np.ptp(array, axis=axis, keepdims=True) if array.dtype.kind == 'f' and array.size else 0
    is_list = name in _LISTS or not np.isfinite(span).all()
    if is_list or not np.any(span) or np.array_equal(array, np.rint(array)):
        return _small(array)
    step = np.where(span > 0, span, 1) / _STEPS
    low = array.min(axis=axis, keepdims=True)
    rounded: np.ndarray = np.rint((array - low) / step) * step + low
    return rounded.astype(np.float32)


def _small(array: np.ndarray) -> np.ndarray:
    """Class maps of wide integers as bytes."""
    fits = array.dtype.kind in 'iu' and array.size and array.min() >= 0 and array.max() < 256
    return array.astype(np.uint8) if fits else array
