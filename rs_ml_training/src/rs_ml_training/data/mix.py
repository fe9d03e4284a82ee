"""Several data sets as one, each with its own list and options, named in a YAML file."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.inference.foreign_yaml import parse_yaml

from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.text_files import read_text


class FocalRescaled(Reader):
    """Samples whose depth is multiplied by focal_px / (focal length of their camera).

    An object looks the same to a camera of twice the focal length at twice the distance. A network
    that sees images of several cameras can only learn depth if all are brought to one focal
    length; in use its depth is corrected by the ratio of focal lengths.
    """

    def __init__(self, reader: Reader, focal_px: float) -> None:
        """Wrap a reader.

        Args:
            reader: of samples with intrinsics.
            focal_px: horizontal focal length for images of the size they are stored in [px].

        Raises:
            ConfigError: the focal length is not positive, or depth has been divided by another.
        """
        is_length = isinstance(focal_px, (int, float)) and focal_px > 0
        if not is_length or reader.reference_focal_px is not None:
            raise ConfigError(
                f'focal_px must be positive and the data without focal_scaling, got {focal_px} '
                f'and {reader.reference_focal_px}'
            )
        self._reader, self._focal_px = reader, focal_px
        self.labels, self.colors = reader.labels, reader.colors
        self.license, self.counted = reader.license, reader.counted

    def __len__(self) -> int:
        return len(self._reader)

    def read(self, index: int) -> Sample:
        sample = self._reader.read(index)
        camera = sample.intrinsics
        if camera is None:
            raise InputError(
                f'{sample.name} has no intrinsics: focal_px needs those of the camera'
            )
        ratio = self._focal_px / camera.fx
        return replace(
            sample,
            depth_m=None if sample.depth_m is None else sample.depth_m * ratio,
            raw_depth_m=None if sample.raw_depth_m is None else sample.raw_depth_m * ratio,
            intrinsics=replace(camera, fx=camera.fx * ratio, fy=camera.fy * ratio),
            focal_px=None if sample.focal_px is None else sample.focal_px * ratio,
        )

    def name(self, index: int) -> str:
        return self._reader.name(index)

    def scene(self, index: int) -> str:
        return self._reader.scene(index)


class Joined(Reader):
    """Several readers one after the other; those with classes must have the same."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        labels = {reader.labels for reader in readers if reader.labels}
        if len(labels) > 1:
            raise InputError(f'data with different classes cannot be joined: {sorted(labels)}')
        self._readers, self.labels = tuple(readers), next(iter(labels), ())
        self.colors = readers[0].colors
        self.counted = next((reader.counted for reader in readers if reader.counted), ())
        self.reference_focal_px = _shared([reader.reference_focal_px for reader in readers])
        self.license = '; '.join(dict.fromkeys(r.license for r in readers if r.license))
        self._ends = list(itertools.accumulate(len(reader) for reader in readers))

    def __len__(self) -> int:
        return self._ends[-1]

    def read(self, index: int) -> Sample:
        reader, i = self._locate(index)
        return reader.read(i)

    def name(self, index: int) -> str:
        reader, i = self._locate(index)
        return reader.name(i)

    def scene(self, index: int) -> str:
        reader, i = self._locate(index)
        return f'{self._readers.index(reader)}/{reader.scene(i)}'

    def _locate(self, index: int) -> tuple[Reader, int]:
        part = bisect.bisect_right(self._ends, index)
        start = self._ends[part - 1] if part else 0
        return self._readers[part], index - start


class Mix(Joined):
    """Data sets listed in a YAML file: `- {source: FORMAT:PATH, repeat: 2, NAME: VALUE, ...}`.

    `repeat` reads a data set several times an epoch, `focal_px` brings its depth to another focal
    length (see `FocalRescaled`); the other names are options of its reader. `list_file` is looked
    for next to the file first. Other paths are those of the command that reads it.
    """

    def __init__(self, path: Path) -> None:
        """Open all of them.

        Args:
            path: the file.

        Raises:
            ConfigError: it is no such list, or an option is wrong.
            InputError: data are missing, or do not agree in their classes.
        """
        from rs_ml_training.data.formats import open_data

        readers: list[Reader] = []
        for entry in _entries(Path(path)):
            source, repeat = entry.pop('source'), entry.pop('repeat', 1)
            focal_px = entry.pop('focal_px', None)
            reader = open_data(source, **_with_list(entry, Path(path).parent))
            reader = FocalRescaled(reader, focal_px) if focal_px is not None else reader
            readers += [reader] * repeat
        super().__init__(readers)


def formats_of(source: str) -> tuple[str, ...]:
    """The formats that FORMAT:PATH reads: of a mix those that it lists, each once.

    Raises:
        ConfigError: the file of the mix is no such list.
    """
    name, _, path = source.partition(':')
    if name != 'mix':
        return (name,)
    return tuple(dict.fromkeys(e['source'].partition(':')[0] for e in _entries(Path(path))))


def _entries(path: Path) -> list[dict[str, Any]]:
    text = read_text(path)
    try:
        entries = parse_yaml(text, where=str(path))
    except InputError as error:
        raise ConfigError(str(error)) from error
    is_list = isinstance(entries, list) and entries
    if not is_list or not all(isinstance(e, dict) and _is_entry(e) for e in entries):
        raise ConfigError(f'{path} must list data as "- {{source: FORMAT:PATH, repeat: 1}}"')
    return entries


def _with_list(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The entry with the path of a list that lies in a folder."""
    path = folder / str(entry.get('list_file'))
    return {**entry, 'list_file': str(path)} if path.is_file() else entry


def _is_entry(entry: dict[str, Any]) -> bool:
    repeat = entry.get('repeat', 1)
    return isinstance(entry.get('source'), str) and isinstance(repeat, int) and repeat > 0


def _shared(values: Sequence[float | None]) -> float | None:
    if len(set(values)) > 1:
        raise InputError(f'data of different focal scaling cannot be joined: {list(values)}')
    return values[0]
