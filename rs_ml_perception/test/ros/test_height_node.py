"""Detections are paired with the depth they were made from, or with none."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rs_ml_perception.core.geometry.gravity import UpMethod
from rs_ml_perception.core.streams.partner_counts import PartnerDrop
from rs_ml_perception.nodes.height_node import HeightNode
from rs_ml_perception.ros.input.hub import DETECTIONS_DEPTH_HISTORY
from rs_ml_perception.ros.input.topics import ACCEL, StreamOptions
from sensor_msgs.msg import Image, Imu

from rs_ml_msgs.msg import Detection, DetectionArray, PersonHeightArray

pytestmark = pytest.mark.ros

START_NS, PERIOD_NS = 1_700_000_000_000_000_000, 33_333_333
DETECTIONS = 'detection/detections'


class Bench:
    """A height node whose detections come from the test."""

    def __init__(self, rig, **parameters):
        self.rig = rig
        rig.camera.announce()
        rig.camera.publisher(DETECTIONS, DetectionArray)
        self.node = rig.add(HeightNode, max_age_secs=0.0, **parameters)
        self.node.start()
        self.heights = rig.collect(PersonHeightArray, '/rs_ml/height/heights')
        rig.until(lambda: self.node.is_wanted('heights'), 'observer')
        topics = (DETECTIONS, 'color/camera_info', 'aligned_depth_to_color/image_raw')
        publishers = [rig.camera._publishers[topic] for topic in topics]
        rig.until(lambda: all(p.get_subscription_count() for p in publishers), 'subscriptions')
        rig.camera.info(START_NS)

    def detect(self, ns, *, label='person', boxes=1, frame_id=None):
        header = self.rig.camera.header(ns, *([frame_id] if frame_id else []))
        msg = DetectionArray(header=header, image_width=64, image_height=48)
        box = {'x_min': 16.0, 'y_min': 4.0, 'x_max': 48.0, 'y_max': 44.0}
        msg.detections = [
            Detection(label=label, class_id=1, score=0.9, track_id=3, **box) for _ in range(boxes)
        ]
        self.rig.camera._send(DETECTIONS, msg, {})

    def depth_seen(self, *stamps):
        """Publish depth and wait until it has been taken."""
        sync = self.node.activation.source._sync
        for ns, depth_mm in stamps:
            self.rig.camera.depth(ns, depth_mm=depth_mm)
            self.rig.until(lambda n=ns: sync.newest_ns == n, 'depth')

    def settled(self, received):
        return self.rig.settled(self.node, received)

    def answers(self, count):
        self.rig.until(lambda: len(self.heights) == count, f'{count} answers')
        return self.heights


@pytest.fixture
def bench(rig):
    return Bench(rig)


def test_no_detections_give_an_empty_message(bench):
    bench.depth_seen((START_NS, 2000))
    bench.detect(START_NS, boxes=0)
    msg = bench.answers(1)[0]
    assert msg.header == bench.rig.camera.header(START_NS)
    assert (list(msg.heights), msg.depth_skew_ms) == ([], 0.0)


def test_only_the_chosen_classes_are_measured(bench):
    bench.depth_seen((START_NS, 2000))
    bench.detect(START_NS, label='cat')
    assert list(bench.answers(1)[0].heights) == []
    bench.detect(START_NS, label='person')
    person = bench.answers(2)[1].heights[0]
    assert person.detection.track_id == 3
    assert person.detection.label == 'person'
    assert person.position.z == pytest.approx(2.0)
    assert 0.8 < person.height_m < 1.8


def test_a_late_detection_is_paired_with_its_own_depth(bench):
    """30 younger depth images have come by the time the detection does."""
    bench.depth_seen(*((START_NS + i * PERIOD_NS, 1000 + 100 * i) for i in range(31)))
    bench.detect(START_NS + 2 * PERIOD_NS)
    msg = bench.answers(1)[0]
    assert msg.depth_skew_ms == 0.0
    assert msg.heights[0].position.z == pytest.approx(1.2, abs=0.01)


def test_without_its_own_depth_the_nearest_within_half_a_period_is_used(bench):
    bench.depth_seen(*((START_NS + i * PERIOD_NS + 9_000_000, 1000 + 100 * i) for i in range(8)))
    bench.detect(START_NS + 3 * PERIOD_NS)
    msg = bench.answers(1)[0]
    assert msg.depth_skew_ms == pytest.approx(9.0)
    assert msg.heights[0].position.z == pytest.approx(1.3, abs=0.01)


def test_beyond_half_a_period_it_is_unsynchronised(bench):
    stamps = [START_NS + i * PERIOD_NS for i in range(8) if i not in (3, 4)]
    bench.depth_seen(*((ns, 2000) for ns in stamps))
    bench.detect(START_NS + 3 * PERIOD_NS + PERIOD_NS // 2 + 5_000_000)
    counts = bench.settled(1)
    assert counts.dropped == {'unsynchronised': 1}
    assert 'within half a period' in counts.last_detail


def test_depth_of_the_future_is_neither_used_nor_kept(bench):
    """More than the history holds, then depth and detections as usual."""
    future = [(START_NS + 100_000_000_000 + i, 1000) for i in range(DETECTIONS_DEPTH_HISTORY + 2)]
    bench.detect(START_NS)
    bench.rig.until(lambda: bench.node.counters.snapshot().received == 1, 'detections')
    bench.depth_seen(*future)
    bench.settled(1)
    for number in range(1, 4):
        ns = START_NS + number * PERIOD_NS
        bench.depth_seen((ns, 2000))
        bench.detect(ns)
        bench.settled(number + 1)
    assert [msg.depth_skew_ms for msg in bench.answers(3)] == [0.0] * 3
    synchronizer = bench.node.activation.source
    assert synchronizer.partner_counts().dropped[PartnerDrop.FAR] == 5
    (note,) = synchronizer.notes()
    assert 'stamped 100.0 s ahead' in note


def test_depth_later_than_the_detection_is_waited_for(bench):
    bench.detect(START_NS)
    bench.rig.until(lambda: bench.node.counters.snapshot().in_flight == 1, 'waiting')
    bench.depth_seen((START_NS, 2000))
    assert bench.answers(1)[0].depth_skew_ms == 0.0


def test_missing_depth_is_counted_and_noted(rig):
    rig.camera.publisher(DETECTIONS, DetectionArray)
    node = rig.add(HeightNode, max_age_secs=0.0, strict=True)
    node.start()
    publisher = rig.camera._publishers[DETECTIONS]
    rig.until(publisher.get_subscription_count, 'match')
    publisher.publish(DetectionArray(header=rig.camera.header(START_NS)))
    counts = rig.settled(node, 1)
    assert counts.dropped == {'unsynchronised': 1}
    assert 'no depth topic is published' in counts.last_detail
    assert node.fatal == '', 'nothing failed'


def test_depth_of_another_frame_is_rejected(bench):
    bench.depth_seen((START_NS, 2000))
    bench.detect(START_NS, frame_id='elsewhere')
    assert bench.settled(1).dropped == {'rejected': 1}


@pytest.mark.parametrize('label', ['x' * 5000, 'person\x1b[2J'])
def test_a_label_that_cannot_be_shown_is_rejected(bench, label):
    bench.depth_seen((START_NS, 2000), (START_NS + 1, 2000))
    bench.detect(START_NS, label=label)
    assert bench.settled(1).dropped == {'rejected': 1}
    bench.detect(START_NS + 1)
    assert bench.settled(2).published == 1


def test_a_looped_bag_is_measured(bench):
    for loop in range(3):
        for number in range(5):
            ns = START_NS + number * PERIOD_NS
            bench.depth_seen((ns, 2000 + 100 * loop))
            bench.detect(ns)
            bench.answers(5 * loop + number + 1)
    far_m = [msg.heights[0].position.z for msg in bench.heights]
    assert far_m == pytest.approx([2.0] * 5 + [2.1] * 5 + [2.2] * 5, abs=0.01)
    assert bench.node.counters.snapshot().dropped == {}


def accelerometer(rig, ns, frame_id='camera_color_optical_frame', y=-9.81):
    imu = Imu(header=rig.camera.header(ns, frame_id))
    imu.linear_acceleration.y = y
    rig.camera.publisher('accel/sample', Imu).publish(imu)


def test_up_comes_from_the_accelerometer(rig):
    rig.camera.publisher('accel/sample', Imu)
    bench = Bench(rig)
    publisher = rig.camera._publishers['accel/sample']
    rig.until(publisher.get_subscription_count, 'match')
    accelerometer(rig, START_NS)
    readings = bench.node.hub.stream(ACCEL, StreamOptions())
    rig.until(lambda: readings.received, 'acceleration')
    bench.depth_seen((START_NS, 2000))
    bench.detect(START_NS)
    assert bench.answers(1)[0].heights[0].method == UpMethod.IMU


@pytest.mark.parametrize('y', [math.nan, 1e308])
def test_an_impossible_acceleration_is_noted_and_the_height_published(rig, y):
    rig.camera.publisher('accel/sample', Imu)
    bench = Bench(rig)
    rig.until(rig.camera._publishers['accel/sample'].get_subscription_count, 'match')
    accelerometer(rig, START_NS, y=y)
    rig.until(lambda: any('no accelerations' in note for note in bench.node.notes()), 'note')
    bench.depth_seen((START_NS, 2000))
    bench.detect(START_NS)
    assert bench.answers(1)[0].heights[0].method != UpMethod.IMU


def test_up_comes_from_tf_with_a_gravity_frame(rig):
    turned = 'map camera_color_optical_frame 0 0 1 -0.5 0.5 -0.5 0.5'
    bench = Bench(rig, gravity_frame='map', static_transforms=[turned])
    bench.depth_seen((START_NS, 2000))
    bench.detect(START_NS)
    person = bench.answers(1)[0].heights[0]
    assert person.method == UpMethod.TF
    assert person.head.y < person.feet.y, 'up is against the image y axis'
    assert not any(bench.node.notes())


def test_an_unknown_gravity_frame_is_noted(rig):
    bench = Bench(rig, gravity_frame='nowhere')
    bench.depth_seen((START_NS, 2000))
    bench.detect(START_NS)
    assert bench.answers(1)[0].heights[0].method != UpMethod.TF
    assert 'nowhere' in bench.node.notes()[0]


def test_colour_is_subscribed_to_only_for_annotated_images(bench):
    rig = bench.rig
    assert rig.observer.count_subscribers('/rs_ml/color/image_raw') == 0
    annotated = rig.collect(Image, '/rs_ml/height/image_annotated')
    rig.until(lambda: rig.observer.count_subscribers('/rs_ml/color/image_raw') == 1, 'colour')
    rig.until(rig.is_listening, 'match')
    rig.camera.color(START_NS)
    rig.until(lambda: len(bench.node.activation.source._colors) == 1, 'colour image')
    bench.depth_seen((START_NS, 2000))
    bench.detect(START_NS)
    rig.until(lambda: annotated, 'annotated image')
    assert annotated[0].header == rig.camera.header(START_NS)
    assert np.frombuffer(annotated[0].data, np.uint8).any()


def test_a_person_without_valid_depth_has_no_height(bench):
    bench.depth_seen((START_NS, 0))
    bench.detect(START_NS)
    person = bench.answers(1)[0].heights[0]
    assert person.status == person.NO_DEPTH
    assert math.isnan(person.height_m)
    assert not person.detection.has_position


def test_a_box_of_nan_has_no_height(bench):
    bench.depth_seen((START_NS, 2000))
    header = bench.rig.camera.header(START_NS)
    box = Detection(label='person', class_id=1, x_min=math.nan, y_min=1.0, x_max=2.0, y_max=3.0)
    bench.rig.camera._send(DETECTIONS, DetectionArray(header=header, detections=[box]), {})
    person = bench.answers(1)[0].heights[0]
    assert (person.status, bench.settled(1).published) == (person.NO_DEPTH, 1)
