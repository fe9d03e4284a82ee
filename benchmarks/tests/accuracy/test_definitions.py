"""Definitions of benchmarks, and targets."""

import math
from pathlib import Path

import pytest
from rs_ml_training.data.formats import FORMATS
from rs_ml_training.metrics.range_bands import RangeBands, band_names

from benchmarks.accuracy.definitions import BENCHMARKS, SHIPPED, Target
from benchmarks.accuracy.denoising import DENOISE_BENCHMARKS
from benchmarks.accuracy.evaluators import EVALUATORS
from benchmarks.accuracy.heights import HEIGHT_BENCHMARKS
from benchmarks.accuracy.range_bands import BAND_BENCHMARKS
from benchmarks.accuracy.run import ALL

ARGS = Path(__file__).parents[3] / 'rs_ml_training' / 'args'
FIGURES = {SHIPPED: {'rms': 0.6, 'd1': 0.7}, 'a': {'rms': 0.8, 'd1': 0.6}, 'b': {'rms': 1.0}}


@pytest.mark.parametrize(
    ('target', 'expected'),
    [
        (Target('', 'rms', most=0.6), True),
        (Target('', 'rms', most=0.6, is_strict=True), False),
        (Target('', 'rms', most=0.59), False),
        (Target('', 'd1', least=0.7), True),
        (Target('', 'd1', least=0.7, is_strict=True), False),
        (Target('', 'rms', most=0.76, others=('a', 'b')), True),
        (Target('', 'rms', most=0.7, others=('a', 'b')), False),
        (Target('', 'rms', most=0.7, others=('b', 'nobody')), True),
        (Target('', 'd1', least=1.1, others=('a',)), True),
        (Target('', 'd1', least=1.2, others=('a',)), False),
        (Target('', 'rms', most=1.0, of='b', others=('a',)), False),
        (Target('', 'd1', least=1.1, others=('a', 'b'), best_by='rms'), True),
        (Target('', 'd1', least=1.1, others=('nobody',), best_by='rms'), None),
        (Target('', 'rms', most=1.0, others=('nobody',)), None),
        (Target('', 'miou', least=0.5), None),
    ],
)
def test_targets(target, expected):
    assert target.is_met(FIGURES) is expected


def test_a_target_without_a_measurement_is_open():
    assert Target('', 'rms', most=1.0).is_met({}) is None
    assert Target('', 'rms', most=1.0).is_met({SHIPPED: {'rms': math.nan}}) is None


def test_real_pairs_belong_to_the_held_out_group():
    (real,) = [benchmark for benchmark in DENOISE_BENCHMARKS if benchmark.source]
    training = (ARGS / 'denoise_world.txt').read_text()
    assert real.source.startswith('depth-pairs:depth_refinement_people/')
    assert real.source.partition(':')[2] not in training
    assert not real.options


def test_names_are_unique_and_the_shipped_model_comes_first():
    names = [benchmark.name for benchmark in ALL]
    assert len(set(names)) == len(names)
    for benchmark in (*BENCHMARKS, *HEIGHT_BENCHMARKS):
        first, *_ = benchmark.candidates
        assert (first.title, first.model) == (SHIPPED, benchmark.model)
    for benchmark in BENCHMARKS:
        assert benchmark.task in EVALUATORS
        assert not benchmark.source or benchmark.source.partition(':')[0] in FORMATS
        assert {target.metric for target in benchmark.targets} <= set(benchmark.metrics)


@pytest.mark.parametrize('benchmark', BAND_BENCHMARKS, ids=lambda benchmark: benchmark.name)
def test_every_band_has_its_targets(benchmark):
    assert benchmark.source.partition(':')[0] in FORMATS
    assert set(benchmark.bands) <= set(band_names())
    metrics = set(RangeBands().result())
    assert set(benchmark.metrics) <= metrics
    assert {t.metric for t in benchmark.targets} == set(benchmark.metrics) - {'removed'}
