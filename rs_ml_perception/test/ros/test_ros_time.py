"""Age is in ROS time: with /clock a recording is as fresh as a camera."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rosgraph_msgs.msg import Clock

pytestmark = pytest.mark.ros

START_NS, PERIOD_NS = 1_700_000_000_000_000_000, 33_333_333


@pytest.fixture
def set_clock(rig):
    """Call with a node and nanoseconds; returns once the node's clock shows them."""
    publisher = rig.camera.node.create_publisher(Clock, '/clock', 10)

    def set_to(node, ns):
        msg = Clock()
        msg.clock.sec, msg.clock.nanosec = ns // 10**9, ns % 10**9
        rig.until(publisher.get_subscription_count, 'a listener of /clock')
        publisher.publish(msg)
        rig.until(lambda: node.get_clock().now().nanoseconds == ns, 'clock')

    return set_to


def test_recorded_stamps_are_fresh_by_the_recorded_clock(rig, set_clock):
    node = rig.started(rig.detection(use_sim_time=True, max_age_secs=1.0))
    set_clock(node, START_NS + 40_000_000)
    rig.camera.frame(0)
    counts = rig.settled(node, 1)
    assert counts.published == 1
    assert counts.age_ms[0] == pytest.approx(40.0)
    set_clock(node, START_NS + 3_000_000_000)
    rig.camera.frame(1)
    assert rig.settled(node, 2).dropped == {'stale': 1}


def test_a_clock_that_jumps_back_with_a_looped_bag(rig, set_clock):
    node = rig.started(rig.detection(use_sim_time=True, max_age_secs=1.0))
    received = 0
    for _ in range(3):
        for number in (0, 30, 60):
            set_clock(node, START_NS + number * PERIOD_NS + 1_000_000)
            rig.camera.frame(number)
            received += 1
            rig.settled(node, received)
    assert node.counters.snapshot().published == 9
    assert node.fake.resets == 3  # at activation, and with each loop


def test_stamps_ahead_of_the_clock_are_not_stale(rig, set_clock):
    """The old stamps of a loop's end arrive after /clock has gone back."""
    node = rig.started(rig.detection(use_sim_time=True, max_age_secs=1.0))
    set_clock(node, START_NS)
    rig.camera.frame(300)
    counts = rig.settled(node, 1)
    assert counts.published == 1
    assert counts.age_ms[0] == 0.0
