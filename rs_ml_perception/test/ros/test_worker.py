"""The age of a frame before and after processing."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs.msg._frame_report', reason='needs a built rs_ml_msgs')

from rclpy.clock import ROSClock
from rclpy.time import Time
from rs_ml_perception.ros.worker import Freshness, StaleError

pytestmark = pytest.mark.ros

NOW_NS = 1_700_000_000_000_000_000
LIMIT_SECS, BUDGET_MS = 1.0, 200.0


class Bench:
    """A Freshness on a clock that the test sets."""

    def __init__(self, *, is_sim=True):
        self._clock = ROSClock()
        self._clock._set_ros_time_is_active(is_sim)
        self.freshness = Freshness(self._clock)
        self.set(NOW_NS)

    def set(self, now_ns):
        if self._clock.ros_time_is_active:
            time_now = Time(nanoseconds=now_ns, clock_type=self._clock.clock_type)
            self._clock.set_ros_time_override(time_now)

    def frame(self, *, took_secs=0.1, age_secs=0.1, limit_secs=LIMIT_SECS):
        """A frame of an age whose processing takes so long."""
        self.set(NOW_NS)
        sample = SimpleNamespace(
            stamp_ns=NOW_NS - int(1e9 * age_secs), received_secs=time.monotonic()
        )
        self.freshness.begin(sample, limit_secs)
        self.set(NOW_NS + int(1e9 * took_secs))
        sample.received_secs -= took_secs
        self.freshness.check_result(sample, limit_secs, BUDGET_MS)


@pytest.mark.parametrize(
    ('age_secs', 'took_secs', 'limit_secs', 'is_stale'),
    [
        (0.1, 0.1, 1.0, False),
        (1.1, 0.1, 1.0, True),
        (1.1, 0.1, 0.0, False),
        (0.95, 0.2, 1.0, False),  # within the processing budget
        (0.1, 6.0, 1.0, True),
        (0.1, 6.0, 0.0, False),
        (-5.0, 0.1, 1.0, False),
    ],
)
def test_age_is_checked_before_and_after_processing(age_secs, took_secs, limit_secs, is_stale):
    bench = Bench()
    if not is_stale:
        bench.frame(age_secs=age_secs, took_secs=took_secs, limit_secs=limit_secs)
        return
    with pytest.raises(StaleError, match=' s old'):
        bench.frame(age_secs=age_secs, took_secs=took_secs, limit_secs=limit_secs)


def test_a_network_that_is_always_slow_is_not_stale():
    bench = Bench()
    with pytest.raises(StaleError):
        bench.frame(took_secs=1.5)
    for _ in range(5):
        bench.frame(took_secs=1.5)
    with pytest.raises(StaleError):
        bench.frame(took_secs=6.0)


@pytest.mark.parametrize(
    ('is_sim', 'words', 'other'),
    [
        (True, ('lag /clock by 4.3 s', 'lockstep', 'max_age_secs'), 'use_sim_time'),
        (False, ("lag this computer's clock", 'use_sim_time', 'clocks of camera'), 'lockstep'),
    ],
)
def test_the_advice_is_not_already_followed(is_sim, words, other):
    bench = Bench(is_sim=is_sim)
    with pytest.raises(StaleError) as caught:
        bench.frame(age_secs=4.3)
    assert all(word in caught.value.advice for word in words), caught.value.advice
    assert other not in caught.value.advice
    assert bench.freshness.note == caught.value.advice


def test_time_spent_in_the_process_is_not_attributed_to_clocks():
    bench = Bench()
    with pytest.raises(StaleError) as caught:
        bench.frame(took_secs=6.0)
    assert 'in this process' in caught.value.advice
    assert bench.freshness.note == ''


def test_stamps_of_the_future_are_noted_until_they_end():
    bench = Bench()
    bench.frame(age_secs=-0.3)
    assert bench.freshness.note == ''
    bench.frame(age_secs=-2.5)
    assert 'stamps are 2.5 s ahead of /clock' in bench.freshness.note
    bench.frame()
    assert bench.freshness.note == ''


def test_a_clock_that_does_not_run_is_noted():
    bench = Bench()
    bench.set(0)
    sample = SimpleNamespace(stamp_ns=NOW_NS, received_secs=time.monotonic())
    bench.freshness.begin(sample, LIMIT_SECS)
    assert 'nothing comes on /clock' in bench.freshness.note
