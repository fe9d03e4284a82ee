"""The depth metrics against a slow count over pixels, and published crops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.metrics.crops import pasted_kb, window
from rs_ml_training.metrics.depth import NAMES, DepthMetrics

NYU = {'min_depth_m': 1e-3, 'max_depth_m': 10.0}


def picture(seed: int = 0, shape: tuple[int, int] = (12, 15), top: float = 11.0):
    """Truth with unknown and too far pixels, prediction with impossible ones."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0.2, top, shape)
    truth[rng.random(shape) > 0.8] = 0
    prediction = truth * rng.uniform(0.6, 1.7, shape) + 0.05
    prediction.flat[:5] = np.nan, np.inf, -np.inf, -3.0, 0.0
    truth.flat[:5] = 1.0, 2.0, 3.0, 4.0, 5.0
    return truth, prediction


def clamped(p: float, low: float, high: float) -> float:
    if math.isnan(p):
        return low
    return min(max(p, low), high)


def counted(truth, prediction, rows, columns, low, high):
    """(truth, prediction) of the pixels that count, by one look at each."""
    pairs = []
    for y in range(*rows):
        for x in range(*columns):
            t = float(truth[y, x])
            if low < t < high:
                pairs.append((t, clamped(float(prediction[y, x]), low, high)))
    return pairs


def slow_metrics(pairs):
    n = len(pairs)
    e = [math.log(p) - math.log(t) for t, p in pairs]
    square, mean = sum(x * x for x in e) / n, sum(e) / n
    ratios = [max(t / p, p / t) for t, p in pairs]
    return {
        'silog': 100 * math.sqrt(square - mean**2),
        'abs_rel': sum(abs(t - p) / t for t, p in pairs) / n,
        'log10': sum(abs(math.log10(p) - math.log10(t)) for t, p in pairs) / n,
        'rms': math.sqrt(sum((t - p) ** 2 for t, p in pairs) / n),
        'sq_rel': sum((t - p) ** 2 / t for t, p in pairs) / n,
        'log_rms': math.sqrt(square),
        'd1': sum(r < 1.25 for r in ratios) / n,
        'd2': sum(r < 1.25**2 for r in ratios) / n,
        'd3': sum(r < 1.25**3 for r in ratios) / n,
        'mae': sum(abs(t - p) for t, p in pairs) / n,
    }


def test_nothing_seen():
    result = DepthMetrics().result()
    assert result.pop('count') == 0
    assert list(result) == list(NAMES)
    assert all(math.isnan(v) for v in result.values())


@pytest.mark.parametrize('pooled', [False, True])
def test_images_without_truth_are_left_out(pooled):
    metrics = DepthMetrics(pooled=pooled)
    metrics.update(np.zeros((3, 4)), np.ones((3, 4)))
    assert metrics.result()['count'] == 0
    metrics.update(np.full((3, 4), 2.0), np.full((3, 4), 3.0))
    assert metrics.result()['count'] == 1
    assert metrics.result()['mae'] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ('crop', 'shape', 'rows', 'columns'),
    [
        (None, (12, 15), (0, 12), (0, 15)),
        ('nyu-eigen', (480, 640), (45, 471), (41, 601)),
        ('nyu-eigen', (240, 320), (22, 236), (20, 300)),
        ('garg', (375, 1242), (153, 371), (44, 1197)),
        ('garg', (37, 124), (15, 36), (4, 119)),
        ('eigen', (375, 1242), (124, 342), (44, 1197)),
        ('eigen', (37, 124), (12, 33), (4, 119)),
    ],
)
def test_crop_takes_effect(crop, shape, rows, columns):
    assert window(crop, *shape) == (slice(*rows), slice(*columns))
    if shape[0] * shape[1] > 10_000:
        return
    truth, prediction = picture(shape=shape)
    metrics = DepthMetrics(**NYU, crop=crop)
    metrics.update(truth, prediction)
    expected = slow_metrics(counted(truth, prediction, rows, columns, 1e-3, 10.0))
    assert metrics.result() == pytest.approx(expected | {'count': 1}, rel=1e-9)


@pytest.mark.parametrize(('low', 'high'), [(1e-3, 10.0), (1e-3, 80.0), (0.5, 4.0)])
@pytest.mark.parametrize(('kind', 'rel'), [(np.float64, 1e-9), (np.float32, 1e-5)])
def test_limits_and_types(low, high, kind, rel):
    truth, prediction = (m.astype(kind) for m in picture(top=90.0))
    metrics = DepthMetrics(low, high)
    metrics.update(truth, prediction)
    expected = slow_metrics(counted(truth, prediction, (0, 12), (0, 15), low, high))
    assert metrics.result() == pytest.approx(expected | {'count': 1}, rel=rel)


