"""SHA-256 of files and of folders, as manifests record them."""

from __future__ import annotations

import hashlib
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def sha256_of(path: Path) -> str:
    """Lower-case hex digest of a file; of a folder that of its lines `<sha256>  <path>`.

    The lines are sorted by path, relative with forward slashes, and end in a newline.
    """
    if not path.is_dir():
        return _file_sha256(path)
    files = {p.relative_to(path).as_posix(): p for p in path.rglob('*') if p.is_file()}
    lines = ''.join(f'{_file_sha256(files[name])}  {name}\n' for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def _file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
