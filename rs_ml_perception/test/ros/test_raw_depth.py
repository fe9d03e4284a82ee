"""Unaligned depth: registered by the extrinsics, or left out with a note."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rs_ml_perception.core.frames.messages import extrinsics_from_message
from sensor_msgs.msg import Image

from rs_ml_msgs.msg import DetectionArray

pytestmark = pytest.mark.ros

COLOR, DEPTH = 'camera_color_optical_frame', 'camera_depth_optical_frame'
OFFSET = f'{COLOR} {DEPTH} 0.5 0 0 0 0 0 1'
"""The depth camera half a metre to the right of the colour camera."""


def detections(rig, node):
    messages = rig.collect(DetectionArray, '/rs_ml/detection/detections')
    rig.until(lambda: node.is_wanted('detections'), 'observer')
    return messages


def test_extrinsics_place_objects(rig):
    """A slanting wall: from the side, depth at the middle of the box is that of another column."""
    node = rig.started(rig.detection(static_transforms=[OFFSET]), depth='raw')
    messages = detections(rig, node)
    ns = rig.camera.frame(0, depth='raw')
    rig.until(lambda: messages, 'detections')
    frame = node.fake.frames[0]
    assert not frame.depth_is_aligned
    assert frame.color_from_depth.translation_m.tolist() == [0.5, 0.0, 0.0]
    assert frame.depth_camera.fx == 60.0
    found = messages[0].detections[0]
    assert messages[0].header == rig.camera.header(ns)
    assert found.has_position
    assert found.position.z == pytest.approx(2.0)
    # Depth reaches from x = -0.55 to 1.55 in the colour frame; the box from -0.52 to 0.55.
    assert found.width_m == pytest.approx(1.07, abs=0.08)
    assert node.extrinsics.problem == ''


def test_without_extrinsics_results_lack_positions_and_a_note_explains(rig):
    node = rig.started(rig.detection(), depth='raw')
    messages = detections(rig, node)
    rig.camera.frame(0, depth='raw')
    rig.until(lambda: messages, 'detections')
    assert not messages[0].detections[0].has_position
    assert node.fake.frames[0].depth is None
    (note,) = node.input_state().notes
    assert f'no transform from {DEPTH} to {COLOR}' in note
    assert 'align_depth.enable' in note
    node.hub.transforms.give('', [f'{COLOR} {DEPTH} 0 0 0 0 0 0 1'])
    rig.camera.frame(1, depth='raw')
    rig.until(lambda: len(messages) == 2, 'detections')
    assert messages[1].detections[0].has_position
    assert node.input_state().notes == ()


def test_the_note_ends_with_aligned_depth(rig):
    node = rig.started(rig.detection(), depth='raw')
    rig.camera.frame(0, depth='raw')
    rig.settled(node, 1)
    assert node.extrinsics.problem
    rig.camera.announce(depth='aligned')
    rig.until(rig.is_listening, 'aligned depth')
    rig.until(lambda: rig.observer.count_subscribers('/rs_ml/depth/image_rect_raw') == 0, 'switch')
    rig.camera.frame(1)
    rig.settled(node, 2)
    assert node.extrinsics.problem == ''
    assert node.fake.frames[1].depth_is_aligned


def test_raw_depth_waits_for_its_camera_info(rig):
    node = rig.started(rig.detection(static_transforms=[OFFSET]), depth='raw')
    ns = 1_700_000_000_000_000_000
    rig.camera.info(ns)
    rig.camera.depth(ns, 'raw')
    rig.camera.color(ns)
    rig.until(lambda: node.counters.snapshot().received == 1, 'frame')
    assert node.counters.snapshot().in_flight == 1
    assert node.activation.source.waits_for_camera_info
    rig.camera.info(ns, 'depth/camera_info')
    rig.settled(node, 1)
    assert node.fake.frames[0].depth is not None


def test_the_choice_of_depth_can_be_forced(rig):
    rig.camera.announce(depth='aligned')
    rig.camera.announce(depth='raw')
    node = rig.detection(depth_source='raw', static_transforms=[OFFSET])
    node.start()
    rig.until(lambda: rig.is_listening('raw'), 'raw depth')
    assert node.activation.source.partner_topic == '/rs_ml/depth/image_rect_raw'
    assert rig.observer.count_subscribers('/rs_ml/aligned_depth_to_color/image_raw') == 0


def test_depth_source_none_does_not_subscribe(rig):
    rig.camera.announce()
    node = rig.detection(depth_source='none')
    node.start()
    rig.until(lambda: rig.is_listening(''), 'colour')
    rig.camera.publisher('color/image_raw', Image)
    rig.camera.frame(0)
    assert rig.settled(node, 1).published == 1
    assert rig.observer.count_subscribers('/rs_ml/aligned_depth_to_color/image_raw') == 0
    assert node.activation.source.partner_counts().without == 0


def test_the_extrinsics_message_is_column_major():
    """realsense2_camera_msgs/Extrinsics: rotation[3] is row 0 of column 1."""

    class Message:
        rotation = (0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
        translation = (0.1, 0.2, 0.3)

    color_from_depth = extrinsics_from_message(Message)
    assert color_from_depth.rotation.tolist() == [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    assert color_from_depth.translation_m.tolist() == [0.1, 0.2, 0.3]
