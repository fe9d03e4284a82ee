"""SHA-256 of files and of folders."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rs_ml_perception.core.errors import InputError, ModelError
from rs_ml_perception.core.files import check_regular

_CHUNK_BYTES = 1 << 20


MAX_FILE_BYTES = 1 << 32
"""Of a file of a model; protobuf, in which networks come, ends at half of it."""


def sha256_of(path: Path) -> str:
    """Lower-case hex digest of a file, or of a folder as tree_sha256 defines it.

    Raises:
        ModelError: something else than regular files and folders is there, or a file is too
            large.
    """
    try:
        for part in path.rglob('*') if path.is_dir() else [path]:
            if not part.is_dir():
                check_regular(part, max_bytes=MAX_FILE_BYTES)
    except InputError as error:
        raise ModelError(f'{error}: a model consists of regular files') from error
    return tree_sha256(path) if path.is_dir() else file_sha256(path)


def file_sha256(path: Path) -> str:
    """Lower-case hex digest of a file's bytes."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def tree_sha256(folder: Path) -> str:
    """Digest of a folder: of the lines `<sha256 of the file>  <path>`, sorted by path.

    Paths are relative with forward slashes, lines end in a newline: the output of
    `find -type f | sed 's|^./||' | LC_ALL=C sort | xargs sha256sum`, digested once more. Empty
    folders and time stamps do not count.
    """
    files = sorted(p for p in folder.rglob('*') if p.is_file())
    names = sorted((p.relative_to(folder).as_posix(), p) for p in files)
    lines = ''.join(f'{file_sha256(path)}  {name}\n' for name, path in names)
    return hashlib.sha256(lines.encode()).hexdigest()
