"""CamVid: driving sequences with 11 classes."""

from __future__ import annotations

import re
from pathlib import Path

from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.classes import ClassTable, class_mapping
from rs_ml_training.data.image_files import read_labels, read_rgb, require_size
from rs_ml_training.data.pairing import chosen_names, natural_key, paired_by_stem
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.splits import held_out_masks

LABELS = (
    'Sky',
    'Building',
    'Pole',
    'Road',
    'Pavement',
    'Tree',
    'SignSymbol',
    'Fence',
    'Car',
    'Pedestrian',
    'Bicyclist',
)
COLORS = (
    (128, 128, 128),
    (128, 0, 0),
    (192, 192, 128),
    (128, 64, 128),
    (60, 40, 222),
    (128, 128, 0),
    (192, 128, 128),
    (64, 64, 128),
    (64, 0, 128),
    (64, 64, 0),
    (0, 128, 192),
)
VOID = 11
PARTS = ('train', 'valid')
_FRAME = re.compile(r'^(?P<sequence>[^_]+)_\D*(?P<number>\d+)$')


class CamVid(NamedReader):
    """`rgb/` and `gt/` paired by stem, or the folder above with `train/`, `val/`, `test/`.

    `gt/` holds class ids 0..10, and 11 for void. Samples are in the order of time. A scene is a
    block of `block_frames` frames (30 a second) of one sequence: held out by blocks, validation is
    honest, as it is not in the published folders, where one sequence lies in train/ and val/.
    """

    license = 'CamVid: CC BY-NC'

    def __init__(
        self,
        path: Path,
        split: str | None = None,
        block_frames: int = 600,
        classes: ClassTable | str | Path | None = None,
        list_file: str | Path | None = None,
        part: str | None = None,
        valid_share: float = 0.2,
        margin: int = 2,
        seed: int = 0,
    ) -> None:
        """Pair the files.

        Args:
            path: the folder.
            split: train, val or test, where `path` has those; None: all of them together.
            block_frames: length of a scene [frames at 30 Hz].
            classes: fewer classes than 11; see `classes.class_mapping`.
            list_file: names without suffix, one a line; looked for in `path` too.
            part: 'train' or 'valid': one side of a split by blocks; None: everything.
            valid_share: of the samples, held out for the part 'valid'.
            margin: samples at each border of a block that belong to neither part.
            seed: of the drawing of blocks; the same for both parts.

        Raises:
            ConfigError: a block shorter than a frame, no such part.
            InputError: a file without partner, a name that is not SEQUENCE_FRAME.
        """
        if block_frames < 1:
            raise ConfigError(f'block_frames {block_frames} must be at least 1')
        self._pairs: dict[str, tuple[Path, Path]] = {}
        for folder in _folders(Path(path), split):
            self._pairs |= paired_by_stem(folder / 'rgb', folder / 'gt')
        in_time = sorted(self._pairs, key=natural_key)
        self._names = chosen_names(in_time, list_file, Path(path))
        self._scenes = {name: _scene(name, block_frames) for name in self._names}
        if part is not None:
            self._keep(part, valid_share, margin, seed)
        self._mapping = class_mapping(LABELS, classes, ignored=[VOID])
        self.labels = self._mapping.labels
        self.colors = self._mapping.colors(COLORS)

    def _keep(self, part: str, valid_share: float, margin: int, seed: int) -> None:
        if part not in PARTS:
            raise ConfigError(f'part {part!r} is neither of {", ".join(PARTS)}')
        scenes = [self._scenes[name] for name in self._names]
        mask = held_out_masks(scenes, valid_share, seed, margin)[PARTS.index(part)]
        self._names = [name for name, kept in zip(self._names, mask, strict=True) if kept]

    def read(self, index: int) -> Sample:
        name = self._names[index]
        rgb, gt = self._pairs[name]
        image = read_rgb(rgb)
        stored = require_size(gt, read_labels(gt), (image.shape[1], image.shape[0]))
        labels = self._mapping.map(stored, gt)
        return Sample(name=name, scene=self.scene(index), image=image, labels=labels)


def _folders(path: Path, split: str | None) -> list[Path]:
    if split is not None:
        if not (path / split).is_dir():
            raise InputError(f'{path / split} is missing: {path} has no such split')
        return [path / split]
    if (path / 'rgb').is_dir():
        return [path]
    found = [path / name for name in ('train', 'val', 'test') if (path / name / 'rgb').is_dir()]
    if not found:
        raise InputError(f'{path} has neither rgb/ and gt/ nor train/ and val/ with them')
    return found


def _scene(name: str, block_frames: int) -> str:
    match = _FRAME.match(name)
    if not match:
        raise InputError(f'{name!r} is not SEQUENCE_FRAME as 0016E5_00390: rename the file')
    return f'{match["sequence"]}-{int(match["number"]) // block_frames}'
