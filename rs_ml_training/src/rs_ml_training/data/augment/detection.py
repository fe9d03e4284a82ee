"""Random changes of images with boxes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from rs_ml_perception.core.objects.boxes import box_areas

from rs_ml_training.data import box_geometry, geometry
from rs_ml_training.data.polygons import OBJECTS
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Boxes, Sample


@dataclass(frozen=True)
class ScaledCrop:
    """An image of (width, height) that shows a random part, or all of it with a border.

    An object that is mostly cut off is ignored: a detection of it is neither right nor wrong.

    Attributes:
        size: (width, height) of the result; None: that of the sample.
        low, high: limits of the factor on the stretched image.
        min_share: of the area of a box that must be left.
        of: (width, height) that the image is stretched to before; None: the result's.
    """

    size: tuple[int, int] | None = None
    low: float = 0.6
    high: float = 1.6
    min_share: float = 0.3
    of: tuple[int, int] | None = None

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        size, factor = self.size or sample.size, rng.uniform(self.low, self.high)
        whole = self.of or size
        width, height = (max(round(s * factor), 1) for s in whole)
        large = geometry.resized(sample, (width, height))
        free = [have - want for have, want in zip(large.size, size, strict=True)]
        x, y = (int(rng.integers(min(f, 0), max(f, 0) + 1)) for f in free)
        part = geometry.cropped(large, x, y, *size)
        if large.boxes is None:
            return part
        return replace(part, boxes=_seen(large.boxes, (x, y), size, self.min_share))


@dataclass(frozen=True)
class CopyObjects:
    """Copies objects into the image, where they cover others.

    Along its outline where one is known (`extra['objects']`, see data.outlines), else its box
    with a soft border.

    Attributes:
        source: where the objects come from; None: the image itself.
        most: up to so many copies.
        low, high: limits of the factor on their size, which shrinks until the copy fits.
        covered: a box hidden by more than this fraction is ignored.
        outlined: whether objects without outline stay where they are.
    """

    source: Reader | None = None
    most: int = 3
    low: float = 0.5
    high: float = 1.5
    covered: float = 0.6
    outlined: bool = False

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        if sample.image is None or sample.boxes is None:
            return sample
        # The map of outlines counts the boxes as they were read.
        giver, boxes = sample, sample.boxes
        for _ in range(rng.integers(1, self.most + 1)):
            if self.source is not None:
                giver = self.source.read(int(rng.integers(len(self.source))))
            candidates = _candidates(giver, self.outlined)
            if giver.boxes is not None and len(candidates):
                index = int(rng.choice(candidates))
                box, class_id = giver.boxes.xyxy[index], giver.boxes.class_ids[index]
                sample, copied = self._with_copy(sample, giver, index, box, rng)
                if copied is not None:
                    boxes = _with_box(boxes, copied, class_id, self.covered)
        return replace(sample, boxes=boxes)

    def _with_copy(
        self,
        sample: Sample,
        giver: Sample,
        index: int,
        xyxy: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[Sample, np.ndarray | None]:
        """The sample with the object in it, and where; None where it is too small."""
        x0, y0, x1, y1 = np.rint(xyxy).astype(int)
        factor, mirror = rng.uniform(self.low, self.high), rng.random() < 0.5
        factor = min(factor, sample.size[0] / (x1 - x0), sample.size[1] / (y1 - y0))
        size = round((x1 - x0) * factor), round((y1 - y0) * factor)
        if min(size) < 2:
            return sample, None
        patch = np.dstack([giver.rgb[y0:y1, x0:x1], _opacity(giver, index, (x0, y0, x1, y1))])
        patch = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
        patch = cv2.flip(patch, 1) if mirror else patch
        x, y = (int(rng.integers(w - s + 1)) for s, w in zip(size, sample.size, strict=True))
        box = np.array([x, y, x + size[0], y + size[1]], np.float32)
        return _blended(sample, patch, x, y), box


def _candidates(giver: Sample, outlined: bool) -> np.ndarray:
    """Indices of the boxes that can be copied."""
    boxes = giver.boxes
    if boxes is None or not len(boxes) or giver.image is None:
        return np.zeros(0, int)
    sides = np.rint(boxes.xyxy[:, 2:]) - np.rint(boxes.xyxy[:, :2])
    fitting = (sides >= 2).all(axis=1) & ~boxes.is_crowd
    if outlined:
        drawn = np.unique(giver.extra.get(OBJECTS, np.zeros(1, np.uint8)))
        fitting &= np.isin(np.arange(len(boxes)) + 1, drawn)
    return np.flatnonzero(fitting)


def _opacity(giver: Sample, index: int, box: tuple[int, int, int, int]) -> np.ndarray:
    """uint8 (h, w) within the box: the outline of the object, else fading over a tenth."""
    x0, y0, x1, y1 = box
    if OBJECTS in giver.extra:
        mask = giver.extra[OBJECTS][y0:y1, x0:x1] == index + 1
        if mask.any():
            return cv2.GaussianBlur(mask.astype(np.uint8) * 255, (3, 3), 0)
    ramp = np.minimum.outer(_ramp(y1 - y0), _ramp(x1 - x0))
    return np.rint(255 * ramp).astype(np.uint8)


def _seen(boxes: Boxes, corner: tuple[int, int], size: tuple[int, int], min_share: float) -> Boxes:
    moved = boxes.xyxy - np.array([*corner, *corner], np.float32)
    left = box_areas(np.clip(moved, 0, np.array([*size, *size], np.float32)))
    too_little = left < min_share * box_areas(moved)
    crowd = boxes.is_crowd | too_little
    return box_geometry.clipped(Boxes(moved, boxes.class_ids, crowd), size)


def _blended(sample: Sample, patch: np.ndarray, x: int, y: int) -> Sample:
    """The patch (h, w, 4: RGB and opacity) in the image; depth there is unknown."""
    height, width = patch.shape[:2]
    weight = patch[..., 3:].astype(np.float32) / 255
    image = sample.rgb.copy()
    part = image[y : y + height, x : x + width]
    part[:] = np.rint(weight * patch[..., :3] + (1 - weight) * part).astype(np.uint8)
    return replace(
        sample,
        image=image,
        depth_m=_without(sample.depth_m, x, y, width, height),
        raw_depth_m=_without(sample.raw_depth_m, x, y, width, height),
    )


def _without(
    depth_m: np.ndarray | None, x: int, y: int, width: int, height: int
) -> np.ndarray | None:
    if depth_m is None:
        return None
    depth_m = depth_m.copy()
    depth_m[y : y + height, x : x + width] = 0
    return depth_m


def _ramp(side: int) -> np.ndarray:
    from_border = np.minimum(np.arange(side) + 1, np.arange(side, 0, -1))
    return np.minimum(from_border / max(side / 10, 1), 1).astype(np.float32)


def _with_box(boxes: Boxes, box: np.ndarray, class_id: int, covered: float) -> Boxes:
    """The boxes still visible behind a new one, and the new one."""
    common = np.concatenate(
        [np.maximum(boxes.xyxy[:, :2], box[:2]), np.minimum(boxes.xyxy[:, 2:], box[2:])], axis=1
    )
    hidden = box_areas(common) / np.maximum(box_areas(boxes.xyxy), 1e-9)
    keep = hidden <= covered
    return Boxes(
        np.concatenate([boxes.xyxy[keep], box[None]]),
        np.append(boxes.class_ids[keep], class_id),
        np.append(boxes.is_crowd[keep], False),
    )


@dataclass(frozen=True)
class Mosaic:
    """A random part of the image and of three others around a random point (YOLOv4).

    Objects appear small, cut, and in other surroundings; nothing is left but image and boxes.
    The image decides which classes are annotated; `source` must annotate at least these.

    Attributes:
        source: where the others come from.
        size: (width, height) of the result; None: that of the sample.
        low, high: limits of the factor on the images, stretched to the result.
        margin: fraction of the sides that the point keeps from the border.
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
        image = np.empty((height, width, 3), np.uint8)
        boxes: list[Boxes] = []
        for index, (left, top, right, bottom) in enumerate(corners):
            tile = self._tile(sample if index == 0 else None, (width, height), rng)
            tile = self._cut(tile, (right - left, bottom - top), (width, height), rng)
            image[top:bottom, left:right] = tile.rgb
            shift = np.array([left, top] * 2, np.float32)
            if tile.boxes is not None:
                boxes.append(replace(tile.boxes, xyxy=tile.boxes.xyxy + shift))
        return Sample(
            sample.name, sample.scene, image=image, boxes=_joined(boxes), marked=sample.marked
        )

    def _tile(
        self, sample: Sample | None, size: tuple[int, int], rng: np.random.Generator
    ) -> Sample:
        """Image and boxes of the sample, or of another one that has boxes."""
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
        """A part of the tile at the scale of the whole result."""
        share = max(have / want for have, want in zip(size, whole, strict=True))
        crop = ScaledCrop(size, max(self.low, share), max(self.high, share), of=whole)
        return crop(tile, rng)


def _joined(parts: list[Boxes]) -> Boxes:
    return Boxes(
        np.concatenate([b.xyxy for b in parts]),
        np.concatenate([b.class_ids for b in parts]),
        np.concatenate([b.is_crowd for b in parts]),
    )
