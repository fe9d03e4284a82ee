"""Depth for a network: what is no number is unknown."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_training.data.sample import known_depth_m


@pytest.mark.parametrize('dtype', [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    ('depth_m', 'wanted'),
    [
        ([[]], [[]]),
        ([[0, 1.5]], [[0, 1.5]]),
        ([[np.nan, np.inf], [-np.inf, 2]], [[0, 0], [0, 2]]),
    ],
)
def test_depth_that_is_no_number_is_unknown(dtype, depth_m, wanted):
    found = known_depth_m(np.array(depth_m, dtype))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[..., 0], wanted)
