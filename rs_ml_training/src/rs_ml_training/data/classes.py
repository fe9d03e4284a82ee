"""From the values in label images to classes: all of a data set, fewer, or a network's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.image_files import ImageFile, read_labels
from rs_ml_training.data.indoor_classes import CLASS_TABLES
from rs_ml_training.data.sample import IGNORE, Boxes, Sample
from rs_ml_training.data.text_files import read_yaml

REST = '*'
"""Stands in a table for all the classes that it does not name."""

UNWANTED = -1

ClassTable = Mapping[str, str | Sequence[str]]

BINARY_THRESHOLD = 200

FOREGROUND = ('background', 'foreground')

INDEX, BINARY, ANY_FOREGROUND = 'index', 'binary', 'foreground'
"""Values are class ids; values from 200 on are foreground; values from 1 on are foreground."""

_LOOKED_AT = 16


@dataclass(frozen=True, eq=False)
class ClassMapping:
    """From the values of a data set to the class ids of a training.

    Attributes:
        labels: names by class id.
        ids: int64 (256 or more,) class id by stored value; UNWANTED for those left out.
        allowed: bool, of the same length: which values may occur.
    """

    labels: tuple[str, ...]
    ids: np.ndarray
    allowed: np.ndarray

    @property
    def marked(self) -> tuple[int, ...] | None:
        """Class ids that stored values become; None: all of them are such."""
        ids = np.unique(self.ids[self.ids != UNWANTED])
        return None if len(ids) == len(self.labels) else tuple(ids.tolist())

    def map(self, stored: np.ndarray, path: ImageFile) -> np.ndarray:
        """Class ids of a label image, IGNORE for those left out; uint8 of the same shape.

        Args:
            stored: uint8 (H, W).
            path: named in the error.

        Raises:
            InputError: a value that may not occur.
        """
        if not cv2.LUT(stored, self.allowed[:256].astype(np.uint8)).all():
            present = np.flatnonzero(np.bincount(stored.ravel(), minlength=256))
            strange = [int(value) for value in present if not self.allowed[value]]
            raise InputError(
                f'{path} holds the values {strange}, which are no classes: there are '
                f'{int(self.allowed[:IGNORE].sum())}, and {IGNORE} for unlabelled'
            )
        table = np.where(self.ids == UNWANTED, IGNORE, self.ids)[:256]
        return cv2.LUT(stored, table.astype(np.uint8))

    def map_boxes(self, boxes: Boxes) -> Boxes:
        """Boxes with class ids of the training, without those left out."""
        ids = self.ids[boxes.class_ids]
        kept = ids != UNWANTED
        return Boxes.of(boxes.xyxy[kept], ids[kept], boxes.is_crowd[kept])

    def colors(self, stored: Sequence[tuple[int, int, int]]) -> tuple[tuple[int, int, int], ...]:
        """Colours by class id: those of the first stored value that became it."""
        first = (np.flatnonzero(self.ids == new) for new in range(len(self.labels)))
        return tuple(stored[values[0]] if len(values) else (0, 0, 0) for values in first)

    def after(self, values: Mapping[int, int], ignored: Sequence[int]) -> ClassMapping:
        """This mapping for a data set with other values.

        Args:
            values: stored value -> the value that this mapping knows.
            ignored: stored values that are unlabelled.
        """
        ids, allowed = np.full(256, UNWANTED), np.zeros(256, bool)
        ids[list(values)] = self.ids[list(values.values())]
        allowed[[*values, *ignored, IGNORE]] = True
        return ClassMapping(self.labels, ids, allowed)


def class_mapping(
    names: Sequence[str], table: ClassTable | str | Path | None = None, ignored: Sequence[int] = ()
) -> ClassMapping:
    """The mapping that a table asks for.

    Args:
        names: classes of the data set by stored value.
        table: new name -> the old name or names that it stands for, '*' for all the rest; or a
            YAML file with such a table, or a key of indoor_classes.CLASS_TABLES; None: the
            classes as they are. Classes without an entry are left out; a new name that stands for
            nothing, [], is a class that the data set does not mark.
        ignored: further stored values, which are unlabelled.

    Raises:
        ConfigError: no such class, or one in two entries, or two classes of one name.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ConfigError(f'several classes are called {twice[0]!r}: give each its own name')
    wanted = _table(names, table)
    ids = np.full(max(256, len(names)), UNWANTED)
    for new_id, old_names in enumerate(wanted.values()):
        ids[[names.index(old) for old in old_names]] = new_id
    allowed = np.zeros(len(ids), bool)
    allowed[[*range(len(names)), *ignored, IGNORE]] = True
    return ClassMapping(tuple(wanted), ids, allowed)


