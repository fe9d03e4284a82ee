"""Random changes of labelled objects and of their backgrounds.

Pixels of objects have labels other than 0 (background) and IGNORE.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data import geometry
from rs_ml_training.data.image_files import read_rgb
from rs_ml_training.data.sample import IGNORE, Sample

_SUFFIXES = {'.jpg', '.jpeg', '.png', '.bmp'}


@dataclass(frozen=True)
class Textures:
    """Makes backgrounds.

    Attributes:
        folder: images in it and below it are used, such as the Describable Textures Dataset;
            None: patterns are drawn.
    """

    folder: Path | None = None

    def __call__(self, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        """A background uint8 (H, W, 3) of (width, height).

        Raises:
            InputError: the folder holds no image, or one that cannot be read.
        """
        if self.folder is None:
            return drawn(size, rng)
        path = self._paths[rng.integers(len(self._paths))]
        return _covering(read_rgb(path), size, rng)

    @cached_property
    def _paths(self) -> list[Path]:
        files = [] if self.folder is None else sorted(self.folder.rglob('*'))
        paths = [path for path in files if path.suffix.lower() in _SUFFIXES]
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
    """A random part of the image, enlarged where it is too small."""
    height, width = picture.shape[:2]
    factor = max(size[0] / width, size[1] / height, 1.0)
    large = max(round(width * factor), size[0]), max(round(height * factor), size[1])
    picture = cv2.resize(picture, large) if factor > 1 else picture
    x = rng.integers(picture.shape[1] - size[0] + 1)
    y = rng.integers(picture.shape[0] - size[1] + 1)
    return picture[y : y + size[1], x : x + size[0]]


@dataclass(frozen=True)
class ReplaceBackground:
    """Another background; its depth is unknown.

    Attributes:
        textures: make it.
    """

    textures: Textures = field(default_factory=Textures)

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        if sample.labels is None or sample.image is None:
            return sample
        return _before(self.textures(sample.size, rng), sample, sample.labels != 0)


@dataclass(frozen=True)
class PasteObjects:
    """The objects, turned and enlarged, at a random place on another background.

    Attributes:
        textures: make the background.
        low, high: limits of the enlargement; depth is divided by it.
        degrees: limits of the angle they are turned by.
    """

    textures: Textures = field(default_factory=Textures)
    low: float = 1.0
    high: float = 2.0
    degrees: tuple[float, float] = (10.0, 350.0)

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        factor, angle = rng.uniform(self.low, self.high), rng.uniform(*self.degrees)
        if sample.labels is None or sample.image is None or not objects_of(sample).any():
            return sample
        size = sample.size
        around = _square_around(sample, objects_of(sample))
        moved = geometry.rotated(geometry.scaled(around, factor), angle)
        placed = _placed(moved, size, rng)
        return _before(self.textures(size, rng), placed, objects_of(placed))


@dataclass(frozen=True)
class ObjectColor:
    """Another colour of the objects: each channel weighted at random within their mask.

    Attributes:
        low, high: limits of the weights.
    """

    low: float = 0.5
    high: float = 1.5

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        weights = rng.uniform(self.low, self.high, 3)
        if sample.labels is None or sample.image is None:
            return sample
        table = np.clip(np.rint(np.arange(256)[:, None] * weights), 0, 255).astype(np.uint8)
        colored = cv2.LUT(np.ascontiguousarray(sample.image), table[None])
        return replace(sample, image=_over(sample.image, colored, objects_of(sample)))


def objects_of(sample: Sample) -> np.ndarray:
    """Where the objects are, bool (H, W)."""
    if sample.labels is None:
        return np.zeros(sample.size[::-1], bool)
    return (sample.labels != 0) & (sample.labels != IGNORE)


def _before(background: np.ndarray, sample: Sample, mask: np.ndarray) -> Sample:
    """The masked part of a sample in front of a background without depth."""

    def known(depth_m: np.ndarray | None) -> np.ndarray | None:
        return None if depth_m is None else np.where(mask, depth_m, np.float32(0))

    return replace(
        sample,
        image=_over(background, sample.rgb, mask),
        labels=None if sample.labels is None else np.where(mask, sample.labels, np.uint8(0)),
        depth_m=known(sample.depth_m),
        raw_depth_m=known(sample.raw_depth_m),
    )


def _over(below: np.ndarray, above: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The image above where the mask is, that below elsewhere."""
    return cv2.copyTo(above, mask.astype(np.uint8), below.copy())


def _square_around(sample: Sample, mask: np.ndarray) -> Sample:
    """A square in which the objects can be turned without being cut; boxes are not kept."""
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    side = int(np.ceil(np.hypot(width, height))) + 2
    left, top = x + width // 2 - side // 2, y + height // 2 - side // 2
    return geometry.cropped(replace(sample, boxes=None), left, top, side, side)


def _placed(sample: Sample, size: tuple[int, int], rng: np.random.Generator) -> Sample:
    """On a canvas of (width, height), the middle of the sample at a random place of it."""
    x, y = (int(rng.integers(side)) for side in size)
    width, height = sample.size
    return geometry.cropped(sample, width // 2 - x, height // 2 - y, *size)
