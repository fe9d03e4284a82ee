"""Pictures with outlines in YOLO's text files, read as a class for every pixel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.coco import Coco
from rs_ml_training.data.outlines import Polygon, extent, filled, overlaps
from rs_ml_training.data.sample import IGNORE, Boxes, Sample
from rs_ml_training.data.yolo_folder import YoloFolder
from rs_ml_training.data.yolo_labels import read_polygons

UNLISTED = 'unlisted'
"""Extra map of a sample: 1 where nothing of the reader's `counted` classes is."""

_COCO_GAPS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
_COCO_IDS = [number for number in range(1, 91) if number not in _COCO_GAPS]
_VAGUE = ('objects', 'furniture', 'books')
_SAME = 0.5

Outline = tuple[int, Polygon]
"""Stored class and polygon."""


class YoloMasks(YoloFolder):
    """The layout of `YoloFolder`, outlines in `instances/`, else in the label files themselves.

    Small things lie over large ones. What no outline of a wanted class covers is unlabelled, but
    not unknown: every object of these classes is outlined or has a box at least, so it is none of
    those that `counted` names. The extra map UNLISTED says where that is so.

    Attributes:
        counted: classes of which every object is marked: those that occur in the table, less the
            vague ones that hold more than the marked kinds.
    """

    def __init__(self, path: Path, coco_ids: bool = False, **folder: Any) -> None:
        """Pair the files.

        Args:
            path: the folder.
            coco_ids: `instances/` counts classes by COCO's category ids, 1 to 90 with gaps, as
                COCO128's does.
            **folder: further options of `YoloFolder`.

        Raises:
            ConfigError, InputError: as from `YoloFolder`.
        """
        super().__init__(path, **folder)
        count = len(self._stored_labels)
        numbers = _COCO_IDS if coco_ids else range(count)
        if coco_ids:
            self.license = self.license or Coco.license
        self._stored_ids = {number: i for i, number in enumerate(numbers) if i < count}
        occurring = {self.labels[i] for i in self._mapping.ids if i >= 0}
        self.counted = tuple(n for n in self.labels if n in occurring and n not in _VAGUE)

    def read(self, index: int) -> Sample:
        name = self._names[index]
        image, boxes = self._boxed(name)
        size = image.shape[1], image.shape[0]
        outlines = self._read_outlines(name, size)
        shapes = [[polygon] for _, polygon in outlines]
        stored = filled(shapes, [class_id for class_id, _ in outlines], size, IGNORE)
        labels = self._mapping.map(stored, Path(name))
        unlisted = labels == IGNORE
        for x0, y0, x1, y1 in _without_outline(boxes, outlines):
            unlisted[y0:y1, x0:x1] = False
        return Sample(
            name=name,
            scene=self.scene(index),
            image=image,
            labels=labels,
            boxes=boxes,
            extra={UNLISTED: unlisted.astype(np.uint8)},
        )

    def _read_outlines(self, name: str, size: tuple[int, int]) -> list[Outline]:
        text = self._pairs[name][1]
        if self._outline_files is not None:
            text = self._outline_files.get(name)
        found = []
        for class_id, polygon in read_polygons(text, size) if text else ():
            if class_id not in self._stored_ids:
                raise InputError(f'{text}: class {class_id:g} does not exist; coco_ids=true?')
            found.append((self._stored_ids[int(class_id)], polygon))
        return found


def _without_outline(boxes: Boxes, outlines: list[Outline]) -> np.ndarray:
    """Boxes around which no outline lies, int64 (N, 4) [px]: crowds, and what is too small."""
    around = np.array([extent(polygon) for _, polygon in outlines]).reshape(-1, 4)
    lone = [xyxy for xyxy in boxes.xyxy if (overlaps(xyxy, around) < _SAME).all()]
    outer = [np.r_[np.floor(xyxy[:2]), np.ceil(xyxy[2:])] for xyxy in lone]
    return np.array(outer, np.int64).reshape(-1, 4)
