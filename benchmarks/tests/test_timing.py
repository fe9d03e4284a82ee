"""Alternating comparisons."""

import pytest
from rs_ml_perception.core.errors import ConfigError

from benchmarks.timing import Throughput, alternate, mean_ms, median_ms, median_ratio, throughput


def test_works_alternate_and_swap_order():
    calls = []

    def side(name):
        def work():
            calls.append(name)
            return len(calls)

        return work

    measured = alternate({'a': side('a'), 'b': side('b')}, rounds=3)
    assert calls == ['a', 'b', 'b', 'a', 'a', 'b']
    assert measured == {'a': [1, 4, 5], 'b': [2, 3, 6]}


def test_no_rounds_are_refused():
    with pytest.raises(ConfigError, match='got 0'):
        alternate({}, rounds=0)


@pytest.mark.parametrize(
    ('above', 'below', 'expected'),
    [
        ([1.0], [2.0], 0.5),
        ([2.0, 4.0, 8.0], [1.0, 2.0, 4.0], 2.0),  # drift cancels
        ([1.0, 1.0, 100.0], [1.0, 2.0, 1.0], 1.0),  # an outlier does not count
    ],
)
def test_median_of_ratios_within_rounds(above, below, expected):
    assert median_ratio(above, below) == expected


def test_median_ratio_needs_pairs():
    with pytest.raises(ValueError, match='shorter'):
        median_ratio([1.0, 2.0], [1.0])


@pytest.mark.parametrize(('measure', 'calls'), [(mean_ms, 4), (median_ms, 5)])
def test_times_are_those_of_the_runs_asked_for(measure, calls):
    seen = []
    assert measure(lambda: seen.append(1), runs=4) >= 0
    assert len(seen) == calls


def test_throughput_is_items_per_second_and_cpu_per_item(monkeypatch):
    wall, cpu = iter([10.0, 12.0]), iter([1.0, 1.5])
    monkeypatch.setattr('time.perf_counter', lambda: next(wall))
    monkeypatch.setattr('time.process_time', lambda: next(cpu))
    assert throughput(lambda: 4) == Throughput(rate_hz=2.0, cpu_ms=125.0)
