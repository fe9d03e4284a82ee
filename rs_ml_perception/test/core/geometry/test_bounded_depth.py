"""Bounds of denoised depth: by range, direction and noise; holes and nonsense."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.geometry.bounded_depth import (
    DepthBounds,
    MoveLimits,
    is_unfounded,
    noise_level,
)

GROWTH_PER_M = 0.004
LIMITS = MoveLimits(toward=1.0, away=10.0, growth_per_m=GROWTH_PER_M)
NO_LIMITS = MoveLimits(1e6, 1e6, GROWTH_PER_M)


def images(raw_m, move_m, shape=(200, 64)):
    """Raw and denoised depth and confidence: a uniform wall, of which row 3 moves."""
    raw = np.full(shape, raw_m, np.float32)
    denoised = raw.copy()
    denoised[3] += np.float32(move_m)
    return raw, denoised, np.full(shape, 0.9, np.float32)


def test_an_empty_image():
    empty = np.empty((0, 0), np.float32)
    assert noise_level(empty, empty, GROWTH_PER_M) == 1.0
    blank, filled, confidence = np.zeros((2, 3), np.float32), *np.full((2, 2, 3), 0.5, np.float32)
    moves = DepthBounds()(blank, filled, confidence, LIMITS)
    assert (moves.noise_level, moves.clamped) == (1.0, 0.0)
    np.testing.assert_array_equal(filled, 0.5)


@pytest.mark.parametrize('raw_m', [0.3, 1.0, 2.0, 4.0, 10.0])
@pytest.mark.parametrize(
    ('sigmas', 'kept_sigmas'),
    # The image is calm, which halves the bounds of 1 and 10.
    [(0.0, 0.0), (-0.4, -0.4), (-2.0, -0.5), (-90.0, -0.5), (4.0, 4.0), (6.0, 5.0), (90.0, 5.0)],
)
def test_a_pixel_moves_within_its_expected_noise(raw_m, sigmas, kept_sigmas):
    sigma_m = GROWTH_PER_M * raw_m**2
    raw, denoised, confidence = images(raw_m, max(sigmas * sigma_m, -0.9 * raw_m))
    moves = DepthBounds()(raw, denoised, confidence, LIMITS)
    np.testing.assert_allclose(denoised[3], raw_m + kept_sigmas * sigma_m, rtol=1e-5)
    np.testing.assert_array_equal(denoised[4:], raw[4:])
    assert moves.clamped == pytest.approx((1 / 200) * (sigmas != kept_sigmas))
    np.testing.assert_array_equal(confidence, np.float32(0.9))


def test_a_side_without_a_limit_leaves_that_of_the_other():
    raw, denoised, confidence = images(2.0, 1.5)
    DepthBounds()(raw, denoised, confidence, MoveLimits(1e6, 10.0, GROWTH_PER_M))
    np.testing.assert_allclose(denoised[3], 2.0 + 5 * GROWTH_PER_M * 4, rtol=1e-5)


@pytest.mark.parametrize(
    ('noise_sigmas', 'level', 'bound_sigmas'),
    # Median 0 counts as 0.5; above 1 the bound grows with the cube; 4 is the most.
    [(0.0, 0.0, 0.5), (0.6745, 1.0, 1.0), (1.349, 2.0, 8.0), (6.745, 10.0, 64.0)],
)
def test_bounds_follow_the_noise_of_the_image(noise_sigmas, level, bound_sigmas):
    raw, denoised, confidence = images(2.0, 0.0)
    sigma_m = GROWTH_PER_M * 4
    denoised += np.float32(noise_sigmas * sigma_m)
    denoised[3] = 2.0 - 100 * sigma_m
    moves = DepthBounds()(raw, denoised, confidence, LIMITS)
    assert moves.noise_level == pytest.approx(level, abs=1e-3)
    assert moves.noise_px == pytest.approx(0.08 * level, abs=1e-3)
    np.testing.assert_allclose(denoised[3], 2.0 - bound_sigmas * sigma_m, rtol=1e-3)


@pytest.mark.parametrize(
    ('noise_sigmas', 'raw_m', 'kept'),
    # The refused part is 0.9 m or more, where the tolerance of confidence is 1 m.
    [(0.0, 2.0, 0.9), (0.6745, 2.0, 0.9), (1.349, 2.0, 0.0), (1.349, 1.0, 0.66)],
)
def test_a_refused_move_costs_confidence_in_a_noisy_image(noise_sigmas, raw_m, kept):
    raw, denoised, confidence = images(raw_m, 0.0)
    sigma_m = GROWTH_PER_M * raw_m**2
    denoised += np.float32(noise_sigmas * sigma_m)
    denoised[3] = raw_m - 0.5 * raw_m - 8 * sigma_m
    if raw_m == 2.0:
        denoised[3] -= 0.4
    DepthBounds()(raw, denoised, confidence, LIMITS)
    np.testing.assert_allclose(confidence[3], kept, atol=0.02)
    np.testing.assert_array_equal(confidence[4:], np.float32(0.9))


@pytest.mark.parametrize('limits', [LIMITS, NO_LIMITS])
def test_holes_keep_what_fills_them(limits):
    raw, denoised, confidence = images(2.0, 0.0)
    raw[5] = 0
    denoised[5] = 1.1
    assert DepthBounds()(raw, denoised, confidence, limits).clamped == 0
    np.testing.assert_array_equal(denoised[5], np.float32(1.1))


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf, 0.0, -1.0])
def test_what_is_no_distance_becomes_nan(bad):
    raw, denoised, confidence = images(2.0, 0.0)
    denoised[3] = bad
    assert DepthBounds()(raw, denoised, confidence, LIMITS).clamped == 0
    assert np.isnan(denoised[3]).all()
    np.testing.assert_array_equal(denoised[4:], raw[4:])


def test_images_of_changing_size_share_one_memory():
    bounds = DepthBounds()
    for shape in ((200, 64), (5, 7), (97, 3), (200, 64)):
        raw, denoised, confidence = images(1.0, -0.5, shape)
        bounds(raw, denoised, confidence, LIMITS)
        # Small images have too few samples for a level below 1.
        least_m = 1 - GROWTH_PER_M * (0.5 if shape == (200, 64) else 1.0)
        np.testing.assert_allclose(denoised[3], least_m, rtol=1e-5)


def test_everything_is_founded_near_a_measurement():
    is_measured = np.zeros((64, 96), bool)
    assert is_unfounded(is_measured).all()
    is_measured[0, 0] = True
    found = is_unfounded(is_measured)
    assert not found[:17, :17].any()
    assert found[33:].all()
    assert found[:, 33:].all()
