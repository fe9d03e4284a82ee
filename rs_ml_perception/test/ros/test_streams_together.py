"""Colour with its depth: equal stamps, unshared ones, missing ones, time that jumps."""

from __future__ import annotations

import math

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rs_ml_perception.core.streams.synchronizer import SyncOptions
from rs_ml_perception.ros.input.message_filters_synchronizer import (
    SYNCHRONIZERS,
    has_message_filters,
)

from rs_ml_msgs.msg import DetectionArray

pytestmark = pytest.mark.ros

START_NS, PERIOD_NS = 1_700_000_000_000_000_000, 33_333_333
DETECTIONS = '/rs_ml/detection/detections'


@pytest.fixture(params=SYNCHRONIZERS)
def pairing(request):
    """Parameters of a node, for every test with both synchronizers."""
    if request.param == 'message_filters' and not has_message_filters():
        pytest.skip('message_filters is not installed')
    # Without a skew message_filters pairs equal stamps alone.
    skew_ms = 16.0 if request.param == 'message_filters' else 0.0
    return {'synchronizer': request.param, 'max_skew_ms': skew_ms}


def depths_m(node):
    return [
        None if f.depth is None else f.depth.values[0, 0] * f.depth.metres_per_unit
        for f in node.fake.frames
    ]


@pytest.mark.parametrize('color_first', [True, False])
def test_equal_stamps_pair_in_any_order(rig, pairing, color_first):
    node = rig.started(rig.detection(**pairing))
    for number in range(6):
        ns = START_NS + number * PERIOD_NS
        rig.camera.info(ns)
        if color_first:
            rig.camera.color(ns)
            rig.spin_some(3)
        rig.camera.depth(ns, depth_mm=1000 + number)
        if not color_first:
            rig.spin_some(3)
            rig.camera.color(ns)
        rig.settled(node, number + 1)
    assert depths_m(node) == pytest.approx([1.0 + 0.001 * i for i in range(6)])
    assert [f.stamp_ns for f in node.fake.frames] == [START_NS + i * PERIOD_NS for i in range(6)]


def test_detections_carry_the_skew_of_their_depth(rig, pairing):
    node = rig.started(rig.detection(**pairing))
    messages = rig.collect(DetectionArray, DETECTIONS)
    rig.until(lambda: node.is_wanted('detections'), 'observer')
    rig.camera.frame(0, offset_ns=-12_000_000)
    rig.settled(node, 1)
    rig.camera.color(START_NS + 60 * PERIOD_NS)
    rig.settled(node, 2)
    rig.until(lambda: len(messages) == 2, 'two results')
    assert messages[0].depth_skew_ms == pytest.approx(-12.0)
    assert math.isnan(messages[1].depth_skew_ms)


def test_missing_depth_is_counted_and_colour_is_processed(rig, pairing):
    node = rig.started(rig.detection(**pairing))
    messages = rig.collect(DetectionArray, DETECTIONS)
    rig.until(lambda: node.is_wanted('detections'), 'observer')
    for number in range(9):
        ns = START_NS + number * PERIOD_NS
        rig.camera.info(ns)
        if number % 3:
            rig.camera.depth(ns)
        rig.camera.color(ns)
        rig.settled(node, number + 1)
    rig.until(lambda: len(messages) == 9, 'nine results')
    has_position = [m.detections[0].has_position for m in messages]
    assert has_position == [number % 3 > 0 for number in range(9)]
    assert node.activation.source.partner_counts().without == 3
    assert node.counters.snapshot().published == 9


def test_a_later_pair_releases_waiting_frames_in_order(rig, pairing, fake_pipeline):
    """Frame 1 lost its depth; frame 2 is complete, which ends the waiting before the time-out."""
    node = rig.started(rig.detection(**pairing))
    rig.camera.frame(0)
    rig.settled(node, 1)
    rig.camera.color(START_NS + PERIOD_NS)
    rig.until(lambda: node.counters.snapshot().in_flight == 1, 'frame 1 waiting')
    rig.camera.frame(2)
    counts = rig.settled(node, 3)
    assert counts.published + counts.dropped.get('superseded', 0) == 3
    stamps = [f.stamp_ns for f in node.fake.frames]
    assert stamps == sorted(stamps)


