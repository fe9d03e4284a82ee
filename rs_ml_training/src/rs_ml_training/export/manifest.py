"""The manifest of an exported network, which rs_ml_perception reads: manifest.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from rs_ml_perception.core.files import sha256_of
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.inference.golden import GOLDEN_NAME
from rs_ml_perception.inference.golden_recording import golden_section
from rs_ml_perception.inference.manifest import MANIFEST_NAME, Tolerance
from rs_ml_perception.inference.preprocess import InputSpec

from rs_ml_training.export.artifact import Arrays, ExportedArtifact, Port
from rs_ml_training.export.serving import Serving
from rs_ml_training.trained import ModelSpec

LABELS_NAME = 'labels.txt'
NO_LICENSE = 'none stated, internal use only'
_COLORS = {1: 'GRAY', 3: 'RGB'}


@dataclass(frozen=True)
class GoldenOutputs:
    """The outputs that runtimes must reproduce.

    Attributes:
        picture: source of the inputs, in words.
        outputs: as stored.
        tolerance: output -> measure and limits.
    """

    picture: str
    outputs: Arrays
    tolerance: dict[str, Tolerance]


def write_manifest(
    folder: Path,
    spec: ModelSpec,
    serving: Serving,
    artifacts: Iterable[ExportedArtifact],
    *,
    name: str,
    version: str,
    golden: GoldenOutputs,
) -> None:
    """Write the manifest and the labels; the files that it names must exist."""
    values: dict[str, Any] = {
        'name': name,
        'version': version,
        'task': serving.task.manifest_name,
        'decoder': serving.task.decoder(serving.model, serving.outputs, serving.options),
        'artifacts': [_artifact(folder, artifact) for artifact in artifacts],
        'input': [_input(port, spec) for port in serving.inputs],
        'outputs': {name: _output(name, array) for name, array in golden.outputs.items()},
    }
    if spec.labels:
        (folder / LABELS_NAME).write_text('\n'.join(spec.labels) + '\n', encoding='utf-8')
        values['labels'] = LABELS_NAME
    threshold = serving.options.confidence_threshold
    if threshold and 'confidence' in serving.outputs:
        values['decoder_options'] = {'confidence_threshold': threshold}
    values |= serving.task.manifest_part(spec, values['decoder'], serving.options)
    camera = training_camera(spec, serving.inputs[0].size)
    if camera is not None:
        values['training_intrinsics'] = camera
    values['license'] = spec.license or NO_LICENSE
    values['source'] = _source(spec)
    sha256 = sha256_of(folder / GOLDEN_NAME)
    values['golden'] = golden_section(GOLDEN_NAME, sha256, golden.picture, golden.tolerance)
    (folder / MANIFEST_NAME).write_text(manifest_text(values), encoding='utf-8')


def manifest_text(values: dict[str, Any]) -> str:
    """The manifest as YAML."""
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110)


def training_camera(spec: ModelSpec, size: tuple[int, int]) -> dict[str, Any] | None:
    """Intrinsics of the whole images that the network was trained on, scaled to its input.

    Depth is proportional to the focal length, so runtimes correct by the ratio of focal lengths.
    Where training divided depth by focal / reference (KITTI), the reference is that focal length.

    Args:
        spec: of the network; its intrinsics are those at its input size.
        size: (width, height) at which it is served.
    """
    camera = spec.intrinsics
    if camera is None and spec.reference_focal_px is not None:
        width, height = spec.input_size
        focal = spec.reference_focal_px
        camera = CameraModel(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)
    camera = replace(spec, intrinsics=camera).camera_at(size)
    if camera is None:
        return None
    camera = _uncropped(camera, spec.crop)
    values = {key: round(float(getattr(camera, key)), 4) for key in ('fx', 'fy', 'cx', 'cy')}
    return {'width': camera.width, 'height': camera.height, **values}


def _uncropped(camera: CameraModel, crop: Sequence[float] | None) -> CameraModel:
    if crop is None:
        return camera
    x, y, width, height = crop
    whole = round(camera.width / width), round(camera.height / height)
    return camera.cropped(-round(x * whole[0]), -round(y * whole[1]), *whole)


def _artifact(folder: Path, artifact: ExportedArtifact) -> dict[str, Any]:
    values: dict[str, Any] = {'format': artifact.format, **_file(folder, artifact.path)}
    if artifact.companions:
        values['companions'] = [_file(folder, name) for name in artifact.companions]
    if artifact.names:
        values['names'] = dict(artifact.names)
    return values


def _file(folder: Path, path: str) -> dict[str, str]:
    return {'path': path, 'sha256': sha256_of(folder / path)}


def input_spec(port: Port, spec: ModelSpec) -> InputSpec:
    """The input as the robot reads it from the manifest."""
    entries = _input(port, spec).items()
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entries}
    return InputSpec(**values)


def _output(name: str, array: Any) -> dict[str, Any]:
    return {'tensor': name, 'shape': list(array.shape), 'dtype': array.dtype.name}


def _input(port: Port, spec: ModelSpec) -> dict[str, Any]:
    values: dict[str, Any] = {
        'name': port.name,
        'size': list(port.size),
        'dtype': port.dtype,
        'color': _COLORS[port.shape[3]],
        'resize': 'stretch' if spec.crop is None else 'crop',
        # As in training: images are averaged when they shrink, measured depth is not mixed.
        'interpolation': 'area' if port.dtype == 'uint8' else 'nearest',
    }
    if spec.crop is not None:
        values['crop'] = [float(v) for v in spec.crop]
    return values


def _source(spec: ModelSpec) -> str:
    data = f', trained on {spec.data}' if spec.data else ''
    start = f', started from {spec.weights}' if spec.weights else ''
    return f'rs_ml_training {spec.network}{data}{start}'
