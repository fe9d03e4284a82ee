"""The loss of depth cleaners: its terms, its mask, and what confidence is taught."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip('keras')

from rs_ml_training.losses.denoise import (
    confidence_loss,
    denoise_loss,
    edge_map,
    noise_m,
)


def scene(seed: int = 0):
    """A wall with a step, unknown in places, and what a network made of it."""
    rng = np.random.default_rng(seed)
    target = np.full((2, 6, 8, 1), 2.0, np.float32)
    target[:, :, 4:] = 3.0
    depth = target + rng.normal(0, 0.03, target.shape).astype(np.float32)
    target[rng.random(target.shape) > 0.8] = 0
    confidence = rng.uniform(0.05, 0.95, target.shape).astype(np.float32)
    return target, {'depth_m': depth, 'confidence': confidence}


@pytest.mark.parametrize(('relative', 'share'), [(True, 1.0), (True, 0.4), (False, 1.0)])
def test_depth_term_is_the_mean_logarithm_in_units_of_noise(relative, share):
    target, outputs = scene()
    options = {'relative': relative, 'noise_share': share, 'edge_weight': 1.0}
    terms = denoise_loss(target, outputs, **options)
    sizes = []
    for z, d in zip(target.flat, outputs['depth_m'].flat, strict=True):
        if z > 0:
            unit = share * (0.002 + 0.0025 * float(z) ** 2) if relative else 0.01
            sizes.append(math.log(math.sqrt(((float(d) - float(z)) / unit) ** 2 + 1)))
    assert float(terms['depth_m']) == pytest.approx(np.mean(sizes), rel=1e-4)


def test_edges_weigh_more():
    target, outputs = scene()
    known = (target > 0).astype(np.float32)
    edges = np.asarray(edge_map(target, known)) > 0
    assert edges.any()
    assert set(np.nonzero(edges)[2]) == {3, 4}
    error = (outputs['depth_m'] - target) / np.asarray(noise_m(target))
    size = np.log(np.sqrt(error**2 + 1))
    weight = known * np.where(edges, 5.0, 1.0)
    terms = denoise_loss(target, outputs, edge_weight=5.0)
    assert float(terms['depth_m']) == pytest.approx((size * weight).sum() / weight.sum(), rel=1e-4)


@pytest.mark.parametrize(
    ('z', 'error', 'deserved'),
    [(1.0, 0.0, 1.0), (1.0, 0.125, 0.75), (1.0, -0.25, 0.0), (2.0, 3.0, 0.0), (8.0, 0.2, 0.75)],
)
def test_confidence_is_the_squared_error_within_25_centimetres_or_5_percent(z, error, deserved):
    target = np.full((1, 2, 2, 1), z, np.float32)
    confidence = np.full_like(target, 0.9)
    value = confidence_loss(target, target + np.float32(error), confidence, target > 0)
    expected = -deserved * math.log(0.9) - (1 - deserved) * math.log(0.1)
    assert float(value) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(('error', 'expected'), [(0.03, 0.01), (0.3, 0.8284), (-3.0, 18.0998)])
def test_gross_errors_count_in_metres_at_any_depth(error, expected):
    for z in (0.5, 5.0):
        target = np.full((1, 2, 2, 1), z, np.float32)
        terms = denoise_loss(target, {'depth_m': target + np.float32(error)})
        assert float(terms['gross']) == pytest.approx(expected, rel=1e-2)


def test_confidence_does_not_move_the_depth(value_and_gradient):
    target, outputs = scene()
    _, slope = value_and_gradient(
        lambda d: denoise_loss(target, outputs | {'depth_m': d})['confidence'],
        outputs['depth_m'],
    )
    assert not slope.any()


def test_a_constant_error_has_no_slope_term():
    target = np.full((1, 5, 5, 1), 2.0, np.float32)
    terms = denoise_loss(target, {'depth_m': target + np.float32(0.1)})
    assert list(terms) == ['depth_m', 'gross', 'slope']
    assert float(terms['slope']) == pytest.approx(0, abs=1e-6)
    assert float(terms['depth_m']) > 1


def test_unknown_pixels_do_not_count(value_and_gradient):
    target, outputs = scene()
    total, slope = value_and_gradient(
        lambda d: sum(denoise_loss(target, outputs | {'depth_m': d}).values()),
        np.where(target > 0, outputs['depth_m'], np.nan),
    )
    clean = sum(float(t) for t in denoise_loss(target, outputs).values())
    assert total == pytest.approx(clean, rel=1e-6)
    assert np.isfinite(slope).all()
    assert not slope[target == 0].any()


@pytest.mark.parametrize('shape', [(0, 4, 4, 1), (1, 4, 5, 1)])
def test_nothing_known_is_zero(shape, value_and_gradient):
    depth = np.full(shape, 1.5, np.float32)
    outputs = {'confidence': np.full(shape, 0.5, np.float32)}
    value, slope = value_and_gradient(
        lambda d: sum(denoise_loss(np.zeros(shape), outputs | {'depth_m': d}).values()), depth
    )
    assert value == 0
    assert not slope.any()


def test_weights_of_the_terms():
    target, outputs = scene()
    weights = {'depth_m': 2.0, 'gross': 1.5, 'slope': 3.0, 'confidence': 0.5}
    ones = denoise_loss(target, outputs, weights=dict.fromkeys(weights, 1))
    weighted = denoise_loss(target, outputs, weights=weights)
    ratios = [float(weighted[n]) / float(ones[n]) for n in ones]
    np.testing.assert_allclose(ratios, [2.0, 1.5, 3.0, 0.5], rtol=1e-5)
