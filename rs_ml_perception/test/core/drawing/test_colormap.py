"""Ranges of colours."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.drawing.colormap import FollowingRange


@pytest.mark.parametrize(
    ('second_m', 'expected_m'), [(1.4, (1.04, 1.14)), (5.0, (5.0, 5.1)), (0.5, (0.5, 0.6))]
)
def test_ranges_follow_slowly_and_jump_at_a_cut(second_m, expected_m) -> None:
    following = FollowingRange()
    first, second = (np.full((4, 4), metres, np.float32) for metres in (1.0, second_m))
    assert following(first) == pytest.approx((1.0, 1.1))
    assert following(second) == pytest.approx(expected_m, abs=1e-3)
