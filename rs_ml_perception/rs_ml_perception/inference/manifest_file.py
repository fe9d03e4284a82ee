"""manifest.yaml to ModelManifest."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import InputError, ModelError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.images.image_files import MAX_PIXELS
from rs_ml_perception.inference.backends import PRECISIONS
from rs_ml_perception.inference.foreign_yaml import read_yaml
from rs_ml_perception.inference.labels_file import read_labels
from rs_ml_perception.inference.manifest import (
    DEPTH_FORMS,
    FORMATS,
    MANIFEST_NAME,
    TASKS,
    Artifact,
    DepthSpec,
    FileRef,
    Golden,
    ModelManifest,
    TensorSpec,
    Thresholds,
    Tolerance,
)
from rs_ml_perception.inference.manifest_values import StrictMapping, checked_name, checked_path
from rs_ml_perception.inference.output_errors import MEASURES, judged_outputs
from rs_ml_perception.inference.preprocess import (
    COLORS,
    INTERPOLATIONS,
    LAYOUTS,
    RESIZES,
    InputSpec,
)

_DTYPES = ('float32', 'float16', 'uint8', 'int8', 'int32', 'int64')
METRES_PER_UNIT = {'m': 1.0, 'cm': 0.01, 'mm': 0.001}


def read_manifest(directory: Path) -> ModelManifest:
    """Read the manifest of a model directory.

    Raises:
        ModelError: there is none, it is not YAML, or a value is wrong; file and key are named.
    """
    path = directory / MANIFEST_NAME
    top = StrictMapping(_read_yaml(path), where=str(path))
    manifest = ModelManifest(
        directory=directory,
        name=checked_name(top.take('name', str), where=str(path)),
        version=str(top.take('version', (str, int, float), '1')),
        task=(task := top.choose('task', TASKS)),
        decoder=top.take('decoder', str),
        artifacts=_artifacts(top),
        inputs=_inputs(top),
        outputs=(outputs := _outputs(top)),
        labels=read_labels(top.take('labels', (list, dict, str), []), directory, where=str(path)),
        decoder_options=top.take('decoder_options', dict, {}),
        thresholds=_thresholds(top),
        depth=_depth(top, task),
        training_camera=_training_camera(top),
        license=top.take('license', str),
        source=top.take('source', str, ''),
        golden=_golden(top, outputs),
        constants=_constants(top),
    )
    top.finish()
    return manifest


def _read_yaml(path: Path) -> Any:
    if not path.exists():
        raise ModelError(f'{path.parent} is no model directory: it has no {MANIFEST_NAME}')
    try:
        return read_yaml(path)
    except InputError as error:
        raise ModelError(str(error)) from error


def _artifacts(top: StrictMapping) -> tuple[Artifact, ...]:
    rows = top.take('artifacts', list)
    if not rows:
        raise ModelError(f'{top.where}: artifacts is empty, at least one file is needed')
    return tuple(_artifact(row, f'{top.where}: artifacts[{i}]') for i, row in enumerate(rows))


def _artifact(row: Any, where: str) -> Artifact:
    section = StrictMapping(row, where=where)
    artifact = Artifact(
        format=section.choose('format', FORMATS),
        file=_file(section),
        companions=tuple(
            _file_only(companion, f'{where}: companions[{i}]')
            for i, companion in enumerate(section.take('companions', list, []))
        ),
        names=_names(section, 'names'),
    )
    section.finish()
    return artifact


def _file(section: StrictMapping) -> FileRef:
    return FileRef(
        path=checked_path(section.take('path', str), where=section.where),
        sha256=_digest(section, 'sha256'),
        url=section.take('url', str, None),
        url_sha256=_digest(section, 'url_sha256'),
        member=section.take('member', str, None),
    )


def _digest(section: StrictMapping, key: str) -> str | None:
    digest: str | None = section.take(key, str, None)
    if digest is not None and (len(digest) != 64 or set(digest) - set('0123456789abcdef')):
        raise ModelError(f'{section.where}: {key} must be 64 lower-case hex digits, got {digest}')
    return digest


def _file_only(row: Any, where: str) -> FileRef:
    section = StrictMapping(row, where=where)
    file = _file(section)
    section.finish()
    return file


def _names(section: StrictMapping, key: str) -> dict[str, str]:
    names: dict[str, str] = section.take(key, dict, {})
    if not all(isinstance(item, str) for pair in names.items() for item in pair):
        raise ModelError(f'{section.where}: {key} must map names to tensor names, got {names!r}')
    return names


def _inputs(top: StrictMapping) -> tuple[InputSpec, ...]:
    rows = top.take('input', (dict, list))
    rows = rows if isinstance(rows, list) else [rows]
    if not rows:
        raise ModelError(f'{top.where}: input is empty, at least one tensor is needed')
    return tuple(_input(row, f'{top.where}: input') for row in rows)


def _input(row: Any, where: str) -> InputSpec:
    section = StrictMapping(row, where=where)
    size = section.numbers('size', 2, None)
    if size is not None and not all(isinstance(v, int) and v > 0 for v in size):
        raise ModelError(f'{where}: size must be [width, height] in pixels, got {list(size)}')
    if size is not None and size[0] * size[1] > MAX_PIXELS:
        raise ModelError(f'{where}: size {list(size)} is more than {MAX_PIXELS} pixels')
    spec = InputSpec(
        name=section.take('name', str, 'image'),
        size=size,
        layout=section.choose('layout', LAYOUTS, 'NHWC'),
        dtype=section.choose('dtype', ('uint8', 'uint16', 'float32'), 'uint8'),
        color=section.choose('color', COLORS, 'RGB'),
        resize=section.choose('resize', RESIZES, 'stretch'),
        interpolation=section.choose('interpolation', tuple(INTERPOLATIONS), 'linear'),
        scale=_per_channel(section, 'scale', 1.0),
        offset=_per_channel(section, 'offset', 0.0),
        crop=section.numbers('crop', 4, None),
        pad_value=section.take('pad_value', int, 0),
        centered=section.take('centered', bool, False),
    )
    section.finish()
    return _checked_input(spec, where)


def _checked_input(spec: InputSpec, where: str) -> InputSpec:
    if spec.crop is not None:
        x, y, w, h = spec.crop
        if spec.resize != 'crop' or min(x, y) < 0 or min(w, h) <= 0 or max(x + w, y + h) > 1:
            raise ModelError(
                f'{where}: crop must be [x, y, width, height] as fractions of the image within '
                f'0..1, with resize crop; got {list(spec.crop)} with resize {spec.resize}'
            )
    for key in ('scale', 'offset'):
        value = getattr(spec, key)
        if isinstance(value, tuple) and len(value) != spec.channels:
            raise ModelError(
                f'{where}: {key} needs {spec.channels} numbers for {spec.color}, got {list(value)}'
            )
    return spec


def _per_channel(section: StrictMapping, key: str, default: float) -> float | tuple[float, ...]:
    value = section.take(key, (int, float, list), default)
    if isinstance(value, list):
        if not all(isinstance(v, int | float) for v in value):
            raise ModelError(f'{section.where}: {key} must hold numbers, got {value!r}')
        return tuple(float(v) for v in value)
    return float(value)


def _thresholds(top: StrictMapping) -> Thresholds:
    section = StrictMapping(top.take('thresholds', dict, {}), where=f'{top.where}: thresholds')
    defaults = Thresholds()
    thresholds = Thresholds(
        score=float(section.take('score', (int, float), defaults.score)),
        iou=float(section.take('iou', (int, float), defaults.iou)),
    )
    section.finish()
    return thresholds


def _depth(top: StrictMapping, task: str) -> DepthSpec:
    section = StrictMapping(top.take('depth', dict, {}), where=f'{top.where}: depth')
    unit = section.choose('unit', tuple(METRES_PER_UNIT), 'm')
    scale = float(section.take('scale', (int, float), 1.0))
    range_m = section.numbers('range_m', 2, DepthSpec().range_m)
    form = section.choose('form', DEPTH_FORMS if task == 'mono_depth' else ('metric',), 'metric')
    section.finish()
    if not 0 <= range_m[0] < range_m[1]:
        raise ModelError(f'{section.where}: range_m must be [nearest, farthest], got {range_m}')
    return DepthSpec(scale * METRES_PER_UNIT[unit], range_m, form)


def _training_camera(top: StrictMapping) -> CameraModel | None:
    values = top.take('training_intrinsics', dict, None)
    if values is None:
        return None
    section = StrictMapping(values, where=f'{top.where}: training_intrinsics')
    size = [section.take(key, int) for key in ('width', 'height')]
    focals = [float(section.take(key, (int, float))) for key in ('fx', 'fy', 'cx', 'cy')]
    section.finish()
    try:
        return CameraModel(*size, *focals)
    except InputError as error:
        raise ModelError(f'{section.where}: {error}') from error


def _outputs(top: StrictMapping) -> dict[str, TensorSpec]:
    """Outputs given by the name of the tensor, or by name, shape and type."""
    rows = top.take('outputs', dict, {})
    return {str(key): _output(key, row, f'{top.where}: outputs') for key, row in rows.items()}


def _output(key: Any, row: Any, where: str) -> TensorSpec:
    if not isinstance(key, str) or not isinstance(row, str | dict):
        raise ModelError(f'{where} must map names to tensors, got {key!r}: {row!r}')
    if isinstance(row, str):
        return TensorSpec(row)
    section = StrictMapping(row, where=f'{where}: {key}')
    shape = section.numbers('shape', None, None)
    if shape is not None and not all(isinstance(n, int) and n > 0 for n in shape):
        raise ModelError(f'{section.where}: shape must hold whole sizes, got {list(shape)}')
    spec = TensorSpec(section.take('tensor', str, key), shape, section.take('dtype', str, None))
    section.finish()
    if spec.dtype is not None and spec.dtype not in _DTYPES:
        raise ModelError(f'{section.where}: dtype must be one of {_DTYPES}, got {spec.dtype!r}')
    return spec


def _constants(top: StrictMapping) -> dict[str, np.ndarray]:
    """Inputs that do not depend on the image, such as its size in the network."""
    rows = top.take('constants', dict, {})
    return {
        str(key): _constant(row, f'{top.where}: constants: {key}') for key, row in rows.items()
    }


def _constant(row: Any, where: str) -> np.ndarray:
    section = StrictMapping(row, where=where)
    value = section.take('value', (int, float, list))
    dtype = section.choose('dtype', _DTYPES, 'float32')
    section.finish()
    try:
        array = np.array(value, np.float64)
    except (ValueError, TypeError) as error:
        raise ModelError(
            f'{where}: value must be numbers in lists of equal length, got {value!r}'
        ) from error
    return array.astype(dtype)


def _golden(top: StrictMapping, outputs: Collection[str]) -> Golden | None:
    values = top.take('golden', dict, None)
    if values is None:
        return None
    section = StrictMapping(values, where=f'{top.where}: golden')
    path = checked_path(section.take('file', str), where=section.where)
    file = FileRef(path, _digest(section, 'sha256'))
    picture = section.take('picture', str, '')
    tolerance = section.take('tolerance', dict)
    section.finish()
    if set(tolerance) & set(PRECISIONS):  # the former format: one tolerance for all outputs
        return Golden(file, picture, {})
    where = f'{section.where}: tolerance'
    judged = judged_outputs(outputs)
    if set(tolerance) != judged:
        raise ModelError(f'{where} must name {sorted(judged)}, got {sorted(map(str, tolerance))}')
    return Golden(file, picture, {n: _tolerance(v, f'{where}: {n}') for n, v in tolerance.items()})


def _tolerance(values: Any, where: str) -> Tolerance:
    section = StrictMapping(values, where=where)
    measure = section.choose('measure', tuple(MEASURES))
    limits = {p: section.take(p, (int, float), None) for p in PRECISIONS}
    section.finish()
    return Tolerance(measure, {p: float(v) for p, v in limits.items() if v is not None})
