"""The record node as a process of its own, on real DDS."""

from __future__ import annotations

import random
import resource
import signal
import string
import subprocess
import time
from pathlib import Path

import pytest

rclpy = pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs.msg._frame_report', reason='needs a built rs_ml_msgs')

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy  # noqa: E402
from rs_ml_perception.nodes import record_node  # noqa: E402
from rs_ml_perception.recordings.open_recording import open_recording  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from rs_ml_msgs.msg import DetectionArray  # noqa: E402

pytestmark = pytest.mark.ros

PATIENCE_SECS = 60
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)


@pytest.fixture
def node(context):
    node = rclpy.create_node('talker', context=context)
    yield node
    node.destroy_node()


@pytest.fixture
def start(start_node):
    """Call with a directory and parameters to start the node in the namespace /recorded."""
    return lambda out, **parameters: start_node('record_node', '/recorded', out=out, **parameters)


def wait_until(condition) -> None:
    deadline = time.monotonic() + PATIENCE_SECS
    while not condition():
        assert time.monotonic() < deadline, 'nothing happened'
        time.sleep(0.02)


def stop(process: subprocess.Popen, number: int = signal.SIGINT) -> tuple[int, str]:
    process.send_signal(number)
    output, _ = process.communicate(timeout=PATIENCE_SECS)
    return process.returncode, output


def contents(path: Path) -> dict[str, list]:
    """Decoded messages by topic."""
    found: dict[str, list] = {}
    with open_recording(path) as recording:
        for message in recording.messages():
            found.setdefault(message.topic, []).append(recording.decode(message))
    return found


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_records_its_namespace_and_closes_when_stopped(start, storage, number, node, tmp_path):
    words = node.create_publisher(String, '/recorded/words', 10)
    node.create_publisher(String, '/elsewhere', 10)
    process = start(tmp_path / 'bag', storage=storage)
    wait_until(lambda: words.get_subscription_count() > 0)
    for text in ('one', 'two', 'dröi'):
        words.publish(String(data=text))
    words.wait_for_all_acked()
    status, output = stop(process, number)
    assert status == 0, output
    assert 'recorded 3 messages of 1 topic' in output
    found = contents(tmp_path / 'bag')
    assert [m.data for m in found['/recorded/words']] == ['one', 'two', 'dröi']
    assert list(found) == ['/recorded/words']


def test_adapts_to_publishers_and_late_topics(start, node, tmp_path):
    latched = node.create_publisher(String, '/recorded/label_info', LATCHED)
    latched.publish(String(data='said before anybody listened'))
    process = start(tmp_path / 'bag')
    wait_until(lambda: latched.get_subscription_count() > 0)
    loose = node.create_publisher(String, '/recorded/loose', BEST_EFFORT)
    ours = node.create_publisher(DetectionArray, '/recorded/detection/detections', 10)
    for publisher in (loose, ours):
        wait_until(lambda publisher=publisher: publisher.get_subscription_count() > 0)
    loose.publish(String(data='loose'))
    ours.publish(DetectionArray(model='m', image_width=7))
    ours.wait_for_all_acked()
    status, output = stop(process)
    assert status == 0, output
    found = contents(tmp_path / 'bag')
    assert found['/recorded/label_info'][0].data == 'said before anybody listened'
    assert found['/recorded/loose'][0].data == 'loose'
    assert found['/recorded/detection/detections'][0].image_width == 7
    with open_recording(tmp_path / 'bag') as recording:
        assert recording.topic('/recorded/label_info').is_latched
        assert not recording.topic('/recorded/loose').is_latched


def test_topics_are_whole_names_by_regular_expression(start, node, tmp_path):
    publishers = [node.create_publisher(String, f'/recorded/{n}', 10) for n in ('a', 'ab', 'b')]
    process = start(tmp_path / 'bag', topics='["/recorded/a.?"]')
    wait_until(lambda: all(p.get_subscription_count() for p in publishers[:2]))
    for publisher in publishers:
        publisher.publish(String(data='x'))
    publishers[1].wait_for_all_acked()
    stop(process)
    assert sorted(contents(tmp_path / 'bag')) == ['/recorded/a', '/recorded/ab']


