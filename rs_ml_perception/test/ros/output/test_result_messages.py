"""Results to messages and back, field by field, the empty one first."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rclpy.serialization import deserialize_message, serialize_message
from rs_ml_perception.core.geometry.gravity import UpMethod
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.objects.detections import Detections, Placements
from rs_ml_perception.core.objects.labels import LabelMap, class_color
from rs_ml_perception.core.objects.regions import Regions
from rs_ml_perception.core.people.heights import HeightStatus, PersonHeights
from rs_ml_perception.core.streams.counters import DROPPED, FrameCounters, Missed, Outcome
from rs_ml_perception.core.streams.partner_counts import Arrival, PartnerCounters
from rs_ml_perception.ros.output import vision_messages
from rs_ml_perception.ros.output.markers import detection_markers, height_markers
from rs_ml_perception.ros.output.result_messages import (
    TargetFrame,
    detection_array,
    label_info,
    person_height_array,
    read_detections,
    read_heights,
    read_placements,
    segment_region_array,
)
from rs_ml_perception.ros.reporting import stats_message
from std_msgs.msg import Header
from visualization_msgs.msg import Marker

from rs_ml_msgs.msg import InferenceStats, PersonHeight

pytestmark = pytest.mark.ros

HEADER = Header(frame_id='camera')
HEADER.stamp.sec, HEADER.stamp.nanosec = 12, 34
LABELS = LabelMap({1: 'person', 17: 'Katze ä'})
HERE = TargetFrame('camera')
TURNED = RigidTransform(
    np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]), np.array([1.0, 2.0, 3.0])
)
THERE = TargetFrame('map', TURNED)
NAN = float('nan')


def two_objects() -> tuple[Detections, Placements]:
    detections = Detections(
        np.array([[1.5, 2.5, 30.25, 40.0], [0.0, 0.0, 5.0, 6.0]], np.float32),
        np.array([0.75, 0.5], np.float32),
        np.array([1, 17], np.int32),
        np.array([4, -1], np.int32),
    )
    placements = Placements(
        np.array([True, False]),
        np.array([[0.5, -0.25, 2.0], [NAN] * 3]),
        np.array([0.5, NAN], np.float32),
        np.array([1.75, NAN], np.float32),
    )
    return detections, placements


def nothing() -> tuple[Detections, Placements]:
    return Detections.empty(), Placements.unknown(0)


def array_of(found, target=HERE, depth_skew_ms=-3.5):
    return detection_array(
        *found,
        LABELS,
        header=HEADER,
        image_size=(640, 480),
        model='m 1',
        target=target,
        depth_skew_ms=depth_skew_ms,
    )


@pytest.mark.parametrize('found', [nothing(), two_objects()])
def test_detections_round_trip(found):
    """Through the wire as well: every field survives."""
    msg = array_of(found)
    again = deserialize_message(serialize_message(msg), type(msg))
    assert (again.header, again.image_width, again.image_height) == (HEADER, 640, 480)
    assert (again.model, again.position_frame_id) == ('m 1', 'camera')
    assert again.depth_skew_ms == -3.5
    detections, labels = read_detections(again.detections)
    placements = read_placements(again.detections)
    for name in ('xyxy', 'scores', 'class_ids', 'track_ids'):
        np.testing.assert_array_equal(getattr(detections, name), getattr(found[0], name))
    for name in ('has_position', 'position_m', 'width_m', 'height_extent_m'):
        np.testing.assert_array_equal(getattr(placements, name), getattr(found[1], name))
    assert dict(labels.names) == (dict(LABELS.names) if len(detections) else {})


def test_positions_in_the_target_frame():
    msg = array_of(two_objects(), THERE)
    first, second = msg.detections
    assert msg.position_frame_id == 'map'
    assert msg.header.frame_id == 'camera'
    assert (first.position.x, first.position.y, first.position.z) == (3.0, 1.5, 3.25)
    assert math.isnan(second.position.x)
    assert not second.has_position


def test_a_class_without_a_name():
    detections, placements = two_objects()
    msg = detection_array(
        detections, placements, LabelMap({}), header=HEADER, image_size=(1, 1), model='',
        target=HERE, depth_skew_ms=0.0,
    )  # fmt: skip
    assert [d.label for d in msg.detections] == ['', '']


def two_persons() -> PersonHeights:
    detections, placements = two_objects()
    return PersonHeights(
        detections,
        placements,
        np.array([HeightStatus.OK, HeightStatus.NO_DEPTH], np.uint8),
        np.array([1.75, NAN], np.float32),
        np.array([0.02, NAN], np.float32),
        np.array([[0.5, -1.0, 2.0], [NAN] * 3]),
        np.array([[0.5, 0.75, 2.0], [NAN] * 3]),
        np.array([UpMethod.IMU, UpMethod.CAMERA_VERTICAL], np.uint8),
        np.array([1234, 0], np.int64),
    )


@pytest.mark.parametrize('heights', [PersonHeights.empty(), two_persons()])
def test_heights_round_trip(heights):
    msg = person_height_array(heights, LABELS, header=HEADER, target=HERE, depth_skew_ms=-3.5)
    again = deserialize_message(serialize_message(msg), type(msg))
    assert (again.header, again.depth_skew_ms) == (HEADER, -3.5)
    values = read_heights(again.heights)
    for name in (
        'status', 'height_m', 'height_stddev_m', 'head_m', 'feet_m', 'method', 'num_points'
    ):  # fmt: skip
        np.testing.assert_array_equal(getattr(values, name), getattr(heights, name))
    np.testing.assert_array_equal(values.placements.position_m, heights.placements.position_m)


def test_head_and_feet_in_the_target_frame():
    msg = person_height_array(
        two_persons(), LABELS, header=HEADER, target=THERE, depth_skew_ms=0.0
    )
    person = msg.heights[0]
    assert msg.position_frame_id == 'map'
    assert (person.head.x, person.head.y, person.head.z) == (3.0, 1.5, 4.0)
    assert (person.feet.x, person.feet.y, person.feet.z) == (3.0, 1.5, 2.25)
    assert person.head.z - person.feet.z == pytest.approx(1.75)


@pytest.mark.parametrize('kind', [HeightStatus, UpMethod])
def test_numbers_of_the_message_are_those_of_the_code(kind):
    for member in kind:
        assert getattr(PersonHeight, member.name) == member.value


def test_label_info():
    empty = label_info(LabelMap({}), header=HEADER, model='')
    assert (list(empty.class_ids), empty.names, empty.colors) == ([], [], [])
    msg = label_info(LABELS, header=HEADER, model='m 1')
    assert (list(msg.class_ids), msg.names) == ([1, 17], ['person', 'Katze ä'])
    for class_id, color in zip((1, 17), msg.colors, strict=True):
        assert [round(255 * c) for c in (color.r, color.g, color.b)] == list(class_color(class_id))
        assert color.a == 1.0


def two_regions() -> Regions:
    return Regions(
        np.array([1, 17], np.int32),
        np.array([900, 20], np.int64),
        np.array([[10.5, 20.5], [1.0, 2.0]], np.float32),
        np.array([True, False]),
        np.array([[0.0, 0.0, 2.0], [NAN] * 3]),
        np.array([np.diag([1.0, -1.0, -1.0]), np.full((3, 3), NAN)]),
        np.array([[0.4, 0.2, 0.1], [NAN] * 3], np.float32),
    )


@pytest.mark.parametrize(
    ('target', 'position', 'quaternion'),
    [(HERE, (0, 0, 2), (1, 0, 0, 0)), (THERE, (3, 2, 3), (0.5, -0.5, -0.5, 0.5))],
)
def test_regions(target, position, quaternion):
    msg = segment_region_array(
        two_regions(), LABELS, header=HEADER, target=target, depth_skew_ms=5.0
    )
    first, second = msg.regions
    assert (msg.pose_frame_id, msg.depth_skew_ms) == (target.frame_id, 5.0)
    assert (first.class_id, first.label, first.area_px, first.has_pose) == (1, 'person', 900, True)
    assert (first.centroid_x, first.centroid_y) == (10.5, 20.5)
    p, q = first.pose.position, first.pose.orientation
    assert (p.x, p.y, p.z) == pytest.approx(position)
    found = np.array([q.x, q.y, q.z, q.w])
    assert abs(found @ np.array(quaternion)) == pytest.approx(1.0), found
    assert (first.size_m.x, first.size_m.z) == pytest.approx((0.4, 0.1))
    assert not second.has_pose
    values = (second.pose.position.x, second.pose.orientation.w, second.size_m.y)
    assert all(math.isnan(value) for value in values)


def test_no_regions():
    msg = segment_region_array(
        Regions.empty(), LABELS, header=HEADER, target=HERE, depth_skew_ms=NAN
    )
    assert (msg.header, msg.regions) == (HEADER, [])


def test_statistics_name_every_reason():
    counters = FrameCounters()
    for reason in DROPPED:
        counters.receive()
        counters.drop(reason)
    counters.receive()
    counters.receive()
    counters.publish(latency_ms=2.0, age_ms=3.0, stage_ms={'infer': 1.5})
    partners = PartnerCounters()
    for _ in range(5):
        partners.receive(0.0, Arrival(-0.5))
    partners.drop(is_far=False, is_late=True)
    partners.miss(math.nan)
    partners.pair(is_first=True)
    counts = partners.snapshot(waiting=3)
    readings = {'align_scale': 1.5}
    msg = stats_message(
        counters.snapshot(), missed=Missed(lost=7), partners=counts, readings=readings
    )
    assert {o: getattr(msg, f'dropped_{o.value}') for o in DROPPED} == dict.fromkeys(DROPPED, 1)
    assert (msg.received, msg.published, msg.in_flight) == (7, 1, 1)
    assert (msg.latency_p50_ms, msg.age_p95_ms, msg.lost_in_transport) == (2.0, 3.0, 7)
    assert msg.overwritten == InferenceStats.NOT_COUNTED
    assert (msg.stage_names, list(msg.stage_ms)) == (['infer'], [1.5])
    assert (msg.without_partner, msg.partners_received, msg.partners_used) == (1, 5, 1)
    assert (msg.reading_names, list(msg.readings)) == (['align_scale'], [1.5])
    assert msg.partners_waiting == 3
    assert (msg.partners_dropped_late, msg.partners_dropped_far) == (1, 0)
    assert msg.partner_offset_ms == -500.0
    fields = {f.removeprefix('dropped_') for f in msg.get_fields_and_field_types()}
    assert {o.value for o in Outcome} <= fields


@pytest.mark.parametrize(('found', 'count'), [(nothing(), 1), (two_objects(), 3)])
def test_detection_markers(found, count):
    """A marker that clears the old ones, then a sphere and a name per object with a position."""
    array = detection_markers(*found, LABELS, header=HEADER, target=THERE)
    assert len(array.markers) == count
    assert array.markers[0].action == Marker.DELETEALL
    assert all(m.header.frame_id == 'map' for m in array.markers)
    assert all(m.header.stamp == HEADER.stamp for m in array.markers)
    if count == 3:
        sphere, name = array.markers[1:]
        assert (sphere.type, name.type) == (Marker.SPHERE, Marker.TEXT_VIEW_FACING)
        assert (sphere.pose.position.x, sphere.scale.x) == (3.0, 0.5)
        assert name.text == 'person 0.75'
        assert 0 < sphere.color.a <= 1


@pytest.mark.parametrize(
    ('status', 'text'),
    [(HeightStatus.OK, '1.75 m'), (HeightStatus.TRUNCATED, '≥ 1.75 m')],
)
def test_height_markers(status, text):
    heights = two_persons()
    heights.status[0] = status
    array = height_markers(heights, header=HEADER, target=HERE)
    clear, line, number = array.markers
    assert clear.action == Marker.DELETEALL
    assert line.type == Marker.LINE_STRIP
    assert [(p.y, p.z) for p in line.points] == [(0.75, 2.0), (-1.0, 2.0)]
    assert number.text == text
    empty = height_markers(PersonHeights.empty(), header=HEADER, target=HERE)
    assert len(empty.markers) == 1


def test_vision_messages():
    pytest.importorskip('vision_msgs.msg', reason='vision_msgs is not installed')
    for found, count in ((nothing(), 0), (two_objects(), 2)):
        flat = vision_messages.detections_2d(found[0], LABELS, header=HEADER)
        solid = vision_messages.detections_3d(*found, LABELS, header=HEADER, target=THERE)
        assert len(flat.detections) == count
        assert len(solid.detections) == count // 2
    first, second = flat.detections
    assert (first.bbox.center.position.x, first.bbox.size_x) == (15.875, 28.75)
    assert (first.bbox.center.position.y, first.bbox.size_y) == (21.25, 37.5)
    assert (first.id, second.id) == ('4', '')
    assert first.results[0].hypothesis.class_id == 'person'
    assert first.results[0].hypothesis.score == 0.75
    (box,) = solid.detections
    assert solid.header.frame_id == box.header.frame_id == 'map'
    assert (box.bbox.center.position.x, box.bbox.size.y) == (3.0, 1.75)
    labels = vision_messages.label_info(LABELS, header=HEADER, threshold=0.3)
    assert [(c.class_id, c.class_name) for c in labels.class_map] == [
        (1, 'person'),
        (17, 'Katze ä'),
    ]
    assert labels.threshold == pytest.approx(0.3)
