"""Milliseconds in tables."""

import json
from pathlib import Path

import pytest

from benchmarks.accuracy import measure, session
from benchmarks.accuracy.contests import CONTESTS, SHIPPED
from benchmarks.accuracy.document import BEGIN
from benchmarks.accuracy.measure import Book, Outcome
from benchmarks.accuracy.options import ShippedOptions
from benchmarks.accuracy.speed import measure_speed
from benchmarks.accuracy.speed_table import speed_section

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
    assert '| other | 8x6 | 9.0 | - | (1.0) | - | | |' in text
    assert 'a CPU with 2 cores (avx2), ai-edge-litert 2, openvino 3' in text


def test_the_benchmark_is_read(monkeypatch):
    class Robot:
        def run(self, *words, module):
            assert module == 'benchmarks.speed'
            assert words[:2] == ('--only', 'models')
            assert words[-1] == '--quick'
            book = {'host': HOST, 'models': {'result': {'a': found(1)}}}
            folder = words[words.index('--out') + 1]
            (Path(folder) / 'bench.json').write_text(json.dumps(book))

    assert measure_speed(Robot(), is_quick=True) == {'host': HOST, 'models': {'a': found(1)}}


def test_cards_get_what_concerns_them(tmp_path, monkeypatch):
    contest = CONTESTS[0]
    outcome = Outcome(contest, 3, {SHIPPED: {'rms': 0.6}})
    book = Book((outcome,), {'host': HOST, 'models': {contest.model: found(2)}})
    monkeypatch.setattr(session, 'measure_all', lambda options, say: book)
    for name in (contest.model, 'unmeasured'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'README.md').write_text('# card\n')
    session.run_all(ShippedOptions(cards=tmp_path), lambda text: None)
    text = (tmp_path / contest.model / 'README.md').read_text()
    for part in ('# card', BEGIN, '| shipped | 0.600 |', f'| {contest.model} | 8x6 |'):
        assert part in text
    assert 'together' not in text
    assert (tmp_path / 'unmeasured' / 'README.md').read_text() == '# card\n'


def test_speed_is_a_contest_by_name():
    assert measure.SPEED in measure.NAMES
