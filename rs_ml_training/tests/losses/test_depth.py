"""Losses of depth maps against slow sums over pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest

keras = pytest.importorskip('keras')

from rs_ml_training.losses.depth import (  # noqa: E402
    DEPTH_LOSSES,
    berhu,
    combined,
    gradient,
    l1,
    l2,
    relative,
    silog,
    ssim_loss,
)
from rs_ml_training.losses.normals import normal_loss  # noqa: E402

NAMES = sorted(DEPTH_LOSSES)


def picture(seed: int = 0, shape: tuple[int, ...] = (2, 6, 7, 1)):
    """Target, prediction and a mask with some pixels missing."""
    rng = np.random.default_rng(seed)
    target = rng.uniform(0.5, 8, shape).astype(np.float32)
    prediction = (target * rng.uniform(0.7, 1.4, shape)).astype(np.float32)
    return target, prediction, rng.random(shape) > 0.3


def known_pairs(target, prediction, mask):
    return [
        (float(t), float(p))
        for t, p, m in zip(target.flat, prediction.flat, mask.flat, strict=True)
        if m
    ]


def slow_l1(pairs):
    return sum(abs(t - p) for t, p in pairs) / len(pairs)


def slow_l2(pairs):
    return sum((t - p) ** 2 for t, p in pairs) / len(pairs)


def slow_berhu(pairs, share=0.2):
    errors = [abs(t - p) for t, p in pairs]
    c = share * max(errors)
    return sum(e if e <= c else (e * e + c * c) / (2 * c) for e in errors) / len(errors)


def slow_silog(pairs, variance_focus=0.85, scale=10.0):
    d = [math.log(t) - math.log(p) for t, p in pairs]
    mean, square = sum(d) / len(d), sum(x * x for x in d) / len(d)
    return scale * math.sqrt(square - variance_focus * mean**2)


@pytest.mark.parametrize(
    ('loss', 'slow', 'options'),
    [
        (l1, slow_l1, {}),
        (l2, slow_l2, {}),
        (berhu, slow_berhu, {}),
        (berhu, slow_berhu, {'share': 0.5}),
        (silog, slow_silog, {}),
        (silog, slow_silog, {'variance_focus': 0.5, 'scale': 1.0}),
        (silog, slow_silog, {'variance_focus': 1.0}),
    ],
)
def test_value(loss, slow, options):
    maps = picture()
    expected = slow(known_pairs(*maps), **options)
    assert float(loss(*maps, **options)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('shape', [(0, 4, 4, 1), (2, 6, 7, 1), (1, 1, 1, 1)])
def test_nothing_known_is_zero_with_zero_gradient(name, shape, value_and_gradient):
    target, prediction, _ = picture(shape=shape)
    mask = np.zeros(shape, bool)
    value, slope = value_and_gradient(lambda p: DEPTH_LOSSES[name](target, p, mask), prediction)
    assert value == 0
    np.testing.assert_array_equal(slope, np.zeros(shape))


@pytest.mark.parametrize('name', NAMES)
def test_unknown_pixels_change_nothing(name, value_and_gradient):
    target, prediction, mask = picture()
    spoilt = np.where(mask, target, np.nan), np.where(mask, prediction, np.inf)
    loss = DEPTH_LOSSES[name]
    value, slope = value_and_gradient(lambda p: loss(spoilt[0], p, mask), spoilt[1])
    clean, clean_slope = value_and_gradient(lambda p: loss(target, p, mask), prediction)
    assert value == pytest.approx(clean, rel=1e-6)
    np.testing.assert_allclose(slope, clean_slope, rtol=1e-5, atol=1e-8)
    assert np.all(slope[~mask] == 0)
    assert np.abs(slope[mask]).max() > 0


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('scene', ['random', 'constant', 'near'])
def test_perfect_prediction_is_zero_with_finite_gradient(name, scene, value_and_gradient):
    target, _, mask = picture()
    if scene != 'random':
        target = np.full_like(target, 2.0 if scene == 'constant' else 1e-3)
    value, slope = value_and_gradient(lambda p: DEPTH_LOSSES[name](target, p, mask), target)
    assert value == pytest.approx(0, abs=1e-5)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize('name', NAMES)
def test_negative_and_zero_predictions_stay_finite(name, value_and_gradient):
    target, prediction, mask = picture()
    value, slope = value_and_gradient(
        lambda p: DEPTH_LOSSES[name](target, p, mask), np.where(target > 4, 0, -prediction)
    )
    assert math.isfinite(value)
    assert value > 0
    assert np.isfinite(slope).all()


@pytest.mark.parametrize('name', NAMES)
def test_maps_without_channel_and_half_precision(name):
    target, prediction, mask = picture()
    full = float(DEPTH_LOSSES[name](target, prediction, mask))
    flat = DEPTH_LOSSES[name](target[..., 0], prediction, mask[..., 0].astype(np.uint8))
    half = DEPTH_LOSSES[name](target, prediction.astype(np.float16), mask)
    assert float(flat) == pytest.approx(full, rel=1e-6)
    assert keras.backend.standardize_dtype(half.dtype) == 'float32'
    assert float(half) == pytest.approx(full, rel=5e-3)


def test_gradient_loss_is_the_sum_over_pixels_and_neighbours():
    target, prediction, mask = picture(shape=(1, 4, 5, 1))
    error = (prediction - target)[0, ..., 0].astype(float)
    known = mask[0, ..., 0]
    here, right, below = [], [], []
    for y in range(4):
        for x in range(5):
            if known[y, x]:
                here.append(math.log(abs(error[y, x]) + 0.5) - math.log(0.5))
            inside = y < 3 and x < 4
            if inside and known[y, x] and known[y, x + 1] and known[y + 1, x]:
                right.append(math.log(abs(error[y, x + 1] - error[y, x]) + 0.5) - math.log(0.5))
                below.append(math.log(abs(error[y + 1, x] - error[y, x]) + 0.5) - math.log(0.5))
    expected = np.mean(here) + 2.0 * (np.mean(right) + np.mean(below))
    assert float(gradient(target, prediction, mask, slope=2.0, normal=0.0)) == pytest.approx(
        expected, rel=1e-5
    )
    normals = float(normal_loss(target, prediction, mask))
    both = float(gradient(target, prediction, mask, slope=2.0, normal=3.0))
    assert both == pytest.approx(expected + 3 * normals, rel=1e-5)


@pytest.mark.parametrize('scales', [0, 1, 2])
def test_relative_loss_is_the_sum_over_pixels_and_distances(scales):
    target, prediction, mask = picture(shape=(1, 12, 16, 1))
    d = np.log(prediction.astype(float) / target)[0, ..., 0]
    pairs = known_pairs(target, prediction, mask)
    expected = np.mean([abs(math.log(p / t)) for t, p in pairs]) + 0.2 * slow_l1(pairs)
    for stride in (1, 2)[:scales]:
        part, known = d[::stride, ::stride], mask[0, ::stride, ::stride, 0]
        both = known[:-1, :-1] & known[:-1, 1:] & known[1:, :-1]
        right, below = np.diff(part, axis=1)[:-1][both], np.diff(part, axis=0)[:, :-1][both]
        expected += 3.0 * (np.abs(right).mean() + np.abs(below).mean())
    value = relative(target, prediction, mask, slope=3.0, scales=scales)
    assert float(value) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize('sphere', [False, True])
def test_combined_is_the_weighted_sum(sphere):
    maps = picture(shape=(1, 16, 16, 1))
    weights = {'l1_weight': 0.2, 'normal_weight': 0.3, 'ssim_weight': 0.5}
    parts = l1(*maps), normal_loss(*maps, sphere=sphere), ssim_loss(*maps, window=7, range_m=5.0)
    expected = sum(w * float(p) for w, p in zip(weights.values(), parts, strict=True))
    value = combined(*maps, **weights, window=7, range_m=5.0, sphere=sphere)
    assert float(value) == pytest.approx(expected, rel=1e-5)
