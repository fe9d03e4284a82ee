"""YAML from untrusted sources: bounded in size and depth, and without aliases.

An alias repeats its anchor, so ten lines can unfold to more than any memory holds.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.files import read_regular_text

MAX_BYTES = 1 << 16
MAX_DEPTH = 16
MAX_INTEGER = 1 << 63


def read_yaml(path: Path) -> Any:
    """The content of a YAML file: mappings, lists, texts, numbers, truth values and None.

    Raises:
        InputError: it is no regular file, no YAML, too large or too deep, or has aliases or
            control characters.
    """
    return parse_yaml(read_regular_text(path, max_bytes=MAX_BYTES), where=str(path))


def parse_yaml(text: str, *, where: str) -> Any:
    """The content of YAML text; see `read_yaml`.

    Raises:
        InputError: as there; the message begins with `where`.
    """
    # Imported here: only readers of manifests need PyYAML.
    import yaml

    if len(text) > MAX_BYTES:
        raise InputError(f'{where} is too large: at most {MAX_BYTES} characters of YAML are read')
    try:
        # A restricted SafeLoader, see _loader.
        return yaml.load(text, Loader=_loader())
    # PyYAML passes on exceptions of int() and date() for huge numbers and impossible dates.
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        reason = ' '.join(str(error).split())
        raise InputError(f'{where} cannot be read as YAML: {reason}') from error


@cache
def _loader() -> type:
    import yaml

    class Loader(yaml.SafeLoader):
        """PyYAML's safe loader, which refuses aliases, deep nesting and control characters."""

        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                alias = self.peek_event()  # type: ignore[no-untyped-call]
                raise yaml.YAMLError(f'*{alias.anchor} is an alias: write the value itself')
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise yaml.YAMLError(f'it is nested deeper than {MAX_DEPTH}')
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def construct_scalar(self, node: Any) -> Any:
            value = super().construct_scalar(node)
            if isinstance(value, str) and not _is_plain(value):
                raise yaml.YAMLError(f'{value!r} holds control characters: remove them')
            return value

    def integer(loader: Any, node: Any) -> int:
        value: int = loader.construct_yaml_int(node)
        if abs(value) >= MAX_INTEGER:
            raise yaml.YAMLError('an integer has more than 64 bits')
        return value

    Loader.add_constructor('tag:yaml.org,2002:int', integer)
    return Loader


def _is_plain(text: str) -> bool:
    return all(c.isprintable() or c in '\n\t' for c in text)
