"""Random changes of geometry: all maps, boxes and the camera move together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_training.data import geometry
from rs_ml_training.data.sample import Sample


@dataclass(frozen=True)
class Resize:
    """Stretch to (width, height)."""

    size: tuple[int, int]

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        return geometry.resized(sample, self.size)


@dataclass(frozen=True)
class RandomCrop:
    """A part of (width, height) at a random place."""

    size: tuple[int, int]

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        return geometry.random_crop(sample, self.size, rng)


@dataclass(frozen=True)
class RandomPart:
    """A part of random size, as it is.

    Attributes:
        low, high: limits of its width as a fraction of the picture's.
        aspect: width / height of the part; None: that of the image.
    """

    low: float = 0.6
    high: float = 0.95
    aspect: float | None = None

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        width, height = sample.size
        part = max(round(width * rng.uniform(self.low, self.high)), 1)
        tall = max(round(part / (self.aspect or width / height)), 1)
        return geometry.random_crop(sample, (part, min(tall, height)), rng)


@dataclass(frozen=True)
class Near:
    """Come nearer at random: larger images of smaller depth, not yet cropped (FastDepth).

    Attributes:
        size: (width, height) of the whole image at factor `low`; None: its own.
        low, high: limits of the factor.
    """

    size: tuple[int, int] | None = None
    low: float = 1.0
    high: float = 1.5

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        return geometry.scaled(sample, rng.uniform(self.low, self.high), self.size)


@dataclass(frozen=True)
class Zoom:
    """A narrower field of view at random: a part, enlarged, whose depth is divided by the zoom.

    At a fixed focal length in pixels of the network's input, an image of twice the focal length
    is that of a camera at half the distance (Facil et al., CAM-Convs, CVPR 2019). The zoom is
    log-uniform, so that near scenes are as frequent as far ones.

    Attributes:
        size: (width, height) of the whole image at zoom 1; None: its own.
        high: largest zoom.
        nearest_m: no zoom brings the median of the depth below this [m].
    """

    size: tuple[int, int] | None = None
    high: float = 3.0
    nearest_m: float = 0.4

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        zoom = float(np.exp(rng.uniform(0, np.log(self.high))))
        known = np.zeros(0) if sample.depth_m is None else sample.depth_m[sample.depth_m > 0]
        if known.size:
            zoom = max(1.0, min(zoom, float(np.median(known)) / self.nearest_m))
        return geometry.scaled(sample, zoom, self.size)


@dataclass(frozen=True)
class Rescale:
    """Stretch both sides by one random factor, then crop or pad at random to the old size.

    Attributes:
        low, high: limits of the factor.
    """

    low: float = 0.8
    high: float = 1.2

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        size, factor = sample.size, rng.uniform(self.low, self.high)
        width, height = (max(round(s * factor), 1) for s in size)
        stretched = geometry.resized(sample, (width, height))
        return geometry.random_crop(stretched, size, rng)


@dataclass(frozen=True)
class Rotate:
    """Turn about the centre.

    Attributes:
        low, high: limits of the angle [degrees].
        size: (width, height) of the middle that is kept; None: as large as it was.
        both_ways: the sign is drawn too.
    """

    low: float
    high: float
    size: tuple[int, int] | None = None
    both_ways: bool = False

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        angle = rng.uniform(self.low, self.high)
        if self.both_ways and rng.random() < 0.5:
            angle = -angle
        return geometry.rotated(sample, angle, self.size)


@dataclass(frozen=True)
class RotatedCrop:
    """Turn about the centre and cut out a part at a random place, which alone is computed.

    Attributes:
        low, high: limits of the angle [degrees].
        size: (width, height) of the part [px].
    """

    low: float
    high: float
    size: tuple[int, int]

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        angle = rng.uniform(self.low, self.high)
        corner = geometry.random_corner(sample.size, self.size, rng)
        return geometry.rotated(sample, angle, self.size, corner)


@dataclass(frozen=True)
class Shift:
    """Move sideways and up or down; the uncovered border is unknown.

    Attributes:
        low, high: limits of the distance in x and in y [px].
    """

    low: int = 0
    high: int = 100

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        x, y = rng.integers(self.low, self.high + 1, 2) * rng.choice([-1, 1], 2)
        return geometry.cropped(sample, int(x), int(y), *sample.size)


@dataclass(frozen=True)
class Flip:
    """Mirror left to right."""

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        return geometry.flipped(sample)


@dataclass(frozen=True)
class FlipVertically:
    """Mirror upside down."""

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        return geometry.flipped_vertically(sample)


@dataclass(frozen=True)
class Roll:
    """Turn a panorama about its vertical axis by any angle."""

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        return geometry.rolled(sample, int(rng.integers(sample.size[0])))
