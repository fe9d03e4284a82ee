"""Message definitions that a recording brings along, each by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rosbags.interfaces import Connection, MessageDefinitionFormat
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

_SEPARATOR = '=' * 80 + '\n'


class Definitions:
    """Types of a recording's topics; one that cannot be used costs its own topics alone.

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
            # Compiles it: a part may be missing.
            digest = self.store.hash_rihs01(name) if connection.digest.startswith('RIHS') else ''
            self.store.get_msgdef(name)
            if digest and digest != connection.digest:
                raise ValueError(f'its definition has hash {digest}, not {connection.digest}')
        except Exception as error:  # the parsers of rosbags raise whatever a text leads to
            self.problems[name] = one_line(error)

    def _register(self, types: dict[str, Any]) -> None:
        known = self.store.fielddefs
        self.store.register({name: fields for name, fields in types.items() if name not in known})


def _parsed(connection: Connection, default: Typestore | None) -> dict[str, Any]:
    """The type and those it is made of; {} where nobody defines it."""
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
    """IDL alone: what is included stands in other parts of the same definition."""
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
