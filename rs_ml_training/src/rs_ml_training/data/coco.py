"""Images with boxes as COCO describes them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import InputError, counted

from rs_ml_training.data.classes import UNWANTED, ClassTable, class_mapping
from rs_ml_training.data.image_files import SUFFIXES, read_rgb, require_size
from rs_ml_training.data.pairing import chosen_names, natural_key
from rs_ml_training.data.polygons import OBJECTS, Polygon, painted
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import Boxes, Sample
from rs_ml_training.data.text_files import read_license, read_text

_BESIDE = '_annotations.coco.json'
"""Roboflow's name of the file, which lies next to the images."""


class Coco(NamedReader):
    """`annotations/instances_SPLIT.json` and images in `SPLIT/`, or any such file and folder.

    Images are looked for in `SPLIT/`, `images/SPLIT/`, `SPLIT/images/` and `images/`, and next to
    a file called `_annotations.coco.json` in `SPLIT/`.

    Category ids become 0, 1, ... in their order. Every image is a separate scene; those
    without annotations belong to the set too. Polygons of `segmentation` become
    `extra['objects']`, see data.outlines. `license.txt` in the folder replaces COCO's licence.
    """

    license = 'COCO: annotations CC BY 4.0, pictures under the terms of Flickr'

    def __init__(
        self,
        path: Path,
        images: str | Path | None = None,
        split: str = 'train2017',
        classes: ClassTable | str | Path | None = None,
        list_file: str | Path | None = None,
    ) -> None:
        """Read the annotations.

        Args:
            path: the annotation file, or the folder with annotations/ and the split's images.
            images: folder of the images; None: looked for as said above.
            split: where `path` is a folder.
            classes: fewer classes; see `classes.class_mapping`.
            list_file: names of images without suffix, one a line; looked for in `path` too.

        Raises:
            ConfigError: a table with unknown classes.
            InputError: the file is damaged, images are missing, or two have one name.
        """
        path = Path(path)
        file = _annotations(path, split) if path.is_dir() else path
        content = _content(file)
        categories = sorted(content['categories'], key=lambda category: category['id'])
        self._mapping = class_mapping([category['name'] for category in categories], classes)
        self.labels = self._mapping.labels
        self._boxes = _boxes_by_image(
            content, {c['id']: i for i, c in enumerate(categories)}, file
        )
        self._folder = Path(images) if images else _image_folder(file, split, content['images'])
        self._images, self.notes = _existing(content['images'], self._folder)
        self._outlines = _outlines_by_image(content)
        root = path if path.is_dir() else path.parent
        self.license = read_license(root) or self.license
        self._names = chosen_names(self._images, list_file, root)

    def read(self, index: int) -> Sample:
        name = self._names[index]
        described = self._images[name]
        path = self._folder / described['file_name']
        size = int(described['width']), int(described['height'])
        image = require_size(path, read_rgb(path), size)
        boxes, outlines = self._wanted(described['id'], size)
        extra = {OBJECTS: painted(outlines, size)} if any(outlines) else {}
        return Sample(
            name=name,
            scene=name,
            image=image,
            boxes=boxes,
            marked=self._mapping.marked,
            extra=extra,
        )

    def _wanted(self, image: int, size: tuple[int, int]) -> tuple[Boxes, list[list[Polygon]]]:
        """Boxes of the training's classes that have an extent in the image, and outlines."""
        boxes = self._boxes.get(image, Boxes.of([], []))
        xyxy = np.clip(boxes.xyxy, 0, np.array([*size, *size], np.float32))
        ids = self._mapping.ids[boxes.class_ids]
        kept = (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1) & (ids != UNWANTED)
        every = self._outlines.get(image, [])
        outlines = [every[i] for i in np.flatnonzero(kept)] if every else []
        return Boxes.of(xyxy[kept], ids[kept], boxes.is_crowd[kept]), outlines


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(path))
        # Looked at once here, so that nothing further on can fail for their lack.
        for image in content['images']:
            _ = image['id'], image['file_name'] + '', image['width'], image['height']
        for category in content['categories']:
            _ = category['id'], category['name']
        for annotation in content['annotations']:
            _ = annotation['image_id'], annotation['category_id'], annotation['bbox'][3]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise InputError(f'{path} is not an instances file of COCO: {error!r}') from error
    return content


