"""Thinning out by stamps."""

import pytest
from rs_ml_perception.core.streams.stamps import RateLimit

PERIOD_NS = 33_333_333


@pytest.mark.parametrize(
    ('max_rate_hz', 'numbers', 'kept'),
    [
        (0.0, range(5), [0, 1, 2, 3, 4]),
        (10.0, range(7), [0, 3, 6]),
        (15.0, range(5), [0, 2, 4]),
        (100.0, range(3), [0, 1, 2]),
        # A looped recording starts again.
        (10.0, [0, 1, 2, 3, 0, 1, 3], [0, 3, 0, 3]),
    ],
)
def test_accepted_images(max_rate_hz, numbers, kept):
    limit = RateLimit()
    found = [n for n in numbers if not limit.is_too_soon(10**18 + n * PERIOD_NS, max_rate_hz)]
    assert found == kept
