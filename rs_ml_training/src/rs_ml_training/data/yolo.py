"""Images in YOLO's folders, each with a text file of boxes or polygons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.objects.boxes import box_iou

from rs_ml_training.data.classes import ClassTable, class_mapping
from rs_ml_training.data.coco import Coco
from rs_ml_training.data.image_files import read_rgb
from rs_ml_training.data.pairing import chosen_names
from rs_ml_training.data.polygons import (
    OBJECTS,
    Polygon,
    assigned,
    extent,
    filled,
    painted,
)
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import IGNORE, Boxes, Sample
from rs_ml_training.data.text_files import read_license, read_scenes, read_yaml
from rs_ml_training.data.yolo_files import find_files, read_boxes, read_polygons

_NAMES_FILES = ('classes.yaml', 'data.yaml', 'dataset.yaml')

UNLISTED = 'unlisted'
"""Extra map of a sample: 1 where nothing of the reader's `counted` classes is."""

_COCO_GAPS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)

_COCO_IDS = [number for number in range(1, 91) if number not in _COCO_GAPS]

_VAGUE = ('objects', 'furniture', 'books')

_SAME = 0.5

Outline = tuple[int, Polygon]
"""Stored class and polygon."""


class YoloFolder(NamedReader):
    """`images/` and `labels/` (or `boxes/`), both maybe with the same folders inside.

    Or such a pair in each of the folders `train/`, `valid/` and so on.

    A line is 'class x_center y_center width height' or 'class x1 y1 x2 y2 x3 y3 ...' (a polygon,
    of which the extent counts), in fractions of the image. No file: nothing in the image; a
    file without image does not count (COCO128 has some); `notes` counts both. The class names
    are `names` of classes.yaml, data.yaml or dataset.yaml, here or in the folder around.
    `instances/` may hold files of polygons, in the same folders. Every image is a scene of its
    own, unless `scenes.csv` says otherwise.
    """

    def __init__(
        self,
        path: Path,
        split: str | None = None,
        labels: Sequence[str] | str | None = None,
        classes: ClassTable | str | Path | None = None,
        list_file: str | Path | None = None,
    ) -> None:
        """Pair the files.

        Args:
            path: the folder.
            split: folder inside images/ and labels/ or around them, as train; None: all.
            labels: class names, or a text with commas between; None: those of the file.
            classes: fewer classes; see `classes.class_mapping`.
            list_file: names of samples, one a line; looked for in `path` too.

        Raises:
            ConfigError: a table with unknown classes.
            InputError: folders or class names are missing, no label file has an image, or two
                images have one name.
        """
        path = Path(path)
        self._stored_labels = _names(path, labels)
        self._mapping = class_mapping(self._stored_labels, classes)
        self.labels = self._mapping.labels
        files = find_files(path, split)
        self._pairs, self._outline_files, self.notes = files.pairs, files.outlines, files.notes
        self._names = chosen_names(self._pairs, list_file, path)
        self._scenes = read_scenes(path)
        self.license = read_license(path)

    def _boxed(self, name: str) -> tuple[np.ndarray, Boxes]:
        """Image, uint8 RGB, and boxes of the wanted classes."""
        picture, labels = self._pairs[name]
        image = read_rgb(picture)
        if labels is None:
            return image, Boxes.of([], [])
        size = image.shape[1], image.shape[0]
        boxes = read_boxes(labels, size, len(self._stored_labels))
        return image, self._mapping.map_boxes(boxes)


def _names(path: Path, labels: Sequence[str] | str | None) -> list[str]:
    if labels is not None:
        return labels.split(',') if isinstance(labels, str) else list(labels)
    files = [folder / name for folder in (path, path.parent) for name in _NAMES_FILES]
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        raise InputError(f'{path} has none of {", ".join(_NAMES_FILES)} with the class names')
    try:
        names = read_yaml(file)['names']
        ordered = [names[i] for i in range(len(names))]
    except (KeyError, TypeError, IndexError) as error:
        raise InputError(f'{file} gives no names numbered from 0: {error!r}') from error
    return [str(name) for name in ordered]


class Yolo(YoloFolder):
    """The layout of `YoloFolder`, read as boxes.

    Polygons in `instances/` are the outlines of the boxes that they fit, of any class:
    `extra['objects']`, see data.outlines.
    """

    def read(self, index: int) -> Sample:
        name = self._names[index]
        image, boxes = self._boxed(name)
        size = image.shape[1], image.shape[0]
        extra = {}
        if self._outline_files and name in self._outline_files:
            polygons = [polygon for _, polygon in read_polygons(self._outline_files[name], size)]
            extra[OBJECTS] = painted(assigned(polygons, boxes.xyxy), size)
        return Sample(
            name=name,
            scene=self.scene(index),
            image=image,
            boxes=boxes,
            marked=self._mapping.marked,
            extra=extra,
        )


class YoloMasks(YoloFolder):
    """The layout of `YoloFolder`, outlines in `instances/`, else in the label files themselves.

    Small objects lie over large ones. A pixel outside the outlines of wanted classes is
    unlabelled, but not unknown: every object of these classes has an outline or at least a box,
    so the pixel is of no class in `counted`. The extra map UNLISTED marks such pixels.

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
    """Boxes without an outline, int64 (N, 4) [px]: crowds and objects that are too small."""
    around = np.array([extent(polygon) for _, polygon in outlines]).reshape(-1, 4)
    lone = boxes.xyxy[(box_iou(boxes.xyxy, around) < _SAME).all(axis=1)]
    outer = [np.r_[np.floor(xyxy[:2]), np.ceil(xyxy[2:])] for xyxy in lone]
    return np.array(outer, np.int64).reshape(-1, 4)
