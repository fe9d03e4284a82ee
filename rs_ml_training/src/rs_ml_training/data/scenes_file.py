"""Which files of a folder show the same scene, where their names do not tell."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.text_files import read_text

NAME = 'scenes.csv'
_HEADER = ['name', 'scene']


def read_scenes(folder: Path) -> dict[str, str]:
    """Scene by sample name of a folder with `scenes.csv` (name, scene), nothing without it.

    Raises:
        InputError: it is not such a file.
    """
    path = folder / NAME
    if not path.is_file():
        return {}
    header, *rows = list(csv.reader(io.StringIO(read_text(path)))) or [[]]
    if header != _HEADER or any(len(row) != len(_HEADER) for row in rows):
        raise InputError(f'{path} is not a list of name,scene with that header: write it again')
    return {name: scene for name, scene in rows}


def write_scenes(scenes: Mapping[str, str], folder: Path) -> None:
    """Write `scenes.csv`, so that copies and parts of one picture stay on one side of a split."""
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows([_HEADER, *scenes.items()])
    (folder / NAME).write_text(text.getvalue(), encoding='utf-8')
