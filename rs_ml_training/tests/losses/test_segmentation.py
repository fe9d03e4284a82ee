"""Losses of segmentation against slow sums over pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_training.data.sample import IGNORE  # noqa: E402
from rs_ml_training.losses.segmentation import (  # noqa: E402
    SEGMENTATION_LOSSES,
    at_scores,
    binary_cross_entropy,
    binary_focal,
    confidence_loss,
    cross_entropy,
    cross_entropy_dice,
    dice,
    focal,
    none_of,
)

NAMES = sorted(SEGMENTATION_LOSSES)


def scene(name: str = 'cross_entropy', seed: int = 0):
    """Labels with unlabelled pixels, and logits with the channels that the loss takes."""
    rng = np.random.default_rng(seed)
    channels = 1 if name.startswith('binary') else 4
    labels = rng.integers(0, max(channels, 2), (2, 5, 6)).astype(np.uint8)
    labels[0, :2] = IGNORE
    return labels, rng.normal(0, 3, (2, 5, 6, channels)).astype(np.float32)


def probabilities(labels, logits):
    """(label, probabilities of all classes) of the labelled pixels."""
    for label, row in zip(labels.reshape(-1), logits.reshape(-1, logits.shape[-1]), strict=True):
        if label == IGNORE:
            continue
        if len(row) == 1:
            p = 1 / (1 + math.exp(-float(row[0])))
            yield int(label), [1 - p, p]
        else:
            e = [math.exp(float(v)) for v in row]
            yield int(label), [v / sum(e) for v in e]


def slow_entropy(labels, logits, class_weights=None, label_smoothing=0.0):
    total = weight_sum = 0.0
    for label, p in probabilities(labels, logits):
        weight = class_weights[label] if class_weights else 1.0
        loss = -(1 - label_smoothing) * math.log(p[label])
        loss -= label_smoothing * sum(math.log(v) for v in p) / len(p)
        total, weight_sum = total + weight * loss, weight_sum + weight
    return total / weight_sum


def slow_focal(labels, logits, gamma=2.0, alpha=None):
    losses = []
    for label, p in probabilities(labels, logits):
        factor = 1.0
        if alpha is not None:
            factor = alpha[label] if isinstance(alpha, list) else [1 - alpha, alpha][label]
        losses.append(-factor * (1 - p[label]) ** gamma * math.log(p[label]))
    return sum(losses) / len(losses)


def slow_dice(labels, logits, smooth=1.0):
    rows = list(probabilities(labels, logits))
    channels = logits.shape[-1]
    scores = []
    for c in range(channels):
        c = 1 if channels == 1 else c
        both = sum(p[c] for label, p in rows if label == c)
        either = sum(p[c] for _, p in rows) + sum(label == c for label, _ in rows)
        scores.append((2 * both + smooth) / (either + smooth))
    return 1 - sum(scores) / len(scores)


@pytest.mark.parametrize(
    ('loss', 'slow', 'channels', 'options'),
    [
        (cross_entropy, slow_entropy, 4, {}),
        (cross_entropy, slow_entropy, 4, {'class_weights': [1.0, 0.2, 3.0, 0.0]}),
        (cross_entropy, slow_entropy, 4, {'label_smoothing': 0.1}),
        (cross_entropy, slow_entropy, 4, {'class_weights': [1, 2, 3, 4], 'label_smoothing': 0.2}),
        (focal, slow_focal, 4, {}),
        (focal, slow_focal, 4, {'gamma': 0.5, 'alpha': [0.1, 0.2, 0.3, 0.4]}),
        (binary_cross_entropy, slow_entropy, 1, {}),
        (binary_focal, lambda y, x: slow_focal(y, x, alpha=0.25), 1, {}),
        (binary_focal, slow_focal, 1, {'alpha': 0.6, 'gamma': 1.0}),
        (dice, slow_dice, 4, {}),
        (dice, slow_dice, 1, {}),
        (dice, slow_dice, 4, {'smooth': 5.0}),
        (cross_entropy_dice, lambda y, x: slow_entropy(y, x) + slow_dice(y, x), 4, {}),
        (cross_entropy_dice, lambda y, x: slow_entropy(y, x) + slow_dice(y, x), 1, {}),
    ],
)
def test_value(loss, slow, channels, options):
    labels, logits = scene('binary' if channels == 1 else '')
    expected = slow(labels, logits, **options)
    assert float(loss(labels, logits, **options)) == pytest.approx(expected, rel=1e-4)


def test_binary_is_the_two_class_case():
    labels, logits = scene('binary')
    two = np.concatenate([np.zeros_like(logits), logits], axis=-1)
    assert float(binary_cross_entropy(labels, logits)) == pytest.approx(
        float(cross_entropy(labels, two)), rel=1e-5
    )


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('batch', [0, 2])
def test_nothing_labelled_is_zero_with_zero_gradient(name, batch, value_and_gradient):
    _, logits = scene(name)
    logits = logits[:batch]
    labels = np.full(logits.shape[:-1], IGNORE, np.uint8)
    value, slope = value_and_gradient(lambda x: SEGMENTATION_LOSSES[name](labels, x), logits)
    assert value == pytest.approx(0, abs=1e-6)
    np.testing.assert_array_equal(slope, np.zeros_like(logits))


@pytest.mark.parametrize('name', NAMES)
def test_unlabelled_pixels_have_no_gradient(name, value_and_gradient):
    labels, logits = scene(name)
    _, slope = value_and_gradient(lambda x: SEGMENTATION_LOSSES[name](labels, x), logits)
    assert np.all(slope[labels == IGNORE] == 0)
    assert np.all(np.abs(slope[labels != IGNORE]).sum(axis=-1) > 0)


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('size', [1e-6, 1.0, 200.0])
def test_extreme_logits_stay_finite(name, size, value_and_gradient):
    labels, logits = scene(name)
    logits = (np.sign(logits) * size).astype(np.float32)
    value, slope = value_and_gradient(lambda x: SEGMENTATION_LOSSES[name](labels, x), logits)
    assert 0 < value < 1e3
    assert np.isfinite(slope).all()


@pytest.mark.parametrize('name', NAMES)
def test_labels_with_channel_and_half_precision(name):
    labels, logits = scene(name)
    loss = SEGMENTATION_LOSSES[name]
    full = float(loss(labels, logits))
    assert float(loss(labels[..., None].astype(np.int32), logits)) == pytest.approx(full, rel=1e-6)
    half = loss(labels, logits.astype(np.float16))
    assert keras.backend.standardize_dtype(half.dtype) == 'float32'
    assert float(half) == pytest.approx(full, rel=1e-2)


def test_confidence_is_judged_by_whether_there_is_an_object():
    labels, _ = scene()
    confidence = np.random.default_rng(3).uniform(0.05, 0.95, (2, 5, 6, 1)).astype(np.float32)
    entropy = [
        -math.log(c if label >= 1 else 1 - c)
        for label, c in zip(labels.flat, confidence.flat, strict=True)
        if label != IGNORE
    ]
    value = confidence_loss(labels, confidence)
    assert float(value) == pytest.approx(sum(entropy) / len(entropy), rel=1e-4)


@pytest.mark.parametrize('certain', [0.0, 1.0])
def test_certain_confidence_stays_finite(certain, value_and_gradient):
    labels, _ = scene()
    confidence = np.full((2, 5, 6, 1), certain, np.float32)
    value, slope = value_and_gradient(lambda c: confidence_loss(labels, c), confidence)
    assert math.isfinite(value)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize('classes', [(0,), (1, 3)])
def test_none_of_is_minus_log_of_the_rest(classes):
    labels, logits = scene()
    unlisted = (labels == IGNORE).astype(np.uint8)
    known = np.where(unlisted, 0, IGNORE).astype(np.uint8)
    losses = [-math.log(1 - sum(p[c] for c in classes)) for _, p in probabilities(known, logits)]
    found = float(none_of(unlisted, logits, classes))
    assert found == pytest.approx(sum(losses) / len(losses), rel=1e-4)


def test_none_of_nothing_is_zero():
    labels, logits = scene()
    assert float(none_of(np.zeros_like(labels), logits, (1,))) == 0.0


@pytest.mark.parametrize(('step', 'first'), [(1, 0), (2, 1), (4, 2)])
def test_maps_at_the_size_of_scores(step, first):
    maps = np.arange(8 * 12).reshape(1, 8, 12)
    found = at_scores(maps, np.zeros((1, 8 // step, 12 // step, 3)))
    assert found.shape == (1, 8 // step, 12 // step)
    assert found[0, 0, 0] == maps[0, first, first]