def _table(names: Sequence[str], table: ClassTable | str | Path | None) -> dict[str, list[str]]:
    if table is None:
        return {name: [name] for name in names}
    given = _named_table(table) if isinstance(table, (str, Path)) else table
    wanted = {str(n): _old_names(n, old) for n, old in given.items()}
    used = [old for olds in wanted.values() for old in olds]
    for old in used:
        if old not in (REST, *names):
            raise ConfigError(f'no class {old!r}: choose from {", ".join(names)}')
        if used.count(old) > 1:
            raise ConfigError(f'class {old!r} stands in two entries of the table: keep one')
    rest = [name for name in names if name not in used]
    return {n: rest if olds == [REST] else olds for n, olds in wanted.items()}


def _old_names(new: str, old: Any) -> list[str]:
    names = [old] if isinstance(old, str) else old
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f'class {new!r} stands for {old!r}: give old names, or {REST!r}')
    if REST in names and len(names) > 1:
        raise ConfigError(f'class {new!r}: {REST!r} is for all the rest and stands alone')
    return list(names)


def _named_table(name: str | Path) -> ClassTable:
    table = CLASS_TABLES.get(str(name))
    return _read_table(Path(name)) if table is None else table


def _read_table(path: Path) -> ClassTable:
    try:
        table = read_yaml(path)
    except InputError as error:
        raise ConfigError(f'{path} is not a table of classes: {error}') from error
    if not isinstance(table, dict) or not table:
        raise ConfigError(f'{path} is not a table of classes: give "new name: [old, ...]" lines')
    return table


def guessed_coding(paths: Sequence[Path], names: Sequence[str] | None = None) -> str:
    """'binary' if some images of the set hold nothing but 0 and 255, both; else 'index'.

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
    """From the values of the images to class ids.

    Args:
        coding: index, binary or foreground.
        names: of the classes; None: those of the coding, or 'class 0', ... up to the greatest id
            in any of the images.
        values: stored value by class id, where those are no class ids (226, 209, 55, ...).
        paths: the images.

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
    """Which values a label image holds, bool (256,)."""
    return np.bincount(read_labels(path).ravel(), minlength=256) > 0


def _greatest(path: Path) -> int:
    return int(np.max(np.flatnonzero(present(path)[:IGNORE]), initial=0))


def _thresholded(first: int, names: Sequence[str] | None) -> ClassMapping:
    if names is not None and len(names) != 2:
        raise ConfigError(f'{len(names)} names for background and foreground: give two')
    ids = (np.arange(256) >= first).astype(np.int64)
    return ClassMapping(tuple(names or FOREGROUND), ids, ids != UNWANTED)


def class_table(labels: Sequence[str], data_labels: Sequence[str]) -> np.ndarray:
    """Class id of the network by class id of the data, uint8 (256,); IGNORE where it has none.

    Raises:
        ConfigError: there are no names, or none in common.
    """
    if not labels:
        raise ConfigError('neither the network nor the data name their classes')
    table = np.full(256, IGNORE, np.uint8)
    if not data_labels:
        table[: len(labels)] = np.arange(len(labels))
        return table
    for index, name in enumerate(data_labels):
        if name in labels:
            table[index] = list(labels).index(name)
    if (table == IGNORE).all():
        raise ConfigError(
            f'network and data have no class in common: {", ".join(labels)} '
            f'against {", ".join(data_labels)}'
        )
    return table


def with_classes(sample: Sample, table: np.ndarray) -> Sample:
    """The sample with the ids of a table (256,) of `class_table`.

    Pixels of classes that the network lacks become IGNORE, boxes of such classes go.
    """
    labels, boxes = sample.labels, sample.boxes
    if labels is not None:
        labels = table[labels]
    if boxes is not None:
        ids = table[boxes.class_ids]
        keep = ids != IGNORE
        boxes = Boxes(boxes.xyxy[keep], ids[keep].astype(np.int64), boxes.is_crowd[keep])
    return replace(sample, labels=labels, boxes=boxes)
