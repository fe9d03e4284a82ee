"""Adds an ONNX file to a model directory that has TFLite alone."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from rs_ml_perception.core.errors import RsMlError
from rs_ml_perception.core.files import sha256_of
from rs_ml_perception.inference.backends import BackendOptions
from rs_ml_perception.inference.golden import GoldenResult, verify_golden
from rs_ml_perception.inference.manifest import MANIFEST_NAME, Artifact, FileRef, ModelManifest
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.selection import open_backend
from rs_ml_perception.inference.shelf import locate

from rs_ml_training.errors import ExportError
from rs_ml_training.export.manifest import manifest_text
from rs_ml_training.export.onnx_file import NAME, converted_tflite, halve_constants

if TYPE_CHECKING:
    import onnx

_RUNTIME = 'onnxruntime'


def add_onnx(directory: Path) -> GoldenResult:
    """Convert the TFLite file of a model directory and add the result to the manifest.

    Weights become float16, each followed by a Cast, as they are in a TFLite file of float16: the
    network computes with them in float32. Inputs and outputs have the manifest's names.

    Args:
        directory: of a model with golden outputs.

    Returns:
        The comparison of onnxruntime with the golden outputs.

    Raises:
        ExportError: there is no TFLite file, it cannot be converted, or the new file gives other
            outputs; nothing is written.
    """
    try:
        manifest = read_manifest(directory)
        model = _converted(manifest)
        with tempfile.TemporaryDirectory(prefix='.onnx-', dir=directory) as scratch:
            path = Path(scratch) / NAME
            path.write_bytes(model.SerializeToString(deterministic=True))
            result = _judged(manifest, path)
            path.replace(directory / NAME)
        _name_it(directory)
    except (RsMlError, OSError) as error:
        raise ExportError(f'{directory} cannot get an ONNX file: {error}') from error
    return result


def _converted(manifest: ModelManifest) -> onnx.ModelProto:
    artifact = next((a for a in manifest.artifacts if a.format == 'tflite'), None)
    if artifact is None:
        raise ExportError(f'{manifest.title} has no TFLite file to convert')
    names = [spec.name for spec in manifest.inputs], list(manifest.outputs)
    theirs = {artifact.names.get(name, name): name for part in names for name in part}
    model = converted_tflite(locate(manifest, artifact.file), theirs)
    halve_constants(model)
    return model


def _judged(manifest: ModelManifest, path: Path) -> GoldenResult:
    """Run the file, which lies below the model directory."""
    relative = str(path.relative_to(manifest.directory))
    artifact = Artifact('onnx', FileRef(relative, sha256_of(path)))
    alone = replace(manifest, artifacts=(artifact,))
    with Model(alone, *open_backend(alone, _RUNTIME, BackendOptions())) as model:
        result = verify_golden(model)
    if not result.is_reproduced:
        raise ExportError(f'it does not reproduce the golden outputs: {result}')
    return result


def _name_it(directory: Path) -> None:
    path = directory / MANIFEST_NAME
    values = yaml.safe_load(path.read_text(encoding='utf-8'))
    kept = [row for row in values['artifacts'] if row['path'] != NAME]
    made = {'format': 'onnx', 'path': NAME, 'sha256': sha256_of(directory / NAME)}
    path.write_text(manifest_text({**values, 'artifacts': [*kept, made]}), encoding='utf-8')
