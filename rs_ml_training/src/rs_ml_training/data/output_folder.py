"""Folders and files that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder to write into, next to `out`; it becomes `out` if all goes well.

    Args:
        out: must not exist, or be empty.

    Raises:
        ConfigError: `out` holds files.
        InputError: something cannot be written, as on a full disk; nothing is left behind.
    """
    out = Path(out).absolute()
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ConfigError(f'{out} holds files: name a new folder')
    partial = out.with_name(f'{out.name}.partial-{os.getpid()}')
    try:
        partial.mkdir(parents=True)
        yield partial
        # A rename replaces an empty folder.
        partial.rename(out)
    except OSError as error:
        raise InputError(f'{out} cannot be written: {error.strerror or error}') from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def put_in_place(fresh: Path, out: Path, aside: Path) -> None:
    """Rename a folder to one that may exist; the old one stays if that fails.

    Args:
        fresh: the new folder.
        out: where, on the same file system.
        aside: name for the old one, which is the caller's to delete.

    Raises:
        OSError: it cannot be renamed.
    """
    if not out.exists():
        fresh.rename(out)
        return
    out.rename(aside)
    try:
        fresh.rename(out)
    except OSError:
        aside.rename(out)
        raise


class Png(Enum):
    """How much time a PNG may take; the pixels are the same.

    SMALL: as much as it needs to be small.
    SMOOTH: half of that for about a tenth more bytes.
    NOISY: a third of it, for noisy images, in which little repeats.
    """

    SMALL = 'small'
    SMOOTH = 'smooth'
    NOISY = 'noisy'


def write_png(path: Path, array: np.ndarray, effort: Png = Png.SMALL) -> None:
    """Write an image as `png_of` gives it; folders are made.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png_of(array, effort))


def png_of(array: np.ndarray, effort: Png = Png.SMALL) -> bytes:
    """The bytes of a PNG.

    Args:
        array: uint8 RGB (H, W, 3) or uint8 or uint16 (H, W).
        effort: time spent on it.
    """
    stored = cv2.cvtColor(array, cv2.COLOR_RGB2BGR) if array.ndim == 3 else array
    flags = _png_flags(stored, effort)
    return cv2.imencode('.png', np.ascontiguousarray(stored), flags)[1].tobytes()


def _png_flags(stored: np.ndarray, effort: Png) -> list[int]:
    if effort is Png.SMALL:
        return [cv2.IMWRITE_PNG_COMPRESSION, 2]
    # Without a level OpenCV takes the first one, and one filter instead of trying five for each
    # row; its way of then finding repetitions suits no depth.
    if effort is Png.NOISY:
        return [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY]
    depth = stored.dtype == np.uint16
    return [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT] if depth else []


def write_file(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write a file whole or not at all.

    Args:
        path: of the file.
        data: its content.
        replace: whether there may be such a file already.

    Raises:
        ConfigError: there is such a file.
        InputError: it cannot be written; one that was there stays.
    """
    if path.exists() and not replace:
        raise ConfigError(f'{path} exists: name a new file')
    partial = path.with_name(f'{path.name}.partial-{os.getpid()}')
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        raise InputError(f'{path} cannot be written: {error.strerror or error}') from error
    finally:
        partial.unlink(missing_ok=True)
