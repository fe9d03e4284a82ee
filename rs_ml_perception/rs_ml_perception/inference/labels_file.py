"""Class names in the formats that models come with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.core.labels import LabelMap

_ITEM = re.compile(r'item\s*\{(.*?)\}', re.DOTALL)
_FIELD = re.compile(r'(\w+)\s*:\s*(?:"([^"]*)"|\'([^\']*)\'|(-?\d+))')
_UNNAMED = ('', 'n/a', '???')


def read_labels(value: Any, directory: Path, *, where: str) -> LabelMap:
    """Labels of a manifest.

    Args:
        value: a list of names (ids from 0), a mapping id -> name, or the name of a file beside
            the manifest: a .pbtxt label map of the TF Object Detection API, else one name a line
            (ids from 0; blank lines and n/a leave an id out).
        directory: where the file lies.
        where: for the messages.
    """
    if isinstance(value, str):
        return LabelMap(_sorted(_read_file(directory / value, where), where))
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return LabelMap(_sorted({i: n for i, n in pairs if n not in _UNNAMED}, where))


def _read_file(path: Path, where: str) -> dict[int, str]:
    try:
        text = path.read_text(encoding='utf-8')
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f'{where}: labels file {path} cannot be read: {error}') from error
    try:
        names = _label_map(text) if path.suffix == '.pbtxt' else _lines(text)
    except KeyError as error:
        raise ModelError(f'{where}: an item of labels file {path} lacks its {error}') from error
    if not names:
        raise ModelError(f'{where}: labels file {path} names no class')
    return names


def _lines(text: str) -> dict[int, str]:
    lines = (line.strip() for line in text.splitlines())
    return {i: name for i, name in enumerate(lines) if name not in _UNNAMED}


def _label_map(text: str) -> dict[int, str]:
    names = {}
    for item in _ITEM.findall(text):
        fields = {key: a or b or number for key, a, b, number in _FIELD.findall(item)}
        names[int(fields['id'])] = fields.get('display_name') or fields['name']
    return names


def _sorted(names: dict[Any, Any], where: str) -> dict[int, str]:
    for class_id, name in names.items():
        if not isinstance(class_id, int) or not isinstance(name, str) or class_id < 0:
            raise ModelError(f'{where}: labels must map ids to names, got {class_id!r}: {name!r}')
    return dict(sorted(names.items()))
