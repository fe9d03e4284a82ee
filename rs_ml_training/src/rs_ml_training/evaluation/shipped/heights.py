"""Heights of people in unseen synthetic rooms, from the boxes of a detector and measured depth."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rs_ml_training.data.reader import Reader
from rs_ml_training.evaluation.shipped.contests import SHIPPED, Aim, Subject
from rs_ml_training.evaluation.shipped.handed import DEPTH, PICTURES
from rs_ml_training.evaluation.shipped.robot import Robot
from rs_ml_training.evaluation.stored import RESULTS

TRUTH = 'heights.json'
POSTURES = ('standing', 'walking')
LEAST_VISIBLE, LEAST_IOU, CLOSE_M = 0.8, 0.5, 0.05
_OK = 'OK'


@dataclass(frozen=True)
class HeightContest:
    """People of known height.

    Attributes:
        name: to choose it by.
        model: name of the shipped model that it is about.
        data: what the pictures are, for the table.
        subjects: detectors, the shipped one first.
        metrics: shown, name -> heading.
        aims: none: what is wanted is that heights are plausible.
    """

    name: str
    model: str
    data: str
    subjects: tuple[Subject, ...]
    metrics: Mapping[str, str] = field(
        default_factory=lambda: {
            'people': 'people',
            'measured': 'measured',
            'median_error_m': 'median error [mm]',
            'close': 'of these within 5 cm',
        }
    )
    aims: tuple[Aim, ...] = ()


def measure_heights(
    robot: Robot, subject: Subject, reader: Reader, truth: Path, folder: Path
) -> dict[str, float]:
    """Errors of the heights that `rs-ml height` measures on samples handed over in `folder`.

    What is measured is how far the top of the head is above the floor, which in mid-stride is less
    than the stature. Only people count who stand or walk, are wholly in the picture and at least
    80 % visible.

    Raises:
        DataError: the command failed.
    """
    out = folder / f'out-{subject.model}'
    camera = reader.read(0).intrinsics
    numbers = camera.fx, camera.fy, camera.cx, camera.cy
    words = [folder / PICTURES, '--model', subject.model, '--out', out, '--no-pictures']
    words += ['--depth', folder / DEPTH]
    words += ['--intrinsics', ','.join(f'{number:.4f}' for number in numbers)]
    robot.run('height', *words)
    lines = (out / RESULTS).read_text(encoding='utf-8').splitlines()
    found = {Path(e['image']).stem: e['detections'] for e in map(json.loads, lines)}
    people = json.loads(truth.read_text(encoding='utf-8'))
    names = {reader.name(index) for index in range(len(reader))}
    return height_errors(found, [entry for entry in people if entry['image'] in names])


def height_errors(
    found: Mapping[str, Sequence[Mapping[str, Any]]], truth: Iterable[Mapping[str, Any]]
) -> dict[str, float]:
    """`people` that count, share `measured`, `median_error_m` of these, share `close`.

    Args:
        found: name of a picture -> persons of `rs-ml height`.
        truth: entries of heights.json.
    """
    errors_m, count = [], 0
    for entry in truth:
        for person in entry['people']:
            if not _counts(person):
                continue
            count += 1
            height_m = _height_m(person['box'], found.get(entry['image'], ()))
            if height_m is not None:
                errors_m.append(abs(height_m - person['top_m']))
    measured = np.array(errors_m)
    return {
        'people': float(count),
        'measured': len(measured) / count if count else math.nan,
        'median_error_m': float(np.median(measured)) if measured.size else math.nan,
        'close': float(np.mean(measured <= CLOSE_M)) if measured.size else math.nan,
    }


def _counts(person: Mapping[str, Any]) -> bool:
    is_upright = person['posture'] in POSTURES
    return is_upright and not person['cut'] and person['visible_share'] >= LEAST_VISIBLE


def _height_m(box: Sequence[float], persons: Iterable[Mapping[str, Any]]) -> float | None:
    """Of the person whose box covers the true one best, where it was measured to the full."""
    best = max(persons, key=lambda person: _iou(box, person['box']), default=None)
    if best is None or _iou(box, best['box']) < LEAST_IOU or best['status'] != _OK:
        return None
    return best['height_m']


def _iou(a: Sequence[float], b: Sequence[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return both / max(sum(areas) - both, 1e-9)


HEIGHT_CONTESTS = (
    HeightContest(
        'height',
        'detection',
        'people who stand or walk, wholly visible, in rooms of the synthetic world that training '
        'never drew: top of the head above the floor; gravity from the floor',
        (
            Subject(SHIPPED, 'detection'),
            Subject('CenterNet (the teacher)', 'centernet_mnv3_coco'),
        ),
    ),
)
