"""A data set in the layout of COCO, with boxes of a reader and of a teacher."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.output_folder import new_folder
from rs_ml_training.data.polygons import OBJECTS, traced
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Boxes, Sample
from rs_ml_training.data.text_files import write_license
from rs_ml_training.metrics.precision import overlaps
from rs_ml_training.teaching.frozen_detector import TeacherDetections

SPLIT = 'train2017'
_QUALITY = 95


@dataclass(frozen=True)
class TeacherThresholds:
    """Thresholds on a teacher's detections.

    Attributes:
        sure: least score of an object.
        doubtful: least score of a possible object, which becomes a crowd: neither required nor an
            error if detected.
        same: intersection over union from which two boxes of a class are one object.
    """

    sure: float = 0.3
    doubtful: float = 0.15
    same: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.doubtful <= self.sure <= 1 or not 0 < self.same <= 1:
            raise ConfigError(
                'the teacher needs 0 < doubtful <= sure <= 1 and an overlap within 0 to 1, got '
                f'{self.doubtful}, {self.sure} and {self.same}'
            )


def merged(
    marked: Boxes,
    found: TeacherDetections,
    thresholds: TeacherThresholds,
    complete: Sequence[int] = (),
) -> Boxes:
    """The annotated boxes, then those that the teacher adds.

    Args:
        marked: annotated boxes, with class ids of the teacher.
        found: detections of the teacher.
        thresholds: on its scores.
        complete: fully annotated classes; detections of these are doubtful at most.

    Returns:
        Boxes with class ids of the teacher, without detections of annotated objects.
    """
    doubtful = np.isin(found.class_ids, complete) | (found.scores < thresholds.sure)
    order = np.argsort(-found.scores, kind='stable')
    order = order[found.scores[order] >= thresholds.doubtful]
    kept: list[int] = []
    for index in order.tolist():
        if not _known(index, found, marked, kept, thresholds.same):
            kept.append(index)
    return Boxes(
        np.concatenate([marked.xyxy, found.xyxy[kept]]).astype(np.float32),
        np.concatenate([marked.class_ids, found.class_ids[kept]]),
        np.concatenate([marked.is_crowd, doubtful[kept]]),
    )


def _known(
    index: int, found: TeacherDetections, marked: Boxes, kept: list[int], same: float
) -> bool:
    """Whether a detection is an annotated object, or one already detected with a better score."""
    class_id, box = found.class_ids[index], found.xyxy[index : index + 1]
    others = np.concatenate(
        [
            marked.xyxy[marked.class_ids == class_id],
            found.xyxy[[i for i in kept if found.class_ids[i] == class_id]].reshape(-1, 4),
        ]
    )
    return bool(overlaps(box, others, np.zeros(len(others), bool)).max(initial=0.0) >= same)


@dataclass(frozen=True)
class TeacherSetup:
    """A teacher, and the classes that the data already annotate.

    Attributes:
        teacher: detects objects in an image.
        labels: class names of the teacher.
        thresholds: on its scores.
        marked: fully annotated classes of the reader; None: all that both have.
        license: of the teacher, as it must appear along with that of the data.
    """

    teacher: Callable[[np.ndarray], TeacherDetections]
    labels: tuple[str, ...]
    thresholds: TeacherThresholds
    marked: Sequence[str] | None = None
    license: str = ''


def write_taught_set(reader: Reader, setup: TeacherSetup, out: Path) -> dict[str, int]:
    """Write `images/` (JPEG), `annotations/instances_train2017.json` and `license.txt`.

    Detections of fully annotated classes become crowds, others boxes; annotated boxes keep their
    outlines.

    Args:
        reader: images, with or without boxes.
        setup: the teacher and its classes.
        out: a new folder.

    Returns:
        Numbers of images, of annotated boxes, and of boxes and crowds that the teacher added.

    Raises:
        ConfigError: a class in `marked` that reader or teacher does not have.
        InputError: a sample without image.
    """
    ids = _class_ids(reader.labels, setup)
    content = _content(setup.labels)
    counts = {'images': len(reader), 'marked': 0, 'taught': 0, 'doubtful': 0}
    with new_folder(out) as folder:
        (folder / 'images').mkdir()
        (folder / 'annotations').mkdir()
        for index in range(len(reader)):
            sample = reader.read(index)
            if sample.image is None:
                raise InputError(f'{sample.name} has no image for the teacher')
            marked, kept = _marked(sample, ids)
            complete = () if sample.boxes is None else ids[ids >= 0].tolist()
            boxes = merged(marked, setup.teacher(sample.image), setup.thresholds, complete)
            name = f'{index:05}_{Path(sample.name).name}.jpg'
            _write_jpeg(folder / 'images' / name, sample.image)
            _describe(content, name, sample, boxes, kept)
            added = boxes.is_crowd[len(marked) :]
            counts['marked'] += len(marked)
            counts['taught'] += int((~added).sum())
            counts['doubtful'] += int(added.sum())
        text = json.dumps(content)
        (folder / 'annotations' / f'instances_{SPLIT}.json').write_text(text)
        write_license('; '.join(filter(None, (reader.license, setup.license))), folder)
    return counts


def _class_ids(labels: Sequence[str], setup: TeacherSetup) -> np.ndarray:
    """Class id of the teacher by that of the reader; -1 where boxes do not count."""
    wanted = setup.labels if setup.marked is None else setup.marked
    for name in setup.marked or ():
        if name not in labels or name not in setup.labels:
            raise ConfigError(f'--marked {name}: data and teacher must both have that class')
    positions = {name: i for i, name in enumerate(setup.labels) if name in wanted}
    return np.array([positions.get(name, -1) for name in labels], np.int64)


def _marked(sample: Sample, ids: np.ndarray) -> tuple[Boxes, list[int]]:
    """The annotated boxes with ids of the teacher, and their indices in the sample."""
    if sample.boxes is None or not len(sample.boxes):
        return Boxes.of([], []), []
    class_ids = ids[sample.boxes.class_ids]
    kept = np.flatnonzero(class_ids >= 0)
    boxes = Boxes(sample.boxes.xyxy[kept], class_ids[kept], sample.boxes.is_crowd[kept])
    return boxes, kept.tolist()


def _content(labels: Sequence[str]) -> dict[str, list[Any]]:
    categories = [{'id': i + 1, 'name': name} for i, name in enumerate(labels)]
    return {'images': [], 'annotations': [], 'categories': categories}


def _describe(
    content: dict[str, list[Any]], name: str, sample: Sample, boxes: Boxes, kept: list[int]
) -> None:
    """Add an image and its boxes; the first are the annotated ones, of the indices `kept`."""
    width, height = sample.size
    image_id = len(content['images']) + 1
    content['images'].append({'id': image_id, 'file_name': name, 'width': width, 'height': height})
    objects = sample.extra.get(OBJECTS)
    for index, (xyxy, class_id, crowd) in enumerate(
        zip(boxes.xyxy.tolist(), boxes.class_ids.tolist(), boxes.is_crowd.tolist(), strict=True)
    ):
        outlines = (
            traced(objects, kept[index]) if objects is not None and index < len(kept) else []
        )
        content['annotations'].append(
            {
                'id': len(content['annotations']) + 1,
                'image_id': image_id,
                'category_id': class_id + 1,
                'bbox': [round(v, 2) for v in (*xyxy[:2], xyxy[2] - xyxy[0], xyxy[3] - xyxy[1])],
                'iscrowd': int(crowd),
                'segmentation': [polygon.ravel().tolist() for polygon in outlines],
            }
        )


def _write_jpeg(path: Path, image: np.ndarray) -> None:
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    path.write_bytes(cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes())
