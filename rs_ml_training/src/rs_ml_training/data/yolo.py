"""Pictures with a text file of boxes each, as YOLO is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from rs_ml_training.data.classes import ClassTable, class_mapping
from rs_ml_training.data.license_file import read_license
from rs_ml_training.data.outlines import OBJECTS, assigned, painted
from rs_ml_training.data.pairing import chosen_names, natural_key
from rs_ml_training.data.pictures import SUFFIXES, read_rgb
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import Boxes, Sample
from rs_ml_training.data.scenes_file import read_scenes
from rs_ml_training.data.text_files import read_text
from rs_ml_training.errors import DataError

LABEL_FOLDERS = ('labels', 'boxes')
OUTLINE_FOLDER = 'instances'
_NAMES_FILES = ('classes.yaml', 'data.yaml', 'dataset.yaml')
_SLACK = 0.01


class Yolo(NamedReader):
    """`images/` and `labels/` (or `boxes/`), both maybe with the same folders inside.

    A line is 'class x_center y_center width height' or 'class x1 y1 x2 y2 x3 y3 ...' (a polygon,
    of which the extent counts), in shares of the picture. No file: nothing in the picture; a
    file without picture does not count (COCO128 has some). The class names are `names` of
    classes.yaml, data.yaml or dataset.yaml. Polygons in `instances/`, where there are such files,
    are the outlines of the boxes that they fit, whatever their class: `extra['objects']`, see
    data.outlines. Every picture is a scene of its own, unless `scenes.csv` says otherwise.
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
            split: folder inside images/ and labels/, as train; None: all.
            labels: class names, or a text with commas between; None: those of the file.
            classes: fewer classes; see `classes.class_mapping`.
            list_file: names of samples, one a line; looked for in `path` too.

        Raises:
            ConfigError: a table with unknown classes.
            DataError: folders or class names are missing, or no label file has a picture.
        """
        path = Path(path)
        self._stored_labels = _names(path, labels)
        self._mapping = class_mapping(self._stored_labels, classes)
        self.labels = self._mapping.labels
        self._pairs = _pairs(path, split)
        self._polygons = _polygon_files(path, split)
        self._names = chosen_names(self._pairs, list_file, path)
        self._scenes = read_scenes(path)
        self.license = read_license(path)

    def read(self, index: int) -> Sample:
        name = self._names[index]
        picture, labels = self._pairs[name]
        image = read_rgb(picture)
        size = image.shape[1], image.shape[0]
        boxes = Boxes.of([], [])
        if labels is not None:
            boxes = read_boxes(labels, size, len(self._stored_labels))
        boxes = self._mapping.map_boxes(boxes)
        extra = {}
        if name in self._polygons:
            polygons = [polygon for _, polygon in read_polygons(self._polygons[name], size)]
            extra[OBJECTS] = painted(assigned(polygons, boxes.xyxy), size)
        return Sample(name=name, scene=self.scene(index), image=image, boxes=boxes, extra=extra)


def read_boxes(path: Path, size: tuple[int, int], classes: int) -> Boxes:
    """The boxes of a label file; those without extent are left out.

    Args:
        path: the file.
        size: (width, height) of the picture.
        classes: number of classes.

    Raises:
        DataError: a malformed line, a class that does not exist, a box outside the picture.
    """
    lines = read_text(path).splitlines()
    rows = [
        _row(line, f'{path}, line {number}', classes)
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    rows = [row for row in rows if row[3] > row[1] and row[4] > row[2]]
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Boxes.of(table[:, 1:] * np.array([*size, *size], np.float32), table[:, 0])


def read_polygons(path: Path, size: tuple[int, int]) -> list[tuple[float, np.ndarray]]:
    """Stored class and polygon, (P, 2) pixels, of the lines of a label file that hold no box.

    Args:
        path: the file.
        size: (width, height) of the picture.

    Raises:
        DataError: a malformed line.
    """
    lines = enumerate(read_text(path).splitlines(), 1)
    rows = (_numbers(line, f'{path}, line {n}') for n, line in lines if line.strip())
    return [
        (class_id, np.array(numbers).reshape(-1, 2) * np.array(size))
        for class_id, *numbers in rows
        if len(numbers) > 4
    ]


def _numbers(line: str, where: str) -> list[float]:
    """Class, then a box or a polygon."""
    try:
        class_id, *numbers = (float(word) for word in line.split())
    except ValueError as error:
        raise DataError(f'{where}: {line!r} is not a class and numbers') from error
    if len(numbers) != 4 and (len(numbers) < 6 or len(numbers) % 2):
        raise DataError(f'{where}: {len(numbers)} numbers are neither a box nor a polygon')
    return [class_id, *numbers]


def _row(line: str, where: str, classes: int) -> tuple[float, ...]:
    """(class, x_min, y_min, x_max, y_max) in shares of the picture."""
    class_id, *numbers = _numbers(line, where)
    if class_id not in range(classes):
        raise DataError(f'{where}: class {class_id:g} does not exist; there are {classes}')
    corners = _corners(np.array(numbers))
    if not (corners >= -_SLACK).all() or not (corners <= 1 + _SLACK).all():
        raise DataError(f'{where}: the box leaves the picture; give shares from 0 to 1')
    return (class_id, *np.clip(corners, 0, 1))


def _corners(numbers: np.ndarray) -> np.ndarray:
    if len(numbers) == 4:
        center, extent = numbers[:2], numbers[2:]
        return np.concatenate([center - extent / 2, center + extent / 2])
    points = numbers.reshape(-1, 2)
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def _pairs(path: Path, split: str | None) -> dict[str, tuple[Path, Path | None]]:
    images = path / 'images'
    labels = next((path / n for n in LABEL_FOLDERS if (path / n).is_dir()), None)
    inside = images / (split or '')
    if labels is None or not inside.is_dir() or not inside.is_relative_to(images):
        raise DataError(f'{path} lacks images/{split or ""} or one of {", ".join(LABEL_FOLDERS)}')
    pictures = _by_stem(images, split, SUFFIXES)
    texts = _by_stem(labels, split, ['.txt'])
    if texts and not set(texts) & set(pictures):
        raise DataError(f'no file in {labels} belongs to a picture in {images}: names must match')
    return {'_'.join(stem.split('/')): (p, texts.get(stem)) for stem, p in pictures.items()}


def _polygon_files(path: Path, split: str | None) -> dict[str, Path]:
    """Files of polygons by the name of the sample."""
    folder = path / OUTLINE_FOLDER
    found = _by_stem(folder, split, ['.txt']) if folder.is_dir() else {}
    return {'_'.join(stem.split('/')): file for stem, file in found.items()}


def _by_stem(folder: Path, split: str | None, suffixes: Sequence[str]) -> dict[str, Path]:
    """Files below a folder by their path in it, without suffix, in natural order."""
    files = [
        file for file in (folder / (split or '')).rglob('*') if file.suffix.lower() in suffixes
    ]
    found = {file.relative_to(folder).with_suffix('').as_posix(): file for file in files}
    return dict(sorted(found.items(), key=lambda item: natural_key(item[0])))


def _names(path: Path, labels: Sequence[str] | str | None) -> list[str]:
    if labels is not None:
        return labels.split(',') if isinstance(labels, str) else list(labels)
    file = next((path / name for name in _NAMES_FILES if (path / name).is_file()), None)
    if file is None:
        raise DataError(f'{path} has none of {", ".join(_NAMES_FILES)} with the class names')
    try:
        names = yaml.safe_load(read_text(file))['names']
        ordered = [names[i] for i in range(len(names))]
    except (yaml.YAMLError, KeyError, TypeError, IndexError) as error:
        raise DataError(f'{file} gives no names numbered from 0: {error!r}') from error
    return [str(name) for name in ordered]
