"""Which files belong together in YOLO's folders, and which belong to nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.pairing import natural_key
from rs_ml_training.data.pictures import SUFFIXES

IMAGE_FOLDER = 'images'
LABEL_FOLDERS = ('labels', 'boxes')
OUTLINE_FOLDER = 'instances'
_NO_LABELS = {'classes.txt', 'labels.cache'}
"""What labelImg and Ultralytics put beside label files."""


@dataclass(frozen=True)
class YoloFiles:
    """The files of a data set.

    Attributes:
        pairs: picture and label file, None where it has none, by the name of the sample.
        outlines: files of polygons by the name of the sample; None: the data set has no folder
            of them.
        notes: what is there and not read, or missing, a sentence each.
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
        InputError: folders are missing, nothing belongs together, or two pictures have one name.
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
    """Folders with images/, what to put before the names of their samples, and the folder inside.

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
            f'no {kind} file belongs to a picture: folders and names must match, as '
            f'{next(iter(texts))!r} and {next(iter(pictures), "(no picture)")!r} do not'
        )


def _notes(
    pictures: dict[str, Path], texts: dict[str, Path], strange: Counter[str]
) -> Iterator[str]:
    alone = [file for name, file in texts.items() if name not in pictures]
    if alone:
        yield f'{len(alone)} label files have no picture and are not read ({alone[0]} first)'
    bare = [file for name, file in pictures.items() if name not in texts]
    if bare:
        yield f'{len(bare)} pictures have no label file: nothing is in them ({bare[0]} first)'
    for kind, count in sorted(strange.items()):
        yield f'{count} files of {kind} are not read'
