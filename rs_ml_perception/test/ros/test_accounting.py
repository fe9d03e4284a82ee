"""Every message of the primary stream is published or counted under a reason."""

from __future__ import annotations

import math
import time

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from diagnostic_msgs.msg import DiagnosticArray

from rs_ml_msgs.msg import DetectionArray, FrameReport, InferenceStats

pytestmark = pytest.mark.ros

DETECTIONS = '/rs_ml/detection/detections'
REPORTS = '/rs_ml/detection/frames'
REASONS = ('stale', 'superseded', 'unsynchronised', 'rejected', 'error')


def accounted(stats) -> int:
    return stats.published + stats.in_flight + sum(getattr(stats, f'dropped_{r}') for r in REASONS)


def stamps(messages) -> list[int]:
    return [m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for m in messages]


def test_nothing_received(rig):
    node = rig.started(rig.detection())
    stats = rig.collect(InferenceStats, '/rs_ml/detection/stats')
    rig.until(lambda: stats, 'statistics')
    assert stats[-1].received == accounted(stats[-1]) == 0
    assert math.isnan(stats[-1].latency_p50_ms)
    assert node.counters.snapshot().dropped == {}


def test_each_frame_gives_one_output_with_its_header(rig):
    node = rig.started(rig.detection())
    messages = rig.collect(DetectionArray, DETECTIONS)
    reports = rig.collect(FrameReport, REPORTS)
    rig.until(lambda: node.is_wanted('detections'), 'observer')
    sent = []
    for number in range(12):
        sent.append(rig.camera.frame(number))
        rig.settled(node, number + 1)
    rig.until(lambda: len(messages) == len(reports) == 12, 'outputs')
    assert stamps(messages) == stamps(reports) == sent
    assert [r.outcome for r in reports] == ['published'] * 12
    assert node.counters.snapshot().published == 12


def test_overload_is_superseded_and_latency_stays_bounded(rig, fake_pipeline):
    """While one frame is worked on, of all that come only the latest is kept."""
    fake = fake_pipeline()
    node = rig.started(rig.detection(fake))
    messages = rig.collect(DetectionArray, DETECTIONS)
    reports = rig.collect(FrameReport, REPORTS)
    stats = rig.collect(InferenceStats, '/rs_ml/detection/stats')
    fake.gate.clear()
    rig.camera.frame(0)
    rig.until(lambda: fake.entered.acquire(blocking=False), 'the first frame at work')
    for number in range(1, 31):
        rig.camera.frame(number)
        rig.until(lambda n=number: node.counters.snapshot().received > n, 'frame')
    rig.until(lambda: node.counters.snapshot().dropped == {'superseded': 29}, '29 superseded')
    assert node.counters.snapshot().in_flight == 2
    rig.until(lambda: stats and stats[-1].received == 31, 'statistics')
    fake.gate.set()
    counts = rig.settled(node, 31)
    assert (counts.published, counts.dropped) == (2, {'superseded': 29})
    rig.until(lambda: len(reports) == 31 and len(messages) == 2, 'a report per frame')
    assert len(set(stamps(reports))) == 31
    assert stamps(messages) == [stamps(reports)[-2], max(stamps(reports))]
    assert all(accounted(s) == s.received for s in stats)


def test_every_sent_message_is_received_or_reported_lost(rig):
    """Bursts of a reliable camera: nothing may be overwritten unseen in the middleware."""
    node = rig.started(rig.detection())
    number = 0
    for _ in range(10):
        for _ in range(5):
            rig.camera.frame(number)
            number += 1
        rig.until(lambda n=number: node.counters.snapshot().received >= n, 'burst')
    counts = rig.settled(node, 50)
    missed = node.activation.source.missed
    assert counts.received + missed.lost + (missed.overwritten or 0) == rig.camera.sent == 50


def test_messages_overwritten_in_the_queue_of_the_reader_are_counted(rig):
    """A busy executor: a hundred images leave the camera before it looks again."""
    node = rig.started(rig.detection())
    stats = rig.collect(InferenceStats, '/rs_ml/detection/stats')
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    rig.camera.frame(0)
    rig.settled(node, 1)
    for number in range(1, 101):
        rig.camera.frame(number)
    counts = rig.until(
        lambda: stats and stats[-1].received + stats[-1].overwritten == 101 and stats[-1],
        'the counts to close',
    )
    assert counts.overwritten >= 80
    assert counts.lost_in_transport == 0
    rig.until(lambda: counted(diagnostics) == str(counts.overwritten), 'diagnostics')


def counted(messages) -> str | None:
    values = {
        pair.key: pair.value
        for message in messages
        for status in message.status
        if status.name.endswith('processing')
        for pair in status.values
    }
    return values.get('overwritten')


