"""Names and paths in manifests that become parts of paths: plain ones, inside of the model."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.inference.manifest import MANIFEST_NAME

MAX_NAME = 100
MAX_PATH = 255
_NAME = re.compile(r'\w[\w .+()-]*')


def checked_name(name: str, *, where: str) -> str:
    """The name of a model, which names a folder of the cache too.

    Raises:
        ModelError: it is no plain name.
    """
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise ModelError(
            f'{where}: name must be a plain name of letters, digits and _-.+ of at most '
            f'{MAX_NAME} characters, got {name!r}'
        )
    return name


def checked_path(path: str, *, where: str) -> str:
    """The path of a file of a model, relative to its directory.

    Raises:
        ModelError: it leads out of the directory, or is no path of plain names.
    """
    parts = PurePosixPath(path).parts
    is_plain = bool(parts) and '..' not in parts and path.isprintable() and '\\' not in path
    if not is_plain or PurePosixPath(path).is_absolute() or len(path) > MAX_PATH:
        raise ModelError(
            f'{where}: a path must lead to a file inside of the model directory, got {path!r}: '
            'put the file into the folder of the manifest'
        )
    return path


def require_inside(directory: Path, path: Path) -> Path:
    """The path, if what it leads to lies in the model directory.

    A directory whose manifest is a link counts as where the manifest really lies: that is how
    installations with links look.

    Raises:
        ModelError: a link leads elsewhere.
    """
    target = path.resolve()
    homes = directory.resolve(), (directory / MANIFEST_NAME).resolve().parent
    if not any(target.is_relative_to(home) for home in homes):
        raise ModelError(
            f'{path} leads to {target}, outside of the model directory: copy the file, or name '
            'its folder in RS_ML_MODEL_PATH and remove the link'
        )
    return path
