"""The replay node as a process of its own, on real DDS."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs.msg._frame_report', reason='needs a built rs_ml_msgs')

from rcl_interfaces.srv import SetParameters  # noqa: E402
from rclpy.clock import Clock as RosClock  # noqa: E402
from rclpy.clock import ClockType  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from rs_ml_perception.core.frames.frame import Frame  # noqa: E402
from rs_ml_perception.core.geometry.camera import CameraModel  # noqa: E402
from rs_ml_perception.core.images.depth import DepthImage  # noqa: E402
from rs_ml_perception.nodes import replay_node  # noqa: E402
from rs_ml_perception.recordings.frame_recorder import FrameRecorder  # noqa: E402
from rs_ml_perception.recordings.writer import RecordingWriter  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image  # noqa: E402

from rs_ml_msgs.msg import FrameReport, InferenceStats  # noqa: E402
from rs_ml_perception.recordings import message_factory as factory  # noqa: E402

pytestmark = pytest.mark.ros

CAMERA = '/camera/camera'
START_NS, PERIOD_NS = 1_700_000_000_000_000_000, 100_000_000
PATIENCE_SECS = 60


class LateWriter(RecordingWriter):
    """Log times are another clock's."""

    lag_ns = 0

    def write(self, topic, log_time_ns, data):
        super().write(topic, log_time_ns + self.lag_ns, data)


def write_bag(
    path: Path, count: int, *, size: tuple[int, int] = (64, 48), lag_secs: float = 0.0
) -> Path:
    """A recording of `count` frames with aligned depth."""
    width, height = size
    camera = CameraModel(width, height, 50.0, 50.0, width / 2, height / 2)
    with LateWriter(path) as writer:
        writer.lag_ns = round(lag_secs * 1e9)
        recorder = FrameRecorder(writer)
        for number in range(count):
            recorder.write(
                Frame(
                    rgb=np.full((height, width, 3), number, np.uint8),
                    depth=DepthImage(np.full((height, width), 1000, np.uint16), 0.001),
                    camera=camera,
                    stamp_ns=START_NS + number * PERIOD_NS,
                )
            )
    return path


class Consumer:
    """A node that takes images, thinks, and reports, as those of this package do."""

    def __init__(self, context, name, *, think_secs=0.0, silent_on=()):
        sim_time = Parameter('use_sim_time', value=True)
        self.node = rclpy.create_node(
            name, context=context, namespace='/rs_ml', parameter_overrides=[sim_time]
        )
        self.events: list[tuple[str, int]] = []
        self.ages_ms: list[float] = []
        self._think_secs = think_secs
        self._silent_on = silent_on
        self._reports = self.node.create_publisher(FrameReport, '~/frames', 10)
        color, depth = f'{CAMERA}/color/image_raw', f'{CAMERA}/aligned_depth_to_color/image_raw'
        self.node.create_subscription(Image, color, self._on_color, 10)
        self.node.create_subscription(Image, depth, lambda m: self._note('depth', m), 10)

    def _note(self, kind, msg):
        stamp_ns = msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec
        number = (stamp_ns - START_NS) // PERIOD_NS
        self.events.append((kind, number))
        now_ns = self.node.get_clock().now().nanoseconds
        self.ages_ms.append((now_ns - stamp_ns) / 1e6)
        return number

    def _on_color(self, msg):
        number = self._note('color', msg)
        time.sleep(self._think_secs)
        if number not in self._silent_on:
            self._reports.publish(FrameReport(header=msg.header, outcome='published'))

    def numbers(self, kind):
        """Frame numbers of the images that came."""
        return [number for what, number in self.events if what == kind]


@pytest.fixture
def start(start_node):
    """Call with a recording and parameters to start the node as a process."""
    return lambda bag, **parameters: start_node('replay_node', '/rs_ml', bag=bag, **parameters)


@pytest.fixture
def run(run_node):
    """Call with a recording and parameters; returns (exit code, output) of a replay to its end."""
    return lambda bag, **parameters: run_node(replay_node.main, '/rs_ml', bag=bag, **parameters)


def spin(context, nodes, process, *, until=lambda: False):
    """Serve the nodes until the process ends or something is true."""
    executor = SingleThreadedExecutor(context=context)
    for node in nodes:
        executor.add_node(node)
    deadline = time.monotonic() + PATIENCE_SECS
    while process.poll() is None and not until() and time.monotonic() < deadline:
        executor.spin_once(timeout_sec=0.05)
    for _ in range(20):  # messages still in the queues
        executor.spin_once(timeout_sec=0.02)
    executor.shutdown()


