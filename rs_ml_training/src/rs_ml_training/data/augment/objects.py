"""Random changes of labelled objects and of what is behind them.

An object is every pixel whose label is neither 0 (background) nor IGNORE.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from rs_ml_training.data import geometry
from rs_ml_training.data.augment.textures import Textures
from rs_ml_training.data.sample import IGNORE, Sample


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
    return (sample.labels != 0) & (sample.labels != IGNORE)


def _before(background: np.ndarray, sample: Sample, mask: np.ndarray) -> Sample:
    """What the mask shows of a sample before a background without depth."""

    def known(depth_m: np.ndarray | None) -> np.ndarray | None:
        return None if depth_m is None else np.where(mask, depth_m, np.float32(0))

    return replace(
        sample,
        image=_over(background, sample.image, mask),
        labels=np.where(mask, sample.labels, np.uint8(0)),
        depth_m=known(sample.depth_m),
        raw_depth_m=known(sample.raw_depth_m),
    )


def _over(below: np.ndarray, above: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The picture above where the mask is, that below elsewhere."""
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
