"""Which people count, and what is made of their heights."""

import math

import pytest

from benchmarks.accuracy.statures import height_errors

BOX = [10, 10, 50, 200]
AWAY = [300, 10, 340, 200]
KEYS = 'people', 'found', 'measured', 'median_error_m', 'bias_m', 'close'
NONE = math.nan


def person(**changes):
    known = {'box': BOX, 'posture': 'standing', 'visible_share': 1.0, 'cut': False}
    return {**known, 'top_m': 1.7, **changes}


def seen(height_m=1.72, box=BOX, status='OK'):
    return {'box': box, 'status': status, 'height_m': height_m}


@pytest.mark.parametrize(
    ('people', 'found', 'expected'),
    [
        ([], [], (0, NONE, NONE, NONE, NONE, NONE)),
        ([], [seen()], (0, NONE, NONE, NONE, NONE, NONE)),
        ([person()], [], (1, 0, 0, NONE, NONE, 0)),
        ([person()], [seen()], (1, 1, 1, 0.02, 0.02, 1)),
        ([person()], [seen(1.6)], (1, 1, 1, 0.1, -0.1, 0)),
        ([person()], [seen(9.0, AWAY), seen()], (1, 1, 1, 0.02, 0.02, 1)),
        ([person()], [seen(box=AWAY)], (1, 0, 0, NONE, NONE, 0)),
        ([person()], [seen(box=[10, 10, 50, 106])], (1, 1, 1, 0.02, 0.02, 1)),
        ([person()], [seen(box=[10, 10, 50, 104])], (1, 0, 0, NONE, NONE, 0)),
        ([person()], [seen(status='TRUNCATED')], (1, 1, 0, NONE, NONE, 0)),
        ([person()], [seen(None, status='NO_DEPTH')], (1, 1, 0, NONE, NONE, 0)),
        ([person(posture='sitting')], [seen()], (0, NONE, NONE, NONE, NONE, NONE)),
        ([person(visible_share=0.79)], [seen()], (0, NONE, NONE, NONE, NONE, NONE)),
        ([person(cut=True)], [seen()], (0, NONE, NONE, NONE, NONE, NONE)),
        ([person(posture='walking', top_m=1.67), person(box=AWAY)], [seen(1.66)],
         (2, 0.5, 0.5, 0.01, -0.01, 0.5)),
        ([person(), person(box=AWAY)], [seen(1.66), seen(1.8, AWAY)],
         (2, 1, 1, 0.07, 0.03, 0.5)),
    ],
)  # fmt: skip
def test_heights_against_the_truth(people, found, expected):
    result = height_errors({'a': found}, {'a': people})
    assert [result[key] for key in KEYS] == pytest.approx(expected, nan_ok=True)


def test_a_picture_without_results_counts():
    result = height_errors({'b': [seen()]}, {'a': [person()], 'b': [person()]})
    assert (result['people'], result['found']) == (2, 0.5)
