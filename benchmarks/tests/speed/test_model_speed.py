"""The table of the shipped networks' speed."""

import pytest

from benchmarks.speed.model_speed import BUDGETS_MS, _best, rows


def way(ms, is_faithful=True):
    return {'ms': ms, 'cpu_ms': 2 * ms, 'is_faithful': is_faithful}


@pytest.mark.parametrize(
    ('ways', 'best'),
    [
        ({}, ''),
        ({'a': way(1, False)}, ''),
        ({'a': way(3), 'b': way(1, False), 'c': way(2)}, 'c'),
    ],
)
def test_only_faithful_backends_can_be_best(ways, best):
    assert _best(ways) == best


@pytest.mark.parametrize(('share', 'verdict'), [(0.9, 'ok'), (1.1, 'MISSED')])
def test_each_model_and_all_together_against_their_budget(share, verdict):
    result = {
        name: {
            'input': '8x8',
            'ways': {'litert': way(ms * share)},
            'best': 'litert',
        }
        for name, ms in BUDGETS_MS.items()
    }
    result['other'] = {'input': '8x8', 'ways': {'litert': way(1, False)}, 'best': ''}
    *models, other, total = rows(result)
    assert [row.verdict for row in models] == [verdict] * len(BUDGETS_MS)
    assert (other.verdict, total.verdict) == ('', verdict)
    assert other.value == '8x8: litert 1.0 ms, CPU 2.0 ms (not faithful)'
    assert total.value.startswith(f'{28 * share:.1f} ms')
