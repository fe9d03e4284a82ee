"""Lists as BTS uses them: a line names a picture, its depth and the focal length."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.pairing import read_names

NO_DEPTH = 'None'


@dataclass(frozen=True)
class Entry:
    """A line of a list.

    Attributes:
        rgb: picture.
        depth: its depth, or None where there is none.
        focal_px: or None where the line does not say.
        key: path of the picture as the list gives it, without a leading '/'.
    """

    rgb: Path
    depth: Path | None
    focal_px: float | None
    key: str

    @property
    def name(self) -> str:
        """Unique in the list: the path with _ for /."""
        return '_'.join(Path(self.key).with_suffix('').parts)


def read_entries(path: Path, data_root: Path, gt_root: Path, right: bool = False) -> list[Entry]:
    """Read '<rgb> [<depth or None> [<focal>]]', maybe with '<right rgb> <right depth>' behind.

    A path that starts with '/' is below the root like any other.

    Args:
        path: the list.
        data_root: folder of the pictures.
        gt_root: folder of the depth.
        right: give the right pictures too, each after its left one.

    Raises:
        InputError: the list is missing, empty or malformed, or a file is missing; names the line.
    """
    entries = []
    for number, line in enumerate(read_names(path), 1):
        where = f'{path}, entry {number}'
        words = line.split()
        if len(words) not in (1, 2, 3, 5):
            raise InputError(f'{where} {line!r} is not "<rgb> <depth or None> <focal>"')
        focal_px = _focal(words[2], where) if len(words) > 2 else None
        pairs = [[*words, NO_DEPTH][:2]]
        if right:
            if len(words) != 5:
                raise InputError(f'{where} {line!r} names no right picture and its depth')
            pairs.append(words[3:])
        for rgb, depth in pairs:
            entries.append(_entry(rgb, depth, focal_px, (data_root, gt_root), where))
    return entries


def _entry(
    rgb: str, depth: str, focal_px: float | None, roots: tuple[Path, Path], where: str
) -> Entry:
    key = rgb.lstrip('/')
    depth_path = None if depth == NO_DEPTH else roots[1] / depth.lstrip('/')
    entry = Entry(roots[0] / key, depth_path, focal_px, key)
    for file in (entry.rgb, entry.depth):
        if file is not None and not file.is_file():
            raise InputError(f'{where} names {file}, which is missing: check the root folders')
    return entry


def _focal(word: str, where: str) -> float:
    try:
        focal_px = float(word)
    except ValueError:
        focal_px = math.nan
    if not focal_px > 0 or math.isinf(focal_px):
        raise InputError(f'{where} has focal length {word!r}, which is no number of pixels')
    return focal_px
