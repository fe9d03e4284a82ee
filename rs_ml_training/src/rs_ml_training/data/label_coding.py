"""How label pictures say what a pixel is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.classes import UNWANTED, ClassMapping, class_mapping
from rs_ml_training.data.pictures import read_labels
from rs_ml_training.data.sample import IGNORE

BINARY_THRESHOLD = 200
FOREGROUND = ('background', 'foreground')

INDEX, BINARY, ANY_FOREGROUND = 'index', 'binary', 'foreground'
"""Values are class ids; values from 200 on are foreground; values from 1 on are foreground."""

_LOOKED_AT = 16


def guessed_coding(paths: Sequence[Path], names: Sequence[str] | None = None) -> str:
    """'binary' if some pictures of the set hold nothing but 0 and 255, both; else 'index'.

    Other than two class names are never binary: then 255 is for unlabelled.
    """
    if names is not None and len(names) != len(FOREGROUND):
        return INDEX
    step = max(1, len(paths) // _LOOKED_AT)
    seen = np.zeros(256, bool)
    for path in paths[::step]:
        seen |= present(path)
    return BINARY if set(np.flatnonzero(seen)) == {0, IGNORE} else INDEX


def coding_mapping(
    coding: str, names: Sequence[str] | None, values: Sequence[int] | None, paths: Iterable[Path]
) -> ClassMapping:
    """From the values of the pictures to class ids.

    Args:
        coding: index, binary or foreground.
        names: of the classes; None: those of the coding, or 'class 0', ... up to the greatest id
            in any of the pictures.
        values: stored value by class id, where those are no class ids (226, 209, 55, ...).
        paths: the pictures.

    Raises:
        ConfigError: no such coding, or names and values of different number.
    """
    if coding in (BINARY, ANY_FOREGROUND):
        return _thresholded(BINARY_THRESHOLD if coding == BINARY else 1, names)
    if coding != INDEX:
        raise ConfigError(f'no coding {coding!r}: choose index, binary or foreground')
    if names is None:
        count = len(values) if values else 1 + max(map(_greatest, paths), default=0)
        names = [f'class {i}' for i in range(count)]
    mapping = class_mapping(names)
    if values is None:
        return mapping
    if len(values) != len(names):
        raise ConfigError(f'{len(values)} values and {len(names)} names: give one for each class')
    return mapping.after({value: i for i, value in enumerate(values)}, ignored=())


def present(path: Path) -> np.ndarray:
    """Which values a label picture holds, bool (256,)."""
    return np.bincount(read_labels(path).ravel(), minlength=256) > 0


def _greatest(path: Path) -> int:
    return int(np.max(np.flatnonzero(present(path)[:IGNORE]), initial=0))


def _thresholded(first: int, names: Sequence[str] | None) -> ClassMapping:
    if names is not None and len(names) != 2:
        raise ConfigError(f'{len(names)} names for background and foreground: give two')
    ids = (np.arange(256) >= first).astype(np.int64)
    return ClassMapping(tuple(names or FOREGROUND), ids, ids != UNWANTED)
