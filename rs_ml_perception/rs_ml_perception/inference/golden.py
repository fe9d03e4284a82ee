"""Recorded outputs of a reference, which every other way to run a model must reproduce.

golden.npz holds `output/<name>` arrays as the reference backend gave them, and either the inputs
as `input/<name>` arrays or a `seed`, from which `golden_inputs` makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.core.preprocess import Preprocessor
from rs_ml_perception.inference.manifest import ModelManifest
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.shelf import locate

_ANY_SIZE = (640, 480)
_SQUARES = 6


@dataclass(frozen=True)
class GoldenResult:
    """How far a backend is from the reference.

    Attributes:
        error: worst output's error, see `output_error`.
        tolerance: what the manifest allows at this precision; None: it does not say.
    """

    error: float
    tolerance: float | None

    @property
    def is_reproduced(self) -> bool:
        return self.tolerance is not None and self.error <= self.tolerance


def golden_picture(seed: int, size: tuple[int, int]) -> np.ndarray:
    """A picture with flat areas, gradients and edges: uint8 (h, w, 3), equal on every machine.

    Integers only, since floating point may round otherwise elsewhere.
    """
    width, height = size
    rng = np.random.default_rng(seed)
    ys, xs = np.mgrid[0:height, 0:width]
    weights = rng.integers(0, 256, (2, 3))
    ramp = xs[:, :, None] * weights[0] // width + ys[:, :, None] * weights[1] // height
    picture = ramp // 2
    for _ in range(_SQUARES):
        x, y = rng.integers(0, width), rng.integers(0, height)
        radii = rng.integers(min(size) // 16, min(size) // 3, 2)
        inside = ((xs - x) * radii[1]) ** 2 + ((ys - y) * radii[0]) ** 2 < (
            radii[0] * radii[1]
        ) ** 2
        picture[inside] = rng.integers(0, 256, 3) * 3 // 4 + picture[inside] // 4
    return np.clip(picture, 0, 255).astype(np.uint8)


def golden_inputs(manifest: ModelManifest, seed: int) -> dict[str, np.ndarray]:
    """Input tensors of a seed; further inputs get the picture of the next seeds."""
    inputs = {}
    for i, spec in enumerate(manifest.inputs):
        picture = golden_picture(seed + i, spec.size or _ANY_SIZE)
        inputs[spec.name] = Preprocessor(spec)(picture)[0].copy()
    return inputs


def record_golden(model: Model, seed: int, path: Path) -> None:
    """Write what the model gives for the picture of a seed."""
    outputs = model(golden_inputs(model.manifest, seed))
    arrays = {f'output/{name}': _small(array) for name, array in outputs.items()}
    np.savez_compressed(path, seed=np.int64(seed), **arrays)


def recorded_inputs(manifest: ModelManifest) -> dict[str, np.ndarray]:
    """The golden inputs of a model.

    Raises:
        ModelError: the model has none, or the file does not fit the manifest.
    """
    return _recorded_inputs(manifest, *_recording(manifest))


def verify_golden(model: Model) -> GoldenResult:
    """Compare a loaded model with its golden outputs.

    Raises:
        ModelError: the model has none, or the file does not fit the manifest.
    """
    manifest = model.manifest
    arrays, path = _recording(manifest)
    expected = _under('output/', arrays)
    actual = model(_recorded_inputs(manifest, arrays, path))
    if set(expected) != set(actual):
        raise ModelError(f'{path} holds {sorted(expected)}, the model gives {sorted(actual)}')
    tolerance = manifest.golden.tolerance.get(model.precision) if manifest.golden else None
    return GoldenResult(outputs_error(expected, actual), tolerance)


def _recording(manifest: ModelManifest) -> tuple[dict[str, np.ndarray], Path]:
    if manifest.golden is None:
        raise ModelError(f'{manifest.title} has no golden output: nothing can be verified')
    path = locate(manifest, manifest.golden.file)
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}, path


def _under(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def _recorded_inputs(
    manifest: ModelManifest, arrays: Mapping[str, np.ndarray], path: Path
) -> dict[str, np.ndarray]:
    if 'seed' in arrays:
        return golden_inputs(manifest, int(arrays['seed']))
    inputs, wanted = _under('input/', arrays), {spec.name for spec in manifest.inputs}
    if set(inputs) != wanted:
        raise ModelError(f'{path} holds inputs {sorted(inputs)}, the model wants {sorted(wanted)}')
    return inputs


def outputs_error(expected: Mapping[str, np.ndarray], actual: Mapping[str, np.ndarray]) -> float:
    """Worst error over all outputs.

    Lists of boxes are compared as sets of rows, for two almost equal scores may change places.
    """
    if {'boxes', 'scores', 'classes'} <= set(expected):
        return _rows_error(_box_rows(expected), _box_rows(actual))
    if set(expected) == {'rows'}:
        return _rows_error(*(_ssd_rows(outputs) for outputs in (expected, actual)))
    return max(output_error(expected[name], actual[name]) for name in expected)


def output_error(expected: np.ndarray, actual: np.ndarray) -> float:
    """Largest difference over the expected range; of integers, the share that differ."""
    if expected.shape != actual.shape:
        return float('inf')
    if expected.size == 0:
        return 0.0
    if expected.dtype.kind in 'iu':
        return float(np.mean(expected != actual))
    span = float(np.ptp(expected)) or 1.0
    difference = np.abs(expected.astype(np.float64) - actual)
    return float(difference.max() / span) if np.isfinite(difference).all() else float('inf')


def _box_rows(outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Score, four corners, class: float (N, 6)."""
    columns = [outputs['scores'][0, :, None], outputs['boxes'][0], outputs['classes'][0, :, None]]
    return np.concatenate(columns, axis=1)


def _ssd_rows(outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.roll(outputs['rows'].reshape(-1, 7)[:, 1:], -1, axis=1)


def _rows_error(expected: np.ndarray, actual: np.ndarray) -> float:
    """Distance of each confident expected row [score, corners..., class] to its nearest."""
    if len(expected) == 0 or len(actual) == 0:
        return 0.0 if len(expected) == len(actual) else float('inf')
    confident = expected[expected[:, 0] >= 0.5 * expected[:, 0].max()]
    distances = np.abs(confident[:, None, :5] - actual[None, :, :5]).max(axis=2)
    other_class = confident[:, None, 5] != actual[None, :, 5]
    return float((distances + other_class).min(axis=1).max())


def _small(array: np.ndarray) -> np.ndarray:
    """Class maps as bytes."""
    fits = array.dtype.kind in 'iu' and array.min() >= 0 and array.max() < 256
    return array.astype(np.uint8) if fits else array