def finish(process: subprocess.Popen) -> tuple[int, str]:
    output, _ = process.communicate(timeout=PATIENCE_SECS)
    return process.returncode, output


def test_lockstep_loses_no_large_frame_however_slow_the_nodes(start, context, tmp_path):
    bag = write_bag(tmp_path / 'bag', 12, size=(1280, 720))
    consumers = [Consumer(context, 'quick'), Consumer(context, 'slow', think_secs=0.05)]
    process = start(bag, lockstep=True, wait_for_nodes='[quick, slow]')
    spin(context, [c.node for c in consumers], process)
    status, output = finish(process)
    assert status == 0, output
    for consumer in consumers:
        assert consumer.numbers('color') == list(range(12)), output
        assert consumer.numbers('depth') == list(range(12)), output
    assert 'lost: none' in output


def test_lockstep_holds_the_depth_of_the_next_frame_back(start, context, tmp_path):
    consumer = Consumer(context, 'slow', think_secs=0.05)
    process = start(write_bag(tmp_path / 'bag', 5), lockstep=True)
    spin(context, [consumer.node], process)
    status, output = finish(process)
    assert status == 0, output
    first_of = {n: consumer.events.index(('depth', n)) for n in consumer.numbers('depth')}
    for number in range(4):
        assert consumer.events.index(('color', number)) < first_of[number + 1]


def test_lockstep_keeps_the_clock_at_the_frame(start, context, tmp_path):
    consumer = Consumer(context, 'slow', think_secs=0.02)
    process = start(write_bag(tmp_path / 'bag', 5), lockstep=True)
    spin(context, [consumer.node], process)
    finish(process)
    # The clock may come after the image, never ahead of it by a frame.
    assert len(consumer.ages_ms) == 10
    assert max(consumer.ages_ms) < PERIOD_NS / 1e6


@pytest.mark.parametrize('lag_secs', [2.0, 1e8, -1e9])
def test_lockstep_frames_are_fresh_at_any_log_time(lag_secs, start, context, tmp_path):
    consumer = Consumer(context, 'slow', think_secs=0.02)
    bag = write_bag(tmp_path / 'bag', 5, lag_secs=lag_secs)
    process = start(bag, lockstep=True)
    spin(context, [consumer.node], process)
    _, output = finish(process)
    assert len(consumer.ages_ms) == 10, output
    assert max(consumer.ages_ms) < PERIOD_NS / 1e6
    assert '/clock follows the stamps' in output


def test_in_real_time_stamps_of_another_clock_are_followed(start, context, tmp_path):
    consumer = Consumer(context, 'quick')
    process = start(write_bag(tmp_path / 'bag', 5, lag_secs=1e8))
    spin(context, [consumer.node], process)
    _, output = finish(process)
    assert 'stamps are 100000000.000 s behind the log times' in output
    assert len(consumer.ages_ms) == 10
    assert max(consumer.ages_ms) < 1000


def test_parameters_are_read_once_and_say_so(start, context, tmp_path):
    node = rclpy.create_node('setter', context=context)
    client = node.create_client(SetParameters, '/rs_ml/replay/set_parameters')
    process = start(write_bag(tmp_path / 'bag', 3), loop=True, wait_for_subscribers_secs=0.0)
    spin(context, [node], process, until=client.service_is_ready)
    results = []
    for name, value in (('rate', 2.0), ('use_sim_time', False)):
        request = SetParameters.Request(
            parameters=[Parameter(name, value=value).to_parameter_msg()]
        )
        future = client.call_async(request)
        spin(context, [node], process, until=future.done)
        results += future.result().results
    assert [result.successful for result in results] == [False, True]
    assert 'rate is read once, at the start: start the node again' in results[0].reason
    process.send_signal(signal.SIGINT)
    status, output = finish(process)
    assert status == 0, output
    assert 'Traceback' not in output


def test_a_pause_in_the_recording_is_announced(start, tmp_path):
    bag = tmp_path / 'bag'
    with RecordingWriter(bag) as writer:
        writer.add_topic('/words', 'std_msgs/msg/String')
        for log_secs in (1, 601):
            text = factory.make('std_msgs/msg/String', data='x')
            writer.write_message('/words', log_secs * 10**9, text)
    process = start(bag, rate=100.0, wait_for_subscribers_secs=0.0)
    line = next(line for line in process.stdout if 'holds nothing' in line)
    process.send_signal(signal.SIGINT)
    assert 'holds nothing for 600 s here: the replay continues in 6 s' in line


