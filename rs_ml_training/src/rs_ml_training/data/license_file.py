"""The licence of data that were made from other data."""

from __future__ import annotations

from pathlib import Path

from rs_ml_training.data.text_files import read_text

NAME = 'license.txt'


def read_license(folder: Path) -> str:
    """What `license.txt` of a folder says; nothing without it.

    Raises:
        InputError: it is not text.
    """
    path = folder / NAME
    return read_text(path).strip() if path.is_file() else ''


def write_license(text: str, folder: Path) -> None:
    """Write `license.txt`, if there is a licence: it holds for copies and parts too."""
    if text:
        (folder / NAME).write_text(text + '\n', encoding='utf-8')
