"""The interface of data sets: samples by index, read one at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from types import MappingProxyType
from typing import Any

from rs_ml_training.data.sample import Sample


class Reader(ABC):
    """A data set on disk. Opening lists and pairs the files; `read` decodes one sample.

    Attributes:
        labels: class names by id; empty where the data set has no classes.
        colors: (red, green, blue) by class id; empty where the data set prescribes none.
        license: of the data, as it must appear in the card of a model trained on it.
        reference_focal_px: depth is divided by focal length / this, so that a network's output
            must be multiplied by it; None: depth is as measured.
        counted: classes of which unlabelled pixels that the extra map 'unlisted' marks are known
            to hold none; see data.yolo.
        notes: counts of unread and missing data, a sentence each.
    """

    labels: tuple[str, ...] = ()
    colors: tuple[tuple[int, int, int], ...] = ()
    license: str = ''
    reference_focal_px: float | None = None
    counted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def read(self, index: int) -> Sample:
        """Decode a sample.

        Raises:
            InputError: a file is damaged or of the wrong size; names it.
        """

    @abstractmethod
    def name(self, index: int) -> str:
        """Name of a sample, without reading it."""

    def scene(self, index: int) -> str:
        """The scene of a sample, without reading it."""
        return self.name(index)


class NamedReader(Reader):
    """A reader that knows the names of its samples, and the scenes of several samples.

    Constructors set `_names`, in order, and may set `_scenes`, by name.
    """

    _names: Sequence[str] = ()
    _scenes: Mapping[str, str] = MappingProxyType({})

    def __len__(self) -> int:
        return len(self._names)

    def name(self, index: int) -> str:
        return self._names[index]

    def scene(self, index: int) -> str:
        name = self._names[index]
        return self._scenes.get(name, name)


class Subset(Reader):
    """Some samples of a reader, in the order given."""

    def __init__(self, reader: Reader, indices: Sequence[int]) -> None:
        self._reader, self._indices = reader, tuple(indices)
        self.labels, self.colors = reader.labels, reader.colors
        self.license = reader.license
        self.reference_focal_px = reader.reference_focal_px
        self.counted = reader.counted

    def __len__(self) -> int:
        return len(self._indices)

    def read(self, index: int) -> Sample:
        return self._reader.read(self._indices[index])

    def name(self, index: int) -> str:
        return self._reader.name(self._indices[index])

    def scene(self, index: int) -> str:
        return self._reader.scene(self._indices[index])


class WatchedReader(Subset):
    """All samples of a reader; `step` is called after each reading, by one thread at a time."""

    def __init__(self, reader: Reader, step: Callable[[], object]) -> None:
        super().__init__(reader, range(len(reader)))
        self.notes = reader.notes
        self._step, self._lock = step, Lock()

    def __getattr__(self, name: str) -> Any:
        """What only the reader's own format has, such as `without_depth`."""
        return getattr(self._reader, name)

    def read(self, index: int) -> Sample:
        sample = super().read(index)
        with self._lock:
            self._step()
        return sample


class CachedReader(Subset):
    """All samples of a reader, kept in memory from their first reading on.

    Args:
        reader: its samples fit into memory; nothing may write to them.
    """

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader, range(len(reader)))
        self._samples: dict[int, Sample] = {}

    def read(self, index: int) -> Sample:
        if index not in self._samples:
            self._samples[index] = super().read(index)
        return self._samples[index]


def scenes_in_turn(reader: Reader) -> list[int]:
    """Indices of all samples, those of a scene together and in their order."""
    first: dict[str, int] = {}
    scenes = [reader.scene(index) for index in range(len(reader))]
    for scene in scenes:
        first.setdefault(scene, len(first))
    return sorted(range(len(reader)), key=lambda index: first[scenes[index]])


def last_frames(reader: Reader) -> list[int]:
    """Indices of the last sample of each scene, in the order of the scenes."""
    return list({reader.scene(index): index for index in scenes_in_turn(reader)}.values())
