"""Random changes of the colour image; nothing else is touched."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from rs_ml_training.data.sample import Sample

Range = tuple[float, float]
LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in the gray of ITU-R BT.601."""


@dataclass(frozen=True)
class Jitter:
    """Brightness, contrast and saturation by random factors in one linear step.

    Attributes:
        brightness: limits of the factor on all channels.
        contrast: limits of the factor on the distance from the mean gray of the image.
        saturation: limits of the factor on the distance from the gray of the pixel.
        offset: limits of the value added at the end [gray levels].
    """

    brightness: Range = (1.0, 1.0)
    contrast: Range = (1.0, 1.0)
    saturation: Range = (1.0, 1.0)
    offset: Range = (0.0, 0.0)

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        ranges = self.brightness, self.contrast, self.saturation, self.offset
        brightness, contrast, saturation, offset = (rng.uniform(*r) for r in ranges)
        if sample.image is None:
            return sample
        if self.saturation == (1.0, 1.0):
            mean = LUMA @ cv2.mean(sample.image)[:3] if contrast != 1 else 0.0
            table = brightness * (contrast * (np.arange(256) - mean) + mean) + offset
            return replace(sample, image=cv2.LUT(sample.image, _table(table)))
        mean = LUMA @ cv2.mean(sample.image)[:3]
        color = saturation * np.eye(3) + (1 - saturation) * np.outer(np.ones(3), LUMA)
        constant = np.full((3, 1), brightness * (1 - contrast) * mean + offset)
        matrix = np.hstack([brightness * contrast * color, constant])
        return replace(sample, image=cv2.transform(sample.image, matrix))


@dataclass(frozen=True)
class GammaColor:
    """Gamma, brightness and the weight of each channel, as BTS is trained.

    Attributes:
        gamma: limits of the exponent on 0..1.
        brightness: limits of the factor on all channels.
        color: limits of the factor of each channel.
    """

    gamma: Range = (0.9, 1.1)
    brightness: Range = (0.75, 1.25)
    color: Range = (0.9, 1.1)

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        gamma, brightness = rng.uniform(*self.gamma), rng.uniform(*self.brightness)
        weights = rng.uniform(*self.color, 3)
        if sample.image is None:
            return sample
        curve = 255 * brightness * (np.arange(256) / 255) ** gamma
        table = _table(curve[:, None] * weights)[None]
        return replace(sample, image=cv2.LUT(sample.image, table))


@dataclass(frozen=True)
class Jpeg:
    """Compress and decompress.

    Attributes:
        low, high: limits of the JPEG quality.
    """

    low: int = 30
    high: int = 90

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        quality = int(rng.integers(self.low, self.high + 1))
        if sample.image is None:
            return sample
        bgr = cv2.cvtColor(sample.image, cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert decoded is not None  # it was just encoded
        return replace(sample, image=cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB))


@dataclass(frozen=True)
class Blur:
    """Gaussian blur with an odd kernel.

    Attributes:
        low, high: limits of the side of the kernel [px].
    """

    low: int = 3
    high: int = 19

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        side = 2 * int(rng.integers(self.low // 2, self.high // 2 + 1)) + 1
        if sample.image is None:
            return sample
        return replace(sample, image=cv2.GaussianBlur(sample.image, (side, side), 0))


@dataclass(frozen=True)
class Equalize:
    """Histogram equalisation of each channel."""

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        if sample.image is None:
            return sample
        channels = [cv2.equalizeHist(c) for c in cv2.split(sample.image)]
        return replace(sample, image=cv2.merge(channels))


@dataclass(frozen=True)
class Erase:
    """Paint rectangles over, each in one random colour, so that hidden parts must be inferred.

    Attributes:
        count: most rectangles; at least one is painted.
        low, high: limits of their sides as fractions of those of the image.
    """

    count: int = 3
    low: float = 0.08
    high: float = 0.35

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        rectangles = rng.random((rng.integers(1, self.count + 1), 4))
        colors = rng.integers(0, 256, (len(rectangles), 3))
        if sample.image is None:
            return sample
        image = sample.image.copy()
        for shares, color in zip(rectangles, colors, strict=True):
            rows, columns = self._part(shares, image.shape)
            image[rows, columns] = color
        return replace(sample, image=image)

    def _part(self, shares: np.ndarray, shape: tuple[int, ...]) -> tuple[slice, slice]:
        whole = np.array(shape[:2])
        sides = np.rint(whole * (self.low + (self.high - self.low) * shares[:2])).astype(int)
        start = np.rint((whole - sides) * shares[2:]).astype(int)
        rows, columns = (slice(a, a + n) for a, n in zip(start, sides, strict=True))
        return rows, columns


@dataclass(frozen=True)
class Border:
    """The outermost pixels turn white or repeat the pixels inside them, each half of the time.

    The rectified images of NYU Depth v2 have a white border of 4 to 7 of 640 pixels, other
    cameras' have none. A network must not read the scale of a scene from it.

    Attributes:
        width: of the border as a fraction of the image's width.
    """

    width: float = 0.012

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        is_white = rng.random() < 0.5
        if sample.image is None:
            return sample
        height, width = sample.image.shape[:2]
        n = min(max(round(width * self.width), 1), (min(height, width) - 1) // 2)
        inside = sample.image[n : height - n, n : width - n]
        kind = cv2.BORDER_CONSTANT if is_white else cv2.BORDER_REPLICATE
        image = cv2.copyMakeBorder(inside, n, n, n, n, kind, value=(255, 255, 255))
        return replace(sample, image=image)


def _table(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
