"""Borders: white or repeated, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_training.data.augment.color import Border
from rs_ml_training.data.sample import Sample

IMAGE = np.random.default_rng(0).integers(0, 250, (60, 80, 3), np.uint8)
DEPTH_M = np.ones((60, 80), np.float32)


def test_half_of_the_borders_are_white_and_half_repeat_their_neighbours():
    white = 0
    for seed in range(40):
        before = Sample('a', image=IMAGE.copy(), depth_m=DEPTH_M)
        out = Border(width=0.025)(before, np.random.default_rng(seed))
        np.testing.assert_array_equal(out.image[2:-2, 2:-2], IMAGE[2:-2, 2:-2])
        assert out.depth_m is DEPTH_M
        np.testing.assert_array_equal(before.image, IMAGE)
        if (out.image[:2] == 255).all():
            white += 1
        else:
            np.testing.assert_array_equal(out.image[0, 2:-2], IMAGE[2, 2:-2])
            np.testing.assert_array_equal(out.image[2:-2, -1], IMAGE[2:-2, -3])
    assert 10 <= white <= 30


@pytest.mark.parametrize('side', [1, 2, 3])
def test_smallest_images_keep_their_size(side):
    before = Sample('a', image=np.zeros((side, side, 3), np.uint8))
    assert Border()(before, np.random.default_rng(0)).image.shape == (side, side, 3)


def test_without_an_image():
    before = Sample('a', depth_m=DEPTH_M)
    assert Border()(before, np.random.default_rng(0)) is before
