"""Files of predictions, written whole or not at all: images, sheets of strips, videos."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.recordings.video_writer import VideoWriter

from rs_ml_training.data.output_folder import write_file
from rs_ml_training.prediction.rendering import Files

_FRAMES = ('_color.png', '_overlay.png', '_strip.png', '_normals.png', '_error.png')
"""Endings of images that make a video."""


def write_image(path: Path, pixels: np.ndarray) -> None:
    """Write RGB (H, W, 3) or one channel (H, W) as the suffix says.

    Raises:
        InputError: it cannot be written.
    """
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    _, encoded = cv2.imencode(path.suffix, bgr)
    write_file(path, encoded.tobytes(), replace=True)


def write_files(folder: Path, stem: str, files: Mapping[str, np.ndarray | bytes]) -> None:
    """Write images and bytes by the ending that follows the stem.

    Raises:
        InputError: one cannot be written.
    """
    for ending, content in files.items():
        path = folder / f'{stem}{ending}'
        if isinstance(content, bytes):
            write_file(path, content, replace=True)
        else:
            write_image(path, content)


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


class Sheets:
    """Collects strips and writes `sheet_000.png` and so on.

    Args:
        out: folder.
        rows: strips a sheet; 0 writes none.
        every: only each n-th strip is taken, the first one first.
    """

    def __init__(self, out: Path, rows: int, every: int = 1) -> None:
        self._out, self._rows, self._every = out, rows, every
        self._strips: list[np.ndarray] = []
        self._seen = self._written = 0

    def add(self, strip: np.ndarray) -> None:
        """Take a strip (H, W, 3); a sheet that is full is written."""
        if self._rows and self._seen % self._every == 0:
            self._strips.append(strip)
        self._seen += 1
        if self._rows and len(self._strips) == self._rows:
            self.finish()

    def finish(self) -> None:
        """Write the strips so far."""
        if self._strips:
            write_image(self._out / f'sheet_{self._written:03d}.png', sheet(self._strips))
            self._written += 1
            self._strips = []


def sheet(strips: list[np.ndarray]) -> np.ndarray:
    """Strips below each other, scaled to the width of the first."""
    width = strips[0].shape[1]
    return np.concatenate([_of_width(strip, width) for strip in strips], axis=0)


def _of_width(strip: np.ndarray, width: int) -> np.ndarray:
    if strip.shape[1] == width:
        return strip
    return cv2.resize(strip, (width, max(1, round(strip.shape[0] * width / strip.shape[1]))))


class Videos:
    """One video for each kind of image that is made of a frame.

    Args:
        path: where they go; `_color.mp4` and the like are appended.
        fps: frames per second.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path, self._fps, self._stack = path, fps, ExitStack()
        self._writers: dict[str, VideoWriter] = {}

    def __enter__(self) -> Videos:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def write(self, files: Files) -> None:
        """Append the images of a frame."""
        for ending in _FRAMES:
            picture = files.get(ending)
            if isinstance(picture, np.ndarray):
                self._writer(ending).write(_colored(picture))

    def _writer(self, ending: str) -> VideoWriter:
        if ending not in self._writers:
            path = self._path.with_name(self._path.name + ending.replace('.png', '.mp4'))
            self._writers[ending] = self._stack.enter_context(VideoWriter(path, self._fps))
        return self._writers[ending]


def _colored(picture: np.ndarray) -> np.ndarray:
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
