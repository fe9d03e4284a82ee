"""Checked values of a manifest.

A typing error must not pass for a default, nor a path lead out of the model directory.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.inference.manifest import MANIFEST_NAME

_REQUIRED = object()


MAX_NAME = 100
MAX_PATH = 255
_NAME = re.compile(r'\w[\w .+()-]*')


class StrictMapping:
    """Returns each value of a mapping once; a remaining key at the end is an error.

    Args:
        values: the mapping from a YAML parser.
        where: file and key, for the messages.
    """

    def __init__(self, values: Any, *, where: str) -> None:
        if not isinstance(values, Mapping):
            raise ModelError(f'{where}: must be a mapping, got {values!r}')
        self._values = dict(values)
        self._known: list[str] = []
        self.where = where

    def take(self, key: str, kind: type | tuple[type, ...], default: Any = _REQUIRED) -> Any:
        """The value of a key, checked against its type; null counts as absent.

        Raises:
            ModelError: the key is missing and has no default, or its value has another type.
        """
        self._known.append(key)
        value = self._values.pop(key, None)
        if value is None:
            if default is _REQUIRED:
                raise ModelError(f'{self.where}: {key} is missing')
            return default
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ModelError(f'{self.where}: {key} must be {_name(kind)}, got {value!r}')
        self._check_number(key, value)
        return value

    def choose(self, key: str, choices: tuple[str, ...], default: Any = _REQUIRED) -> str:
        """One of several words."""
        value: str = self.take(key, str, default)
        if value not in choices:
            raise ModelError(f'{self.where}: {key} must be one of {list(choices)}, got {value!r}')
        return value

    def numbers(self, key: str, count: int | None, default: Any = _REQUIRED) -> Any:
        """A list of `count` numbers (None: any number of them) as a tuple."""
        value = self.take(key, list, default)
        if value is default:
            return default
        numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
        if not numeric or (count is not None and len(value) != count):
            wanted = f'{count} numbers' if count is not None else 'numbers'
            raise ModelError(f'{self.where}: {key} must be a list of {wanted}, got {value!r}')
        for number in value:
            self._check_number(key, number)
        return tuple(value)

    def _check_number(self, key: str, value: Any) -> None:
        """Refuse NaN, which compares false: as a threshold it would silence a model."""
        if isinstance(value, float) and math.isnan(value):
            raise ModelError(f'{self.where}: {key} must be a number, got NaN')

    def finish(self) -> None:
        """Raise ModelError for unknown keys."""
        if self._values:
            raise ModelError(
                f'{self.where}: unknown key {sorted(map(str, self._values))}, '
                f'known are {sorted(self._known)}'
            )


def _name(kind: type | tuple[type, ...]) -> str:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return ' or '.join(k.__name__ for k in kinds)


def checked_name(name: str, *, where: str) -> str:
    """The name of a model, which is also that of a folder in the cache.

    Raises:
        ModelError: it is not a plain name.
    """
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise ModelError(
            f'{where}: name must be a plain name of letters, digits and _-.+ of at most '
            f'{MAX_NAME} characters, got {name!r}'
        )
    return name


def checked_path(path: str, *, where: str) -> str:
    """The path of a file of a model, relative to its directory.

    Raises:
        ModelError: it leads out of the directory, or is not a path of plain names.
    """
    parts = PurePosixPath(path).parts
    is_plain = bool(parts) and '..' not in parts and path.isprintable() and '\\' not in path
    if not is_plain or PurePosixPath(path).is_absolute() or len(path) > MAX_PATH:
        raise ModelError(
            f'{where}: a path must lead to a file inside of the model directory, got {path!r}: '
            'put the file into the folder of the manifest'
        )
    return path


def require_inside(directory: Path, path: Path) -> Path:
    """The path, if its target is in the model directory.

    If the manifest is a link, the directory of its target counts as well, as in symlink installs.

    Raises:
        ModelError: a link leads elsewhere.
    """
    target = path.resolve()
    homes = directory.resolve(), (directory / MANIFEST_NAME).resolve().parent
    if not any(target.is_relative_to(home) for home in homes):
        raise ModelError(
            f'{path} leads to {target}, outside of the model directory: copy the file, or name '
            'its folder in RS_ML_MODEL_PATH and remove the link'
        )
    return path
