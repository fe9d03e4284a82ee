"""Panoramas with depth: lists as CSV, made from folders of scans."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.encodings import read_depth, require_encoding
from rs_ml_training.data.image_files import SUFFIXES, read_rgb, require_size
from rs_ml_training.data.output_folder import new_folder
from rs_ml_training.data.pairing import files_by_stem, natural_key, require_pairs
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

QUALITIES = ('images', 'high', 'low')
"""Folders of a scan's `pan/`, first choice first."""

HEADER = ('rgb', 'depth')
Pair = tuple[Path, Path]


class PanoCsv(Reader):
    """A CSV with the columns rgb and depth, or a folder of scans: `ID/pan/QUALITY` and `ID/depth`.

    Paths in a CSV are relative to its folder. A scene is a scan: the folder above `pan/`, else
    that of the image.
    """

    def __init__(
        self,
        path: Path,
        list_file: str | Path | None = None,
        root: str | Path | None = None,
        encoding: str = 'mm',
        max_depth_m: float | None = None,
        quality: str | None = None,
    ) -> None:
        """Read the list, or find the scans.

        Args:
            path: the CSV, or the folder of the scans.
            list_file: a CSV all the same; looked for in `path` too.
            root: base of the paths in the CSV; None: its folder.
            encoding: of the depth, a name of encodings.ENCODINGS.
            max_depth_m: for the encoding share-of-max.
            quality: images, high or low; None: the first of them that a scan has.

        Raises:
            ConfigError: no such encoding or quality.
            InputError: the list is malformed, a file is missing or without partner.
        """
        require_encoding(encoding, max_depth_m)
        self._encoding, self._max_depth_m = encoding, max_depth_m
        path = Path(path)
        if list_file is not None:
            path = path / list_file if (path / list_file).is_file() else Path(list_file)
        if path.is_dir():
            self._root = path
            self._pairs = [pair for pairs in scans(path, quality).values() for pair in pairs]
        else:
            self._root = Path(root or path.parent)
            self._pairs = _read_csv(path, self._root)

    def __len__(self) -> int:
        return len(self._pairs)

    def name(self, index: int) -> str:
        relative = Path(os.path.relpath(self._pairs[index][0], self._root)).with_suffix('')
        return '_'.join(part for part in relative.parts if part != '..')

    def scene(self, index: int) -> str:
        return scan_of(self._pairs[index][0])

    def read(self, index: int) -> Sample:
        rgb, depth = self._pairs[index]
        image = read_rgb(rgb)
        depth_m = read_depth(depth, self._encoding, self._max_depth_m)
        return Sample(
            name=self.name(index),
            scene=self.scene(index),
            image=image,
            depth_m=require_size(depth, depth_m, (image.shape[1], image.shape[0])),
        )


def scan_of(rgb: Path) -> str:
    """Name of the scan of an image."""
    above = [folder.name for folder in rgb.parents]
    return above[above.index('pan') + 1] if 'pan' in above[:-1] else above[0]


def scans(root: Path, quality: str | None = None) -> dict[str, list[Pair]]:
    """(panorama, depth) files by scan, in natural order.

    Raises:
        ConfigError: no such quality.
        InputError: there are no scans, or a file has no partner.
    """
    if quality is not None and quality not in QUALITIES:
        raise ConfigError(f'no quality {quality!r}: choose from {", ".join(QUALITIES)}')
    folders = [f for f in root.iterdir() if (f / 'pan').is_dir() and (f / 'depth').is_dir()]
    if not folders:
        raise InputError(f'{root} holds no folders with pan/ and depth/')
    in_order = sorted(folders, key=lambda folder: natural_key(folder.name))
    return {folder.name: _scan_pairs(folder, quality) for folder in in_order}


def write_lists(
    root: Path,
    out: Path,
    valid_share: float = 0.1,
    seed: int = 0,
    quality: str | None = None,
) -> tuple[int, int]:
    """Write `train.csv` and `valid.csv` for a folder of scans, every scan in one of them.

    Args:
        root: folder of the scans.
        out: a new folder for the lists; paths in them are relative to it.
        valid_share: of the scans, in (0, 1).
        seed: of the drawing.
        quality: see PanoCsv.

    Returns:
        Number of pairs in each list.

    Raises:
        ConfigError: the fraction is not within (0, 1), or `out` holds files.
        InputError: fewer than two scans, or a file has no partner.
    """
    found = scans(root, quality)
    if not 0 < valid_share < 1:
        raise ConfigError(f'valid_share {valid_share} is not a fraction: give 0.1 for a tenth')
    if len(found) < 2:
        raise InputError(f'{root} holds {len(found)} scan, which cannot be split: give more')
    count = min(max(1, round(valid_share * len(found))), len(found) - 1)
    order = np.random.default_rng(seed).permutation(list(found))
    held = set(order[:count].tolist())
    train = [pair for scan, pairs in found.items() if scan not in held for pair in pairs]
    valid = [pair for scan, pairs in found.items() if scan in held for pair in pairs]
    with new_folder(out) as folder:
        for name, pairs in (('train.csv', train), ('valid.csv', valid)):
            _write_csv(folder / name, pairs, out)
    return len(train), len(valid)


def _scan_pairs(folder: Path, quality: str | None) -> list[Pair]:
    choice = (quality,) if quality else QUALITIES
    pan = next((folder / 'pan' / q for q in choice if (folder / 'pan' / q).is_dir()), None)
    if pan is None:
        raise InputError(f'{folder / "pan"} has none of {", ".join(choice)}')
    pictures = files_by_stem(pan)
    depths = files_by_stem(folder / 'depth', [*SUFFIXES, '.npy', '.raw'])
    require_pairs(pictures, depths, folder / 'depth')
    require_pairs(depths, pictures, pan)
    return [(picture, depths[stem]) for stem, picture in pictures.items()]


def _read_csv(path: Path, root: Path) -> list[Pair]:
    try:
        with path.open(newline='', encoding='utf-8') as file:
            rows = csv.DictReader(file)
            if not set(HEADER) <= set(rows.fieldnames or ()):
                raise InputError(
                    f'{path} has no header with rgb and depth: its first line names them'
                )
            pairs = [_pair(row, root, f'{path}, line {rows.line_num}') for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f'{path} cannot be read as CSV: {error}') from error
    if not pairs:
        raise InputError(f'{path} is an empty list: give a line for each pair')
    return pairs


def _pair(row: dict[str, str | None], root: Path, where: str) -> Pair:
    names = [row[column] for column in HEADER]
    if not all(names):
        raise InputError(f'{where} lacks rgb or depth')
    files = [root / str(name) for name in names]
    for file in files:
        if not file.is_file():
            raise InputError(f'{where} names {file}, which is missing: check root')
    return files[0], files[1]


def _write_csv(path: Path, pairs: Sequence[Pair], base: Path) -> None:
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows([os.path.relpath(part, base) for part in pair] for pair in pairs)
