"""Files made by others, read safely, and the folders of files that come with the package."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from rs_ml_perception.core.errors import InputError


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
        InputError: it does not exist, is no regular file, is larger than max_bytes or cannot be
            read.
    """
    check_regular(path, max_bytes=max_bytes)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}') from error


def read_regular_text(path: Path, *, max_bytes: int) -> str:
    """The text of a regular file in UTF-8.

    Raises:
        InputError: as `read_regular`, or it is no UTF-8.
    """
    try:
        return read_regular(path, max_bytes=max_bytes).decode('utf-8')
    except UnicodeDecodeError as error:
        raise InputError(f'{path} is no UTF-8 text: {error}') from error


PACKAGE = 'rs_ml_perception'
_PROJECT = Path(__file__).resolve().parents[2]


def shared_folders(name: str) -> list[Path]:
    """Every folder of that name, the nearest first.

    The source tree comes first (a symlink install runs from it), then the share folder of the
    prefix the package is installed in, then those of the sourced ROS workspaces.

    Args:
        name: relative, such as 'models' or 'config/models'.
    """
    prefixes = [*Path(__file__).resolve().parents, Path(sys.prefix)]
    prefixes += [Path(p) for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    bases = [_PROJECT, *(prefix / 'share' / PACKAGE for prefix in prefixes)]
    folders = dict.fromkeys(base / name for base in bases)
    return [folder for folder in folders if folder.is_dir()]
