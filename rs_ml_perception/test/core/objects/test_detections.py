"""The result of a detector."""

import numpy as np
import pytest
from rs_ml_perception.core.objects.detections import Detections


def some(n):
    xyxy = np.arange(4 * n, dtype=np.float32).reshape(n, 4)
    scores = np.linspace(0.9, 0.1, n).astype(np.float32)
    return Detections(xyxy, scores, np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int32) + 7)


def test_empty():
    empty = Detections.empty()
    assert len(empty) == 0
    assert empty.xyxy.shape == (0, 4)
    assert list(empty) == []
    assert len(empty[np.zeros(0, bool)]) == 0


@pytest.mark.parametrize(
    ('index', 'expected'),
    [
        (np.zeros(4, bool), []),
        (slice(0, 0), []),
        (slice(1, 3), [1, 2]),
        (np.array([True, False, False, True]), [0, 3]),
        (np.array([3, 0]), [3, 0]),
        (np.array([], np.int64), []),
    ],
)
def test_rows_are_selected_together(index, expected):
    picked = some(4)[index]
    assert picked.class_ids.tolist() == expected
    assert picked.track_ids.tolist() == [i + 7 for i in expected]
    np.testing.assert_array_equal(picked.xyxy, some(4).xyxy[expected])
    np.testing.assert_array_equal(picked.scores, some(4).scores[expected])


def test_iteration_gives_plain_numbers():
    for i, (xyxy, score, class_id, track_id) in enumerate(some(3)):
        np.testing.assert_array_equal(xyxy, some(3).xyxy[i])
        assert (type(score), type(class_id), type(track_id)) == (float, int, int)
        assert (class_id, track_id) == (i, i + 7)


def test_not_tracked_by_default():
    found = Detections(some(2).xyxy, some(2).scores, some(2).class_ids)
    assert found.track_ids.tolist() == [-1, -1]


@pytest.mark.parametrize(
    ('name', 'value', 'message'),
    [
        ('xyxy', np.zeros((2, 3), np.float32), r'xyxy must have shape \(2, 4\), got \(2, 3\)'),
        ('xyxy', np.zeros((3, 4), np.float32), r'xyxy must have shape \(2, 4\), got \(3, 4\)'),
        ('class_ids', np.zeros(1, np.int32), r'class_ids must have shape \(2,\), got \(1,\)'),
        ('track_ids', np.zeros(3, np.int32), r'track_ids must have shape \(2,\), got \(3,\)'),
        ('scores', np.zeros((2, 1), np.float32), r'scores must have shape \(2,\), got \(2, 1\)'),
    ],
)
def test_arrays_must_run_in_parallel(name, value, message):
    fields = {
        'xyxy': some(2).xyxy,
        'scores': some(2).scores,
        'class_ids': some(2).class_ids,
        'track_ids': some(2).track_ids,
    }
    with pytest.raises(ValueError, match=message):
        Detections(**{**fields, name: value})
