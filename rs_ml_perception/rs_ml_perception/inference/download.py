"""Fetching third-party model files, on request only, checksum first."""

from __future__ import annotations

import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO

from rs_ml_perception.core.errors import ConfigError, InputError, ModelError
from rs_ml_perception.core.files import MAX_FILE_BYTES, file_sha256
from rs_ml_perception.core.progress import BYTES, bar
from rs_ml_perception.inference.manifest import FileRef, ModelManifest
from rs_ml_perception.inference.shelf import cache_directory, locate

_TIMEOUT_SECS = 60
_SCHEMES = ('https://', 'http://')
_CHUNK_BYTES = 1 << 20


def download(manifest: ModelManifest, *, sha256: str | None = None) -> list[Path]:
    """Fetch the missing files of a model into the cache.

    Args:
        manifest: the model.
        sha256: digest of the download, required if the manifest has none.

    Returns:
        All files, including those already present.

    Raises:
        ModelError: the model has no url, or the checksum is wrong.
        ConfigError: no checksum is known and none was given.
        InputError: the network failed.
    """
    return [_fetched(manifest, file, sha256) for file in files_of(manifest)]


def files_of(manifest: ModelManifest) -> Iterator[FileRef]:
    """Artefacts and their companions."""
    for artifact in manifest.artifacts:
        yield artifact.file
        yield from artifact.companions


def _fetched(manifest: ModelManifest, file: FileRef, sha256: str | None) -> Path:
    try:
        return locate(manifest, file)
    except ModelError as error:
        if file.url is None:
            raise ModelError(f'{error} (the manifest names no url)') from error
    wanted = sha256 or file.url_sha256 or (file.sha256 if file.member is None else None)
    if wanted is None:
        raise ConfigError(
            f'{manifest.name}: no sha256 is recorded for {file.url}: get it from a source you '
            'trust and pass it with --sha256'
        )
    folder = cache_directory() / 'models' / manifest.name
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        fetched = _fetch(file.url, Path(scratch) / 'download')
        _check(file.url, fetched, wanted)
        unpacked = fetched if file.member is None else _unpack(fetched, file.member)
        target = folder / Path(file.path).name
        unpacked.replace(target)
    note = target.with_name(f'{target.name}.sha256')
    note.write_text(f'{file_sha256(target)}  {target.name}\n', encoding='utf-8')
    return locate(manifest, file)


def _fetch(url: str, target: Path) -> Path:
    if not url.startswith(_SCHEMES):
        raise ModelError(f'{url} cannot be fetched: a url must begin with {" or ".join(_SCHEMES)}')
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECS) as reply, target.open('wb') as out:
            _copy(reply, out, url, _length(reply))
    except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
        raise InputError(f'{url} cannot be fetched: {error}') from error
    return target


def _length(reply: HTTPResponse) -> int | None:
    text = reply.headers.get('Content-Length') or ''
    return int(text) if text.isdecimal() else None


def _copy(source: IO[bytes], target: IO[bytes], name: str, length: int | None = None) -> None:
    """Copy with a limit: a small archive may unpack to more than the disk holds."""
    written = 0
    with bar(length, BYTES) as step:
        while chunk := source.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > MAX_FILE_BYTES:
                raise ModelError(f'{name} is larger than {MAX_FILE_BYTES} bytes: nothing was kept')
            target.write(chunk)
            step(len(chunk))


def _check(url: str, path: Path, wanted: str) -> None:
    actual = file_sha256(path)
    if actual != wanted:
        raise ModelError(f'{url}: sha256 is {actual}, expected {wanted}: nothing was kept')


def _unpack(archive: Path, member: str) -> Path:
    target = archive.with_name('member')
    try:
        with tarfile.open(archive) as tar:
            source = tar.extractfile(member)
            if source is None:
                raise ModelError(f'{member} in the archive is no file: correct the manifest')
            with source, target.open('wb') as out:
                _copy(source, out, member, tar.getmember(member).size)
    except (KeyError, tarfile.TarError) as error:
        raise ModelError(f'{member} cannot be read from the archive: {error}') from error
    return target
