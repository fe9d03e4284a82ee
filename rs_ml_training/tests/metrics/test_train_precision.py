"""Average precision on tables counted by hand, and against a slow program of the same rules."""

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
        (
            [(A, 0.9), (A, 0.8), (B, 0.7)],
            [A, B],
            [],
            (51 + 50 * 2 / 3) / 101,
        )
        * 1
        + ((51 + 50 * 2 / 3) / 101,),
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


def test_only_the_hundred_best_of_a_picture_count():
    others = [([100 + 20 * i, 0, 110 + 20 * i, 10], 0.9) for i in range(100)]
    assert measured([*others[:99], (A, 0.1)], [A])['ap50'] == pytest.approx(0.01)
    assert measured([*others, (A, 0.1)], [A])['ap50'] == 0


def slow_iou(a, b, crowd):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    area = (a[2] - a[0]) * (a[3] - a[1])
    return shared / (area if crowd else area + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def slow_precision(pictures, class_id, threshold):
    """AP of one class: walk the detections of all pictures from the surest to the least sure."""
    ranked, total = [], 0
    for number, (boxes, scores, ids, truth) in enumerate(pictures):
        ranked += [
            (-s, number, b) for b, s, c in zip(boxes, scores, ids, strict=True) if c == class_id
        ]
        mine = truth.class_ids == class_id
        total += int((mine & ~truth.is_crowd).sum())
    if not total:
        return math.nan
    taken, right, wrong, curve = set(), 0, 0, []
    for _, number, box in sorted(ranked, key=lambda r: r[0]):
        truth = pictures[number][3]
        best, choice, in_crowd = threshold, None, False
        for g in range(len(truth)):
            if truth.class_ids[g] != class_id:
                continue
            iou = slow_iou(box, truth.xyxy[g], truth.is_crowd[g])
            if truth.is_crowd[g]:
                in_crowd |= iou >= threshold
            elif (number, g) not in taken and iou >= best:
                best, choice = iou, g
        if choice is not None:
            taken.add((number, choice))
            right += 1
        elif not in_crowd:
            wrong += 1
        if right + wrong:
            curve.append((right / total, right / (right + wrong)))
    at = [
        max((p for r, p in curve if r >= level), default=0.0) for level in np.linspace(0, 1, 101)
    ]
    return sum(at) / 101


def random_picture(rng):
    """Objects, crowds, and detections that hit, miss, repeat and mix up classes."""
    n = rng.integers(0, 6)
    corner = rng.uniform(0, 60, (n, 2))
    real = np.concatenate([corner, corner + rng.uniform(5, 40, (n, 2))], axis=1)
    truth = Boxes.of(real, rng.integers(0, 3, n), rng.random(n) > 0.8)
    near = np.repeat(truth.xyxy, 3, axis=0) + rng.normal(0, 3, (3 * n, 4))
    near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
    ids = np.where(rng.random(3 * n) > 0.2, np.repeat(truth.class_ids, 3), 2)
    far = rng.uniform(0, 60, (4, 2))
    boxes = np.concatenate([near, np.concatenate([far, far + 20], axis=1)])
    ids = np.concatenate([ids, rng.integers(0, 3, 4)])
    return boxes, rng.random(len(boxes)), ids, truth


@pytest.mark.parametrize('seed', range(4))
def test_random_pictures(seed):
    rng = np.random.default_rng(seed)
    pictures = [random_picture(rng) for _ in range(8)]
    metrics = AveragePrecision(4)
    for one in pictures:
        metrics.update(*one)
    table = np.array(
        [[slow_precision(pictures, c, t) for t in np.linspace(0.5, 0.95, 10)] for c in range(4)]
    )
    result = metrics.result()
    assert result['count'] == 8
    assert [result[f'ap50_{c}'] for c in range(4)] == pytest.approx(table[:, 0], nan_ok=True)
    assert result['ap50'] == pytest.approx(np.nanmean(table[:, 0]))
    assert result['ap50_95'] == pytest.approx(np.nanmean(table))
    assert 0 < result['ap50'] < 1


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
