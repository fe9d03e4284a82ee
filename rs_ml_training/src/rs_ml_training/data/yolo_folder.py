"""Pictures with text files in YOLO's folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.classes import ClassTable, class_mapping
from rs_ml_training.data.license_file import read_license
from rs_ml_training.data.pairing import chosen_names
from rs_ml_training.data.pictures import read_rgb
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import Boxes
from rs_ml_training.data.scenes_file import read_scenes
from rs_ml_training.data.text_files import read_yaml
from rs_ml_training.data.yolo_labels import read_boxes
from rs_ml_training.data.yolo_layout import find_files

_NAMES_FILES = ('classes.yaml', 'data.yaml', 'dataset.yaml')


class YoloFolder(NamedReader):
    """`images/` and `labels/` (or `boxes/`), both maybe with the same folders inside.

    Or such a pair in each of the folders `train/`, `valid/` and so on.

    A line is 'class x_center y_center width height' or 'class x1 y1 x2 y2 x3 y3 ...' (a polygon,
    of which the extent counts), in shares of the picture. No file: nothing in the picture; a
    file without picture does not count (COCO128 has some); `notes` counts both. The class names
    are `names` of classes.yaml, data.yaml or dataset.yaml, here or in the folder around.
    `instances/` may hold files of polygons, in the same folders. Every picture is a scene of its
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
            InputError: folders or class names are missing, no label file has a picture, or two
                pictures have one name.
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
        """Picture, uint8 RGB, and boxes of the wanted classes."""
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
