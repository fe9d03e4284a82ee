"""Medians and percentiles are those of numpy, whatever the values look like."""

import numpy as np
import pytest
from rs_ml_training.synth.numerics import median, quantile, ranked

RNG = np.random.default_rng(4)
COUNTS = (1, 2, 5, 4095, 4097, 60_001)
VALUES = {
    'noise': lambda n: RNG.random(n),
    'single precision': lambda n: RNG.random(n).astype(np.float32),
    'picture': lambda n: RNG.random((3, n, 2)),
    'constant': np.ones,
    'falling': lambda n: -np.arange(n, dtype=float),
    # Whoever looks at every fifteenth value sees one tone only.
    'regular': lambda n: np.arange(n) % 15 / 15.0,
    'mostly dark': lambda n: np.where(np.arange(n) % 50, 0.0, RNG.random(n)),
}


@pytest.mark.parametrize('name', VALUES)
@pytest.mark.parametrize('count', COUNTS)
def test_median_is_that_of_numpy(name, count):
    values = VALUES[name](count)
    assert median(values) == np.median(values)


@pytest.mark.parametrize('name', VALUES)
@pytest.mark.parametrize('share', [0.02, 0.5, 0.98])
def test_quantile_is_that_of_numpy(name, share):
    values = VALUES[name](60_001)
    assert quantile(values, share) == pytest.approx(np.quantile(values, share), rel=1e-6)


@pytest.mark.parametrize(('first', 'last'), [(0, 0), (0, 3), (59_990, 60_000), (7, 60_000)])
def test_ranks_are_those_of_the_sorted_list(first, last):
    values = RNG.random(60_001)
    np.testing.assert_array_equal(ranked(values, first, last), np.sort(values)[first : last + 1])
