"""The tensors and metadata of a network file, as its runtime reports them."""

from __future__ import annotations

import importlib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import BackendError, InputError
from rs_ml_perception.inference.backends import BACKENDS, BackendInfo
from rs_ml_perception.inference.foreign_yaml import MAX_BYTES, parse_yaml, read_yaml

_SUFFIXES = {'.onnx': 'onnx', '.tflite': 'tflite', '.xml': 'openvino', '.pb': 'frozen_graph'}
_SIDECAR = 'metadata.yaml'
_SAVED_MODEL = 'saved_model.pb'
_MOST_FILES = 16
_NOT_EXPORTED = ('.pt', '.pth', '.ckpt', '.safetensors', '.keras', '.h5', '.pdparams')


@dataclass(frozen=True)
class TensorInfo:
    """An input or output of a file.

    Attributes:
        name: in the file.
        shape: with the batch axis; None stands for a free size. None: not reported.
        dtype: numpy name; None: not reported.
        quantization: (scale, zero point) of a quantised tensor.
    """

    name: str
    shape: tuple[int | None, ...] | None
    dtype: str | None
    quantization: tuple[float, int] | None = None

    def __str__(self) -> str:
        words = [self.dtype or 'any type']
        if self.shape is not None:
            words.append(str(['any' if n is None else n for n in self.shape]).replace("'", ''))
        if self.quantization is not None:
            words.append('scale {:.6g}, zero point {}'.format(*self.quantization))
        return ' '.join(words)


@dataclass(frozen=True)
class FileContents:
    """A network file.

    Attributes:
        path: the file, or the folder of a SavedModel.
        format: one of manifest.FORMATS.
        runtime: key of BACKENDS that read it.
        inputs, outputs: in the order of the file.
        metadata: written by the exporter; values as YAML reads them.
        files: further texts in the file by name, such as labels.
    """

    path: Path
    format: str
    runtime: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def format_of(path: Path) -> str:
    """The format of a file, by its name.

    Raises:
        InputError: there is no such file, or it is no exported network.
    """
    if path.is_dir() and (path / _SAVED_MODEL).is_file():
        return 'saved_model'
    if not path.exists():
        raise InputError(f'{path} does not exist')
    suffix = path.suffix.lower()
    if suffix in _SUFFIXES and path.is_file() and path.name != _SAVED_MODEL:
        return _SUFFIXES[suffix]
    if path.name == _SAVED_MODEL:
        raise InputError(f'{path} is a part of a SavedModel: give its folder, {path.parent}')
    if suffix in _NOT_EXPORTED:
        raise InputError(
            f'{path} holds weights for their own framework: export the network first '
            '(docs/models-own.md has the commands)'
        )
    raise InputError(
        f'{path} is no network: give {", ".join(_SUFFIXES)}, or the folder of a SavedModel'
    )


def inspect_file(path: Path) -> FileContents:
    """Read the tensors and metadata of a network with the first runtime that can.

    Raises:
        InputError: it is no network file.
        BackendError: no installed runtime reads it; each is named with its reason.
    """
    file_format = format_of(path)
    reasons = []
    # Only the runtime of a format reads its metadata.
    for info in sorted(BACKENDS.values(), key=lambda info: info.formats[0] != file_format):
        if file_format not in info.formats or not hasattr(_module(info), 'contents'):
            continue
        if not info.is_installed:
            reasons.append(f'{info.name} is not installed ({info.install})')
            continue
        try:
            found: FileContents = _module(info).contents(path, file_format)
        except (BackendError, RuntimeError, ValueError, ImportError) as error:
            reasons.append(f'{info.name}: {error}')
        else:
            return _completed(found)
    raise BackendError(f'no runtime reads {path}: {"; ".join(reasons)}')


def _module(info: BackendInfo) -> Any:
    return importlib.import_module(info.target.partition(':')[0])


def _completed(contents: FileContents) -> FileContents:
    """With what lies next to the network, or is appended to it."""
    path, files = contents.path, dict(contents.files)
    metadata = {key: plain(value) for key, value in contents.metadata.items()}
    if path.is_file() and contents.format == 'tflite' and zipfile.is_zipfile(path):
        files |= _appended(path)
    for name, text in list(files.items()):
        if name in ('metadata.json', 'temp_meta.txt'):
            metadata |= _mapping(plain(files.pop(name)) or text)
    sidecar = (path if path.is_dir() else path.parent) / _SIDECAR
    if sidecar.is_file():
        try:
            metadata |= _mapping(read_yaml(sidecar))
        except InputError as error:
            metadata[_SIDECAR] = str(error)
    return replace(contents, metadata=metadata, files=files)


def _appended(path: Path) -> dict[str, str]:
    """Texts of the archive that TFLite exporters append to the network."""
    texts = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist()[:_MOST_FILES]:
                if entry.file_size <= MAX_BYTES and not entry.is_dir():
                    content = archive.read(entry)
                    if b'\0' not in content:
                        texts[entry.filename] = content.decode('utf-8', 'replace')
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError):
        return texts  # damaged, encrypted or in an unknown compression: the network may be sound
    return texts


def _mapping(value: Any) -> dict[str, Any]:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def plain(value: Any) -> Any:
    """Text as the value that it spells, if that is a number, a list or a mapping."""
    if not isinstance(value, str) or not value or len(value) > MAX_BYTES:
        return value
    try:
        read = parse_yaml(value, where='metadata')
    except InputError:
        return value
    return value if read is None or isinstance(read, str) else read


def dtype_name(dtype: Any) -> str | None:
    """The numpy name of a type, None for one that numpy lacks."""
    try:
        return None if dtype is None else np.dtype(dtype).name
    except TypeError:
        return None