@pytest.mark.parametrize('topics', ['[camera/.*/color/.*]', '[/camera/.*/color/.*]'])
def test_topics_may_be_given_without_the_leading_slash(topics, run, tmp_path):
    bag = write_bag(tmp_path / 'bag', 2)
    status, output = run(
        bag,
        topics=topics,
        primary_topics='[camera/camera/color/image_raw]',
        wait_for_subscribers_secs=0.0,
    )
    assert status == 0, output
    assert 'replayed 4 messages of 2 topics, 2 frames' in output


def test_a_topic_that_cannot_be_published_is_left_out(run, tmp_path):
    bag = tmp_path / 'bag'
    with RecordingWriter(bag) as writer:
        for name in ('/words', '/front-camera/words', '/1/words'):
            writer.add_topic(name, 'std_msgs/msg/String')
            writer.write_message(name, 1, factory.make('std_msgs/msg/String', data='x'))
    status, output = run(bag, wait_for_subscribers_secs=0.0)
    assert status == 0, output
    assert 'replayed 1 message of 1 topic' in output
    for name in ('/front-camera/words', '/1/words'):
        assert f'{name} (std_msgs/msg/String) is left out' in output


def test_a_recording_that_is_damaged_further_on_ends_with_the_reason(run, tmp_path):
    bag = write_bag(tmp_path / 'bag', 2)
    metadata = bag / 'metadata.yaml'
    metadata.write_text(metadata.read_text().replace('message_count: 2\n', 'message_count: 3\n'))
    status, output = run(bag, wait_for_subscribers_secs=0.0)
    assert status == 1
    assert 'it is incomplete' in output
    assert '2 frames' in output
    assert 'Traceback' not in output


def test_the_camera_is_reported_and_chosen(run, tmp_path):
    bag = tmp_path / 'bag'
    with RecordingWriter(bag) as writer:
        for camera in ('/front', '/rear'):
            FrameRecorder(writer, camera=camera).write(
                Frame(rgb=np.zeros((4, 6, 3), np.uint8), stamp_ns=START_NS)
            )
    status, output = run(bag, camera='/rear', wait_for_subscribers_secs=0.0)
    assert status == 0, output
    assert 'camera /rear is used; camera:=NAMESPACE chooses another: /front' in output
    assert 'starting without a subscriber of /rear/color/image_raw' in output


def test_a_frame_that_is_not_reported_is_counted_and_the_rest_goes_on(start, context, tmp_path):
    consumer = Consumer(context, 'forgetful', silent_on=(2,))
    bag = write_bag(tmp_path / 'bag', 5)
    process = start(bag, lockstep=True, lockstep_timeout_secs=0.3)
    spin(context, [consumer.node], process)
    status, output = finish(process)
    assert status == 0
    assert consumer.numbers('color') == list(range(5))
    assert "lost: {'/rs_ml/forgetful': 1}" in output


@pytest.mark.parametrize(
    ('overwritten', 'said'),
    [
        (7, "overwritten before they were received: {'/rs_ml/busy': 7}"),
        (InferenceStats.NOT_COUNTED, "{'/rs_ml/busy': 'not counted'}"),
    ],
)
def test_overwritten_images_are_in_the_summary(start, context, tmp_path, overwritten, said):
    node = Consumer(context, 'busy').node
    stats = node.create_publisher(InferenceStats, '~/stats', 10)
    steady = RosClock(clock_type=ClockType.STEADY_TIME)
    node.create_timer(
        0.1, lambda: stats.publish(InferenceStats(overwritten=overwritten)), clock=steady
    )
    process = start(write_bag(tmp_path / 'bag', 3), rate=10.0, wait_for_nodes='[busy]')
    spin(context, [node], process)
    status, output = finish(process)
    assert status == 0, output
    assert said in output


