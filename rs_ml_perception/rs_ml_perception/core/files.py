"""Files made by others, read safely; digests; and folders of files that come with the package."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from pathlib import Path

from rs_ml_perception.core.errors import InputError, ModelError

PACKAGE = 'rs_ml_perception'
_PROJECT = Path(__file__).resolve().parents[2]
_CHUNK_BYTES = 1 << 20
MAX_FILE_BYTES = 1 << 32
"""Of a model file; protobuf, the container of most networks, allows half of it."""


def check_regular(path: Path, *, max_bytes: int) -> None:
    """Raise InputError unless the path leads to a readable regular file of at most max_bytes."""
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise InputError(f'{path} cannot be read: {reason}') from error
    if not stat.S_ISREG(found.st_mode):
        kind = 'a folder' if stat.S_ISDIR(found.st_mode) else 'a pipe, a socket or a device'
        raise InputError(f'{path} cannot be read: it is {kind}, not a regular file')
    if found.st_size > max_bytes:
        raise InputError(
            f'{path} is too large: {found.st_size} bytes, at most {max_bytes} are read'
        )
    try:
        path.open('rb').close()
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}') from error


def read_regular(path: Path, *, max_bytes: int) -> bytes:
    """The bytes of a regular file.

    Raises:
        InputError: it does not exist, is not a regular file, is larger than max_bytes or cannot
            be read.
    """
    check_regular(path, max_bytes=max_bytes)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}') from error


def read_regular_text(path: Path, *, max_bytes: int) -> str:
    """The text of a regular file in UTF-8.

    Raises:
        InputError: as `read_regular`, or it is not UTF-8.
    """
    try:
        return read_regular(path, max_bytes=max_bytes).decode('utf-8')
    except UnicodeDecodeError as error:
        raise InputError(f'{path} is no UTF-8 text: {error}') from error


def shared_folders(name: str) -> list[Path]:
    """Every folder of that name, the closest first.

    The source tree comes first (a symlink install runs from it), then the share folder of the
    prefix the package is installed in, then those of the sourced ROS workspaces.

    Args:
        name: relative path, such as 'models' or 'config/models'.
    """
    prefixes = [*Path(__file__).resolve().parents, Path(sys.prefix)]
    prefixes += [Path(p) for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    bases = [_PROJECT, *(prefix / 'share' / PACKAGE for prefix in prefixes)]
    folders = dict.fromkeys(base / name for base in bases)
    return [folder for folder in folders if folder.is_dir()]


def sha256_of(path: Path) -> str:
    """Lower-case hex digest of a file, or of a folder as tree_sha256 defines it.

    Raises:
        ModelError: there is something other than regular files and folders, or a file is too
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
