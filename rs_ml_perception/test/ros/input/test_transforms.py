"""Transforms from TF, if its messages are installed, and from parameters."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from geometry_msgs.msg import TransformStamped
from rclpy.qos import DurabilityPolicy, QoSProfile
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.ros.input.transforms import Transforms

pytestmark = pytest.mark.ros

START_NS, PERIOD_NS = 1_700_000_000_000_000_000, 33_333_333


def broadcast(rig, topic, parent, child, x, ns=0):
    """One transform, latched on /tf_static."""
    messages = pytest.importorskip('tf2_msgs.msg', reason='tf2_msgs is not installed')
    qos = QoSProfile(depth=100)
    if topic == '/tf_static':
        qos.durability = DurabilityPolicy.TRANSIENT_LOCAL
    publishers = rig.camera._publishers
    if topic not in publishers:
        publishers[topic] = rig.camera.node.create_publisher(messages.TFMessage, topic, qos)
        rig.until(publishers[topic].get_subscription_count, f'a listener of {topic}')
    transform = TransformStamped(child_frame_id=child, header=rig.camera.header(ns, parent))
    transform.transform.translation.x = x
    transform.transform.rotation.w = 1.0
    publishers[topic].publish(messages.TFMessage(transforms=[transform]))


def x_of(transforms, ns):
    found = transforms.lookup('map', 'camera', ns)
    return None if found is None else found.translation_m[0]


def test_static_transforms_from_parameters(rig):
    transforms = Transforms(rig.plain_node('n'), ['map camera 1 2 3 0 0 0 1'])
    assert x_of(transforms, 0) == 1.0
    assert transforms.lookup('camera', 'map', 5).translation_m.tolist() == [-1, -2, -3]
    assert transforms.lookup('map', 'nowhere', 0) is None


def test_a_node_replaces_its_own_transforms_only(rig):
    transforms = Transforms(rig.plain_node('n'), ['map base 1 0 0 0 0 0 1'])
    transforms.give('detection', ['base camera 2 0 0 0 0 0 1'])
    assert x_of(transforms, 0) == 3.0
    transforms.give('detection', ['base camera 4 0 0 0 0 0 1'])
    assert x_of(transforms, 0) == 5.0
    with pytest.raises(ConfigError, match='must read'):
        transforms.give('detection', ['map camera 0 0 0 0 0 0 1', 'nonsense'])
    assert x_of(transforms, 0) == 5.0
    transforms.give('detection', [])
    assert x_of(transforms, 0) is None


def test_static_frames_are_read_and_chained(rig):
    transforms = Transforms(rig.plain_node('n'))
    broadcast(rig, '/tf_static', 'map', 'base', 1.0)
    broadcast(rig, '/tf_static', 'base', 'camera', 0.5)
    rig.until(lambda: x_of(transforms, START_NS) == 1.5, 'both transforms')
    assert x_of(transforms, START_NS + PERIOD_NS) == 1.5


def test_parameters_override_published_transforms_and_chain_with_them(rig):
    transforms = Transforms(rig.plain_node('n'), ['base camera 0.5 0 0 0 0 0 1'])
    broadcast(rig, '/tf_static', 'base', 'camera', 7.0)
    broadcast(rig, '/tf_static', 'map', 'base', 1.0)
    rig.until(lambda: x_of(transforms, START_NS) == 1.5, 'map to base')
    transforms.give('', [])
    assert x_of(transforms, START_NS) == 8.0


def test_a_broken_transform_is_ignored(rig):
    transforms = Transforms(rig.plain_node('n'))
    broadcast(rig, '/tf_static', 'map', 'broken', float('nan'))
    broadcast(rig, '/tf_static', 'map', 'camera', 1.0)
    rig.until(lambda: x_of(transforms, START_NS) == 1.0, 'the sound one')
    assert transforms.lookup('map', 'broken', START_NS) is None


def test_moving_frames_by_stamp_and_after_time_went_back(rig):
    """A looped bag: the history of the first pass must not shut out the second."""
    transforms = Transforms(rig.plain_node('n'))
    for start, loop in ((320, 0), (0, 1000)):
        for number in range(start, start + 310):
            ns = START_NS + number * PERIOD_NS
            broadcast(rig, '/tf', 'map', 'camera', float(loop + number), ns)
            rig.until(lambda n=ns, x=loop + number: x_of(transforms, n) == x, 'transform')
    assert x_of(transforms, START_NS + 309 * PERIOD_NS) == 1309.0
    assert x_of(transforms, START_NS + 10**10 * 10) is None
