"""Writing rosbag2 recordings."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rosbags.interfaces import (
    Connection,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import StoragePlugin, Writer

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.pipeline import Closing
from rs_ml_perception.recordings.message_types import add_message_type, message_types

STORAGES = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}
_FOREVER = QosTime(9223372036, 854775807)


class RecordingWriter(Closing):
    """Writes a rosbag2. It can only be read once it is closed.

    The same calls give the same bytes.

    Args:
        path: directory to create.
        storage: 'mcap' or 'sqlite3'.
        overwrite: replace an existing recording.

    Raises:
        ConfigError: the path exists or cannot be written, or the storage is unknown.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / 'bag'
        >>> with RecordingWriter(path) as writer:
        ...     writer.counts
        {}
    """

    def __init__(
        self, path: Path | str, *, storage: str = 'mcap', overwrite: bool = False
    ) -> None:
        if storage not in STORAGES:
            raise ConfigError(f'storage must be one of {", ".join(STORAGES)}, got {storage!r}')
        self.path = Path(path)
        self.counts: dict[str, int] = {}
        self._connections: dict[str, Connection] = {}
        try:
            _make_room(self.path, overwrite)
            self._writer: Writer | None = Writer(
                self.path, version=Writer.VERSION_LATEST, storage_plugin=STORAGES[storage]
            )
            self._writer.open()
        except OSError as error:
            raise ConfigError(f'{self.path} cannot be written ({error}): pass another') from error

    def add_topic(self, topic: str, type_name: str, *, qos: Sequence[Qos] = ()) -> None:
        """Declare a topic.

        Args:
            topic: absolute name.
            type_name: 'package/msg/Type'.
            qos: profiles offered by its publishers, see `qos_profile`.

        Raises:
            ConfigError: the type has no definition, or the topic has another type already.
        """
        known = self._connections.get(topic)
        if known is not None:
            if known.msgtype != type_name:
                raise ConfigError(f'{topic} is of type {known.msgtype}, not {type_name}')
            return
        add_message_type(type_name)
        self._connections[topic] = self._open_writer().add_connection(
            topic, type_name, typestore=message_types(), offered_qos_profiles=qos
        )
        self.counts[topic] = 0

    def write(self, topic: str, log_time_ns: int, data: bytes) -> None:
        """Append CDR bytes to a topic that was added.

        Raises:
            ConfigError: the topic was not added, or the disk is full.
        """
        if topic not in self._connections:
            raise ConfigError(f'{topic} was not added: call add_topic first')
        with self._disk_errors():
            self._open_writer().write(self._connections[topic], log_time_ns, data)
        self.counts[topic] += 1

    def write_message(self, topic: str, log_time_ns: int, message: object) -> None:
        """Append a message of `message_types`, given as an object of its class."""
        type_name = self._connections[topic].msgtype
        self.write(topic, log_time_ns, bytes(message_types().serialize_cdr(message, type_name)))

    def close(self) -> None:
        """Write index and metadata; a second call does nothing.

        The context manager of rosbags would drop everything on an exception, even Ctrl-C.

        Raises:
            ConfigError: the disk is full.
        """
        writer, self._writer = self._writer, None
        if writer is not None:
            with self._disk_errors():
                writer.close()

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f'{self.path} cannot be written to ({error}), the recording is incomplete: free '
                'space on the disk, or pass another path'
            ) from error

    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise ConfigError(f'recording {self.path} was closed: nothing can be added')
        return self._writer


def check_apart(source: Path | str, out: Path | str) -> None:
    """Refuse to overwrite the recording that is read.

    Raises:
        ConfigError: `out` is the source or contains it.
    """
    source, out = Path(source).resolve(), Path(out).resolve()
    if out in (source, *source.parents):
        raise ConfigError(f'{out} holds the recording that is read: pass another directory')


def qos_profile(*, latched: bool = False, reliable: bool = True, depth: int = 10) -> Qos:
    """The profile of a publisher, for the recording's metadata."""
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=depth,
        reliability=QosReliability.RELIABLE if reliable else QosReliability.BEST_EFFORT,
        durability=QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        deadline=_FOREVER,
        lifespan=_FOREVER,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=_FOREVER,
        avoid_ros_namespace_conventions=False,
    )


def _make_room(path: Path, overwrite: bool) -> None:
    """Remove an old recording, but no other files."""
    require_room(path, overwrite=overwrite)
    if path.exists():
        shutil.rmtree(path)


def require_room(path: Path, *, overwrite: bool) -> None:
    """Check that nothing but an old recording would be replaced.

    Raises:
        ConfigError: the path is a file, or a folder with other files, or with any unless
            `overwrite`.
    """
    if not path.exists():
        return
    if not path.is_dir():
        raise ConfigError(f'{path} is a file: pass a directory to create')
    foreign = foreign_files(path)
    if foreign or (not overwrite and any(path.iterdir())):
        raise ConfigError(
            f'{path} exists{" and holds " + foreign[0].name if foreign else ""}: '
            'remove it, or pass another path'
        )


def foreign_files(folder: Path) -> list[Path]:
    """Files in a folder, by name, that are not part of a rosbag2."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.name != 'metadata.yaml' and path.suffix not in ('.mcap', '.db3')
    ]
