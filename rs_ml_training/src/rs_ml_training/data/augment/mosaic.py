"""Four pictures in one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rs_ml_training.data.augment.detection import ScaledCrop
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Boxes, Sample


@dataclass(frozen=True)
class Mosaic:
    """A random part of the picture and of three others around a random point (YOLOv4).

    Objects appear small, cut, and in other surroundings; nothing is left but picture and boxes.
    Which classes are marked is what the picture says, and `source` must mark at least these.

    Attributes:
        source: where the others come from.
        size: (width, height) of the result; None: that of the sample.
        low, high: limits of the factor on the pictures, stretched to the result.
        margin: share of the sides that the point keeps from the border.
    """

    source: Reader
    size: tuple[int, int] | None = None
    low: float = 0.4
    high: float = 1.2
    margin: float = 0.25

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        width, height = self.size or sample.size
        if sample.image is None or sample.boxes is None:
            return sample
        x, y = (round(s * rng.uniform(self.margin, 1 - self.margin)) for s in (width, height))
        corners = [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]
        image, boxes = np.empty((height, width, 3), np.uint8), []
        for index, (left, top, right, bottom) in enumerate(corners):
            tile = self._tile(sample if index == 0 else None, (width, height), rng)
            tile = self._cut(tile, (right - left, bottom - top), (width, height), rng)
            image[top:bottom, left:right] = tile.image
            shift = np.array([left, top] * 2, np.float32)
            boxes.append(replace(tile.boxes, xyxy=tile.boxes.xyxy + shift))
        return Sample(
            sample.name, sample.scene, image=image, boxes=_joined(boxes), marked=sample.marked
        )

    def _tile(
        self, sample: Sample | None, size: tuple[int, int], rng: np.random.Generator
    ) -> Sample:
        """Picture and boxes of the sample, or of another one that has boxes."""
        if sample is None:
            sample = self.source.read(int(rng.integers(len(self.source))))
        boxes = Boxes.of([], []) if sample.boxes is None else sample.boxes
        if sample.image is None:
            sample = replace(sample, image=np.zeros((*size[::-1], 3), np.uint8))
        return Sample(sample.name, image=sample.image, boxes=boxes)

    def _cut(
        self,
        tile: Sample,
        size: tuple[int, int],
        whole: tuple[int, int],
        rng: np.random.Generator,
    ) -> Sample:
        """A part of the tile, whose scale is that of the whole result."""
        share = max(have / want for have, want in zip(size, whole, strict=True))
        crop = ScaledCrop(size, max(self.low, share), max(self.high, share), of=whole)
        return crop(tile, rng)


def _joined(parts: list[Boxes]) -> Boxes:
    return Boxes(
        np.concatenate([b.xyxy for b in parts]),
        np.concatenate([b.class_ids for b in parts]),
        np.concatenate([b.is_crowd for b in parts]),
    )
