"""Backgrounds: pictures of a folder, or patterns drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.pictures import read_rgb

_SUFFIXES = {'.jpg', '.jpeg', '.png', '.bmp'}


@dataclass(frozen=True)
class Textures:
    """Makes backgrounds.

    Attributes:
        folder: pictures in it and below it are used, such as the Describable Textures Dataset;
            None: patterns are drawn.
    """

    folder: Path | None = None

    def __call__(self, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        """A background uint8 (H, W, 3) of (width, height).

        Raises:
            InputError: the folder holds no picture, or one that cannot be read.
        """
        if self.folder is None:
            return drawn(size, rng)
        path = self._paths[rng.integers(len(self._paths))]
        return _covering(read_rgb(path), size, rng)

    @cached_property
    def _paths(self) -> list[Path]:
        paths = sorted(p for p in self.folder.rglob('*') if p.suffix.lower() in _SUFFIXES)
        if not paths:
            raise InputError(f'{self.folder} holds no .jpg, .png or .bmp to use as background')
        return paths


def drawn(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A random pattern between two random colours, uint8 (H, W, 3)."""
    pattern = PATTERNS[rng.integers(len(PATTERNS))](size, rng)
    first, second = rng.integers(0, 256, (2, 3))
    table = first + np.linspace(0, 1, 256)[:, None] * (second - first)
    level = cv2.convertScaleAbs(pattern, alpha=255)
    return cv2.LUT(cv2.merge([level] * 3), np.rint(table).astype(np.uint8)[None])


def _clouds(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Noise of several octaves."""
    total = np.zeros(size[::-1], np.float32)
    for octave in range(2, 7):
        grid = rng.random((2**octave, 2**octave), np.float32)
        total += cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC) / 2**octave
    low, high = total.min(), total.max()
    return (total - low) / max(high - low, 1e-6)


def _stripes(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    return (np.sin(_ramp(size, rng) * rng.uniform(5, 80)) + 1) / 2


def _checks(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    waves = rng.uniform(5, 60)
    product = np.sin(_ramp(size, rng) * waves) * np.sin(_ramp(size, rng) * waves)
    return (product > 0).astype(np.float32)


def _gradient(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    ramp = _ramp(size, rng)
    return (ramp - ramp.min()) / max(float(np.ptp(ramp)), 1e-6)


def _grain(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    return np.clip(0.5 + rng.uniform(0.02, 0.2) * rng.standard_normal(size[::-1]), 0, 1)


PATTERNS: tuple[Callable[[tuple[int, int], np.random.Generator], np.ndarray], ...] = (
    _clouds,
    _stripes,
    _checks,
    _gradient,
    _grain,
)
"""Draw a pattern 0..1 (H, W) of (width, height)."""


def _ramp(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Distance along a random direction in units of the larger side."""
    angle = rng.uniform(0, np.pi)
    x, y = np.arange(size[0]) / max(size), np.arange(size[1]) / max(size)
    return x[None] * np.cos(angle) + y[:, None] * np.sin(angle) + rng.random()


def _covering(picture: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A random part of the picture, enlarged where it is too small."""
    height, width = picture.shape[:2]
    factor = max(size[0] / width, size[1] / height, 1.0)
    large = max(round(width * factor), size[0]), max(round(height * factor), size[1])
    picture = cv2.resize(picture, large) if factor > 1 else picture
    x = rng.integers(picture.shape[1] - size[0] + 1)
    y = rng.integers(picture.shape[0] - size[1] + 1)
    return picture[y : y + size[1], x : x + size[0]]
