"""Pictures written as a video."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.prediction.rendering import Files

_FRAMES = ('_color.png', '_overlay.png', '_strip.png', '_normals.png', '_error.png')
"""Endings of pictures that make a video."""


class VideoWriter:
    """An mp4 file that appears when it is complete; what is left unfinished is removed.

    Example:
        >>> with VideoWriter(Path('depth.mp4'), fps=30.0) as video:  # doctest: +SKIP
        ...     video.write(picture)
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path, self._fps = path, fps
        self._beside = path.with_name(f'.part.{path.name}')
        self._writer: cv2.VideoWriter | None = None
        self._size = 0, 0

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, error: type | None, *_: object) -> None:
        if self._writer is None:
            return
        self._writer.release()
        if error is None:
            self._beside.replace(self._path)
        else:
            self._beside.unlink(missing_ok=True)

    def write(self, rgb: np.ndarray) -> None:
        """Append a frame (H, W, 3); its size is that of the first, cut to even sides.

        Raises:
            InputError: the file cannot be written.
        """
        if self._writer is None:
            self._open(rgb.shape[1] & ~1, rgb.shape[0] & ~1)
        width, height = self._size
        if rgb.shape[0] < height or rgb.shape[1] < width:
            rgb = cv2.resize(rgb, (width, height))
        self._writer.write(cv2.cvtColor(rgb[:height, :width], cv2.COLOR_RGB2BGR))

    def _open(self, width: int, height: int) -> None:
        self._size = width, height
        codec = cv2.VideoWriter_fourcc(*'mp4v')
        self._writer = cv2.VideoWriter(str(self._beside), codec, self._fps, self._size)
        if not self._writer.isOpened():
            raise InputError(
                f'{self._path} cannot be written as a video of {width}x{height} at '
                f'{self._fps:g} frames/s: write single pictures'
            )


class Videos:
    """One video for each kind of picture that is made of a frame.

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
        """Append the pictures of a frame."""
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
