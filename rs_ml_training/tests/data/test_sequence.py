"""Batches: order and augmentation follow from the seed, not from who asks when."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

pytest.importorskip('keras')
from rs_ml_training.data.sequence import SampleSequence


class _Numbered(Reader):
    """Pictures of one pixel with the number of the sample."""

    def __init__(self, count: int) -> None:
        self._count, self.reads = count, 0

    def __len__(self) -> int:
        return self._count

    def name(self, index: int) -> str:
        return str(index)

    def read(self, index: int) -> Sample:
        self.reads += 1
        return Sample(str(index), image=np.full((1, 1, 3), index, np.uint8))


def _fit(sample, rng):
    return {'image': sample.image}, {'noise': np.array([rng.random()])}


def _sequence(count=10, batch=4, **options):
    return SampleSequence(_Numbered(count), _fit, batch, **({'shuffle': True} | options))


def _numbers(sequence) -> list[int]:
    return [int(n) for i in range(len(sequence)) for n in sequence[i][0]['image'][:, 0, 0, 0]]


def test_nothing_to_read():
    with pytest.raises(InputError, match='no samples'):
        _sequence(0)


@pytest.mark.parametrize(
    ('count', 'batch', 'shuffle', 'batches'),
    [(1, 4, True, 1), (10, 4, True, 2), (10, 4, False, 3), (8, 4, True, 2), (8, 4, False, 2)],
)
def test_number_of_batches(count, batch, shuffle, batches):
    sequence = _sequence(count, batch, shuffle=shuffle)
    assert len(sequence) == batches
    numbers = _numbers(sequence)
    assert len(set(numbers)) == len(numbers)
    if not shuffle:
        assert numbers == list(range(count))


def test_epochs_differ_and_come_back():
    sequence = _sequence(batch=5)
    first = _numbers(sequence)
    noise = sequence[0][1]['noise']
    sequence.on_epoch_end()
    assert sequence.epoch == 1
    assert _numbers(sequence) != first
    again = _sequence(batch=5)
    np.testing.assert_array_equal(again[0][1]['noise'], noise)
    again.start_epoch(1)
    assert _numbers(again) == _numbers(sequence)
    assert _numbers(_sequence(batch=5, seed=7)) != first


def test_a_batch_does_not_depend_on_those_read_before():
    ahead, later = _sequence(), _sequence()
    ahead[1], ahead[0]
    np.testing.assert_array_equal(ahead[1][1]['noise'], later[1][1]['noise'])


@pytest.mark.parametrize(('cache', 'reads'), [(False, 20), (True, 10)])
def test_cache(cache, reads):
    sequence = _sequence(batch=5, cache=cache)
    _numbers(sequence)
    _numbers(sequence)
    assert sequence._reader.reads == reads
