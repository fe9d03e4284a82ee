"""Non-maximum suppression."""

import numpy as np
import pytest
from rs_ml_perception.core.objects.nms import suppress_non_maxima

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
