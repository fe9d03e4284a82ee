"""Message definitions: of ROS, of the driver, our own, and those a recording brings along.

Nothing here needs a ROS installation.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection, MessageDefinitionFormat
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from rs_ml_perception.core.errors import ConfigError

# realsense2_camera_msgs 4.x; needed where that package is not installed.
_EXTRINSICS = """
float64[9] rotation
float64[3] translation
"""


_SEPARATOR = '=' * 80 + '\n'


@functools.cache
def message_types() -> Typestore:
    """The type store for reading and writing: Jazzy's, the driver's extrinsics and rs_ml_msgs."""
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(_EXTRINSICS, 'realsense2_camera_msgs/msg/Extrinsics'))
    for folder in _message_folders('rs_ml_msgs')[:1]:
        _register_folder(store, 'rs_ml_msgs', folder)
    return store


def add_message_type(name: str) -> None:
    """Make a type of an installed message package known to `message_types`.

    Args:
        name: 'package/msg/Type'.

    Raises:
        ConfigError: no installed package holds its definition.
    """
    store = message_types()
    if name in store.types:
        return
    package = name.split('/')[0]
    folders = _message_folders(package)
    if not folders:
        raise ConfigError(
            f'no definition of {name} found: install ros-$ROS_DISTRO-{package.replace("_", "-")} '
            'or source the workspace that holds it'
        )
    _register_folder(store, package, folders[0])
    if name not in store.types:
        raise ConfigError(f'{folders[0]} holds no definition of {name}')


def _message_folders(package: str) -> list[Path]:
    """Folders with the .msg files of a package: installed ones first, then the source tree's."""
    prefixes = [Path(p) for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    folders = [prefix / 'share' / package / 'msg' for prefix in prefixes]
    # resolve(): with --symlink-install this file is a link into the source tree.
    folders += [parent / package / 'msg' for parent in Path(__file__).resolve().parents[2:4]]
    return [folder for folder in folders if any(folder.glob('*.msg'))]


def _register_folder(store: Typestore, package: str, folder: Path) -> None:
    for path in sorted(folder.glob('*.msg')):
        name = f'{package}/msg/{path.stem}'
        if name not in store.types:
            store.register(get_types_from_msg(path.read_text(encoding='utf-8'), name))


class Definitions:
    """Types of the topics of a recording; an unusable one only affects its own topics.

    Args:
        connections: of the recording.
        default: types of connections without a definition; None: there are none.

    Attributes:
        store: with every type that can be used.
        problems: type -> why its messages cannot be decoded.
    """

    def __init__(self, connections: Iterable[Connection], default: Typestore | None) -> None:
        self.store = get_typestore(Stores.EMPTY)
        self.problems: dict[str, str] = {}
        seen: set[tuple[str, str]] = set()
        for connection in connections:
            key = connection.msgtype, connection.msgdef.data
            if key not in seen:
                seen.add(key)
                self._add(connection, default)

    def _add(self, connection: Connection, default: Typestore | None) -> None:
        name = connection.msgtype
        try:
            self._register(_parsed(connection, default))
            if name not in self.store.fielddefs:
                raise ValueError('the recording holds no definition of it')
            # Compiles it, since a part may be missing.
            digest = self.store.hash_rihs01(name) if connection.digest.startswith('RIHS') else ''
            self.store.get_msgdef(name)
            if digest and digest != connection.digest:
                raise ValueError(f'its definition has hash {digest}, not {connection.digest}')
        except Exception as error:  # the parsers of rosbags raise many kinds of errors
            self.problems[name] = one_line(error)

    def _register(self, types: dict[str, Any]) -> None:
        known = self.store.fielddefs
        self.store.register({name: fields for name, fields in types.items() if name not in known})


def _parsed(connection: Connection, default: Typestore | None) -> dict[str, Any]:
    """The type and its parts; {} without a definition."""
    text = connection.msgdef.data
    if connection.msgdef.format == MessageDefinitionFormat.MSG:
        return get_types_from_msg(text, connection.msgtype)
    if connection.msgdef.format == MessageDefinitionFormat.IDL:
        types: dict[str, Any] = {}
        for part in text.split(_SEPARATOR):
            types |= get_types_from_idl(_without_includes(part)) if part.strip() else {}
        return types
    if default is None or connection.msgtype not in default.fielddefs:
        return {}
    return dict(default.fielddefs)


def _without_includes(part: str) -> str:
    """IDL without includes, which are in other parts of the same definition."""
    return ''.join(
        line
        for line in part.splitlines(keepends=True)
        if not line.startswith(('IDL: ', '#include'))
    )


def one_line(error: Exception) -> str:
    """The reason in one short line; parsers quote whole definitions."""
    text = ' '.join(str(error).split()) or type(error).__name__
    if text.startswith('Could not parse'):
        return 'its definition cannot be parsed'
    return text if len(text) <= 160 else f'{text[:157]}...'


def canonical_cdr(data: bytes, type_name: str) -> bytes:
    """The same message with zeros between its fields.

    A middleware does not clear the padding between fields, so the bytes of equal messages differ
    from process to process.

    Args:
        data: CDR as serialised by any middleware.
        type_name: 'package/msg/Type', known to message_types().
    """
    store = message_types()
    return bytes(store.serialize_cdr(store.deserialize_cdr(data, type_name), type_name))
