"""Speed in tables and cards."""

import json
from pathlib import Path

import pytest

from benchmarks.accuracy import __main__ as command
from benchmarks.accuracy import run
from benchmarks.accuracy.definitions import BENCHMARKS, SHIPPED, AccuracyOptions
from benchmarks.accuracy.report import BEGIN, speed_section
from benchmarks.accuracy.run import Report, Result, measure_speed

BUDGETS_MS = {'denoise': 10.0, 'detection': 5.0}
HOST = {
    'cpu': 'a CPU',
    'cores': 2,
    'cpu_flags': {'avx2': True, 'amx_int8': False},
    'versions': {'ai-edge-litert': '2', 'openvino': '3'},
}


def found(ms, best='openvino bfloat16', budget_ms=None):
    ways = {
        'litert float32': {'ms': 9 * ms, 'is_faithful': True},
        'openvino bfloat16': {'ms': ms, 'is_faithful': bool(best)},
    }
    return {'input': '8x6', 'ways': ways, 'best': best, 'budget_ms': budget_ms}


@pytest.mark.parametrize(('share', 'verdict'), [(1.0, 'yes'), (1.5, '**no**')])
def test_models_and_their_sum_against_the_budget(share, verdict):
    models = {name: found(ms * share, budget_ms=ms) for name, ms in BUDGETS_MS.items()}
    models['other'] = found(1, '')
    text = speed_section({'host': HOST, 'models': models})
    ms = BUDGETS_MS['denoise'] * share
    assert f'| denoise | 8x6 | {9 * ms:.1f} | - | {ms:.1f} | {ms:.1f} | 10 | {verdict} |' in text
    assert f'| {15 * share:.1f} | 15 | {verdict} |' in text
    assert '| other | 8x6 | 9.0 | - | (1.0) | - |  |  |' in text
    assert 'a CPU with 2 cores (avx2), ai-edge-litert 2, openvino 3' in text


def test_the_benchmark_is_read(monkeypatch):
    class RobotCommands:
        def run(self, *words, module):
            assert module == 'benchmarks.speed'
            assert words[:2] == ('--only', 'models')
            assert words[-1] == '--quick'
            report = {'host': HOST, 'models': {'result': {'a': found(1)}}}
            folder = words[words.index('--out') + 1]
            (Path(folder) / 'bench.json').write_text(json.dumps(report))

    assert measure_speed(RobotCommands(), is_quick=True) == {
        'host': HOST,
        'models': {'a': found(1)},
    }


def test_cards_get_their_own_results(tmp_path, monkeypatch):
    benchmark = BENCHMARKS[0]
    result = Result(benchmark, 3, {SHIPPED: {'rms': 0.6}})
    report = Report((result,), {'host': HOST, 'models': {benchmark.model: found(2)}})
    monkeypatch.setattr(command, 'run_benchmarks', lambda options, log: report)
    for name in (benchmark.model, 'unmeasured'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'README.md').write_text('# card\n')
    command.evaluate(AccuracyOptions(cards=tmp_path), lambda text: None)
    text = (tmp_path / benchmark.model / 'README.md').read_text()
    for part in ('# card', BEGIN, '| shipped | 0.600 |', f'| {benchmark.model} | 8x6 |'):
        assert part in text
    assert 'together' not in text
    assert (tmp_path / 'unmeasured' / 'README.md').read_text() == '# card\n'


def test_speed_can_be_chosen():
    assert run.SPEED in run.NAMES
