"""Windows cover every pixel once and never lie outside."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.images.tiling import MIN_OVERLAP_PX, plan_windows

NETWORK = (848, 480)


@pytest.mark.parametrize(
    ('size', 'count'),
    [
        ((1, 1), 1),
        ((848, 480), 1),
        ((640, 480), 1),
        ((1280, 720), 4),
        ((849, 480), 2),
        ((1640, 480), 3),
        ((1920, 1080), 9),
    ],
)
def test_every_pixel_is_kept_once(size, count):
    covered = np.zeros(size[::-1], int)
    windows = plan_windows(size, NETWORK)
    assert len(windows) == count
    for window in windows:
        covered[window.rows.kept, window.columns.kept] += 1
        for span, length, most in zip((window.columns, window.rows), size, NETWORK, strict=True):
            assert 0 <= span.start <= span.keep_start < span.keep_stop <= span.stop <= length
            assert span.stop - span.start == min(length, most)
            assert span.keep_start == 0 or span.keep_start - span.start >= MIN_OVERLAP_PX // 2
            assert span.keep_stop == length or span.stop - span.keep_stop >= MIN_OVERLAP_PX // 2
    assert (covered == 1).all()


def test_kept_pixels_are_the_same_inside_and_outside():
    image = np.arange(100 * 90).reshape(90, 100)
    found = np.zeros_like(image)
    for window in plan_windows((100, 90), (64, 48)):
        part = image[window.rows.seen, window.columns.seen]
        inside = part[window.rows.kept_inside, window.columns.kept_inside]
        found[window.rows.kept, window.columns.kept] = inside
    np.testing.assert_array_equal(found, image)


@pytest.mark.parametrize('size', [(1, 1), (5000, 3000)])
def test_without_a_size_one_window_is_enough(size):
    (window,) = plan_windows(size, None)
    assert (window.columns.seen, window.rows.seen) == (slice(0, size[0]), slice(0, size[1]))
