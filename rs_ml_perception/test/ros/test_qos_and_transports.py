"""Publishers of either or changing reliability, and compressed images."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rs_ml_perception.core.images.compressed import (
    encode_compressed_color,
    encode_compressed_depth,
)
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.streams.synchronizer import PATIENCE
from rs_ml_perception.ros.qos import SubscriptionQos, choose_qos
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

pytestmark = pytest.mark.ros

RELIABLE, BEST_EFFORT = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT
VOLATILE, LATCHED = DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL
TOPIC, INFO = '/rs_ml/color/image_raw', '/rs_ml/color/camera_info'


def offered(rig, *policies, topic=TOPIC):
    """The offers of publishers, one per pair of policies."""
    make = rig.camera.node.create_publisher
    for reliability, durability in policies:
        make(Image, topic, QoSProfile(depth=9, reliability=reliability, durability=durability))
    rig.until(lambda: rig.observer.count_publishers(topic) == len(policies), 'publishers')
    return rig.observer.get_publishers_info_by_topic(topic)


@pytest.mark.parametrize(
    ('wanted', 'policies', 'current', 'chosen'),
    [
        ('auto', [], RELIABLE, RELIABLE),
        ('auto', [], BEST_EFFORT, BEST_EFFORT),
        ('auto', [RELIABLE], BEST_EFFORT, RELIABLE),
        ('auto', [BEST_EFFORT], RELIABLE, BEST_EFFORT),
        ('auto', [RELIABLE, RELIABLE], RELIABLE, RELIABLE),
        ('auto', [RELIABLE, BEST_EFFORT], RELIABLE, BEST_EFFORT),
        ('reliable', [BEST_EFFORT], RELIABLE, RELIABLE),
        ('best_effort', [RELIABLE], RELIABLE, BEST_EFFORT),
        ('best_effort', [], RELIABLE, BEST_EFFORT),
        ('reliable', [], BEST_EFFORT, RELIABLE),
    ],
)
def test_the_choice_of_reliability(rig, wanted, policies, current, chosen):
    publishers = offered(rig, *((policy, VOLATILE) for policy in policies))
    found = choose_qos(publishers, wanted, SubscriptionQos(current), follows_durability=False)
    assert found == SubscriptionQos(chosen)


@pytest.mark.parametrize(
    ('policies', 'current', 'follows', 'chosen'),
    [
        ([], VOLATILE, True, VOLATILE),
        ([], LATCHED, True, LATCHED),
        ([(RELIABLE, LATCHED)], VOLATILE, True, LATCHED),
        ([(RELIABLE, LATCHED)], VOLATILE, False, VOLATILE),
        ([(RELIABLE, VOLATILE)], LATCHED, True, VOLATILE),
        ([(RELIABLE, LATCHED), (RELIABLE, VOLATILE)], LATCHED, True, VOLATILE),
        ([(RELIABLE, LATCHED), (RELIABLE, LATCHED)], VOLATILE, True, LATCHED),
        ([(BEST_EFFORT, LATCHED)], VOLATILE, True, VOLATILE),
    ],
)
def test_the_choice_of_durability(rig, policies, current, follows, chosen):
    publishers = offered(rig, *policies)
    now = SubscriptionQos(durability=current)
    found = choose_qos(publishers, 'auto', now, follows_durability=follows)
    assert found.durability == chosen


def latched_info(rig, topic='color/camera_info'):
    """A camera_info that is published once, transient local."""
    qos = QoSProfile(depth=1, reliability=RELIABLE, durability=LATCHED)
    rig.camera._publishers[topic] = rig.camera.node.create_publisher(CameraInfo, topic, qos)
    rig.camera.info(1_700_000_000_000_000_000, topic)


@pytest.mark.parametrize('camera_first', [True, False])
def test_intrinsics_that_were_published_once_are_received(rig, camera_first):
    node = rig.detection()
    if camera_first:
        latched_info(rig)
        node.start()
    else:
        node.start()
        rig.until(lambda: rig.observer.count_subscribers(INFO), 'a subscription')
        latched_info(rig)
    rig.until(lambda: not node.activation.source.waits_for_camera_info, 'intrinsics')
    rig.camera.announce()
    rig.until(rig.is_listening, 'subscriptions')
    rig.camera.depth(1_700_000_000_000_000_000)
    rig.camera.color(1_700_000_000_000_000_000)
    assert rig.settled(node, 1).published == 1
    assert node.fake.frames[0].camera is not None


def test_missing_intrinsics_are_given_up_like_a_silent_partner(rig):
    node = rig.detection()
    rig.camera.announce()
    node.start()
    rig.until(rig.is_listening, 'subscriptions')
    for number in range(6):
        ns = 1_700_000_000_000_000_000 + number * 33_333_333
        rig.camera.depth(ns)
        rig.camera.color(ns)
        assert rig.settled(node, number + 1).published == number + 1
    waited_ms = sorted(node.counters._latency_ms)
    assert sum(ms > 200 for ms in waited_ms) == PATIENCE, waited_ms


def subscribed_with(rig):
    infos = rig.observer.get_subscriptions_info_by_topic(TOPIC)
    return [info.qos_profile.reliability for info in infos]


@pytest.mark.parametrize('reliability', ['reliable', 'best_effort'])
@pytest.mark.parametrize('camera_first', [True, False])
def test_either_reliability_is_served(rig, reliability, camera_first):
    node = rig.detection()
    if camera_first:
        rig.camera.announce(reliability=reliability)
        node.start()
    else:
        node.start()
        rig.camera.announce(reliability=reliability)
    rig.until(rig.is_listening, 'subscriptions')
    rig.camera.frame(0)
    assert rig.settled(node, 1).published == 1
    assert subscribed_with(rig) == [ReliabilityPolicy[reliability.upper()]]


def test_a_change_of_reliability_is_followed(rig):
    node = rig.started(rig.detection())
    rig.camera.frame(0)
    rig.settled(node, 1)
    for number, reliability in ((1, 'best_effort'), (2, 'reliable')):
        for topic in tuple(rig.camera._publishers):
            rig.camera.remove(topic)
        rig.camera.announce(reliability=reliability)
        policy = ReliabilityPolicy[reliability.upper()]
        rig.until(lambda p=policy: subscribed_with(rig) == [p], reliability)
        rig.until(rig.is_listening, 'subscriptions')
        rig.camera.frame(number)
        assert rig.settled(node, number + 1).published == number + 1


def made_image() -> np.ndarray:
    """A red left and a blue right half: JPEG keeps them apart, swapped channels would show."""
    rgb = np.zeros((48, 64, 3), np.uint8)
    rgb[:, :32, 0] = rgb[:, 32:, 2] = 250
    return rgb


def depth_image(encoding: str) -> DepthImage:
    if encoding == '16UC1':
        return DepthImage(np.full((48, 64), 2000, np.uint16), 0.001)
    return DepthImage(np.full((48, 64), 2.0, np.float32), 1.0)


@pytest.mark.parametrize('encoding', ['16UC1', '32FC1'])
@pytest.mark.parametrize('reliability', ['reliable', 'best_effort'])
def test_compressed_images(rig, encoding, reliability):
    node = rig.detection(image_transport='compressed')
    color, depth = 'color/image_raw/compressed', 'aligned_depth_to_color/image_raw/compressedDepth'
    for topic in (color, depth):
        rig.camera.publisher(topic, CompressedImage, reliability)
    rig.camera.publisher('color/camera_info', CameraInfo, reliability)
    node.start()
    publishers = rig.camera._publishers
    rig.until(lambda: all(p.get_subscription_count() for p in publishers.values()), 'match')
    ns = 1_700_000_000_000_000_000
    rig.camera.info(ns)
    for topic, packed in (
        (depth, encode_compressed_depth(depth_image(encoding))),
        (color, encode_compressed_color(made_image())),
    ):
        msg = CompressedImage(header=rig.camera.header(ns), format=packed.format)
        msg.data.frombytes(packed.data)
        publishers[topic].publish(msg)
    assert rig.settled(node, 1).published == 1
    frame = node.fake.frames[0]
    assert np.abs(frame.rgb.astype(int) - made_image()).mean() < 4
    depth_m = frame.depth.values * frame.depth.metres_per_unit
    assert np.allclose(depth_m, 2.0, atol=0.02)


@pytest.mark.parametrize('node_first', [True, False])
@pytest.mark.parametrize(
    ('color', 'depth'),
    [
        ('raw', 'compressedDepth'),
        ('compressed', 'raw'),
        ('compressed', 'compressedDepth'),
        ('compressed', 'compressed'),
    ],
)
def test_each_topic_uses_the_published_transport(rig, color, depth, node_first):
    node = rig.detection()
    if node_first:
        node.start()
    color_topic, depth_topic = 'color/image_raw', 'aligned_depth_to_color/image_raw'
    for topic, way in ((color_topic, color), (depth_topic, depth)):
        if way == 'raw':
            rig.camera.publisher(topic, Image)
        else:
            rig.camera.publisher(f'{topic}/{way}', CompressedImage)
    rig.camera.publisher('color/camera_info', CameraInfo)
    if not node_first:
        node.start()
    publishers = rig.camera._publishers
    rig.until(lambda: all(p.get_subscription_count() for p in publishers.values()), 'match')
    ns = 1_700_000_000_000_000_000
    rig.camera.info(ns)
    if depth == 'raw':
        rig.camera.depth(ns)
    else:
        png = cv2.imencode('.png', depth_image('16UC1').values)[1].tobytes()
        packed = encode_compressed_depth(depth_image('16UC1'))
        form, data = ('16UC1; png compressed ', png) if depth == 'compressed' else packed[:2]
        publish_compressed(rig, f'{depth_topic}/{depth}', ns, form, data)
    if color == 'raw':
        rig.camera.color(ns)
    else:
        packed = encode_compressed_color(made_image())
        publish_compressed(rig, f'{color_topic}/{color}', ns, packed.format, packed.data)
    assert rig.settled(node, 1).published == 1
    frame = node.fake.frames[0]
    assert frame.depth is not None
    assert np.allclose(frame.depth.depth_m, 2.0)
    assert bool(frame.rgb.any()) == (color != 'raw'), 'the one camera.color sends is black'


def publish_compressed(rig, topic, ns, form, data):
    msg = CompressedImage(header=rig.camera.header(ns), format=form)
    msg.data.frombytes(data)
    rig.camera._publishers[topic].publish(msg)


def test_png_is_compressed_too(rig):
    node = rig.detection(image_transport='compressed', depth_source='none')
    publisher = rig.camera.publisher('color/image_raw/compressed', CompressedImage)
    node.start()
    rig.until(publisher.get_subscription_count, 'match')
    msg = CompressedImage(header=rig.camera.header(1), format='rgb8; png compressed bgr8')
    bgr = cv2.cvtColor(made_image(), cv2.COLOR_RGB2BGR)
    msg.data.frombytes(cv2.imencode('.png', bgr)[1].tobytes())
    publisher.publish(msg)
    assert rig.settled(node, 1).published == 1
    assert (node.fake.frames[0].rgb == made_image()).all()


def truncated(data):
    return data[: len(data) // 2]


def huge(data):
    """The frame header announces gigabytes."""
    at = data.index(b'\xff\xc0') + 5
    return data[:at] + struct.pack('>HH', 60_000, 60_000) + data[at + 4 :]


def hollow(data):
    """Header and end, and few pixels between them."""
    at = data.index(b'\xff\xda') + 30
    return data[:at] + data[-2:]


@pytest.mark.parametrize('spoilt', [truncated, huge, hollow])
def test_a_damaged_image_is_rejected_and_the_next_one_is_processed(rig, spoilt):
    node = rig.detection(image_transport='compressed', depth_source='none')
    publisher = rig.camera.publisher('color/image_raw/compressed', CompressedImage)
    node.start()
    rig.until(publisher.get_subscription_count, 'match')
    packed = encode_compressed_color(made_image())
    for number, data in enumerate([spoilt(packed.data), packed.data], 1):
        msg = CompressedImage(header=rig.camera.header(number), format=packed.format)
        msg.data.frombytes(data)
        publisher.publish(msg)
        rig.settled(node, number)
    counts = rig.settled(node, 2)
    assert (counts.published, counts.dropped) == (1, {'rejected': 1})


@pytest.mark.parametrize(
    ('rules', 'topic'),
    [
        ([], '/rs_ml/color/image_raw/compressed'),
        (['color/image_raw:=/cam/color/image_raw'], '/cam/color/image_raw/compressed'),
        (['color/image_raw/compressed:=/cam/jpeg'], '/cam/jpeg'),
    ],
)
def test_the_compressed_topic_follows_remappings(rig, rules, topic):
    from rclpy.node import Node
    from rs_ml_perception.ros.input.topics import COLOR, StreamOptions, create_image_stream

    arguments = ['--ros-args', *(part for rule in rules for part in ('-r', rule))]
    node = Node('remapped', namespace='/rs_ml', context=rig.context, cli_args=arguments)
    stream = create_image_stream(node, COLOR, StreamOptions(image_transport='compressed'))
    assert stream.topic == topic
