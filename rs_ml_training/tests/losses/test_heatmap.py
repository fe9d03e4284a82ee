"""The losses of a centre detector against slow sums over cells."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip('keras')

from rs_ml_training.losses.heatmap import (
    centre_l1,
    detection_loss,
    heatmap_focal,
    heatmap_soft,
    soft_detection_loss,
)


def scene(seed: int = 0, objects: int = 3):
    rng = np.random.default_rng(seed)
    heatmap = rng.uniform(0, 0.99, (2, 4, 5, 2)).astype(np.float32)
    mask = np.zeros((2, 4, 5, 1), np.float32)
    for i in range(objects):
        heatmap[i % 2, i, 2, i % 2] = 1.0
        mask[i % 2, i, 2] = 1.0
    size, offset = rng.uniform(0, 50, (2, 2, 4, 5, 2)).astype(np.float32)
    targets = {'heatmap': heatmap, 'size': size, 'offset': offset, 'mask': mask}
    outputs = {
        'heatmap': rng.uniform(0.01, 0.99, heatmap.shape).astype(np.float32),
        'size': size + rng.normal(0, 5, size.shape).astype(np.float32),
        'offset': offset + rng.normal(0, 1, size.shape).astype(np.float32),
    }
    return targets, outputs


def slow_focal(target, prediction, alpha=2.0, beta=4.0):
    total, centres = 0.0, 0
    for t, p in zip(target.flat, prediction.flat, strict=True):
        t, p = float(t), float(p)
        if t == 1:
            centres += 1
            total -= (1 - p) ** alpha * math.log(p)
        else:
            total -= (1 - t) ** beta * p**alpha * math.log(1 - p)
    return total / max(centres, 1)


@pytest.mark.parametrize('objects', [0, 1, 3])
def test_focal(objects):
    targets, outputs = scene(objects=objects)
    pair = targets['heatmap'], outputs['heatmap']
    assert float(heatmap_focal(*pair)) == pytest.approx(slow_focal(*pair), rel=1e-5)
    value = heatmap_focal(*pair, alpha=1.0, beta=2.0)
    assert float(value) == pytest.approx(slow_focal(*pair, alpha=1.0, beta=2.0), rel=1e-5)


@pytest.mark.parametrize('name', ['size', 'offset'])
def test_only_cells_of_centres_count(name):
    targets, outputs = scene()
    mask = targets['mask'][..., 0] > 0
    expected = np.abs(targets[name] - outputs[name])[mask].mean()
    value = centre_l1(targets[name], outputs[name], targets['mask'])
    assert float(value) == pytest.approx(expected, rel=1e-5)


def test_terms_are_weighted():
    targets, outputs = scene()
    plain = detection_loss(targets, outputs, {'heatmap': 1.0, 'size': 1.0, 'offset': 1.0})
    terms = detection_loss(targets, outputs)
    assert list(terms) == ['heatmap', 'size', 'offset']
    for name, weight in {'heatmap': 1.0, 'size': 0.025, 'offset': 1.0}.items():
        assert float(terms[name]) == pytest.approx(weight * float(plain[name]), rel=1e-5)


@pytest.mark.parametrize('objects', [0, 2])
@pytest.mark.parametrize('certain', [0.0, 1.0])
def test_certain_heatmaps_stay_finite(objects, certain, value_and_gradient):
    targets, outputs = scene(objects=objects)

    def loss(heatmap):
        terms = detection_loss(targets, outputs | {'heatmap': heatmap})
        return sum(terms.values())

    value, slope = value_and_gradient(loss, np.full_like(outputs['heatmap'], certain))
    assert math.isfinite(value)
    assert np.isfinite(slope).all()


def test_without_objects_size_and_offset_are_zero(value_and_gradient):
    targets, outputs = scene(objects=0)
    for name in ('size', 'offset'):
        value, slope = value_and_gradient(
            lambda x, name=name: detection_loss(targets, outputs | {name: x})[name],
            outputs[name],
        )
        assert value == 0
        assert not slope.any()


def slow_soft(target, prediction, beta=2.0, peak_weight=8.0):
    total, heights = 0.0, 0.0
    for index in np.ndindex(target.shape):
        batch, row, column, kind = index
        t, p = float(target[index]), float(prediction[index])
        around = target[batch, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2, kind]
        height = t if t >= 0.1 and t >= around.max() else 0.0
        entropy = -(t * math.log(p) + (1 - t) * math.log(1 - p))
        total += abs(t - p) ** beta * entropy * (1 + peak_weight * height)
        heights += height
    return total / max(heights, 1.0)


@pytest.mark.parametrize('scale', [0.0, 0.05, 1.0])
@pytest.mark.parametrize('options', [{}, {'beta': 1.0, 'peak_weight': 0.0}])
def test_soft(scale, options):
    targets, outputs = scene()
    pair = targets['heatmap'] * np.float32(scale), outputs['heatmap']
    assert float(heatmap_soft(*pair, **options)) == pytest.approx(
        slow_soft(*pair, **options), rel=1e-4
    )


def test_soft_loss_ends_where_target_and_output_agree():
    targets, _ = scene()
    terms = soft_detection_loss(targets, {n: targets[n] for n in ('heatmap', 'size', 'offset')})
    assert all(float(value) == pytest.approx(0.0, abs=1e-5) for value in terms.values())
