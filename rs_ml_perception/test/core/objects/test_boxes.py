"""Boxes in pixels."""

import numpy as np
import pytest
from rs_ml_perception.core.objects.boxes import (
    box_areas,
    box_iou,
    clip_boxes,
    xyxy_from_cxcywh,
    xyxy_from_edges,
    xyxy_from_yxyx,
)

EMPTY = np.zeros((0, 4), np.float32)


@pytest.mark.parametrize('convert', [xyxy_from_cxcywh, xyxy_from_yxyx, box_areas])
def test_empty(convert):
    assert len(convert(EMPTY)) == 0


@pytest.mark.parametrize(
    ('convert', 'box', 'expected'),
    [
        (xyxy_from_cxcywh, [10, 20, 4, 6], [8, 17, 12, 23]),
        (xyxy_from_yxyx, [1, 2, 3, 4], [2, 1, 4, 3]),
    ],
)
def test_conversions(convert, box, expected):
    np.testing.assert_allclose(convert(np.array([box], np.float32)), [expected])


@pytest.mark.parametrize(
    ('points', 'distances', 'expected'),
    [(np.zeros((0, 2)), EMPTY, EMPTY), ([[10, 20]], [[1, 2, 3, 4]], [[9, 18, 13, 24]])],
)
def test_boxes_around_points(points, distances, expected):
    found = xyxy_from_edges(np.array(points, np.float32), np.array(distances, np.float32))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ('box', 'expected'),
    [
        ([-5, -5, 5, 5], [0, 0, 5, 5]),
        ([630, 470, 700, 500], [630, 470, 640, 480]),
        ([700, 500, 800, 600], [640, 480, 640, 480]),
    ],
)
def test_clip(box, expected):
    clipped = clip_boxes(np.array([box], np.float32), 640, 480)
    np.testing.assert_array_equal(clipped, [expected])


@pytest.mark.parametrize(
    ('a', 'b', 'expected'),
    [
        ([0, 0, 10, 10], [0, 0, 10, 10], 1),
        ([0, 0, 10, 10], [5, 0, 15, 10], 1 / 3),
        ([0, 0, 10, 10], [10, 0, 20, 10], 0),
        ([5, 5, 5, 5], [5, 5, 5, 5], 0),
        ([10, 10, 0, 0], [0, 0, 10, 10], 0),
    ],
)
def test_iou(a, b, expected):
    iou = box_iou(np.array([a], np.float32), np.array([b], np.float32))
    np.testing.assert_allclose(iou, [[expected]], rtol=1e-6)


def test_iou_of_nothing():
    assert box_iou(EMPTY, np.zeros((3, 4), np.float32)).shape == (0, 3)