def test_waiting_ends(rig, pairing):
    """Depth stops: results come on, each after the time-out at the latest."""
    node = rig.started(rig.detection(**pairing))
    rig.camera.frame(0)
    rig.settled(node, 1)
    for number in range(1, 4):
        rig.camera.color(START_NS + number * PERIOD_NS)
        rig.settled(node, number + 1)
    counts = node.counters.snapshot()
    assert counts.published == 4
    assert counts.latency_ms[1] > 0.9e3 * SyncOptions().timeout_secs


@pytest.mark.parametrize('offset_ms', [5, -5, 14])
def test_unshared_stamps_pair_with_the_nearest(rig, pairing, offset_ms):
    node = rig.started(rig.detection(**pairing))
    for number in range(20):
        rig.camera.frame(number, offset_ns=offset_ms * 1_000_000)
        rig.settled(node, number + 1)
    has_depth = [depth is not None for depth in depths_m(node)]
    assert all(has_depth[8:]), has_depth
    assert node.counters.snapshot().published == 20


@pytest.mark.parametrize('offset_ms', [0, 5])
def test_a_bag_that_loops_twice_is_processed(rig, pairing, offset_ms):
    """Stamps go back twice: every frame still gets a result, its depth, and new tracks."""
    node = rig.started(rig.detection(**pairing))
    messages = rig.collect(DetectionArray, DETECTIONS)
    rig.until(lambda: node.is_wanted('detections'), 'observer')
    resets = node.fake.resets
    received = 0
    for _ in range(3):
        for number in range(12):
            rig.camera.frame(number, offset_ns=offset_ms * 1_000_000)
            received += 1
            rig.settled(node, received)
    rig.until(lambda: len(messages) == 36, 'a result for every frame')
    assert node.fake.resets == resets + 2
    settled = 9 if offset_ms else 0
    for loop in range(3):
        has_depth = [depth is not None for depth in depths_m(node)[12 * loop : 12 * loop + 12]]
        assert all(has_depth[settled:]), (loop, has_depth)


def test_tracks_are_reset_even_if_the_first_frame_after_the_jump_is_dropped(
    rig, pairing, fake_pipeline
):
    fake = fake_pipeline()
    node = rig.started(rig.detection(fake, **pairing))
    for number in range(5):
        rig.camera.frame(10 + number)
        rig.settled(node, number + 1)
    fake.gate.clear()
    while fake.entered.acquire(blocking=False):
        pass
    rig.camera.frame(15)
    rig.until(lambda: fake.entered.acquire(blocking=False), 'a frame at work')
    resets = fake.resets
    for number in (0, 1):  # time jumps back; the first is superseded by the second
        rig.camera.frame(number)
        rig.until(lambda n=number: node.counters.snapshot().received == 7 + n, 'frame')
    rig.until(lambda: node.counters.snapshot().dropped == {'superseded': 1}, 'superseded')
    assert fake.resets == resets, 'not in the middle of a frame'
    fake.gate.set()
    assert rig.settled(node, 8).published == 7
    assert fake.resets == resets + 1
    assert fake.frames[-1].stamp_ns == START_NS + PERIOD_NS


def test_depth_that_starts_late_is_used(rig, pairing):
    node = rig.started(rig.detection(**pairing), depth='')
    rig.camera.frame(0, depth='')
    rig.settled(node, 1)
    rig.camera.announce()
    rig.until(rig.is_listening, 'depth subscription')
    rig.camera.frame(1)
    rig.settled(node, 2)
    assert [depth is not None for depth in depths_m(node)] == [False, True]
