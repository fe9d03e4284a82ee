"""Boxes in pixels."""

import numpy as np
import pytest
from rs_ml_perception.core.objects.boxes import (
    box_areas,
    box_iou,
    cell_centres,
    clip_boxes,
    expected_distances,
    heatmap_peaks,
    suppress_non_maxima,
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


A, NEAR_A, FAR = [0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]


@pytest.mark.parametrize(
    ('boxes', 'scores', 'classes', 'threshold', 'expected'),
    [
        ([], [], [], 0.5, []),
        ([A], [0.3], [1], 0.5, [0]),
        ([A, NEAR_A, FAR], [0.5, 0.9, 0.7], [1, 1, 1], 0.5, [1, 2]),
        ([A, NEAR_A], [0.5, 0.9], [1, 2], 0.5, [1, 0]),  # classes do not suppress each other
        ([A, NEAR_A], [0.5, 0.9], [1, 1], 1.0, [1, 0]),
        ([A, NEAR_A, A], [0.9, 0.8, 0.7], [1, 1, 1], 0.0, [0]),
        ([A, FAR, A], [0.5, 0.5, 0.5], [1, 1, 1], 0.5, [0, 1]),  # ties keep their order
    ],
)
def test_which_boxes_stay(boxes, scores, classes, threshold, expected):
    kept = suppress_non_maxima(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.array(classes, np.int32),
        iou_threshold=threshold,
    )
    assert kept.tolist() == expected


def test_a_suppressed_box_does_not_suppress():
    """A chain: the middle one goes, the far end stays."""
    boxes = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], np.float32)
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    kept = suppress_non_maxima(boxes, scores, np.zeros(3, np.int32), iou_threshold=0.4)
    assert kept.tolist() == [0, 2]


def cells(peaks):
    return list(zip(peaks.rows.tolist(), peaks.columns.tolist(), strict=True))


@pytest.mark.parametrize(
    ('heat', 'expected'),
    [
        (np.zeros((0, 6)), []),
        (np.zeros((4, 6)), []),
        ([[0, 0.5, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0.9]], [(0, 1), (1, 5)]),
        ([[0.5, 0.6, 0.5, 0, 0, 0], [0, 0.55, 0, 0, 0.2, 0]], [(0, 1)]),
        ([[0.9, 0.9, 0.9, 0, 0, 0], [0.9, 0.9, 0, 0, 0, 0]], [(0, 0)]),
        ([[0, 0, 0.9, 0, 0, 0], [0, 0.9, 0, 0, 0, 0]], [(0, 2)]),
        ([[0, 0, 0, 0, 0, 0.8], [0.7, 0, 0, 0, 0, 0]], [(0, 5), (1, 0)]),
    ],
    ids=['none', 'flat', 'two', 'shoulder', 'plateau', 'diagonal plateau', 'not round the border'],
)
def test_peaks(heat, expected):
    heat = np.asarray(heat, np.float32)[..., None]
    peaks = heatmap_peaks(heat, 0.3)
    assert cells(peaks) == expected
    np.testing.assert_array_equal(peaks.values, [heat[row, column, 0] for row, column in expected])


def test_channels_do_not_hide_each_other():
    heat = np.zeros((3, 4, 3), np.float32)
    heat[1, 1], heat[1, 2, 1] = (0.5, 0.4, 0.9), 0.6
    peaks = heatmap_peaks(heat, 0.3)
    assert peaks.channels.tolist() == [0, 2, 1]
    assert cells(peaks) == [(1, 1), (1, 1), (1, 2)]


@pytest.mark.parametrize(
    ('size', 'strides', 'offset', 'points', 'steps'),
    [
        ((16, 8), (8,), 0.0, [[0, 0], [8, 0]], [8, 8]),
        ((16, 8), (8,), 0.5, [[4, 4], [12, 4]], [8, 8]),
        ((16, 8), (8, 16), 0.0, [[0, 0], [8, 0], [0, 0]], [8, 8, 16]),
        ((8, 24), (16,), 0.0, [[0, 0], [0, 16]], [16, 16]),
    ],
)
def test_cells_of_the_strides(size, strides, offset, points, steps):
    found = cell_centres(size, strides, offset)
    for array, expected in zip(found, (points, steps), strict=True):
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, expected)


def test_as_many_cells_as_the_head_of_a_detector_has():
    assert len(cell_centres((320, 256), (8, 16, 32, 64))[0]) == 1700


@pytest.mark.parametrize(
    ('logits', 'expected'),
    [
        (np.zeros((0, 4, 8)), np.zeros((0, 4))),
        ([0.0, 0.0, 0.0], 1.0),
        ([-500.0, 500.0, -500.0], 1.0),
        ([1000.0, 1000.0 + np.log(3)], 0.75),
    ],
)
def test_mean_of_a_distribution(logits, expected):
    found = expected_distances(np.asarray(logits))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
