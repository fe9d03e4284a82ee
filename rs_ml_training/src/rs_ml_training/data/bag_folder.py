"""A rosbag2 that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
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
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.bag_messages import message_types
from rs_ml_training.data.output_folder import put_in_place

_PLUGINS = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}
_OWN_SUFFIXES = ('.mcap', '.db3')
_FOREVER = QosTime(9223372036, 854775807)


class BagFolder:
    """Messages on topics, into an open writer.

    Attributes:
        counts: messages so far by topic.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._connections: dict[str, Connection] = {}
        self.counts: dict[str, int] = {}

    def add(
        self, topic: str, type_name: str, stamp_ns: int, data: bytes, *, latched: bool = False
    ) -> None:
        """Append CDR bytes; the first of a topic declares it."""
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic,
                type_name,
                typestore=message_types(),
                offered_qos_profiles=[_qos(latched)],
            )
        self._writer.write(self._connections[topic], stamp_ns, data)
        self.counts[topic] = self.counts.get(topic, 0) + 1


@contextmanager
def new_bag(out: Path, *, storage: str = 'mcap', replace: bool = False) -> Iterator[BagFolder]:
    """A recording written beside `out`; it becomes `out` when all went well.

    Args:
        out: the folder.
        storage: mcap or sqlite3.
        replace: whether a recording may lie there already; nothing else is ever replaced.

    Raises:
        ConfigError: something lies there that must not be replaced.
        InputError: something cannot be written, as on a full disk; nothing is left behind.
    """
    out = Path(out).absolute()
    partial = out.with_name(f'{out.name}.partial-{os.getpid()}')
    try:
        _require_room(out, replace)
        partial.mkdir(parents=True)
        # rosbags names the file within after the folder, so only the folder above differs.
        fresh = partial / out.name
        with Writer(
            fresh, version=Writer.VERSION_LATEST, storage_plugin=_PLUGINS[storage]
        ) as writer:
            yield BagFolder(writer)
        put_in_place(fresh, out, partial / 'replaced')
    except (OSError, sqlite3.Error) as error:
        raise InputError(f'{out} cannot be written: {error}') from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _require_room(out: Path, replace: bool) -> None:
    if out.suffix == '.bag':
        raise ConfigError(f'{out} would be a rosbag2, which is a folder: name it without .bag')
    if not out.exists():
        return
    if not out.is_dir():
        raise ConfigError(f'{out} is a file: name a new folder')
    files = sorted(out.iterdir())
    strangers = [f for f in files if f.name != 'metadata.yaml' and f.suffix not in _OWN_SUFFIXES]
    if strangers:
        raise ConfigError(f'{out} holds {strangers[0].name}: name a new folder')
    if files and not replace:
        raise ConfigError(f'{out} is a recording: name a new folder, or give --force')


def _qos(latched: bool) -> Qos:
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=1 if latched else 10,
        reliability=QosReliability.RELIABLE,
        durability=QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        deadline=_FOREVER,
        lifespan=_FOREVER,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=_FOREVER,
        avoid_ros_namespace_conventions=False,
    )