def test_real_time_publishes_images_and_an_advancing_clock(start, context, tmp_path):
    node = rclpy.create_node('listener', context=context)
    images, infos, clocks = [], [], []
    node.create_subscription(Image, f'{CAMERA}/color/image_raw', images.append, 10)
    node.create_subscription(CameraInfo, f'{CAMERA}/color/camera_info', infos.append, 10)
    node.create_subscription(
        Clock, '/clock', lambda c: clocks.append(c.clock.sec * 10**9 + c.clock.nanosec), 100
    )
    process = start(write_bag(tmp_path / 'bag', 4), rate=2.0)
    spin(context, [node], process)
    status, output = finish(process)
    assert status == 0, output
    assert [image.data[0] for image in images] == [0, 1, 2, 3]
    assert [i.header.stamp for i in infos] == [i.header.stamp for i in images]
    assert clocks == sorted(clocks)
    assert START_NS <= clocks[-1] <= START_NS + 3 * PERIOD_NS


def test_a_loop_begins_again_until_it_is_stopped(start, context, tmp_path):
    node = rclpy.create_node('listener', context=context)
    images = []
    node.create_subscription(Image, f'{CAMERA}/color/image_raw', images.append, 10)
    process = start(write_bag(tmp_path / 'bag', 2), loop=True, rate=10.0)
    spin(context, [node], process, until=lambda: len(images) >= 5)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    status, output = finish(process)
    assert status == 0, output
    assert 'Traceback' not in output
    assert [image.data[0] for image in images[:5]] == [0, 1, 0, 1, 0]


def test_without_subscribers_it_warns_and_continues(run, tmp_path):
    status, output = run(write_bag(tmp_path / 'bag', 1), wait_for_subscribers_secs=0.2)
    assert status == 0
    assert f'starting without a subscriber of {CAMERA}/color/image_raw' in output


def test_it_waits_for_readers_of_other_topics(start, context, tmp_path):
    node = rclpy.create_node('listener', context=context)
    images = []
    node.create_subscription(Image, f'{CAMERA}/color/image_raw', images.append, 10)
    waiting = []

    def view_later():
        """As a viewer that takes longer to start than the nodes."""
        waiting.append(len(images))
        if len(waiting) == 4:
            node.create_subscription(Image, '/rs_ml/seen', lambda _: None, 10)

    node.create_timer(0.5, view_later)
    process = start(write_bag(tmp_path / 'bag', 2), wait_for_readers_of='[/rs_ml/seen]')
    spin(context, [node], process)
    status, output = finish(process)
    assert status == 0, output
    assert waiting[:4] == [0] * 4
    assert len(images) == 2
    assert 'starting without' not in output


def test_a_replay_stopped_before_its_first_message_has_not_failed(start, context, tmp_path):
    node = rclpy.create_node('listener', context=context)
    bag = write_bag(tmp_path / 'bag', 1)
    process = start(bag, wait_for_readers_of='[/nobody/listens]', wait_for_subscribers_secs=60.0)
    spin(context, [node], process, until=lambda: node.count_publishers('/clock'))
    process.send_signal(signal.SIGINT)
    status, output = finish(process)
    assert status == 0, output
    assert 'replayed 0 messages' in output


def test_a_type_that_is_not_installed_is_left_out_with_a_warning(run, tmp_path):
    if importlib.util.find_spec('tf2_msgs'):
        pytest.skip('tf2_msgs is installed')
    status, output = run(write_bag(tmp_path / 'bag', 1), wait_for_subscribers_secs=0.0)
    assert status == 0
    assert '/tf_static is left out' in output
    assert 'install the package tf2_msgs' in output


@pytest.mark.parametrize(
    ('parameters', 'reason'),
    [
        ({'topics': '[/nope.*]'}, 'replayed 0 messages'),
        ({'topics': '["*"]'}, "topics must be regular expressions, '*' is none"),
        ({'camera': '/left'}, 'holds no camera /left: pass one of /camera/camera'),
        ({'primary_topics': '[/nope]'}, 'primary topic /nope is not in'),
        ({'rate': -1.0}, 'rate'),
        ({'reliability': 'perhaps'}, 'reliability must be one of'),
    ],
)
def test_wrong_parameters_end_with_status_1(run, parameters, reason, tmp_path):
    status, output = run(write_bag(tmp_path / 'bag', 1), **parameters)
    assert status == 1, output
    assert reason in output
    assert 'Traceback' not in output


@pytest.mark.parametrize('bag', ['', '""', '/no/such/bag', '/'])
def test_no_recording_is_one_sentence(run, bag):
    status, output = run(bag)
    assert status == 1
    assert 'bag' in output
    assert 'Traceback' not in output
