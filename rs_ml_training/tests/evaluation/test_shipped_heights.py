"""Which people count, and what is made of their heights."""

import math

import pytest
from rs_ml_training.evaluation.shipped.heights import height_errors

BOX = [10, 10, 50, 200]


def person(**changes):
    known = {'box': BOX, 'posture': 'standing', 'visible_share': 1.0, 'cut': False}
    return {**known, 'top_m': 1.7, **changes}


def seen(height_m=1.72, box=BOX, status='OK'):
    return {'box': box, 'status': status, 'height_m': height_m}


@pytest.mark.parametrize(
    ('people', 'found', 'expected'),
    [
        ([], [], (0, math.nan, math.nan, math.nan)),
        ([], [seen()], (0, math.nan, math.nan, math.nan)),
        ([person()], [], (1, 0.0, math.nan, math.nan)),
        ([person()], [seen()], (1, 1.0, 0.02, 1.0)),
        ([person()], [seen(1.6)], (1, 1.0, 0.1, 0.0)),
        ([person()], [seen(9.0, [300, 10, 340, 200]), seen()], (1, 1.0, 0.02, 1.0)),
        ([person()], [seen(box=[300, 10, 340, 200])], (1, 0.0, math.nan, math.nan)),
        ([person()], [seen(status='TRUNCATED')], (1, 0.0, math.nan, math.nan)),
        ([person(posture='sitting')], [seen()], (0, math.nan, math.nan, math.nan)),
        ([person(visible_share=0.79)], [seen()], (0, math.nan, math.nan, math.nan)),
        ([person(cut=True)], [seen()], (0, math.nan, math.nan, math.nan)),
        ([person(posture='walking'), person()], [seen()], (2, 1.0, 0.02, 1.0)),
    ],
)
def test_heights_against_statures(people, found, expected):
    result = height_errors({'a': found}, [{'image': 'a', 'people': people}])
    keys = ('people', 'measured', 'median_error_m', 'close')
    assert [result[key] for key in keys] == pytest.approx(expected, nan_ok=True)


def test_a_picture_without_results_counts():
    assert height_errors({}, [{'image': 'a', 'people': [person()]}])['measured'] == 0
