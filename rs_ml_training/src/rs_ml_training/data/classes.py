"""Fewer classes than a data set has, through a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from rs_ml_training.data.sample import IGNORE, Boxes
from rs_ml_training.errors import ConfigError, DataError

REST = '*'
"""Stands in a table for all the classes that it does not name."""

ClassTable = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class ClassMapping:
    """From the ids of a data set to those of a training.

    Attributes:
        labels: names by new id.
        new_ids: uint8 (256,) by stored id; IGNORE for what is not wanted.
    """

    labels: tuple[str, ...]
    new_ids: np.ndarray

    def map(self, stored: np.ndarray, path: Path, known: int) -> np.ndarray:
        """New ids of a label picture, uint8 of the same shape.

        Args:
            stored: uint8, any shape.
            path: named in the error.
            known: ids below this and IGNORE may occur.

        Raises:
            DataError: an id that the data set does not have.
        """
        greatest = int(np.max(stored, initial=0, where=stored != IGNORE))
        if greatest >= known:
            raise DataError(
                f'{path} holds class id {greatest}, but ids go from 0 to {known - 1}, '
                f'and {IGNORE} for unlabelled'
            )
        return self.new_ids[stored]

    def map_boxes(self, boxes: Boxes) -> Boxes:
        """Boxes with new ids, without those of no wanted class."""
        new = self.new_ids[boxes.class_ids]
        kept = new != IGNORE
        return Boxes.of(boxes.xyxy[kept], new[kept], boxes.is_crowd[kept])

    def colors(self, stored: Sequence[tuple[int, int, int]]) -> tuple[tuple[int, int, int], ...]:
        """Colours by new id: those of the first stored class that became it."""
        first = (np.flatnonzero(self.new_ids == new) for new in range(len(self.labels)))
        return tuple(stored[ids[0]] if len(ids) else (0, 0, 0) for ids in first)


def class_mapping(
    names: Sequence[str], table: ClassTable | str | Path | None = None, ignored: Sequence[int] = ()
) -> ClassMapping:
    """The mapping that a table asks for.

    Args:
        names: classes of the data set by stored id, without those in `ignored`.
        table: new name -> the old name or names that it stands for, '*' for all the rest; or a
            YAML file with such a table; None: the classes as they are. What no entry names
            becomes IGNORE.
        ignored: stored ids that become IGNORE.

    Raises:
        ConfigError: no such class, or one in two entries.
    """
    wanted = _table(names, table)
    new_ids = np.full(256, IGNORE, np.uint8)
    for new_id, old_names in enumerate(wanted.values()):
        new_ids[[names.index(old) for old in old_names]] = new_id
    new_ids[list(ignored)] = IGNORE
    return ClassMapping(tuple(wanted), new_ids)


def _table(names: Sequence[str], table: ClassTable | str | Path | None) -> dict[str, list[str]]:
    if table is None:
        return {name: [name] for name in names}
    given = _read_table(Path(table)) if isinstance(table, (str, Path)) else table
    wanted = {str(n): [old] if isinstance(old, str) else list(old) for n, old in given.items()}
    used = [old for olds in wanted.values() for old in olds]
    for old in used:
        if old != REST and old not in names:
            raise ConfigError(f'no class {old!r}: choose from {", ".join(names)}')
        if used.count(old) > 1:
            raise ConfigError(f'class {old!r} stands in two entries of the table: keep one')
    rest = [name for name in names if name not in used]
    return {n: rest if olds == [REST] else olds for n, olds in wanted.items()}


def _read_table(path: Path) -> ClassTable:
    try:
        table = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f'{path} is not a table of classes: {error}') from error
    if not isinstance(table, dict) or not table:
        raise ConfigError(f'{path} is not a table of classes: give "new name: [old, ...]" lines')
    return table