@pytest.mark.parametrize('max_age_secs', [0.0, 1.0])
def test_old_stamps_are_stale_unless_allowed(rig, max_age_secs):
    """Recorded stamps without /clock: nothing but the limit of zero lets them through."""
    node = rig.started(rig.detection(max_age_secs=max_age_secs))
    reports = rig.collect(FrameReport, REPORTS)
    for number in range(3):
        rig.camera.frame(number)
        rig.settled(node, number + 1)
    counts = node.counters.snapshot()
    assert counts.dropped == ({'stale': 3} if max_age_secs else {})
    if max_age_secs:
        rig.until(lambda: reports, 'report')
        assert reports[0].outcome == 'stale'
        assert 's old' in reports[0].detail
        assert 's old' in counts.last_detail


def test_age_is_checked_again_before_publishing(rig):
    """The process was stopped, or a network took very long: an old result is useless."""
    limits = {'max_age_secs': 0.3, 'diagnostics__max_processing_ms': 1.0}
    node = rig.started(rig.detection(**limits))
    messages = rig.collect(DetectionArray, '/rs_ml/detection/detections')
    node.fake.gate.clear()
    started = time.monotonic()
    now_ns = node.get_clock().now().nanoseconds
    rig.camera.info(now_ns)
    rig.camera.depth(now_ns)
    rig.camera.color(now_ns)
    rig.until(lambda: time.monotonic() - started > 0.5, 'the result to grow old')
    node.fake.gate.set()
    assert rig.settled(node, 1).dropped == {'stale': 1}
    assert messages == []


def test_stale_frames_warn_of_the_missing_clock(rig, capfd):
    node = rig.started(rig.detection(max_age_secs=1.0))
    rig.camera.frame(0)
    rig.settled(node, 1)
    rig.spin_some()
    shown = capfd.readouterr().err
    assert 'use_sim_time' in shown
    assert '--clock' in shown


def test_max_rate_thins_out_by_stamp(rig):
    node = rig.started(rig.detection(max_rate_hz=10.0))
    for number in range(12):
        rig.camera.frame(number)
        rig.settled(node, number + 1)
    counts = node.counters.snapshot()
    assert (counts.published, counts.dropped) == (4, {'superseded': 8})
    assert counts.last_detail == 'max_rate_hz'


REJECTED = {
    'wrong encoding': ({'encoding': 'mystery7'}, 'mystery7'),
    'short data': ({'data': b'123'}, 'truncated'),
    'step too small': ({'step': 10}, 'step'),
    'zero stamp': ('zero', 'zero stamp'),
    'endless frame_id': ('x' * 5000, 'at most 256 characters, got 5000'),
    'escape code in frame_id': ('cam\x1b[2J', 'must be a printable name'),
}

LEFT_OUT = {
    'NaN intrinsics': ({}, {'k': [math.nan] * 9}, 'color/camera_info is not used'),
    'uncalibrated': ({}, {'k': [0.0] * 9}, 'focal'),
    'tiny focal length': (
        {},
        {'k': [1e-300, 0.0, 1e300, 0.0, 60.0, 23.5, 0.0, 0.0, 1.0]},
        'fx=1e-300',
    ),
    'info of another size': ({}, {'width': 1280}, '1280'),
    'unknown lens': ({}, {'distortion_model': 'mystery', 'd': [0.1]}, "'mystery'"),
    'plumb_bob of 8': ({}, {'distortion_model': 'plumb_bob', 'd': [0.1] * 8}, 'gives 8'),
    'colourised depth': ({'encoding': 'rgb8', 'step': 192}, {}, 'colorizer.enable'),
    'depth of another size': ({'width': 32}, {}, 'aligned depth is 32x48'),
    'depth of another frame': ('frame', {}, 'not aligned'),
    'short depth': ({'data': b'12'}, {}, 'truncated'),
}


@pytest.mark.parametrize('case', LEFT_OUT)
def test_faults_of_other_topics_leave_out_positions_only(rig, case):
    depth, info, words = LEFT_OUT[case]
    node = rig.started(rig.detection(max_age_secs=0.0))
    messages = rig.collect(DetectionArray, DETECTIONS)
    rig.until(lambda: node.is_wanted('detections'), 'observer')
    ns = rig.camera.frame(0)
    rig.settled(node, 1)
    ns += 33_333_333
    rig.camera.info(ns, **info)
    if depth == 'frame':
        depth = {'header': rig.camera.header(ns, 'elsewhere')}
    rig.camera.depth(ns, **depth)
    rig.camera.color(ns)
    counts = rig.settled(node, 2)
    assert (counts.published, counts.dropped) == (2, {})
    assert words in ' '.join(node.input_state().notes)
    assert node.shortfalls.count == 1
    rig.camera.frame(2)
    assert rig.settled(node, 3).published == 3
    assert (node.shortfalls.latest, node.shortfalls.count) == ((), 1), 'the next one is whole'
    rig.until(lambda: len(messages) == 3, 'outputs')
    assert [[d.has_position for d in m.detections] for m in messages] == [[True], [False], [True]]


