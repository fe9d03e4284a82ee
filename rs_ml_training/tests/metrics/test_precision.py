"""Average precision on tables counted by hand, and on random ones against pycocotools."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_training.data.sample import Boxes
from rs_ml_training.metrics.precision import AveragePrecision

A, B, C = [0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]
HALF_A = [0, 0, 10, 5]
"""Overlaps A by one half."""
NEAR_A = [0, 0, 10, 8]
"""Overlaps A by 0.8."""
REPEATED = (51 + 50 * 2 / 3) / 101
"""Precision 1 up to half of the objects, two thirds from there on."""


def measured(detections, truth, crowds=()):
    """Result for one class and one picture; detections are (box, score)."""
    metrics = AveragePrecision(1)
    boxes, scores = [d[0] for d in detections], [d[1] for d in detections]
    every = [*truth, *crowds]
    is_crowd = [False] * len(truth) + [True] * len(crowds)
    real = Boxes.of(every, [0] * len(every), is_crowd)
    metrics.update(np.array(boxes), np.array(scores), np.zeros(len(boxes), int), real)
    return metrics.result()


def test_nothing_seen():
    result = AveragePrecision(('person', 'cat')).result()
    assert result.pop('count') == 0
    assert list(result) == ['ap50', 'ap50_95', 'ap50_person', 'ap50_cat']
    assert all(math.isnan(v) for v in result.values())


@pytest.mark.parametrize(
    ('detections', 'truth', 'crowds', 'ap50', 'ap50_95'),
    [
        ([], [], [], math.nan, math.nan),
        ([(A, 0.9)], [], [], math.nan, math.nan),
        ([], [A], [], 0.0, 0.0),
        ([(A, 0.9)], [A], [], 1.0, 1.0),
        ([(B, 0.9)], [A], [], 0.0, 0.0),
        # 0.8 passes seven of the ten thresholds, 0.5 exactly one.
        ([(NEAR_A, 0.9)], [A], [], 1.0, 0.7),
        ([(HALF_A, 0.9)], [A], [], 1.0, 0.1),
        # One of two found: 51 of the 101 recalls.
        ([(A, 0.9)], [A, B], [], 51 / 101, 51 / 101),
        # A mistake before the only hit halves its precision, after it does not matter.
        ([(B, 0.9), (A, 0.8)], [A], [], 0.5, 0.5),
        ([(A, 0.9), (B, 0.8)], [A], [], 1.0, 1.0),
        # The second detection of one object is a mistake.
        ([(A, 0.9), (A, 0.8), (B, 0.7)], [A, B], [], REPEATED, REPEATED),
        # A crowd is neither to be found nor a mistake, however often it is.
        ([(C, 0.9), (C, 0.85), (A, 0.8)], [A], [C], 1.0, 1.0),
        ([], [], [C], math.nan, math.nan),
        # The crowd's overlap is measured on the detection alone.
        ([(HALF_A, 0.9), (B, 0.8)], [B], [A], 1.0, 1.0),
        # An object inside a crowd is still found first.
        ([(A, 0.9)], [A], [A], 1.0, 1.0),
    ],
)
def test_small_tables(detections, truth, crowds, ap50, ap50_95):
    result = measured(detections, truth, crowds)
    assert result['ap50'] == pytest.approx(ap50, nan_ok=True)
    assert result['ap50_95'] == pytest.approx(ap50_95, nan_ok=True)


def test_only_the_hundred_best_of_an_image_count():
    others = [([100 + 20 * i, 0, 110 + 20 * i, 10], 0.9) for i in range(100)]
    assert measured([*others[:99], (A, 0.1)], [A])['ap50'] == pytest.approx(0.01)
    assert measured([*others, (A, 0.1)], [A])['ap50'] == 0


def picture(rng, objects: int, wrong: int, classes: int = 3):
    """Three detections near each object, `wrong` ones anywhere, with scores that repeat."""
    corner = rng.uniform(0, 60, (objects, 2))
    real = np.concatenate([corner, corner + rng.uniform(5, 40, (objects, 2))], axis=1)
    truth = Boxes.of(real, rng.integers(0, classes, objects), rng.random(objects) > 0.8)
    near = np.repeat(truth.xyxy, 3, axis=0) + rng.normal(0, 3, (3 * objects, 4))
    near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
    confused = rng.random(3 * objects) > 0.8
    near_ids = np.where(confused, classes - 1, np.repeat(truth.class_ids, 3))
    far = rng.uniform(0, 60, (wrong, 2))
    boxes = np.concatenate([near, np.concatenate([far, far + 20], axis=1)])
    ids = np.concatenate([near_ids, rng.integers(0, classes, wrong)])
    return boxes, rng.random(len(boxes)).round(1), ids, truth


def only_crowds(boxes, scores, ids, truth):
    return boxes, scores, ids, Boxes.of(truth.xyxy, truth.class_ids, [True] * len(truth))


NOTHING = np.zeros((0, 4)), np.zeros(0), np.zeros(0, int)
TABLES = {
    'without detections': lambda rng: [(*NOTHING, picture(rng, 4, 0)[3])],
    'without objects': lambda rng: [picture(rng, 0, 9)],
    'crowds alone': lambda rng: [only_crowds(*picture(rng, 5, 4))],
    'some of them empty': lambda rng: [picture(rng, rng.integers(0, 3), 1) for _ in range(4)],
    'many objects': lambda rng: [picture(rng, rng.integers(0, 12), 9) for _ in range(9)],
    'more than a hundred detections': lambda rng: [
        picture(rng, 90, 90, classes=2) for _ in range(3)
    ],
}


def as_coco(coco, rows, pictures: int, classes: int):
    """A COCO data set of rows (picture, class, box, further fields)."""
    data = coco.COCO()
    data.dataset = {
        'images': [{'id': number} for number in range(pictures)],
        'categories': [{'id': number} for number in range(classes)],
        'annotations': [],
    }
    for number, (image, category, (x0, y0, x1, y1), fields) in enumerate(rows, start=1):
        width, height = x1 - x0, y1 - y0
        box = {'bbox': [x0, y0, width, height], 'area': width * height, 'iscrowd': 0}
        place = {'id': number, 'image_id': image, 'category_id': category}
        data.dataset['annotations'].append(place | box | fields)
    data.createIndex()
    return data


def coco_precision(pictures, classes: int) -> np.ndarray:
    """Average precision (thresholds, classes) of pycocotools; NaN without an object."""
    coco = pytest.importorskip('pycocotools.coco')
    from pycocotools.cocoeval import COCOeval

    real, found = [], []
    for number, (boxes, scores, ids, truth) in enumerate(pictures):
        for box, score, category in zip(boxes.astype(float), scores, ids, strict=True):
            found.append((number, int(category), box, {'score': float(score)}))
        objects = zip(truth.xyxy.astype(float), truth.class_ids, truth.is_crowd, strict=True)
        for box, category, is_crowd in objects:
            real.append((number, int(category), box, {'iscrowd': int(is_crowd)}))
    data = [as_coco(coco, rows, len(pictures), classes) for rows in (real, found)]
    evaluation = COCOeval(*data, 'bbox')
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval['precision'][..., 0, -1].mean(axis=1)
    return np.where(precision < 0, np.nan, precision)


@pytest.mark.filterwarnings('ignore:Mean of empty slice')
@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('table', TABLES)
def test_pycocotools_counts_the_same(table, seed):
    pictures = TABLES[table](np.random.default_rng(seed))
    metrics = AveragePrecision(4)
    for one in pictures:
        metrics.update(*one)
    result, expected = metrics.result(), coco_precision(pictures, 4)
    assert result['count'] == len(pictures)
    assert [result[f'ap50_{c}'] for c in range(4)] == pytest.approx(expected[0], nan_ok=True)
    assert result['ap50'] == pytest.approx(np.nanmean(expected[0]), nan_ok=True)
    assert result['ap50_95'] == pytest.approx(np.nanmean(expected), nan_ok=True)


@pytest.mark.parametrize(
    ('boxes', 'scores', 'ids', 'sentence'),
    [
        ([A, B], [0.5], [0, 0], '2 boxes, 1 scores and 2 classes'),
        ([A], [0.5], [1], r'class ids \[1\]'),
        ([A], [0.5], [-1], r'class ids \[-1\]'),
    ],
)
def test_input_that_does_not_fit(boxes, scores, ids, sentence):
    with pytest.raises(InputError, match=sentence):
        AveragePrecision(1).update(np.array(boxes), scores, ids, Boxes.of([], []))
