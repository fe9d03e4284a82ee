"""Erased rectangles: how many, how large, and of what nothing else knows."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_training.data.augment.color import Erase
from rs_ml_training.data.sample import Sample

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
DEPTH_M = np.ones((60, 80), np.float32)


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize(('count', 'share'), [(1, 0.25), (3, 0.5)])
def test_rectangles(count, share, seed):
    before = Sample('a', image=IMAGE.copy(), depth_m=DEPTH_M)
    out = Erase(count, share, share)(before, np.random.default_rng(seed))
    changed = (out.image != IMAGE).any(axis=2)
    # A pixel in a hundred may have had the colour already.
    assert 0.95 * share**2 < changed.mean() <= count * share**2
    assert len(np.unique(out.image[changed], axis=0)) <= count
    assert out.depth_m is DEPTH_M
    np.testing.assert_array_equal(before.image, IMAGE)


@pytest.mark.parametrize('side', [1, 2])
def test_smallest_images(side):
    before = Sample('a', image=np.zeros((side, side, 3), np.uint8))
    assert Erase()(before, np.random.default_rng(0)).image.shape == (side, side, 3)


def test_without_an_image():
    before = Sample('a', depth_m=DEPTH_M)
    assert Erase()(before, np.random.default_rng(0)) is before
