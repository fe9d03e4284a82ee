"""Pairs of files that belong together, and lists of names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.image_files import SUFFIXES
from rs_ml_training.data.text_files import read_lines

_NUMBER = re.compile(r'(\d+)')


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts numbers within names by value: left-2 before left-10."""
    parts = _NUMBER.split(name)
    return tuple((0, int(p), p) if p.isdigit() else (1, 0, p) for p in parts if p)


def files_by_stem(folder: Path, suffixes: Iterable[str] = SUFFIXES) -> dict[str, Path]:
    """The files of a folder with one of the suffixes, by stem, in natural order.

    Raises:
        InputError: there is no such folder, or two files of one stem.
    """
    if not folder.is_dir():
        raise InputError(f'{folder} is missing: it should be a folder of files')
    allowed = set(suffixes)
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda p: natural_key(p.stem)):
        if path.suffix.lower() not in allowed or path.name.startswith('.'):
            continue
        if path.stem in found:
            raise InputError(f'{path} and {found[path.stem].name} have one stem: remove one')
        found[path.stem] = path
    return found


def require_pairs(first: Mapping[str, object], second: Mapping[str, object], folder: Path) -> None:
    """Check that every file of the first has one in the second.

    Raises:
        InputError: names the first file without a partner, and the folder where it should be.
    """
    for stem, path in first.items():
        if stem not in second:
            alone = sum(s not in second for s in first)
            raise InputError(f'{path} has no partner in {folder} ({alone} such): add or remove it')


def paired_by_stem(
    first: Path, second: Path, suffixes: Iterable[str] = SUFFIXES
) -> dict[str, tuple[Path, Path]]:
    """Files of two folders by stem, in natural order.

    Args:
        first: folder of images.
        second: folder of their partners.
        suffixes: of the files in the second.

    Raises:
        InputError: a folder is missing, or a file has no partner.
    """
    one, other = files_by_stem(first), files_by_stem(second, suffixes)
    require_pairs(one, other, second)
    require_pairs(other, one, first)
    return {stem: (path, other[stem]) for stem, path in one.items()}


def chosen_names(
    available: Collection[str], list_file: str | Path | None, folder: Path
) -> list[str]:
    """The names of a list, or all that are available if there is none.

    Args:
        available: in the order wanted without a list.
        list_file: a name a line; looked for in `folder` first.
        folder: of the data.

    Raises:
        InputError: the list is missing or empty, or names a missing sample.
    """
    if list_file is None:
        return list(available)
    inside = folder / list_file
    path = inside if inside.is_file() else Path(list_file)
    names = read_names(path)
    known = set(available)
    for name in names:
        if name not in known:
            raise InputError(f'{path} names {name!r}, which {folder} does not hold')
    return names


def read_names(path: Path) -> list[str]:
    """The non-empty lines of a list.

    Raises:
        InputError: it is missing, not text, or empty.
    """
    names = read_lines(path)
    if not names:
        raise InputError(f'{path} is an empty list: give one sample a line')
    return names
