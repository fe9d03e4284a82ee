"""Files in YOLO's folders: pairs of images and labels, and the boxes and polygons in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import InputError, counted

from rs_ml_training.data.image_files import SUFFIXES
from rs_ml_training.data.pairing import natural_key
from rs_ml_training.data.sample import Boxes
from rs_ml_training.data.text_files import read_text

IMAGE_FOLDER = 'images'
LABEL_FOLDERS = ('labels', 'boxes')
OUTLINE_FOLDER = 'instances'
_NO_LABELS = {'classes.txt', 'labels.cache'}
"""Files that labelImg and Ultralytics put next to label files."""

_SLACK = 0.01


@dataclass(frozen=True)
class YoloFiles:
    """The files of a data set.

    Attributes:
        pairs: image and label file, None where it has none, by the name of the sample.
        outlines: files of polygons by the name of the sample; None: the data set has no folder
            of them.
        notes: unread and missing files, a sentence each.
    """

    pairs: dict[str, tuple[Path, Path | None]]
    outlines: dict[str, Path] | None
    notes: tuple[str, ...]


def find_files(path: Path, split: str | None) -> YoloFiles:
    """Pair the files of `images/` and `labels/`, or of `SPLIT/images/` and `SPLIT/labels/`.

    Args:
        path: the data set.
        split: folder inside images/ and labels/, or the one around them; None: all.

    Raises:
        InputError: folders are missing, nothing belongs together, or two images have one name.
    """
    pictures: dict[str, Path] = {}
    texts: dict[str, Path] = {}
    outlines: dict[str, Path] = {}
    strange: Counter[str] = Counter()
    roots = list(_roots(path, split))
    for root, prefix, inside in roots:
        pictures |= _named(root / IMAGE_FOLDER, inside, SUFFIXES, prefix, strange)
        texts |= _named(_label_folder(root), inside, ['.txt'], prefix, strange)
        if (root / OUTLINE_FOLDER).is_dir():
            outlines |= _named(root / OUTLINE_FOLDER, inside, ['.txt'], prefix, Counter())
    _require_common(texts, pictures, 'label')
    _require_common(outlines, pictures, 'outline')
    ordered = sorted(pictures, key=natural_key)
    has_outlines = any((root / OUTLINE_FOLDER).is_dir() for root, _, _ in roots)
    return YoloFiles(
        {name: (pictures[name], texts.get(name)) for name in ordered},
        outlines if has_outlines else None,
        tuple(_notes(pictures, texts, strange)),
    )


def _roots(path: Path, split: str | None) -> Iterator[tuple[Path, str, str]]:
    """Folders with images/, the prefix of the names of their samples, and the folder inside.

    `images/train` and `train/images` are both common.
    """
    if (path / IMAGE_FOLDER).is_dir():
        inside = path / IMAGE_FOLDER / (split or '')
        _label_folder(path)
        if not inside.is_dir() or not inside.is_relative_to(path / IMAGE_FOLDER):
            raise InputError(f'{path} lacks images/{split or ""}')
        yield path, '', split or ''
        return
    around = sorted(p for p in path.iterdir() if (p / IMAGE_FOLDER).is_dir())
    chosen = [p for p in around if split in (None, p.name)]
    if not chosen:
        names = ', '.join(p.name for p in around) or 'none'
        raise InputError(
            f'{path} lacks images/{split or ""} and {split or "SPLIT"}/images (splits: {names})'
        )
    for folder in chosen:
        yield folder, f'{folder.name}_' if split is None else '', ''


def _label_folder(root: Path) -> Path:
    folder = next((root / name for name in LABEL_FOLDERS if (root / name).is_dir()), None)
    if folder is None:
        raise InputError(f'{root} lacks one of {", ".join(LABEL_FOLDERS)}')
    return folder


def _named(
    folder: Path, inside: str, suffixes: Sequence[str], prefix: str, strange: Counter[str]
) -> dict[str, Path]:
    """Files below a folder by the name of their sample; others are counted by their suffix."""
    found: dict[str, Path] = {}
    for file in sorted((folder / inside).rglob('*')):
        if file.is_dir() or file.name.startswith('.') or file.name in _NO_LABELS:
            continue
        if file.suffix.lower() not in suffixes:
            strange[f'{file.suffix or file.name} in {folder.name}/'] += 1
            continue
        name = prefix + '_'.join(file.relative_to(folder).with_suffix('').parts)
        if name in found:
            raise InputError(
                f'{file} and {found[name]} have one name, {name}: rename or remove one'
            )
        found[name] = file
    return found


def _require_common(texts: Collection[str], pictures: Collection[str], kind: str) -> None:
    if texts and not set(texts) & set(pictures):
        raise InputError(
            f'no {kind} file belongs to an image: folders and names must match, as '
            f'{next(iter(texts))!r} and {next(iter(pictures), "(no image)")!r} do not'
        )


def _notes(
    pictures: dict[str, Path], texts: dict[str, Path], strange: Counter[str]
) -> Iterator[str]:
    alone = [file for name, file in texts.items() if name not in pictures]
    if alone:
        yield f'not read: {counted(len(alone), "label file")} without image ({alone[0]} first)'
    bare = [file for name, file in pictures.items() if name not in texts]
    if bare:
        yield f'taken as empty: {counted(len(bare), "image")} without label file ({bare[0]} first)'
    for kind, count in sorted(strange.items()):
        yield f'not read: {counted(count, "file")} of {kind}'


def read_boxes(path: Path, size: tuple[int, int], classes: int) -> Boxes:
    """The boxes of a label file; those without extent are left out.

    Args:
        path: the file.
        size: (width, height) of the image.
        classes: number of classes.

    Raises:
        InputError: a malformed line, a class that does not exist, a box outside the image.
    """
    lines = read_text(path).splitlines()
    rows = [
        _row(line, f'{path}, line {number}', classes)
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    rows = [row for row in rows if row[3] > row[1] and row[4] > row[2]]
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Boxes.of(table[:, 1:] * np.array([*size, *size], np.float32), table[:, 0])


def read_polygons(path: Path, size: tuple[int, int]) -> list[tuple[float, np.ndarray]]:
    """Stored class and polygon, (P, 2) pixels, of the lines of a label file that hold no box.

    Args:
        path: the file.
        size: (width, height) of the image.

    Raises:
        InputError: a malformed line.
    """
    lines = enumerate(read_text(path).splitlines(), 1)
    rows = (_numbers(line, f'{path}, line {n}') for n, line in lines if line.strip())
    return [
        (class_id, np.array(numbers).reshape(-1, 2) * np.array(size))
        for class_id, *numbers in rows
        if len(numbers) > 4
    ]


def _numbers(line: str, where: str) -> list[float]:
    """Class, then a box or a polygon."""
    try:
        class_id, *numbers = (float(word) for word in line.split())
    except ValueError as error:
        raise InputError(f'{where}: {line!r} is not a class and numbers') from error
    if len(numbers) != 4 and (len(numbers) < 6 or len(numbers) % 2):
        raise InputError(f'{where}: {len(numbers)} numbers are neither a box nor a polygon')
    return [class_id, *numbers]


def _row(line: str, where: str, classes: int) -> tuple[float, ...]:
    """(class, x_min, y_min, x_max, y_max) in fractions of the image."""
    class_id, *numbers = _numbers(line, where)
    if class_id not in range(classes):
        raise InputError(f'{where}: class {class_id:g} does not exist; there are {classes}')
    corners = _corners(np.array(numbers))
    if not (corners >= -_SLACK).all() or not (corners <= 1 + _SLACK).all():
        raise InputError(f'{where}: the box leaves the image; give fractions from 0 to 1')
    return (class_id, *np.clip(corners, 0, 1))


def _corners(numbers: np.ndarray) -> np.ndarray:
    if len(numbers) == 4:
        center, extent = numbers[:2], numbers[2:]
        return np.concatenate([center - extent / 2, center + extent / 2])
    points = numbers.reshape(-1, 2)
    return np.concatenate([points.min(axis=0), points.max(axis=0)])