@pytest.mark.parametrize('case', REJECTED)
def test_bad_input_is_rejected_with_the_reason(rig, case):
    color, words = REJECTED[case]
    depth = {}
    node = rig.started(rig.detection(max_age_secs=0.0))
    reports = rig.collect(FrameReport, REPORTS)
    ns = rig.camera.frame(0)
    rig.settled(node, 1)
    ns += 33_333_333
    rig.camera.info(ns)
    if color == 'zero':
        depth, color = {'header': rig.camera.header(0)}, {'header': rig.camera.header(0)}
    elif isinstance(color, str):
        color = {'header': rig.camera.header(ns, color)}
    rig.camera.depth(ns, **depth)
    rig.camera.color(ns, **color)
    counts = rig.settled(node, 2)
    assert (counts.published, counts.dropped) == (1, {'rejected': 1})
    assert words in counts.last_detail
    assert counts.last_detail.isprintable()
    assert len(counts.last_detail) < 1000
    rig.until(lambda: reports and reports[-1].outcome == 'rejected', 'report')
    assert words in reports[-1].detail
    rig.camera.frame(2)
    assert rig.settled(node, 3).published == 2, 'the node goes on'
    assert node.fake.resets == 1, 'bad input is no time jump'


def test_a_zero_stamp_is_rejected_even_where_old_frames_are_stale(rig):
    node = rig.started(rig.detection(max_age_secs=1.0))
    rig.camera.color(0)
    assert rig.settled(node, 1).dropped == {'rejected': 1}


def test_a_frame_that_raises_is_counted_and_the_node_continues(rig):
    node = rig.started(rig.detection())
    reports = rig.collect(FrameReport, REPORTS)
    node.fake.error = ZeroDivisionError('test')
    rig.camera.frame(0)
    assert rig.settled(node, 1).dropped == {'error': 1}
    rig.until(lambda: reports, 'report')
    assert reports[0].detail == 'ZeroDivisionError: test'
    assert node.fatal == ''
    node.fake.error = None
    rig.camera.frame(1)
    assert rig.settled(node, 2).published == 1


def test_an_output_that_cannot_be_made_is_an_error_too(rig):
    node = rig.started(rig.detection(strict=True))
    node.fake.boxes = [(float('nan'),) * 4]
    node.fake.labels = None
    rig.camera.frame(0)
    assert rig.settled(node, 1).dropped == {'error': 1}
    assert node.fatal.startswith('detection: ')


def test_text_that_is_not_utf8_is_escaped(rig):
    """File names may contain such text; it must end neither the worker nor the diagnostics."""
    node = rig.started(rig.detection())
    reports = rig.collect(FrameReport, REPORTS)
    rig.until(lambda: node.reporter._frames.get_subscription_count(), 'observer')
    node.fake.error = ValueError('\ud800 is no text')
    rig.camera.frame(0)
    assert rig.settled(node, 1).dropped == {'error': 1}
    node.fake.error = None
    rig.camera.frame(1)
    assert rig.settled(node, 2).published == 1
    rig.until(lambda: len(reports) == 2, 'reports')
    assert reports[0].detail == 'ValueError: \\ud800 is no text'


def test_deactivation_counts_images_in_flight(rig, fake_pipeline):
    fake = fake_pipeline()
    node = rig.started(rig.detection(fake))
    fake.gate.clear()
    rig.camera.frame(0)
    rig.until(lambda: fake.entered.acquire(blocking=False), 'the first frame at work')
    rig.camera.frame(1)
    rig.until(lambda: node.counters.snapshot().received == 2, 'the second frame')
    rig.camera.color(rig.camera.frame(2) + 33_333_333)  # waits for its depth
    rig.until(lambda: node.counters.snapshot().received == 4, 'the fourth frame')
    fake.gate.set()
    node.trigger_deactivate()
    counts = node.counters.snapshot()
    assert counts.received == 4
    assert counts.in_flight == 0
    assert counts.published + counts.dropped['superseded'] == 4
    assert node.activation is None


def test_a_late_consumer_gets_no_frames_from_before(rig):
    """Two nodes share a source; the second activates while a frame waits for its depth."""
    first = rig.started(rig.detection())
    second = rig.add_sharing(first)
    rig.camera.frame(0)
    rig.settled(first, 1)
    rig.camera.color(1_700_000_001_000_000_000)
    rig.until(lambda: first.counters.snapshot().received == 2, 'a frame that waits')
    assert first.counters.snapshot().in_flight == 1
    second.start()
    assert rig.settled(first, 2).published == 2
    assert second.counters.snapshot().received == 0
    assert second.counters.snapshot().in_flight == 0
    rig.camera.frame(60)
    rig.settled(second, 1)
    assert second.counters.snapshot().published == 1


def test_deactivation_of_one_node_does_not_affect_the_waiting_frames_of_others(rig):
    first = rig.started(rig.detection())
    second = rig.add_sharing(first)
    second.start()
    rig.camera.frame(0)
    rig.settled(second, 1)
    ns = 1_700_000_001_000_000_000
    rig.camera.color(ns)
    rig.until(lambda: first.counters.snapshot().in_flight == 1, 'a frame that waits')
    second.trigger_deactivate()
    assert second.counters.snapshot().in_flight == 0
    rig.camera.depth(ns)
    rig.settled(first, 2)
    assert first.fake.frames[-1].depth is not None
