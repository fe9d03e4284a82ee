"""Balances that close, and a short soak of a graph."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from benchmarks.soak import Balance, _sent, main, report, slope_mb_per_hour
from rs_ml_msgs.msg import InferenceStats

pytestmark = pytest.mark.ros


@pytest.mark.parametrize(
    ('fields', 'missing', 'unaccounted', 'is_closed'),
    [
        ({'received': 10, 'published': 10}, 0, 0, True),
        ({'received': 6, 'published': 4, 'dropped_stale': 2, 'overwritten': 4}, 0, 0, True),
        ({'received': 5, 'published': 5, 'overwritten': 3, 'lost_in_transport': 2}, 0, 0, True),
        ({'received': 9, 'published': 8, 'in_flight': 1}, 1, 0, False),
        ({'received': 10, 'published': 8}, 0, 2, False),
        ({'received': 4, 'published': 4, 'overwritten': -1}, 6, 0, True),
        ({'received': 4, 'published': 3, 'overwritten': -1}, 6, 1, False),
    ],
)
def test_a_balance(fields, missing, unaccounted, is_closed):
    balance = Balance.of(10, InferenceStats(**fields))
    assert (balance.missing, balance.unaccounted) == (missing, unaccounted)
    assert balance.is_closed is is_closed


@pytest.mark.parametrize(
    ('known', 'expected'),
    [(['height'], None), (['height', 'detection'], 4), (['detection'], 4), ([], None)],
)
def test_the_balance_of_height_waits_for_detection(known, expected):
    stats = {name: InferenceStats(published=4) for name in known}
    assert _sent('height', stats, SimpleNamespace(sent=9)) == expected
    assert _sent('detection', stats, SimpleNamespace(sent=9)) == 9


@pytest.mark.parametrize(
    ('memory', 'expected'),
    [
        ([(0.0, 100.0)], math.nan),
        ([(0.0, 1.0), (10.0, 500.0), (20.0, 500.0), (30.0, 500.0)], 0.0),
        ([(0.0, 0.0), (3600.0, 500.0), (7200.0, 502.0), (10800.0, 504.0)], 2.0),
    ],
)
def test_the_slope_excludes_the_warm_up(memory, expected):
    assert slope_mb_per_hour(memory) == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert 'MB an hour' in report({}, memory)[-1]


def test_a_short_soak(tmp_path, capsys):
    numbers = tmp_path / 'soak.json'
    arguments = ['--seconds', '2', '--rate-hz', '200', '--nodes', 'mono_depth']
    assert main([*arguments, '--json', str(numbers)]) == 0, capsys.readouterr()
    found = json.loads(numbers.read_text())['nodes']['mono_depth']
    assert found['sent'] > 1
    assert (found['missing'], found['unaccounted']) == (0, 0)
    assert 'mono_depth: sent' in capsys.readouterr().out
