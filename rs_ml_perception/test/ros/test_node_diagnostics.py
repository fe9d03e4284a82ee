"""/diagnostics once a second, with and without input."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rs_ml_perception.core.streams.partner_counts import RECENT
from rs_ml_perception.ros import diagnostics
from sensor_msgs.msg import CameraInfo, Image

from rs_ml_msgs.msg import InferenceStats

pytestmark = pytest.mark.ros

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class Board:
    """The latest status of each kind, as an aggregator would see them."""

    def __init__(self, rig, name='rs_ml/detection'):
        self._rig = rig
        self._name = name
        self.messages = rig.collect(DiagnosticArray, '/diagnostics')

    def latest(self, kind):
        """The status of a kind in the latest message, with its values as a dict."""
        for message in reversed(self.messages):
            for status in message.status:
                if status.name == f'{self._name}: {kind}':
                    return status, {pair.key: pair.value for pair in status.values}
        return None, {}

    def wait(self, kind, **wanted):
        """Wait for a status whose level or values are the wanted ones; returns its message."""

        def fits():
            status, values = self.latest(kind)
            if status is None:
                return None
            facts = {'level': status.level, **values}
            return status if all(facts.get(k) == v for k, v in wanted.items()) else None

        return self._rig.until(fits, f'{kind} {wanted}, last was {self.latest(kind)}').message


@pytest.fixture
def board(rig):
    return Board(rig)


def test_diagnostics_are_published_without_images_and_without_clock(rig, board):
    """use_sim_time and no /clock: an ordinary timer would never fire."""
    node = rig.detection(use_sim_time=True)
    stats = rig.collect(InferenceStats, '/rs_ml/detection/stats')
    board.wait('input', state='inactive', level=OK)
    node.start()
    seen = len(board.messages)
    rig.until(lambda: len(board.messages) >= seen + 3 and len(stats) >= 3, 'three more')
    words = board.wait('input', state='waiting_image', level=WARN)
    assert '/rs_ml/color/image_raw' in words
    assert '/rs_ml/color/camera_info' in words


def test_names_and_hardware_are_set(rig, board):
    rig.detection()
    rig.until(lambda: board.messages, 'diagnostics')
    names = [status.name for status in board.messages[0].status]
    assert names == [f'rs_ml/detection: {kind}' for kind in ('input', 'processing', 'model')]
    assert all(status.hardware_id for status in board.messages[0].status)
    assert board.messages[0].header.stamp.sec > 0


def test_a_model_that_runs_in_another_way_than_asked_for(rig, board, capfd):
    node = rig.detection()
    node.fake.concerns = ('device gpu was asked for, litert runs on the cpu',)
    node.trigger_configure()
    assert board.wait('model', level=WARN) == node.fake.concerns[0]
    assert '[WARN]' in next(x for x in capfd.readouterr().err.splitlines() if 'asked for' in x)


def test_camera_info_that_never_comes(rig, board):
    node = rig.started(rig.detection(diagnostics__max_image_age_ms=1e9))
    rig.camera.depth(1_700_000_000_000_000_000)
    rig.camera.color(1_700_000_000_000_000_000)
    board.wait('input', state='waiting_camera_info', level=WARN)
    rig.settled(node, 1)
    assert node.fake.frames[0].camera is None
    rig.camera.frame(1)
    board.wait('input', state='active', level=OK)


def test_rejected_until_a_good_frame_comes(rig, board):
    rig.started(rig.detection(diagnostics__max_image_age_ms=1e9))
    rig.camera.frame(0)
    board.wait('input', state='active', level=OK)
    rig.camera.depth(1_700_000_001_000_000_000)
    rig.camera.color(1_700_000_001_000_000_000, encoding='mystery7')
    assert 'mystery7' in board.wait('input', state='rejected', level=ERROR)
    rig.camera.frame(60)
    board.wait('input', state='active', level=OK)


def test_stale_when_images_stop(rig, board):
    node = rig.started(rig.detection(diagnostics__max_image_age_ms=1.0))
    rig.camera.frame(0)
    assert 'ms ago' in board.wait('input', state='stale', level=ERROR)
    node.trigger_deactivate()
    board.wait('input', state='inactive', level=OK)
    node.trigger_activate()
    board.wait('input', state='waiting_image', level=WARN)


def test_processing_over_budget_warns_then_is_an_error(rig, board, monkeypatch):
    monkeypatch.setattr(diagnostics, 'OVER_BUDGET_ERROR_SECS', 60.0)
    rig.started(rig.detection(diagnostics__max_processing_ms=0.1))
    rig.camera.frame(0)
    rig.camera.frame(1)
    assert 'budget' in board.wait('processing', level=WARN)
    monkeypatch.setattr(diagnostics, 'OVER_BUDGET_ERROR_SECS', 0.0)
    assert 'budget' in board.wait('processing', level=ERROR)


def test_a_failed_frame_is_an_error_until_one_succeeds(rig, board):
    node = rig.started(rig.detection())
    node.fake.error = ValueError('out of tune')
    rig.camera.frame(0)
    assert 'ValueError: out of tune' in board.wait('processing', level=ERROR)
    node.fake.error = None
    rig.camera.frame(1)
    board.wait('processing', level=OK, published='1')


def test_diagnostics_contain_the_counts(rig, board):
    node = rig.started(rig.detection())
    for number in range(3):
        rig.camera.frame(number)
        rig.settled(node, number + 1)
    board.wait('processing', received='3', published='3', in_flight='0')
    values = board.latest('processing')[1]
    assert {'fps', 'latency_p50_ms', 'latency_p95_ms', 'age_p95_ms', 'infer_ms'} <= set(values)


def best_effort_camera(rig, topic, msg_type=Image):
    qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
    return rig.camera.node.create_publisher(msg_type, topic, qos)


def test_incompatible_reliability_comes_with_the_remedy(rig, board):
    publisher = best_effort_camera(rig, 'color/image_raw')
    rig.detection(reliability='reliable').start()
    words = board.wait('input', state='waiting_image', level=ERROR)
    assert '/rs_ml/color/image_raw' in words
    assert 'set the parameter reliability to auto or best_effort' in words
    rig.camera.node.destroy_publisher(publisher)
    board.wait('input', state='waiting_image', level=WARN)


def test_a_mismatch_of_another_topic_is_a_warning(rig, board):
    """Images arrive without camera_info: the state names it with the reason."""
    best_effort_camera(rig, 'color/camera_info', CameraInfo)
    rig.camera.publisher('color/image_raw', Image)
    node = rig.detection(reliability='reliable', diagnostics__max_image_age_ms=1e9)
    node.start()
    rig.until(lambda: rig.camera._publishers['color/image_raw'].get_subscription_count(), 'match')
    rig.camera.color(1_700_000_000_000_000_000)
    assert 'camera_info' in board.wait('input', state='waiting_camera_info', level=WARN)
    assert rig.settled(node, 1).published == 1


def test_another_type_on_the_topic_is_named(rig, board, make_rig):
    """A publisher of CameraInfo in another process where Image is expected."""
    other = make_rig(rig.domain)
    other.camera.publisher('color/image_raw', CameraInfo)
    rig.detection().start()
    words = board.wait('input', state='waiting_image', level=ERROR)
    assert 'sensor_msgs/msg/CameraInfo, expected sensor_msgs/msg/Image' in words
    other.camera.remove('color/image_raw')
    board.wait('input', state='waiting_image', level=WARN)


def test_problems_of_other_nodes_are_not_reported(rig, board):
    """The accelerometer that only heights listen to."""
    from rs_ml_perception.nodes.height_node import HeightNode
    from sensor_msgs.msg import Imu

    best_effort_camera(rig, 'accel/sample', Imu)
    first = rig.started(rig.detection(diagnostics__max_image_age_ms=1e9))
    height = rig.add(HeightNode, first.hub, max_age_secs=0.0)
    height.start()
    rig.until(lambda: rig.observer.count_subscribers('/rs_ml/accel/sample'), 'height')
    rig.camera.frame(0)
    board.wait('input', state='active', level=OK)
    accelerometer = rig.observer.resolve_topic_name('/rs_ml/accel/sample')
    assert accelerometer not in first.activation.source.topics().values()


def test_images_without_depth_are_counted(rig, board):
    node = rig.started(rig.detection(diagnostics__max_image_age_ms=1e9))
    rig.camera.frame(0)
    rig.camera.color(1_700_000_001_000_000_000)
    rig.settled(node, 2)
    board.wait('input', without_depth='1')
    assert node.counters.snapshot().published == 2


def test_images_without_depth_are_a_warning_until_depth_arrives(rig, board):
    node = rig.started(rig.detection(diagnostics__max_image_age_ms=1e9))
    for number in range(8):
        rig.camera.frame(number, offset_ns=4_300_000_000)
        rig.settled(node, number + 1)
    words = board.wait('input', level=WARN, state='active', depth_dropped_far='0')
    assert 'images went without depth' in words
    assert '4.3 s ahead' in words
    for number in range(8, 8 + RECENT):
        rig.camera.frame(number)
        rig.settled(node, number + 1)
    board.wait('input', level=OK, state='active')


def test_stamps_of_the_future_are_noted(rig, board):
    node = rig.started(rig.detection(diagnostics__max_image_age_ms=1e9))
    ahead_ns = rig.observer.get_clock().now().nanoseconds + 3_600_000_000_000
    rig.camera.info(ahead_ns)
    rig.camera.depth(ahead_ns)
    rig.camera.color(ahead_ns)
    assert rig.settled(node, 1).published == 1
    assert "ahead of this computer's clock" in board.wait('input', state='active', level=WARN)


def test_a_missing_publisher_of_detections_is_reported(rig):
    from rs_ml_perception.nodes.height_node import HeightNode

    rig.add(HeightNode, max_age_secs=0.0).start()
    words = Board(rig, 'rs_ml/height').wait('input', state='waiting_image', level=WARN)
    assert 'nobody publishes /rs_ml/detection/detections: run detection_node' in words


def test_frames_that_are_all_stale_are_a_warning(rig, board):
    node = rig.started(rig.detection(max_age_secs=1.0, diagnostics__max_image_age_ms=1e9))
    rig.camera.frame(0)
    assert rig.settled(node, 1).dropped == {'stale': 1}
    assert 'stamps lag' in board.wait('input', state='active', level=WARN)
