"""The exact assignment against all permutations."""

import itertools

import numpy as np
import pytest
from rs_ml_perception.core.objects.assignment import best_pairs


def best_sum(gain, min_gain):
    """Over all permutations."""
    gain = np.where(gain >= min_gain, gain, 0)
    gain = gain.T if gain.shape[0] > gain.shape[1] else gain
    rows = np.arange(gain.shape[0])
    orders = itertools.permutations(range(gain.shape[1]), len(rows))
    return max(gain[rows, list(order)].sum() for order in orders)


@pytest.mark.parametrize('shape', [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_pair(shape):
    rows, columns = best_pairs(np.zeros(shape), 0.2)
    assert len(rows) == len(columns) == 0


@pytest.mark.parametrize('seed', range(60))
def test_pairs_are_the_best_of_all_permutations(seed):
    rng = np.random.default_rng(seed)
    gain = rng.random(rng.integers(1, 6, 2))
    gain *= rng.random(gain.shape) < 0.7
    rows, columns = best_pairs(gain, 0.3)
    assert len(set(rows)) == len(rows) == len(set(columns))
    assert (gain[rows, columns] >= 0.3).all()
    assert gain[rows, columns].sum() == pytest.approx(best_sum(gain, 0.3))
