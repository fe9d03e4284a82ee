"""Storages of rosbag2 that read all usable topics even if one is not usable."""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import apsw
import yaml
from rosbags.interfaces import Connection
from rosbags.rosbag2 import Writer
from rosbags.rosbag2.metadata import ReaderMetadata
from rosbags.rosbag2.storage_mcap import McapReader, Schema, zstd
from rosbags.rosbag2.storage_sqlite3 import Sqlite3Reader

from rs_ml_perception.core.errors import InputError

NEWEST_VERSION = Writer.VERSION_LATEST
"""Newest version of metadata.yaml known to the installed rosbags."""

MCAP_MAGIC = b'\x89MCAP0\r\n'
METADATA = 'metadata.yaml'

_DEFINITIONS = """
CREATE TEMP VIEW message_definitions AS
SELECT * FROM main.message_definitions WHERE encoding IN ('ros2msg', 'ros2idl')
"""


Raw = tuple[Connection, int, bytes]
"""Connection, log time in nanoseconds, data."""


class Storage(Protocol):
    """Common interface of the rosbags readers of single files."""

    connections: list[Connection]
    metadata: ReaderMetadata

    def messages(self, connections: Collection[Connection]) -> Iterator[Raw]:
        """Yield (connection, log time in ns, data), oldest first."""

    def close(self) -> None:
        """Free the file."""


class _Schemas(dict[int, Schema]):
    """Definitions by number; those in a language other than those of ROS count as missing."""

    def __setitem__(self, key: int, schema: Schema) -> None:
        if schema.encoding not in ('ros2msg', 'ros2idl', 'omgidl', ''):
            schema = schema._replace(encoding='', data='')
        super().__setitem__(key, schema)


class _Mcap(McapReader):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.schemas = _Schemas()


class _Sqlite3(Sqlite3Reader):
    def open(self) -> None:
        with _each_new_connection(lambda connection: connection.execute(_DEFINITIONS)):
            super().open()


class DirectoryStorage:
    """The files of a rosbag2 directory as one storage.

    Topics and QoS are those of the files, since metadata.yaml may have been edited. Its counts are
    in `announced`.

    Args:
        path: directory with metadata.yaml.

    Raises:
        InputError: metadata.yaml is unusable, or a file is missing.
    """

    def __init__(self, path: Path) -> None:
        self.parts: list[Storage] = []
        self._files = ExitStack()
        try:
            self._open(path)
        except BaseException:
            self.close()
            raise

    def _open(self, path: Path) -> None:
        information = _information(path)
        self.announced = _announced(information)
        self._is_each_compressed = information.get('compression_mode', '').lower() == 'message'
        suffix = {'mcap': '.mcap', 'sqlite3': '.db3'}.get(information['storage_identifier'])
        if suffix is None:
            raise InputError(
                f'its storage is {information["storage_identifier"]!r}: convert it to mcap with '
                '`ros2 bag convert`'
            )
        # Older versions store the folder of the recording, which may no longer exist.
        paths = [path / PurePath(name).name for name in information['relative_file_paths']]
        missing = [file.name for file in paths if not file.is_file()]
        if missing:
            raise InputError(f'{", ".join(missing)} is missing in it: copy the whole directory')
        if information.get('compression_mode', '').lower() == 'file':
            paths = [self._unpacked(file) for file in paths]
        for file in paths:
            self.parts.append(open_storage(file, suffix))
            self._files.callback(self.parts[-1].close)
        self.connections = [c for storage in self.parts for c in storage.connections]

    def messages(self, connections: Collection[Connection]) -> Iterator[Raw]:
        """Yield (connection, log time in ns, data), oldest first."""
        wanted = [[c for c in connections if c.owner is s] for s in self.parts]
        streams = [s.messages(own) for s, own in zip(self.parts, wanted, strict=True) if own]
        for connection, log_time_ns, data in heapq.merge(*streams, key=lambda entry: entry[1]):
            if self._is_each_compressed:
                data = zstd.decompress(data)
            yield connection, log_time_ns, data

    def close(self) -> None:
        """Free the files; a second call does nothing."""
        self._files.close()

    def _unpacked(self, file: Path) -> Path:
        folder = self._files.enter_context(TemporaryDirectory())
        plain = Path(folder) / file.stem
        with file.open('rb') as packed, zstd.open(packed, 'rb') as source, plain.open('wb') as to:
            shutil.copyfileobj(source, to)
        return plain


def open_storage(path: Path, suffix: str = '') -> Storage:
    """Open a single file.

    Args:
        path: of the file.
        suffix: '.mcap' or '.db3'; '': that of the path.
    """
    storage = _Sqlite3(path) if (suffix or path.suffix) == '.db3' else _Mcap(path)
    storage.open()
    return storage


def time_span(storage: Storage | DirectoryStorage) -> tuple[int, int]:
    """Log times of the first and the last message in nanoseconds."""
    parts = storage.parts if isinstance(storage, DirectoryStorage) else [storage]
    spans = [(part.metadata.start_time, part.metadata.end_time) for part in parts]
    return min(start for start, _ in spans), max(end for _, end in spans) - 1  # half-open


def journals(path: Path) -> Iterator[Path]:
    """Yield the journals of a killed sqlite3 recorder, whose messages are not read."""
    for file in [path] if path.is_file() else sorted(path.glob('*.db3')):
        journal = file.with_name(f'{file.name}-wal')
        if journal.is_file() and journal.stat().st_size:
            yield journal


def is_unfinished_mcap(path: Path) -> bool:
    """Whether a file begins like MCAP and was not closed."""
    with path.open('rb') as file:
        starts = file.read(len(MCAP_MAGIC)) == MCAP_MAGIC
        file.seek(-min(path.stat().st_size, len(MCAP_MAGIC)), 2)
        return starts and file.read() != MCAP_MAGIC


def _information(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load((path / METADATA).read_text(encoding='utf-8'))
        information: dict[str, Any] = content['rosbag2_bagfile_information']
        version = int(information['version'])
        information['storage_identifier'], information['relative_file_paths']
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        reason = ' '.join(str(error).split()) or type(error).__name__
        raise InputError(
            f'its {METADATA} cannot be used ({reason}): write it again with `ros2 bag reindex`'
        ) from error
    if version > NEWEST_VERSION:
        raise InputError(
            f'it is rosbag2 version {version}, newer than the installed rosbags knows: '
            'pip install -U rosbags, or record with `ros2 bag record --storage mcap` and pass the '
            '.mcap file itself'
        )
    return information


def _announced(information: dict[str, Any]) -> dict[str, int]:
    """Topic -> number of messages by metadata.yaml."""
    counts: dict[str, int] = {}
    for entry in information.get('topics_with_message_count') or ():
        name = entry['topic_metadata']['name']
        counts[name] = counts.get(name, 0) + int(entry['message_count'])
    return counts


@contextmanager
def _each_new_connection(hook: Any) -> Iterator[None]:
    apsw.connection_hooks.append(hook)
    try:
        yield
    finally:
        apsw.connection_hooks.remove(hook)
