"""Writing a model directory around a network file."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from rs_ml_perception.core.files import sha256_of
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.inference.manifest import MANIFEST_NAME, Artifact, FileRef
from rs_ml_perception.inference.preprocess import InputSpec

LABELS_NAME = 'labels.txt'
_NO_NAME = 'n/a'
_WEIGHTS = {
    'openvino': ('{stem}.bin',),
    'onnx': ('{name}.data', '{name}_data', '{stem}.data'),  # of PyTorch, of Hugging Face
}


def artifact_of(path: Path, file_format: str) -> Artifact:
    """The file with its digest, and the files next to it that hold its weights."""
    patterns = _WEIGHTS.get(file_format, ())
    names = dict.fromkeys(p.format(name=path.name, stem=path.stem) for p in patterns)
    weights = [path.with_name(name) for name in names if path.with_name(name).is_file()]
    return Artifact(file_format, _file_ref(path), tuple(map(_file_ref, weights)))


def _file_ref(path: Path) -> FileRef:
    return FileRef(path.name, sha256_of(path))


def write_folder(
    directory: Path, source: Path, artifact: Artifact, labels: LabelMap, values: Mapping[str, Any]
) -> None:
    """Copy the files of a network into a folder, and write labels and manifest.

    Args:
        directory: created if it does not exist.
        source: folder of the files.
        artifact: of the network.
        labels: of its classes.
        values: of the manifest, except for artifacts and labels.
    """
    import yaml

    directory.mkdir(parents=True, exist_ok=True)
    for file in (artifact.file, *artifact.companions):
        path = source / file.path
        copy = shutil.copytree if path.is_dir() else shutil.copyfile
        copy(path, directory / file.path)
    rows: dict[str, Any] = {**values, 'artifacts': [_artifact_row(artifact)]}
    if labels.names:
        names = [labels.name(i) or _NO_NAME for i in range(max(labels.names) + 1)]
        (directory / LABELS_NAME).write_text('\n'.join(names) + '\n', encoding='utf-8')
        rows['labels'] = LABELS_NAME
    order = ('name', 'version', 'task', 'decoder', 'decoder_options', 'artifacts', 'input')
    rows = {key: rows[key] for key in (*order, *rows) if key in rows}
    text = yaml.safe_dump(rows, sort_keys=False, allow_unicode=True, width=99)
    (directory / MANIFEST_NAME).write_text(text, encoding='utf-8')


def _artifact_row(artifact: Artifact) -> dict[str, Any]:
    row: dict[str, Any] = {'format': artifact.format, **_file_row(artifact.file)}
    if artifact.companions:
        row['companions'] = [_file_row(file) for file in artifact.companions]
    return row


def _file_row(file: FileRef) -> dict[str, Any]:
    return {'path': file.path, 'sha256': file.sha256}


def input_row(spec: InputSpec) -> dict[str, Any]:
    """The input of a manifest; values that are the default are left out."""
    default = InputSpec()
    return {
        field.name: list(value) if isinstance(value, tuple) else value
        for field in fields(InputSpec)
        if (value := getattr(spec, field.name)) != getattr(default, field.name)
        or field.name in ('name', 'size', 'dtype', 'color', 'resize')
    }
