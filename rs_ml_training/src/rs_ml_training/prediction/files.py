"""Files that are there whole or not at all, in a folder that was empty."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.output_folder import write_file


def write_picture(path: Path, pixels: np.ndarray) -> None:
    """Write RGB (H, W, 3) or one channel (H, W) as the suffix says.

    Raises:
        InputError: it cannot be written.
    """
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    _, encoded = cv2.imencode(path.suffix, bgr)
    write_file(path, encoded.tobytes(), replace=True)


def write_files(folder: Path, stem: str, files: Mapping[str, np.ndarray | bytes]) -> None:
    """Write pictures and bytes by the ending that follows the stem.

    Raises:
        InputError: one cannot be written.
    """
    for ending, content in files.items():
        path = folder / f'{stem}{ending}'
        if isinstance(content, bytes):
            write_file(path, content, replace=True)
        else:
            write_picture(path, content)


def file_stem(name: str) -> str:
    """The name of a sample as one path component."""
    return re.sub(r'[/\\:]+', '_', name).strip('_') or 'image'


class Names:
    """File stems that differ, made of names that may not."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def unique(self, name: str) -> str:
        """The stem of a name; `_2`, `_3` ... where it was taken before."""
        stem = file_stem(name)
        chosen, number = stem, 1
        while chosen in self._taken:
            number += 1
            chosen = f'{stem}_{number}'
        self._taken.add(chosen)
        return chosen


def empty_folder(folder: Path, inputs: Iterable[str], force: bool) -> Path:
    """Make the folder for results.

    Args:
        folder: to be made; may exist if empty.
        inputs: paths that are read; none may lie where results are written.
        force: whether files in the folder may be replaced.

    Raises:
        ConfigError: the folder holds files and `force` is not set, or inputs lie in it.
    """
    where = folder.resolve()
    for text in inputs:
        path = Path(text.partition(':')[2] if not Path(text).exists() else text).resolve()
        if where == path or (path.is_file() and where == path.parent):
            raise ConfigError(f'{folder} holds the input {text}: choose another folder for --out')
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f'{folder} is a file: choose a folder for --out')
    if not force and folder.is_dir() and any(folder.iterdir()):
        raise ConfigError(f'{folder} is not empty: choose another, or replace files with --force')
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f'{folder} cannot be made: {error.strerror}') from error
    return folder
