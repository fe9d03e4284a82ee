"""Strips of many samples on one picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from rs_ml_training.prediction.files import write_picture


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
        """Write what there is."""
        if self._strips:
            write_picture(self._out / f'sheet_{self._written:03d}.png', sheet(self._strips))
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
