"""Closing at the end of a with block."""

import pytest
from rs_ml_perception.core.pipeline import Closing


class Box(Closing):
    """Counts how often it was closed."""

    closed = 0

    def close(self):
        self.closed += 1


def test_the_block_gets_the_thing_and_closes_it():
    with Box() as box:
        assert box.closed == 0
    assert box.closed == 1


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_an_error_closes_it_and_goes_on(error):
    box = Box()
    with pytest.raises(error), box:
        raise error
    assert box.closed == 1
