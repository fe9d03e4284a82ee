"""Segmentation metrics against counts made pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_training.metrics.confusion import ConfusionMatrix


def test_nothing_seen():
    result = ConfusionMatrix(2).result()
    assert result.pop('count') == 0
    assert list(result) == ['miou', 'dice', 'pixel_accuracy', 'iou_0', 'iou_1']
    assert all(math.isnan(v) for v in result.values())


@pytest.mark.parametrize(
    ('labels', 'predicted', 'expected'),
    [
        ([], [], {'miou': math.nan, 'dice': math.nan, 'pixel_accuracy': math.nan}),
        ([255, 255], [0, 7], {'miou': math.nan, 'dice': math.nan, 'pixel_accuracy': math.nan}),
        ([0, 0, 1, 1], [0, 0, 1, 1], {'miou': 1.0, 'dice': 1.0, 'pixel_accuracy': 1.0}),
        # person: 1 of 3; background: 2 of 4
        ([0, 0, 0, 1, 1], [0, 0, 1, 0, 1], {'miou': (0.5 + 1 / 3) / 2, 'pixel_accuracy': 0.6}),
        ([0, 0, 0, 1, 1], [0, 0, 1, 0, 1], {'dice': (4 / 6 + 2 / 4) / 2}),
        # Class 2 is in neither and left out; class 1 was only predicted.
        ([0, 0], [0, 1], {'iou_0': 0.5, 'iou_1': 0.0, 'iou_2': math.nan, 'miou': 0.25}),
        ([0, 255, 1], [0, 1, 1], {'miou': 1.0, 'count': 2}),
    ],
)
def test_small_tables(labels, predicted, expected):
    matrix = ConfusionMatrix(3)
    matrix.update(np.array(labels, np.uint8), np.array(predicted, np.int64))
    result = matrix.result()
    assert {n: result[n] for n in expected} == pytest.approx(expected, nan_ok=True)


def slow(labels, predicted, classes, ignore):
    """Every metric from sets of pixels."""
    pixels = [i for i, label in enumerate(labels) if label != ignore]
    iou, dice = {}, {}
    for c in range(classes):
        real = {i for i in pixels if labels[i] == c}
        found = {i for i in pixels if predicted[i] == c}
        if real | found:
            iou[c] = len(real & found) / len(real | found)
            dice[c] = 2 * len(real & found) / (len(real) + len(found))
    right = sum(labels[i] == predicted[i] for i in pixels)
    each = {f'iou_{c}': iou.get(c, math.nan) for c in range(classes)}
    means = {'miou': np.mean(list(iou.values())), 'dice': np.mean(list(dice.values()))}
    return means | each | {'pixel_accuracy': right / len(pixels), 'count': len(pixels)}


@pytest.mark.parametrize('ignore', [255, 0])
def test_several_images_make_one_matrix(ignore):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, (3, 10, 12)).astype(np.uint8)
    predicted = np.where(rng.random(labels.shape) > 0.4, labels, rng.integers(0, 5, labels.shape))
    labels[rng.random(labels.shape) > 0.9] = ignore
    matrix = ConfusionMatrix(6, ignore)
    for pair in zip(labels, predicted, strict=True):
        matrix.update(*pair)
    expected = slow(labels.ravel().tolist(), predicted.ravel().tolist(), 6, ignore)
    assert matrix.result() == pytest.approx(expected, nan_ok=True)


def test_names():
    matrix = ConfusionMatrix(('background', 'person'))
    matrix.update(np.array([0, 1]), np.array([0, 0]))
    assert matrix.result()['iou_background'] == 0.5
    assert matrix.result()['iou_person'] == 0


@pytest.mark.parametrize(
    ('labels', 'predicted', 'sentence'),
    [
        ([0, 1], [0], r'\(2,\) and prediction \(1,\)'),
        ([0, 7], [0, 0], 'class id 7'),
        ([0, 0], [3, 0], 'class id 3'),
        ([0, -1], [0, 0], 'class id -1'),
    ],
)
def test_input_that_does_not_fit(labels, predicted, sentence):
    matrix = ConfusionMatrix(3)
    with pytest.raises(InputError, match=sentence):
        matrix.update(np.array(labels), np.array(predicted))
    assert matrix.result()['count'] == 0
