"""The examples work as their pages promise."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

rclpy = pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs.msg._detection_array', reason='needs a built rs_ml_msgs')

from rs_ml_msgs.msg import Detection, DetectionArray  # noqa: E402

pytestmark = pytest.mark.ros

EXAMPLES = Path(__file__).resolve().parent.parent / 'examples'
TOPIC = '/rs_ml/detection/detections'
PATIENCE_SECS = 30


@pytest.fixture
def publisher(domain):
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain)
    node = rclpy.create_node('detection', namespace='/rs_ml', context=context)
    yield node.create_publisher(DetectionArray, TOPIC, 10)
    node.destroy_node()
    rclpy.try_shutdown(context=context)


@pytest.fixture
def subscriber(domain):
    process = subprocess.Popen(
        [sys.executable, '-u', EXAMPLES / 'subscriber.py'],
        env={**os.environ, 'ROS_DOMAIN_ID': str(domain)},
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def test_the_python_subscriber_prints_detections(publisher, subscriber):
    deadline = time.monotonic() + PATIENCE_SECS
    while publisher.get_subscription_count() == 0:
        assert time.monotonic() < deadline, 'it did not subscribe'
        time.sleep(0.05)
    person = Detection(label='person', track_id=3, score=0.875, has_position=True)
    person.position.z = 2.345
    publisher.publish(DetectionArray(detections=[person, Detection(label='cup', track_id=-1)]))
    assert subscriber.stdout.readline() == 'person #3, score 0.88, 2.35 m away\n'
    assert subscriber.stdout.readline() == 'cup #-1, score 0.00, no depth\n'


def include_folders():
    """Include folders of the message packages: headers are in a folder named after the package."""
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        yield from (folder for folder in Path(prefix, 'include').glob('*') if folder.is_dir())


def test_the_cpp_subscriber_handles_the_message(tmp_path):
    compiler = shutil.which('g++')
    if compiler is None:
        pytest.skip('g++ is not installed')
    lines = (EXAMPLES / 'subscriber.cpp').read_text().splitlines()
    handler = [line for line in lines[: lines.index('int main(int argc, char ** argv)')]]
    source = tmp_path / 'handler.cpp'
    source.write_text('\n'.join(line for line in handler if 'rclcpp' not in line))
    includes = [f'-I{folder}' for folder in include_folders()]
    words = [compiler, '-std=c++17', '-Wall', '-Werror', '-fsyntax-only', *includes, source]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize('name', ['subscriber.py', 'subscriber.cpp'])
def test_examples_are_short_and_name_the_topic(name):
    text = (EXAMPLES / name).read_text()
    assert TOPIC in text
    assert len(text.splitlines()) <= 25
