"""Class names in the formats that models come with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import InputError, ModelError
from rs_ml_perception.core.files import read_regular_text
from rs_ml_perception.core.objects.labels import LabelMap, check_label
from rs_ml_perception.inference.manifest_values import checked_path, require_inside

MAX_BYTES = 1 << 20
MAX_CLASS_ID = (1 << 31) - 1
"""Messages hold 32 bits."""

# Linear time for any file: no pattern backtracks over a character more than once.
_ITEM = re.compile(r'item\s*\{([^{]*)')
_FIELD = re.compile(r'\b(\w+)\s*:\s*(?:"([^"]*)"|\'([^\']*)\'|(-?\d+))')
_UNNAMED = ('', 'n/a', '???')


def read_labels(value: Any, directory: Path, *, where: str) -> LabelMap:
    """Labels of a manifest.

    Args:
        value: a list of names (ids from 0), a mapping id -> name, or the name of a file next to
            the manifest: a .pbtxt label map of the TF Object Detection API, else one name per line
            (ids from 0; blank lines and n/a leave an id out).
        directory: that of the file.
        where: for the messages.
    """
    if isinstance(value, str):
        path = directory / checked_path(value, where=f'{where}: labels')
        return LabelMap(_sorted(_read_file(require_inside(directory, path), where), where))
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return LabelMap(_sorted({i: n for i, n in pairs if n not in _UNNAMED}, where))


def _read_file(path: Path, where: str) -> dict[int, str]:
    try:
        text = read_regular_text(path, max_bytes=MAX_BYTES)
    except InputError as error:
        raise ModelError(f'{where}: labels file {error}') from error
    try:
        names = _label_map(text) if path.suffix == '.pbtxt' else _lines(text)
    except (KeyError, ValueError) as error:
        raise ModelError(
            f'{where}: an item of labels file {path} lacks a proper id or name: {error}'
        ) from error
    if not names:
        raise ModelError(f'{where}: labels file {path} names no class')
    return names


def _lines(text: str) -> dict[int, str]:
    lines = (line.strip() for line in text.splitlines())
    return {i: name for i, name in enumerate(lines) if name not in _UNNAMED}


def _label_map(text: str) -> dict[int, str]:
    names = {}
    for part in text.split('}')[:-1]:
        item = _ITEM.search(part)
        if item is None:
            continue
        fields = {key: a or b or number for key, a, b, number in _FIELD.findall(item[1])}
        names[int(fields['id'])] = fields.get('display_name') or fields['name']
    return names


def _sorted(names: dict[Any, Any], where: str) -> dict[int, str]:
    for class_id, name in names.items():
        is_id = isinstance(class_id, int) and 0 <= class_id <= MAX_CLASS_ID
        if not is_id or not isinstance(name, str):
            raise ModelError(f'{where}: labels must map ids to names, got {class_id!r}: {name!r}')
        try:
            check_label(name)
        except InputError as error:
            raise ModelError(f'{where}: class {class_id}: {error}') from error
    return dict(sorted(names.items()))