RELIABLE = QoSProfile(depth=100)


@pytest.mark.parametrize(('first', 'second'), [(RELIABLE, BEST_EFFORT), (LATCHED, RELIABLE)])
def test_a_publisher_that_comes_back_with_less_is_recorded(first, second, start, node, tmp_path):
    talker = node.create_publisher(String, '/recorded/words', first)
    process = start(tmp_path / 'bag')
    wait_until(lambda: talker.get_subscription_count() > 0)
    talker.publish(String(data='before'))
    talker.wait_for_all_acked()
    node.destroy_publisher(talker)
    talker = node.create_publisher(String, '/recorded/words', second)
    wait_until(lambda: talker.get_subscription_count() > 0)
    for number in range(20):
        talker.publish(String(data=str(number)))
        time.sleep(0.01)
    status, output = stop(process)
    assert status == 0, output
    found = [m.data for m in contents(tmp_path / 'bag')['/recorded/words']]
    assert found == ['before', *map(str, range(20))]
    assert '/recorded/words: a publisher offers less than before' in output


@pytest.mark.parametrize(
    ('topics', 'says'),
    [
        ('["recorded/words"]', 'recorded 1 message of 1 topic'),
        ('["/nowhere/.*"]', 'no published topic matches /nowhere/.*'),
    ],
)
def test_unmatched_topics_are_reported(topics, says, start, node, tmp_path):
    talker = node.create_publisher(String, '/recorded/words', LATCHED)
    talker.publish(String(data='one'))
    process = start(tmp_path / 'bag', topics=topics)
    next(line for line in process.stdout if 'recording' in line)
    time.sleep(1.0)
    status, output = stop(process)
    assert status == 0, output
    assert says in output


def test_images_that_cannot_be_blurred_are_dropped_and_counted(start, node, tmp_path):
    images = node.create_publisher(Image, '/recorded/infra1', 10)
    words = node.create_publisher(String, '/recorded/words', 10)
    process = start(tmp_path / 'bag', blur='heads')
    wait_until(lambda: images.get_subscription_count() and words.get_subscription_count())
    for encoding, step in (('nv12', 64), ('mono8', 64)):
        images.publish(
            Image(height=48, width=64, encoding=encoding, step=step, data=48 * step * [0])
        )
    words.publish(String(data='one'))
    for publisher in (images, words):
        publisher.wait_for_all_acked()
    status, output = stop(process)
    assert status == 0, output
    assert '/recorded/infra1: 1 message not recorded' in output
    found = contents(tmp_path / 'bag')
    assert [msg.encoding for msg in found['/recorded/infra1']] == ['mono8']
    assert len(found['/recorded/words']) == 1


@pytest.mark.parametrize(
    ('out', 'reason'), [('""', 'parameter out is empty'), ('{tmp}', 'holds keep.txt')]
)
def test_no_place_to_write_is_one_sentence(run_node, out, reason, tmp_path):
    (tmp_path / 'keep.txt').write_text('precious')
    status, output = run_node(record_node.main, '/recorded', out=out.format(tmp=tmp_path))
    assert status == 1
    assert reason in output
    assert 'Traceback' not in output


def test_a_full_disk_ends_the_recording_with_one_sentence(start, node, tmp_path):
    process = start(tmp_path / 'bag')
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    publisher = node.create_publisher(String, '/recorded/words', 10)
    deadline = time.monotonic() + PATIENCE_SECS
    while process.poll() is None and time.monotonic() < deadline:
        publisher.publish(String(data=''.join(random.choices(string.printable, k=5000))))
        time.sleep(0.01)
    output, _ = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 1
    assert 'cannot be written to' in output
    assert 'Traceback' not in output
