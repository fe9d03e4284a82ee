"""How far outputs are apart."""

import numpy as np
import pytest
from rs_ml_perception.inference.output_errors import judged_outputs, output_errors, usual_errors


@pytest.mark.parametrize(
    ('measure', 'expected', 'actual', 'error'),
    [
        ('relative', np.zeros((1, 0)), np.zeros((1, 0)), 0),
        ('mismatch', np.zeros((1, 0)), np.zeros((1, 0)), 0),
        ('relative', [0.0, 2.0], [0.0, 1.5], 0.25),
        ('absolute', [0.0, 2.0], [0.0, 1.5], 0.5),
        ('relative', [5.0, 5.0], [5.0, 7.0], 2),
        ('mismatch', np.array([0, 1, 2, 3], np.uint8), np.array([0, 1, 2, 9], np.int64), 0.25),
        ('relative', np.zeros(2), np.zeros(3), np.inf),
        ('absolute', [0.0, 1.0], [0.0, np.nan], np.inf),
        ('columns', np.zeros((1, 0, 6)), np.zeros((1, 0, 6)), 0),
        ('columns', [[[0, 0], [9, 100], [8, 5]]], [[[0.3, 0], [9, 80], [8, 5]]], 0.2),
        ('columns', [[[0, 0.5, 1], [0, 0, 0]]], [[[0, 0.5, 0.9], [0, 0, 0]]], 0.1),
    ],
)
def test_measures(measure, expected, actual, error):
    found = output_errors({'x': np.asarray(expected)}, {'x': np.asarray(actual)}, {'x': measure})
    assert found == {'x': pytest.approx(error)}


def boxes(*rows):
    """Outputs of a detector from rows (score, four corners, class)."""
    array = np.array(rows, np.float32).reshape(1, -1, 6)
    return {
        'scores': array[:, :, 0],
        'boxes': array[:, :, 1:5],
        'classes': array[:, :, 5],
        'count': np.array([array.shape[1]], np.float32),
    }


ONE, OTHER = (0.9, 0.1, 0.1, 0.5, 0.5, 0), (0.8, 0.2, 0.3, 0.6, 0.9, 1)
LAST, OTHER_LAST = (0.7, 0.1, 0.1, 0.5, 0.5, 0), (0.7, 0.6, 0.6, 0.8, 0.8, 0)
WEAK = (0.1, 0, 0, 1, 1, 1)


@pytest.mark.parametrize(
    ('expected', 'actual', 'boxes_error', 'scores_error'),
    [
        (boxes(), boxes(), 0, 0),
        (boxes(), boxes(ONE), np.inf, np.inf),
        (boxes(ONE), boxes(), np.inf, np.inf),
        (boxes(ONE, OTHER), boxes(OTHER, ONE), 0, 0),
        (boxes(ONE), boxes((0.9, 0.1, 0.1, 0.5, 0.7, 0)), 0.2, 0),
        (boxes(ONE), boxes((0.6, 0.1, 0.1, 0.5, 0.51, 0)), 0.01, 0.3),
        (boxes(ONE), boxes((0.9, 0.1, 0.1, 0.5, 0.5, 3)), np.inf, np.inf),
        (boxes(ONE, WEAK), boxes(ONE), 0, 0),
        (boxes(ONE, LAST), boxes(ONE, OTHER_LAST), 0, 0),
    ],
)
def test_lists_of_boxes_are_compared_as_sets(expected, actual, boxes_error, scores_error):
    found = usual_errors(expected, actual)
    assert found == {
        'boxes': pytest.approx(boxes_error, abs=1e-6),
        'scores': pytest.approx(scores_error, abs=1e-6),
    }


@pytest.mark.parametrize(
    ('expected', 'actual', 'error'),
    [
        ([], [], 0),
        ([[0, 0, 200, 100, 0.9, 1], [0, 0, 5, 5, 0.1, 0]], [[0, 0, 180, 100, 0.9, 1]], 0.1),
        ([[0, 0, 200, 100, 0.9, 1]], [[0, 0, 200, 100, 0.7, 1]], 0.2),
        ([[0, 0, 200, 100, 0.9, 1]], [[0, 0, 200, 100, 0.9, 2]], np.inf),
        ([[0, 0, 0, 1, 1, 3, 0.9]], [[0, 0, 0, 1, 0.5, 3, 0.9]], 0.5),
    ],
)
def test_detections_are_compared_as_sets_with_boxes_in_the_unit_of_the_largest(
    expected, actual, error
):
    arrays = (
        {'detections': np.array(rows, np.float32).reshape(1, len(rows), -1)}
        if rows
        else {'detections': np.zeros((1, 0, 6), np.float32)}
        for rows in (expected, actual)
    )
    assert usual_errors(*arrays) == {'detections': pytest.approx(error, abs=1e-6)}


@pytest.mark.parametrize(
    ('actual', 'error'),
    [([[0, 1, 0.8, 0.1, 0.2, 0.3, 0.5]], 0.1), ([[0, 2, 0.8, 0.1, 0.2, 0.3, 0.4]], np.inf)],
)
def test_rows_of_ssd(actual, error):
    expected = np.array([[[[0, 1, 0.8, 0.1, 0.2, 0.3, 0.4]]]])
    found = usual_errors({'rows': expected}, {'rows': np.array([[actual]])})
    assert found == {'rows': pytest.approx(error)}


@pytest.mark.parametrize(
    ('names', 'judged'),
    [
        ((), set()),
        (('boxes', 'scores', 'classes', 'count'), {'boxes', 'scores'}),
        (('scores', 'distances'), {'scores', 'distances'}),
        (('mask', 'classes'), {'mask', 'classes'}),
    ],
)
def test_outputs_that_need_a_tolerance(names, judged):
    assert judged_outputs(names) == judged
