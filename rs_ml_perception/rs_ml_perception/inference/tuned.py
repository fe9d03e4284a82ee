"""Stored results of tuning on this machine."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.inference.cpu import available_cores, this_cpu
from rs_ml_perception.inference.manifest import ModelManifest
from rs_ml_perception.inference.shelf import CACHE_VARIABLE, cache_directory

_RUNTIMES = (
    'ai-edge-litert',
    'openvino',
    'onnxruntime',
    'opencv-python-headless',
    'opencv-python',
    'tensorflow',
    'tensorflow-cpu',
)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class TunedChoice:
    """The fastest combination for a model on this machine.

    Attributes:
        backend: a key of BACKENDS.
        threads: per inference.
        precision: as in BackendOptions.
        median_ms: wall time of one inference.
        cpu_ms: CPU time of one inference, of all threads; None: not measured.
    """

    backend: str
    threads: int
    precision: str
    median_ms: float
    cpu_ms: float | None = None


def tune_file() -> Path:
    """The JSON file: key -> choice."""
    return cache_directory() / 'tune.json'


def tune_key(manifest: ModelManifest) -> str:
    """Key of machine, cores, model files and runtime versions; any change invalidates a choice."""
    facts = {
        'machine': [platform.node(), platform.machine(), this_cpu().name],
        'cores': available_cores(),
        'files': [[a.format, a.file.path, a.file.sha256] for a in manifest.artifacts],
        'input': repr(manifest.inputs),
        'runtimes': {name: _version(name) for name in _RUNTIMES},
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return f'{manifest.name}-{digest[:16]}'


def recall(manifest: ModelManifest) -> TunedChoice | None:
    """The stored choice, or None."""
    row = _read().get(tune_key(manifest))
    try:
        return None if row is None else TunedChoice(**row)
    except TypeError as error:
        _LOG.warning('%s holds a row that is no choice: %s', tune_file(), error)
        return None


def remember(manifest: ModelManifest, choice: TunedChoice) -> None:
    """Store the choice; the file is replaced atomically.

    Raises:
        ConfigError: it cannot be written.
    """
    path = tune_file()
    rows = {**_read(), tune_key(manifest): asdict(choice)}
    scratch = path.with_name(f'{path.name}.{os.getpid()}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps(rows, indent=1, sort_keys=True) + '\n', encoding='utf-8')
        scratch.replace(path)
    except OSError as error:
        raise ConfigError(
            f'{path} cannot be written ({error}): set {CACHE_VARIABLE} to another folder'
        ) from error


def _read() -> dict[str, dict[str, Any]]:
    path = tune_file()
    if not path.is_file():
        return {}
    try:
        rows = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        _LOG.warning('%s cannot be read (%s): run `rs-ml models tune` again', path, error)
        return {}
    return rows if isinstance(rows, dict) else {}


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