def _boxes_by_image(
    content: Mapping[str, Any], class_ids: Mapping[int, int], path: Path
) -> dict[int, Boxes]:
    by_image: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    images = {image['id'] for image in content['images']}
    if len(images) < len(content['images']):
        raise InputError(f'{path}: two images have the same id: renumber them')
    for annotation in content['annotations']:
        category, image = annotation['category_id'], annotation['image_id']
        if category not in class_ids:
            raise InputError(f'{path}: category {category} does not exist; add or remove it')
        if image not in images:
            raise InputError(
                f'{path}: an annotation belongs to image {image}, which is not listed'
            )
        by_image[image].append(annotation)
    found = {}
    for image, objects in by_image.items():
        xywh = np.array([o['bbox'] for o in objects], np.float32).reshape(-1, 4)
        ids = [class_ids[o['category_id']] for o in objects]
        crowd = [bool(o.get('iscrowd', 0)) for o in objects]
        found[image] = Boxes.of(np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]), ids, crowd)
    return found


def _outlines_by_image(content: Mapping[str, Any]) -> dict[int, list[list[Polygon]]]:
    """Polygons of every annotation, in the order of the boxes; none where they are run lengths."""
    found: dict[int, list[list[Polygon]]] = defaultdict(list)
    for annotation in content['annotations']:
        parts = annotation.get('segmentation') or []
        parts = parts if isinstance(parts, list) else []
        polygons = [np.array(p, np.float32).reshape(-1, 2) for p in parts if len(p) >= 6]
        found[annotation['image_id']].append(polygons)
    return {image: outlines for image, outlines in found.items() if any(outlines)}


def _annotations(path: Path, split: str) -> Path:
    common = path / 'annotations' / f'instances_{split}.json'
    others = [path / split / _BESIDE, path / _BESIDE]
    return next((file for file in (common, *others) if file.is_file()), common)


def _image_folder(file: Path, split: str, images: list[dict[str, Any]]) -> Path:
    """The first folder that holds the first image, else the first that there is."""
    if file.name == _BESIDE:
        return file.parent
    root = file.parent.parent if file.parent.name == 'annotations' else file.parent
    split = file.stem.removeprefix('instances_') or split
    names = (split, f'images/{split}', f'{split}/images', 'images', '.')
    folders = [root / name for name in names if (root / name).is_dir()]
    first = images[0]['file_name'] if images else ''
    return next((folder for folder in folders if (folder / first).is_file()), folders[0])


def _existing(
    images: list[dict[str, Any]], folder: Path
) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """Descriptions by the name of the sample, and notes on unread ones."""
    present = {file.relative_to(folder).as_posix() for file in folder.rglob('*') if file.is_file()}
    missing = [image['file_name'] for image in images if image['file_name'] not in present]
    if missing:
        raise InputError(
            f'{folder / missing[0]} is missing, as are {len(missing) - 1} other images of '
            f'{len(images)}: give the right folder'
        )
    by_name: dict[str, dict[str, Any]] = {}
    for image in images:
        name = '_'.join(Path(image['file_name']).with_suffix('').parts)
        if name in by_name:
            twice = by_name[name]['file_name']
            raise InputError(
                f'{image["file_name"]} and {twice} have one name, {name}: rename one of them'
            )
        by_name[name] = image
    ordered = dict(sorted(by_name.items(), key=lambda item: natural_key(item[0])))
    kept = {n: i for n, i in ordered.items() if Path(i['file_name']).suffix.lower() in SUFFIXES}
    listed = {image['file_name'] for image in images}
    return kept, tuple(_notes(ordered, kept, present - listed))


def _notes(
    listed: Mapping[str, Any], kept: Mapping[str, Any], others: Collection[str]
) -> Iterator[str]:
    unread = Counter(
        Path(i['file_name']).suffix or '(no suffix)' for n, i in listed.items() if n not in kept
    )
    for suffix, count in sorted(unread.items()):
        yield f'not read: {counted(count, "image")} of {suffix}'
    unlisted = sorted(name for name in others if Path(name).suffix.lower() in SUFFIXES)
    if unlisted:
        yield f'not listed and not read: {counted(len(unlisted), "image")} ({unlisted[0]} first)'
