"""Reading recordings of any format with rosbags."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection
from rosbags.rosbag1 import Reader as Rosbag1Reader
from rosbags.typesys.store import Typestore

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.recordings.message_types import Definitions, one_line
from rs_ml_perception.recordings.storages import (
    DirectoryStorage,
    Raw,
    is_unfinished_mcap,
    journals,
    open_storage,
    time_span,
)


class BagReader:
    """Opens a recording of any format supported by rosbags.

    Args:
        path: a rosbag2 directory, a .mcap or .db3 file, or a .bag of ROS 1.
        default: types of recordings without definitions, see `Definitions`.

    Attributes:
        connections: topics in CDR, or in ROS 1's serialization.
        left_out: topic or file -> why its messages cannot be decoded.
        announced: topic -> number of messages by the metadata of a directory.

    Raises:
        InputError: it cannot be read.
    """

    def __init__(self, path: Path, default: Typestore | None = None) -> None:
        self._path = path
        self._is_ros1 = path.is_file() and path.suffix == '.bag'
        self._storage: Any | None = None
        try:
            self._storage = self._open()
            self._look(self._storage)
        except Exception as error:  # rosbags raises many kinds of errors
            self.close()
            reason = (
                str(error)
                if isinstance(error, InputError)
                else f'{_remedy(path)} ({one_line(error)})'
            )
            raise InputError(f'recording {path} cannot be read: {reason}') from error
        self._definitions = Definitions(self.connections, default)
        for connection in self.connections:
            problem = self._definitions.problems.get(connection.msgtype)
            if problem:
                self.left_out[connection.topic] = f'{connection.msgtype}: {problem}'

    def _open(self) -> Any:
        if self._is_ros1:
            reader = Rosbag1Reader(self._path)
            reader.open()
            return reader
        return DirectoryStorage(self._path) if self._path.is_dir() else open_storage(self._path)

    def _look(self, storage: Any) -> None:
        self.announced: dict[str, int] = getattr(storage, 'announced', {})
        self.left_out: dict[str, str] = {
            journal.name: 'its recorder was killed, the last messages are in it: run '
            f'`sqlite3 {journal.with_suffix(".db3")} "PRAGMA wal_checkpoint(TRUNCATE)"`'
            for journal in journals(self._path)
        }
        self.connections: list[Connection] = []
        for connection in storage.connections:
            serialization = getattr(connection.ext, 'serialization_format', 'cdr')
            if serialization == 'cdr':
                self.connections.append(connection)
            else:
                self.left_out[connection.topic] = f'its messages are {serialization}, not CDR'

    @property
    def time_span(self) -> tuple[int, int]:
        """Log times of the first and the last message of a rosbag2 in nanoseconds."""
        return time_span(self._opened)

    @property
    def _opened(self) -> Any:
        if self._storage is None:
            raise InputError(f'recording {self._path} was closed: open it again')
        return self._storage

    def messages(self, connections: Collection[Connection]) -> Iterator[Raw]:
        """Yield (connection, log time in ns, data), oldest first.

        Raises:
            InputError: the recording was closed, or is damaged.
        """
        storage = self._opened
        try:
            if connections:
                yield from storage.messages(connections)
        except InputError:
            raise
        except Exception as error:  # rosbags raises many kinds of errors
            raise InputError(
                f'recording {self._path} is damaged here, the rest is lost: {one_line(error)}'
            ) from error

    def deserialize(self, data: bytes, type_name: str) -> Any:
        """The message; any exception of the decoder is passed on."""
        problem = self._definitions.problems.get(type_name)
        if problem:
            raise InputError(f'{type_name} cannot be decoded: {problem}')
        store = self._definitions.store
        if self._is_ros1:
            return store.deserialize_ros1(data, type_name)
        return store.deserialize_cdr(data, type_name)

    def first(self, topic: str) -> Any | None:
        """The first message of a topic, decoded; None without one."""
        found = [c for c in self.connections if c.topic == topic]
        for connection, _, data in self.messages(found):
            return self.deserialize(data, connection.msgtype)
        return None

    def close(self) -> None:
        """Free the files; a second call does nothing."""
        storage, self._storage = self._storage, None
        if storage is not None:
            storage.close()


def _remedy(path: Path) -> str:
    """Likely cause and remedy for a recording that cannot be read."""
    files = sorted(path.glob('*.mcap')) if path.is_dir() else [path]
    for file in files:
        if file.suffix == '.mcap' and is_unfinished_mcap(file):
            return unfinished(file)
    if path.suffix == '.bag' and path.is_file():
        return (
            'it is no bag of ROS 1 or librealsense, or is damaged; '
            'play it once with realsense-viewer to repair it'
        )
    if path.suffix == '.db3' or any(path.glob('*.db3')):
        return 'it is no sqlite3 of rosbag2, or is damaged; try `sqlite3 FILE .recover`'
    return 'it is no rosbag2, or is damaged; try `mcap doctor`'


def unfinished(file: Path) -> str:
    """Remedy for an MCAP file without a footer."""
    return (
        f'its recorder did not finish {file.name}: run `mcap recover {file} -o recovered.mcap` '
        'and pass recovered.mcap'
    )
