"""The table of contests, and aims."""

import math
from pathlib import Path

import pytest
from rs_ml_training.data.formats import FORMATS

from benchmarks.accuracy.contests import CONTESTS, SHIPPED, Aim
from benchmarks.accuracy.denoising import DENOISE_CONTESTS
from benchmarks.accuracy.heights import HEIGHT_CONTESTS
from benchmarks.accuracy.judging import JUDGES

ARGS = Path(__file__).parents[3] / 'rs_ml_training' / 'args'
FIGURES = {SHIPPED: {'rms': 0.6, 'd1': 0.7}, 'a': {'rms': 0.8, 'd1': 0.6}, 'b': {'rms': 1.0}}


@pytest.mark.parametrize(
    ('aim', 'expected'),
    [
        (Aim('', 'rms', most=0.6), True),
        (Aim('', 'rms', most=0.6, is_strict=True), False),
        (Aim('', 'rms', most=0.59), False),
        (Aim('', 'd1', least=0.7), True),
        (Aim('', 'd1', least=0.7, is_strict=True), False),
        (Aim('', 'rms', most=0.76, beside=('a', 'b')), True),
        (Aim('', 'rms', most=0.7, beside=('a', 'b')), False),
        (Aim('', 'rms', most=0.7, beside=('b', 'nobody')), True),
        (Aim('', 'd1', least=1.1, beside=('a',)), True),
        (Aim('', 'd1', least=1.2, beside=('a',)), False),
        (Aim('', 'rms', most=1.0, of='b', beside=('a',)), False),
        (Aim('', 'd1', least=1.1, beside=('a', 'b'), least_by='rms'), True),
        (Aim('', 'd1', least=1.1, beside=('nobody',), least_by='rms'), None),
        (Aim('', 'rms', most=1.0, beside=('nobody',)), None),
        (Aim('', 'miou', least=0.5), None),
    ],
)
def test_aims(aim, expected):
    assert aim.is_reached(FIGURES) is expected


def test_nothing_measured_reaches_nothing():
    assert Aim('', 'rms', most=1.0).is_reached({}) is None
    assert Aim('', 'rms', most=1.0).is_reached({SHIPPED: {'rms': math.nan}}) is None


def test_real_pairs_are_of_a_group_that_training_leaves_out():
    (real,) = [contest for contest in DENOISE_CONTESTS if contest.source]
    training = (ARGS / 'denoise_world.txt').read_text()
    assert real.source.startswith('depth-pairs:depth_refinement_people/')
    assert real.source.partition(':')[2] not in training
    assert not real.options


def test_contests_can_be_told_apart_and_begin_with_the_shipped_model():
    names = [contest.name for contest in (*CONTESTS, *HEIGHT_CONTESTS, *DENOISE_CONTESTS)]
    assert len(set(names)) == len(names)
    for contest in (*CONTESTS, *HEIGHT_CONTESTS):
        first, *_ = contest.subjects
        assert (first.title, first.model) == (SHIPPED, contest.model)
    for contest in CONTESTS:
        assert contest.task in JUDGES
        assert contest.source.partition(':')[0] in FORMATS
        assert {aim.metric for aim in contest.aims} <= set(contest.metrics)
