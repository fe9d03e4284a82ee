"""Pictures with outlines in YOLO's text files, read as a class for every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from rs_ml_training.data.classes import ClassTable
from rs_ml_training.data.coco import Coco
from rs_ml_training.data.sample import IGNORE, Boxes, Sample
from rs_ml_training.data.yolo import OUTLINE_FOLDER, Yolo, read_polygons
from rs_ml_training.errors import DataError

UNLISTED = 'unlisted'
"""Extra map of a sample: 1 where nothing of the reader's `counted` classes is."""

_COCO_GAPS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
_COCO_IDS = [number for number in range(1, 91) if number not in _COCO_GAPS]
_VAGUE = ('objects', 'furniture', 'books')
_SAME = 0.5

Outline = tuple[int, np.ndarray]
"""Stored class and corners int32 (N, 1, 2) [px]."""


class YoloMasks(Yolo):
    """The layout of `Yolo` with outlines in `instances/`, else in the label files themselves.

    Small things lie over large ones. What no outline of a wanted class covers is unlabelled, but
    not unknown: every object of these classes is outlined or has a box at least, so it is none of
    those that `counted` names. The extra map UNLISTED says where that is so.

    Attributes:
        counted: classes of which every object is marked: those that occur in the table, less the
            vague ones that hold more than the marked kinds.
    """

    def __init__(
        self,
        path: Path,
        split: str | None = None,
        labels: Sequence[str] | str | None = None,
        classes: ClassTable | str | Path | None = None,
        list_file: str | Path | None = None,
        coco_ids: bool = False,
    ) -> None:
        """Pair the files.

        Args:
            path: the folder.
            split: folder inside images/ and labels/, as train; None: all.
            labels: class names, or a text with commas between; None: those of the file.
            classes: fewer classes; see `classes.class_mapping`.
            list_file: names of samples, one a line; looked for in `path` too.
            coco_ids: `instances/` counts classes by COCO's category ids, 1 to 90 with gaps, as
                COCO128's does.

        Raises:
            ConfigError: a table with unknown classes.
            DataError: folders or class names are missing, or no label file has a picture.
        """
        super().__init__(path, split, labels, classes, list_file)
        folder = Path(path) / OUTLINE_FOLDER
        self._outlines = folder if folder.is_dir() else None
        count = len(self._stored_labels)
        numbers = _COCO_IDS if coco_ids else range(count)
        if coco_ids:
            self.license = self.license or Coco.license
        self._stored_ids = {number: i for i, number in enumerate(numbers) if i < count}
        filled = {self.labels[i] for i in self._mapping.ids if i >= 0}
        self.counted = tuple(n for n in self.labels if n in filled and n not in _VAGUE)

    def read(self, index: int) -> Sample:
        sample = super().read(index)
        outlines = self._read_outlines(self.name(index), sample.size)
        stored = _painted(outlines, sample.size)
        labels = self._mapping.map(stored, Path(sample.name))
        unlisted = labels == IGNORE
        for x0, y0, x1, y1 in _without_outline(sample.boxes, outlines):
            unlisted[y0:y1, x0:x1] = False
        return Sample(
            name=sample.name,
            scene=sample.scene,
            image=sample.image,
            labels=labels,
            boxes=sample.boxes,
            extra={UNLISTED: unlisted.astype(np.uint8)},
        )

    def _read_outlines(self, name: str, size: tuple[int, int]) -> list[Outline]:
        picture, text = self._pairs[name]
        if self._outlines is not None:
            text = self._outlines / f'{picture.stem}.txt'
        if text is None or not text.is_file():
            return []
        found = []
        for class_id, polygon in read_polygons(text, size):
            if class_id not in self._stored_ids:
                raise DataError(f'{text}: class {class_id:g} does not exist; coco_ids=true?')
            corners = np.rint(polygon[:, None] - 0.5).astype(np.int32)
            found.append((self._stored_ids[int(class_id)], corners))
        return found


def _painted(outlines: list[Outline], size: tuple[int, int]) -> np.ndarray:
    """Stored class by pixel, uint8 (H, W), IGNORE where there is none."""
    stored = np.full(size[::-1], IGNORE, np.uint8)
    for class_id, corners in sorted(outlines, key=lambda item: -cv2.contourArea(item[1])):
        cv2.fillPoly(stored, [corners], class_id)
    return stored


def _without_outline(boxes: Boxes | None, outlines: list[Outline]) -> np.ndarray:
    """Boxes around which no outline lies, int64 (N, 4) [px]: crowds, and what is too small."""
    if boxes is None:
        return np.zeros((0, 4), np.int64)
    around = [cv2.boundingRect(corners) for _, corners in outlines]
    marked = [np.array([x, y, x + width, y + height]) for x, y, width, height in around]
    lone = [xyxy for xyxy in boxes.xyxy if all(_overlap(xyxy, m) < _SAME for m in marked)]
    outer = [np.r_[np.floor(xyxy[:2]), np.ceil(xyxy[2:])] for xyxy in lone]
    return np.array(outer, np.int64).reshape(-1, 4)


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union."""
    sides = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None)
    both = float(sides.prod())
    return both / max(float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - both, 1e-9)
