"""What readers of BTS lists share."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.encodings import read_depth
from rs_ml_training.data.path_list import Entry, read_entries
from rs_ml_training.data.pictures import read_rgb, require_size
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample


class ListReader(Reader):
    """Pictures and depth that a list names.

    Attributes:
        without_depth: how many entries have None for a depth; left out unless told otherwise.
    """

    encoding = 'mm'
    max_depth_m: float | None = None
    gt_folder = ''

    def __init__(
        self,
        path: Path,
        list_file: str | Path | None,
        data_root: str | Path | None,
        gt_root: str | Path | None,
        keep_without_depth: bool,
        right: bool = False,
    ) -> None:
        path = Path(path)
        if list_file is None:
            list_path, root = path, Path(data_root or path.parent)
        else:
            inside, root = path / list_file, Path(data_root or path)
            list_path = inside if inside.is_file() else Path(list_file)
        own = root / self.gt_folder
        entries = read_entries(
            list_path, root, Path(gt_root or (own if own.is_dir() else root)), right
        )
        known = [entry for entry in entries if entry.depth is not None]
        self.without_depth = len(entries) - len(known)
        self._entries = entries if keep_without_depth else known
        if self.without_depth and not keep_without_depth:
            self.notes = (f'{self.without_depth} pictures of {list_path} have no depth',)
        if not self._entries:
            raise InputError(
                f'{list_path} names no depth: to predict, set keep_without_depth=true'
            )

    def __len__(self) -> int:
        return len(self._entries)

    def name(self, index: int) -> str:
        return self._entries[index].name

    def scene(self, index: int) -> str:
        return self._scene(self._entries[index])

    def read(self, index: int) -> Sample:
        entry = self._entries[index]
        image = read_rgb(entry.rgb)
        size = image.shape[1], image.shape[0]
        depth_m = None
        if entry.depth is not None:
            depth_m = read_depth(entry.depth, self.encoding, self.max_depth_m)
            require_size(entry.depth, depth_m, size)
        return self._sample(entry, image, depth_m)

    @abstractmethod
    def _scene(self, entry: Entry) -> str: ...

    @abstractmethod
    def _sample(self, entry: Entry, image: np.ndarray, depth_m: np.ndarray | None) -> Sample:
        """The sample of what was read, cropped as the data set wants it."""
