"""Depth smoothed over time: still pixels, changes, holes, time."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.geometry.still_depth import StillDepth

GATE_PER_M = 0.01
FRAME_NS = 33_000_000


def smoothed(depths_m, stamps_ns=None, weight=0.5):
    """The results for images of one pixel."""
    still, found = StillDepth(), []
    for i, depth_m in enumerate(depths_m):
        image = np.full((2, 3), depth_m, np.float32)
        still(image, stamps_ns[i] if stamps_ns else (i + 1) * FRAME_NS, weight, GATE_PER_M)
        found.append(float(image[0, 0]))
    return found


def test_an_empty_image():
    still, empty = StillDepth(), np.empty((0, 0), np.float32)
    assert still(empty, 1, 0.5, GATE_PER_M) == still(empty, 2, 0.5, GATE_PER_M) == 0.0


@pytest.mark.parametrize(
    ('depths_m', 'expected'),
    [
        ([2.0, 2.0, 2.0], [2.0, 2.0, 2.0]),
        ([2.0, 2.02, 2.0], [2.0, 2.01, 2.005]),
        # The gate is 0.04 m at 2 m and 0.01 m at 1 m.
        ([2.0, 2.1, 2.1], [2.0, 2.1, 2.1]),
        ([1.0, 1.02], [1.0, 1.02]),
        ([1.0, 1.008], [1.0, 1.004]),
        ([np.nan, 2.0, np.nan, 2.02, 2.0], [np.nan, 2.0, np.nan, 2.02, 2.01]),
    ],
)
def test_small_changes_are_halved_and_large_ones_pass(depths_m, expected):
    np.testing.assert_allclose(smoothed(depths_m), expected, atol=1e-6)


@pytest.mark.parametrize(
    ('stamps_ns', 'is_smoothed'),
    [
        ([5, 6], True),
        ([5, 5 + 500_000_000], True),
        ([5, 6 + 500_000_000], False),
        ([6, 5], False),
        ([0, 0], False),
    ],
)
def test_only_images_that_follow_each_other_are_joined(stamps_ns, is_smoothed):
    assert smoothed([2.0, 2.02], stamps_ns)[1] == pytest.approx(2.01 if is_smoothed else 2.02)


def test_noise_of_a_still_pixel_shrinks():
    noise_m = np.random.default_rng(0).normal(0, 0.002, 400)
    found_m = smoothed(1.5 + noise_m, weight=0.6)
    assert np.std(found_m[20:]) == pytest.approx(0.002 * 0.5, rel=0.15)


def test_another_size_and_a_reset_start_again():
    still = StillDepth()
    wall = np.full((2, 3), 2.0, np.float32)
    assert still(wall.copy(), 1, 0.5, GATE_PER_M) == 0.0
    assert still(wall.copy(), 2, 0.5, GATE_PER_M) == 1.0
    assert still(wall[:1].copy(), 3, 0.5, GATE_PER_M) == 0.0
    still.reset()
    assert still(wall[:1].copy(), 4, 0.5, GATE_PER_M) == 0.0
