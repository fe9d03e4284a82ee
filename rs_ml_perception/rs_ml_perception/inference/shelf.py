"""Search for model directories and their files."""

from __future__ import annotations

import difflib
import glob
import os
from collections.abc import Iterator
from pathlib import Path

from rs_ml_perception.core.errors import MissingArtifactError, ModelError
from rs_ml_perception.core.files import PACKAGE, sha256_of, shared_folders
from rs_ml_perception.inference.manifest import MANIFEST_NAME, FileRef, ModelManifest
from rs_ml_perception.inference.manifest_values import require_inside

MODEL_PATH_VARIABLE = 'RS_ML_MODEL_PATH'
CACHE_VARIABLE = 'RS_ML_CACHE'

SHIPPED_MODELS = ('detection', 'denoise', 'mono_depth', 'segmentation')
"""Models that come with the package, including weights."""

DEFAULT_MODELS = {
    'detection': 'detection',
    'segmentation': 'segmentation',
    'mono_depth': 'mono_depth',
    'denoise': 'denoise',
}
"""The default model of nodes and commands for each task."""


def cache_directory() -> Path:
    """Folder of downloads and tuning results: RS_ML_CACHE, else ~/.cache/rs_ml_perception."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser() / PACKAGE


def model_path() -> list[Path]:
    """The folders of RS_ML_MODEL_PATH, in its order."""
    folders = os.environ.get(MODEL_PATH_VARIABLE, '').split(os.pathsep)
    return [Path(folder).expanduser() for folder in folders if folder]


def shelf_directories() -> list[Path]:
    """Folders with model directories: shipped, third-party manifests, RS_ML_MODEL_PATH.

    In this order, so that no other model hides one of this package.
    """
    return [*shared_folders('models'), *shared_folders('config/models'), *model_path()]


def shelf() -> dict[str, Path]:
    """All model directories by name."""
    found: dict[str, Path] = {}
    for folder in shelf_directories():
        for manifest in sorted(folder.glob(f'*/{MANIFEST_NAME}')):
            found.setdefault(manifest.parent.name, manifest.parent)
    return found


def find_model(name_or_directory: str | os.PathLike[str]) -> Path:
    """The directory of a model given by name or by directory.

    Raises:
        ModelError: there is none; the message lists the names that exist.
    """
    text = os.fspath(name_or_directory)
    path = Path(text).expanduser()
    if (path / MANIFEST_NAME).is_file():
        return path.resolve()
    if path.name == MANIFEST_NAME and path.is_file():
        return path.parent.resolve()
    names = shelf()
    if text in names:
        return names[text]
    if path.is_dir():
        raise ModelError(f'{path} is no model directory: it has no {MANIFEST_NAME}')
    near = difflib.get_close_matches(text, names, n=1)
    hint = f', did you mean {near[0]}?' if near else ''
    raise ModelError(
        f'no model {text!r}{hint}: neither a directory with a {MANIFEST_NAME} '
        f'nor one of {", ".join(sorted(names)) or "(no model found)"}'
    )


def locate(manifest: ModelManifest, file: FileRef) -> Path:
    """Find a file of a model and check it.

    The search covers the folder of the manifest, the file name under the folders of
    RS_ML_MODEL_PATH, and the downloads. Many models call their file frozen_inference_graph.pb, so
    under a folder the checksum decides.

    Raises:
        MissingArtifactError: it is not found.
        ModelError: its checksum is wrong.
    """
    mismatched = None
    for path in _candidates(manifest, file):
        expected = _expected(file, path)
        is_next_to_manifest = path == manifest.directory / file.path
        if expected is not None and sha256_of(path) == expected:
            return path
        if is_next_to_manifest or (expected is not None and mismatched is None):
            mismatched = path
        if is_next_to_manifest:
            break
    if mismatched is None:
        raise MissingArtifactError(_missing(manifest, file))
    raise ModelError(_mismatch(file, mismatched))


def _candidates(manifest: ModelManifest, file: FileRef) -> Iterator[Path]:
    path = manifest.directory / file.path
    if path.exists():
        yield require_inside(manifest.directory, path)
    name = glob.escape(Path(file.path).name)
    for folder in model_path():
        yield from sorted(folder.rglob(name))
    yield from sorted((cache_directory() / 'models' / manifest.name).glob(name))


def _expected(file: FileRef, path: Path) -> str | None:
    if file.sha256 is not None:
        return file.sha256
    note = path.with_name(path.name + '.sha256')
    words = note.read_text(encoding='utf-8').split() if note.is_file() else []
    return words[0] if words else None


def _missing(manifest: ModelManifest, file: FileRef) -> str:
    way_out = (
        f'`rs-ml models download {manifest.name}` fetches it'
        if file.url
        else f'set {MODEL_PATH_VARIABLE} to the folder that holds it'
    )
    return (
        f'{manifest.name}: {file.path} is neither in {manifest.directory} nor under '
        f'{MODEL_PATH_VARIABLE} ({os.environ.get(MODEL_PATH_VARIABLE) or "not set"}): {way_out}'
    )


def _mismatch(file: FileRef, path: Path) -> str:
    expected, actual = _expected(file, path), sha256_of(path)
    if expected is None:
        return f'{path}: the manifest gives no sha256; if you trust the file, add sha256: {actual}'
    return (
        f'{path}: sha256 is {actual}, the manifest expects {expected}: the file is damaged or '
        'another version; fetch it again, or correct the manifest if the change is meant'
    )
