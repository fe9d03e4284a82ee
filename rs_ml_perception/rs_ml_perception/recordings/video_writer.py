"""Videos written frame by frame."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from rs_ml_perception.core.drawing.tiles import fitted
from rs_ml_perception.core.errors import ConfigError

UNKNOWN_FPS = 30.0
"""Frames per second if the frames have no stamps."""

_PACING_FRAMES = 8
_FPS_RANGE = (0.1, 240.0)


class VideoWriter:
    """An mp4 file that appears when it is complete; an unfinished one is removed.

    Args:
        path: of the file.
        fps: frames per second; None: from the stamps of the first frames.

    Example:
        >>> with VideoWriter(Path('depth.mp4'), fps=30.0) as video:  # doctest: +SKIP
        ...     video.write(image)
    """

    def __init__(self, path: Path, fps: float | None = None) -> None:
        self._path, self._fps = path, fps
        self._partial = path.with_name(f'.part.{path.name}')
        self._writer: cv2.VideoWriter | None = None
        self._size = 0, 0
        self._waiting: list[tuple[np.ndarray, int]] = []

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, error: type | None, *_: object) -> None:
        # An interrupt ends a webcam, and its video is kept.
        is_whole = error is None or issubclass(error, KeyboardInterrupt)
        if is_whole:
            self._start()
        if self._writer is None:
            return
        self._writer.release()
        if is_whole:
            self._partial.replace(self._path)
        else:
            self._partial.unlink(missing_ok=True)

    def write(self, rgb: np.ndarray, stamp_ns: int = 0) -> None:
        """Append a frame; one of another size than the first is fitted between bars.

        Args:
            rgb: uint8 (H, W, 3), RGB; odd sides lose a row or column.
            stamp_ns: used if the writer has no fps.

        Raises:
            ConfigError: the file cannot be written.
        """
        if self._writer is not None:
            self._append(rgb)
            return
        self._waiting.append((rgb, stamp_ns))
        if self._fps is not None or len(self._waiting) == _PACING_FRAMES:
            self._start()

    def _start(self) -> None:
        """Open the file, and write the frames that wait."""
        if self._writer is not None or not self._waiting:
            return
        rows, columns = self._waiting[0][0].shape[:2]
        self._size = columns & ~1, rows & ~1
        fps = self._fps or fps_of([stamp_ns for _, stamp_ns in self._waiting])
        codec = cv2.VideoWriter.fourcc(*'mp4v')
        self._writer = cv2.VideoWriter(str(self._partial), codec, fps, self._size)
        if not self._writer.isOpened():
            raise ConfigError(
                f'{self._path} cannot be written as a video of {columns}x{rows} at {fps:g} '
                'frames/s: end its name in .mp4, in a folder that exists'
            )
        for rgb, _ in self._waiting:
            self._append(rgb)
        self._waiting = []

    def _append(self, rgb: np.ndarray) -> None:
        width, height = self._size
        if rgb.shape[0] & ~1 != height or rgb.shape[1] & ~1 != width:
            rgb = fitted(rgb, self._size, interpolation=cv2.INTER_AREA)
        assert self._writer is not None
        self._writer.write(cv2.cvtColor(rgb[:height, :width], cv2.COLOR_RGB2BGR))


def fps_of(stamps_ns: list[int]) -> float:
    """Frames per second, from the median distance of stamps; 30 if there is none."""
    periods_ns = np.diff(stamps_ns)
    periods_ns = periods_ns[periods_ns > 0]
    if not len(periods_ns):
        return UNKNOWN_FPS
    fps = round(1e9 / float(np.median(periods_ns)), 2)
    return float(np.clip(fps, *_FPS_RANGE))