def test_inputs_are_left_alone():
    truth, prediction = picture()
    before = truth.copy(), prediction.copy()
    DepthMetrics().update(truth, prediction)
    np.testing.assert_array_equal(truth, before[0])
    np.testing.assert_array_equal(prediction, before[1])


def test_mean_over_images_or_over_all_pixels():
    pictures = [picture(0), picture(1, (6, 5)), picture(2, (3, 20))]
    pairs = [counted(t, p, (0, t.shape[0]), (0, t.shape[1]), 1e-3, 10.0) for t, p in pictures]
    each = [slow_metrics(p) for p in pairs]
    mean = {name: sum(m[name] for m in each) / 3 for name in NAMES}
    pooled = slow_metrics([pair for p in pairs for pair in p])
    for options, expected in (({}, mean), ({'pooled': True}, pooled)):
        metrics = DepthMetrics(**NYU, **options)
        for pair in pictures:
            metrics.update(*pair)
        assert metrics.result() == pytest.approx(expected | {'count': 3}, rel=1e-9)


@pytest.mark.parametrize('shape', [(3, 4, 5), (3, 4, 5, 1)])
def test_a_batch_is_its_images(shape):
    rng = np.random.default_rng(0)
    truth, prediction = rng.uniform(1, 5, (2, *shape))
    whole, single = DepthMetrics(), DepthMetrics()
    whole.update(truth, prediction)
    for t, p in zip(truth, prediction, strict=True):
        single.update(t, p)
    assert whole.result() == single.result()
    assert whole.result()['count'] == 3


def test_scaled_depth_is_free_in_silog_alone():
    truth = np.random.default_rng(0).uniform(1, 5, (20, 20))
    metrics = DepthMetrics()
    metrics.update(truth, 1.2 * truth)
    result = metrics.result()
    assert result['silog'] == pytest.approx(0, abs=1e-5)
    assert result['abs_rel'] == pytest.approx(0.2)
    assert result['log_rms'] == pytest.approx(math.log(1.2))
    assert result['d1'] == 1


@pytest.mark.parametrize(
    ('options', 'sentence'),
    [
        ({'crop': 'kitti'}, "no crop 'kitti'; choose one of eigen, garg, nyu-eigen or none"),
        ({'min_depth_m': 0.0}, 'got 0.0, 10.0'),
        ({'min_depth_m': 5.0, 'max_depth_m': 5.0}, 'got 5.0, 5.0'),
    ],
)
def test_options_that_make_no_sense(options, sentence):
    with pytest.raises(ConfigError, match=sentence):
        DepthMetrics(**options)


@pytest.mark.parametrize(
    ('truth', 'prediction'),
    [((4, 5), (5, 4)), ((4, 5), (1, 4, 6)), ((4,), (4,)), ((2, 4, 5, 3),) * 2],
)
def test_maps_that_do_not_fit(truth, prediction):
    with pytest.raises(InputError, match=r'\(4, 5\)|\(4,\)|\(2, 4, 5, 3\)'):
        DepthMetrics().update(np.ones(truth), np.ones(prediction))


def test_benchmark_crop_goes_back_where_it_came_from():
    full = np.random.default_rng(0).uniform(1, 80, (375, 1242)).astype(np.float32)
    crop = full[375 - 352 :, 13 : 13 + 1216]
    pasted = pasted_kb(crop, 375, 1242)
    np.testing.assert_array_equal(pasted[23:, 13:1229], crop)
    assert pasted.dtype == np.float32
    assert np.count_nonzero(pasted) == 352 * 1216


@pytest.mark.parametrize(
    ('shape', 'full'),
    [((352, 1215), (375, 1242)), ((352, 1216), (351, 1242)), ((0, 0), (375, 1242))],
)
def test_benchmark_crop_that_does_not_fit(shape, full):
    with pytest.raises(InputError, match='352 x 1216'):
        pasted_kb(np.ones(shape), *full)


@pytest.mark.parametrize('factor', [0.3, 1.0, 1.7])
def test_aligned_to_the_median_only_the_shape_counts(factor):
    truth, prediction = picture()
    found = []
    for scale in (1.0, factor):
        metrics = DepthMetrics(1e-9, 1e9, median_aligned=True)
        metrics.update(truth, prediction * scale)
        found.append(metrics.result())
    assert found[1] == pytest.approx(found[0])


@pytest.mark.parametrize('value', [0.0, np.nan])
def test_alignment_of_nothing_changes_nothing(value):
    truth, found = np.full((3, 4), 2.0), []
    for is_aligned in (False, True):
        metrics = DepthMetrics(median_aligned=is_aligned)
        metrics.update(truth, np.full((3, 4), value))
        found.append(metrics.result())
    assert found[0] == found[1]
