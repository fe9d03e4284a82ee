"""Measured depth and better depth of the same frame (DDRNet, ECCV 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.encodings import read_depth
from rs_ml_training.data.image_files import read_gray, read_rgb, require_size
from rs_ml_training.data.pairing import files_by_stem, natural_key, require_pairs
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

COLOR, RAW, GOOD, MASK = 'color_map', 'depth_map', 'high_quality_depth', 'mask'


class DepthPairs(Reader):
    """A folder for each group with `color_map/ depth_map/ high_quality_depth/` and maybe `mask/`.

    The folder of one group alone works as well. Depth is in millimetres. The mask (1 inside, 0
    outside) is `extra['mask']`. A group is one scene. There is no infrared image.
    """

    license = 'DDRNet depth refinement data: MIT'

    def __init__(self, path: Path, groups: Sequence[str] | str | None = None) -> None:
        """Pair the files.

        Args:
            path: the folder of the groups, or one of them.
            groups: which of them; a comma separates names in a text. None: all.

        Raises:
            InputError: no such group, or a file without partner.
        """
        path = Path(path)
        if groups is None and (path / COLOR).is_dir():
            path, groups = path.parent, [path.name]
        names = groups.split(',') if isinstance(groups, str) else groups
        self._frames: list[tuple[str, dict[str, Path]]] = []
        for group in _groups(path) if names is None else names:
            self._frames += [(group, files) for files in _paired(path / group)]

    def __len__(self) -> int:
        return len(self._frames)

    def name(self, index: int) -> str:
        group, files = self._frames[index]
        return f'{group}_{files[COLOR].stem}'

    def scene(self, index: int) -> str:
        return self._frames[index][0]

    def read(self, index: int) -> Sample:
        files = self._frames[index][1]
        image = read_rgb(files[COLOR])
        size = image.shape[1], image.shape[0]
        extra = {}
        if MASK in files:
            mask = require_size(files[MASK], read_gray(files[MASK]), size)
            extra['mask'] = (mask > 127).astype('uint8')
        return Sample(
            name=self.name(index),
            scene=self.scene(index),
            image=image,
            raw_depth_m=require_size(files[RAW], read_depth(files[RAW]), size),
            depth_m=require_size(files[GOOD], read_depth(files[GOOD]), size),
            extra=extra,
        )


def _groups(path: Path) -> list[str]:
    names = [folder.parent.name for folder in path.glob(f'*/{COLOR}')]
    if not names:
        raise InputError(f'{path} holds no folder with {COLOR}/, {RAW}/ and {GOOD}/')
    return sorted(names, key=natural_key)


def _paired(folder: Path) -> list[dict[str, Path]]:
    kinds = [kind for kind in (COLOR, RAW, GOOD, MASK) if kind != MASK or (folder / MASK).exists()]
    found = {kind: files_by_stem(folder / kind) for kind in kinds}
    for kind in kinds[1:]:
        require_pairs(found[COLOR], found[kind], folder / kind)
        require_pairs(found[kind], found[COLOR], folder / COLOR)
    return [{kind: found[kind][stem] for kind in kinds} for stem in found[COLOR]]
