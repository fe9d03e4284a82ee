"""Errors of a stereo depth camera, applied at random to `raw_depth_m`.

Each step changes measured depth and leaves the truth alone; a sample without a
measurement gets one made from its truth.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from rs_ml_training.data.augment.chain import Augment
from rs_ml_training.data.sample import Sample


class DepthFault(abc.ABC):
    """A step that changes measured depth, or the truth where nothing was measured.

    A sample without any depth stays as it is.
    """

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        depth_m = sample.depth_m if sample.raw_depth_m is None else sample.raw_depth_m
        return sample if depth_m is None else replace(sample, raw_depth_m=self.spoil(depth_m, rng))

    @abc.abstractmethod
    def spoil(self, depth_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The changed measurement: float32 (H, W) [m], 0 = none."""


@dataclass(frozen=True)
class Simulated:
    """A measurement made from the truth, where the data set has none.

    Attributes:
        faults: steps that turn the truth into a measurement.
    """

    faults: Augment

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        if sample.raw_depth_m is not None or sample.depth_m is None:
            return sample
        return self.faults(replace(sample, raw_depth_m=sample.depth_m), rng)


@dataclass(frozen=True)
class QuadraticNoise(DepthFault):
    """Noise that grows with the square of the distance, as that of any stereo camera.

    Attributes:
        low, high: limits of the standard deviation at 1 m [m].
        grain_px: noise is drawn on a grid this much coarser, as matching windows make it.
    """

    low: float = 0.0005
    high: float = 0.004
    grain_px: int = 3

    def spoil(self, depth_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        height, width = depth_m.shape
        coarse = -(-height // self.grain_px), -(-width // self.grain_px)
        grain = cv2.resize(rng.standard_normal(coarse, np.float32), (width, height))
        sigma_m = np.float32(rng.uniform(self.low, self.high)) * depth_m**2
        return np.maximum(depth_m + sigma_m * grain, 0)


@dataclass(frozen=True)
class Holes(DepthFault):
    """Elliptical parts where the camera saw nothing.

    Attributes:
        most: up to so many.
        low, high: limits of the half axes as a fraction of the smaller side.
    """

    most: int = 8
    low: float = 0.01
    high: float = 0.12

    def spoil(self, depth_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        def hole() -> Patch:
            axes = np.maximum(rng.uniform(self.low, self.high, 2) * min(depth_m.shape), 1)
            return Patch(axes.astype(int).tolist(), rng.uniform(0, 180), 0)

        return _patched(depth_m, self.most, hole, rng)


@dataclass(frozen=True)
class Speckle(DepthFault):
    """Single pixels without a measurement.

    Attributes:
        high: up to this fraction of the pixels.
    """

    high: float = 0.05

    def spoil(self, depth_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        lost = rng.random(depth_m.shape, np.float32) < rng.uniform(0, self.high)
        return np.where(lost, np.float32(0), depth_m)


@dataclass(frozen=True)
class Farthest(DepthFault):
    """Nothing is measured beyond some distance.

    Attributes:
        low, high: limits of that distance [m].
    """

    low: float = 4.0
    high: float = 10.0

    def spoil(self, depth_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        farthest_m = np.float32(rng.uniform(self.low, self.high))
        return np.where(depth_m < farthest_m, depth_m, np.float32(0))


@dataclass(frozen=True)
class OtherScale(DepthFault):
    """All distances times one factor: the same image from a lower camera in a smaller world.

    Rooms are photographed at the height of a chest, robots see them from that of a shin: what is
    learned must not hang on how high above the floor the camera is.

    Attributes:
        low, high: limits of the factor, drawn evenly on a logarithmic scale.
    """

    low: float = 0.2
    high: float = 1.25

    def spoil(self, depth_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return depth_m * np.float32(np.exp(rng.uniform(np.log(self.low), np.log(self.high))))


@dataclass(frozen=True)
class NoDepth:
    """Nothing is measured at all; a sample without a measurement stays as it is."""

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        raw_m = sample.raw_depth_m
        return sample if raw_m is None else replace(sample, raw_depth_m=np.zeros_like(raw_m))


@dataclass(frozen=True)
class FlyingPixels(DepthFault):
    """Points between foreground and background along the edges of objects, and gaps there.

    Attributes:
        step_m: a larger jump between neighbours is an edge [m].
        share: fraction of the pixels at edges that fly.
        lost: of the pixels at edges that are not measured at all.
    """

    step_m: float = 0.05
    share: float = 0.4
    lost: float = 0.2

    def spoil(self, depth_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        kernel = np.ones((3, 3), np.uint8)
        far_m = cv2.dilate(depth_m, kernel)
        near_m = cv2.erode(np.where(depth_m > 0, depth_m, far_m), kernel)
        edge = (far_m - near_m > self.step_m) & (depth_m > 0)
        draw = rng.random(depth_m.shape, np.float32)
        mixed_m = near_m + rng.random(depth_m.shape, np.float32) * (far_m - near_m)
        out = np.where(edge & (draw < self.share), mixed_m, depth_m)
        lost = edge & (draw > 1 - self.lost)
        return np.where(lost, np.float32(0), out)


@dataclass(frozen=True)
class InfraredGain:
    """Another exposure of the infrared image.

    Attributes:
        low, high: limits of the factor.
        offset: up to this much is added or taken away [gray levels].
    """

    low: float = 0.5
    high: float = 1.6
    offset: float = 15.0

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        gain, offset = rng.uniform(self.low, self.high), rng.uniform(-self.offset, self.offset)
        if sample.infrared is None:
            return sample
        table = np.clip(np.rint(np.arange(256) * gain + offset), 0, 255).astype(np.uint8)
        return replace(sample, infrared=cv2.LUT(sample.infrared, table))


@dataclass(frozen=True)
class NoInfrared:
    """A camera without infrared image: all black."""

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        if sample.infrared is None:
            return sample
        return replace(sample, infrared=np.zeros_like(sample.infrared))


@dataclass(frozen=True)
class Outliers(DepthFault):
    """Patches matched to a wrong place: a distance that has nothing to do with the scene.

    Attributes:
        most: up to so many.
        high_px: up to this radius.
        near_m, far_m: limits of their depth, drawn evenly in disparity [m].
    """

    most: int = 12
    high_px: int = 7
    near_m: float = 0.3
    far_m: float = 10.0

    def spoil(self, depth_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        def mismatch() -> Patch:
            axes = rng.integers(1, self.high_px + 1, 2).tolist()
            wrong_m = 1 / rng.uniform(1 / self.far_m, 1 / self.near_m)
            return Patch(axes, rng.uniform(0, 180), wrong_m)

        return _patched(depth_m, self.most, mismatch, rng)


@dataclass(frozen=True)
class Patch:
    """An ellipse of one depth.

    Attributes:
        axes: half axes, whole [px].
        angle: of the first one [degrees].
        depth_m: inside; 0: nothing is measured there.
    """

    axes: Sequence[int]
    angle: float
    depth_m: float


def _patched(
    depth_m: np.ndarray, most: int, draw: Callable[[], Patch], rng: np.random.Generator
) -> np.ndarray:
    """A copy with up to so many patches, each anywhere."""
    depth_m, (height, width) = depth_m.copy(), depth_m.shape
    for _ in range(rng.integers(most + 1)):
        center = int(rng.integers(width)), int(rng.integers(height))
        patch = draw()
        cv2.ellipse(depth_m, center, patch.axes, patch.angle, 0, 360, patch.depth_m, -1)
    return depth_m
