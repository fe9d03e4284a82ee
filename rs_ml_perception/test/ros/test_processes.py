"""Processes: signals at any time, wrong parameter files, and images between processes."""

from __future__ import annotations

import itertools
import signal
import time
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from std_srvs.srv import SetBool

pytestmark = pytest.mark.ros

FAKE = str(Path(__file__).with_name('fake_process.py'))
GRAPH = ('-m', 'rs_ml_perception.nodes.perception_graph')
PROFILE = Path(__file__).resolve().parents[3] / 'config' / 'fastdds.xml'
SIGINT, SIGTERM = signal.SIGINT, signal.SIGTERM


def ros_args(*rules: str) -> list[str]:
    """Parameters as -p rules."""
    return ['--ros-args', *(part for rule in rules for part in ('-p', rule))]


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize('signals', [[SIGINT], [SIGTERM], [SIGINT, SIGINT], [SIGINT, SIGTERM]])
def test_the_graph_ends_with_status_0(start_process, signals):
    process = start_process(*GRAPH, *ros_args('nodes:=[height]'))
    process.wait_for('configured')
    process.signal(*signals)
    assert process.wait() == 0, process.output
    assert 'Traceback' not in process.output


@pytest.mark.parametrize('signals', [[SIGTERM], [SIGINT, SIGINT]])
def test_a_signal_while_the_model_loads(start_process, signals):
    process = start_process(FAKE, 'node', '--load-secs', '1.5')
    process.wait_for('loading')
    process.signal(*signals)
    assert process.wait() == 0, process.output
    assert 'Traceback' not in process.output
    assert 'configured' not in process.output


@pytest.mark.parametrize('phase', ['load', 'frame'])
def test_the_end_does_not_wait_for_a_long_inference(start_process, phase):
    rules = ros_args('max_age_secs:=0.0', 'depth_source:=none')
    process = start_process(FAKE, 'node', f'--{phase}-secs', '600', *rules)
    if phase == 'frame':
        process.wait_for('configured')
        start_process(FAKE, 'camera', '--count', '10000')
        process.wait_for('at work')
    else:
        process.wait_for('loading')
    process.signal(SIGTERM)
    assert process.wait() == 0, process.output
    assert 'still busy' in process.output
    assert 'Traceback' not in process.output


def test_repeated_signals(start_process):
    """`ros2 launch` sends SIGINT to the group and then to each process once more."""
    process = start_process(FAKE, 'node')
    process.wait_for('configured')
    while not process.has_ended:
        process.signal(SIGINT, SIGTERM)
        time.sleep(0.001)
    assert process.wait() == 0, process.output
    assert 'Traceback' not in process.output
    assert 'freed' in process.output


def test_a_node_answers_while_it_loads(rig, start_process):
    process = start_process(FAKE, 'node', '--load-secs', '3')
    process.wait_for('loading')
    messages = rig.collect(DiagnosticArray, '/diagnostics')
    name = '/rs_ml/detection/get_state'
    state = rig.call(GetState, name, GetState.Request()).current_state.label
    assert state == 'unconfigured'
    rig.until(lambda: messages, 'diagnostics')
    assert 'configured' not in process.output
    process.wait_for('configured')


def test_a_single_node_logs_its_inputs_first(start_process):
    rule = 'color/image_raw:=/front/color/image_raw'
    process = start_process(FAKE, 'node', '--ros-args', '-r', rule)
    process.wait_for('configured')
    said, _, _ = process.output.partition('configured')
    assert 'inputs: /front/color/image_raw, /rs_ml/color/camera_info' in said


def test_a_strict_node_ends_its_process(rig, start_process):
    rules = ros_args('strict:=true', 'max_age_secs:=0.0', 'depth_source:=none')
    process = start_process(FAKE, 'node', '--fail-on', '2', *rules)
    process.wait_for('configured')
    rig.camera.announce()
    rig.until(lambda: rig.is_listening(''), 'node')
    numbers = itertools.count()

    def sent_until_the_end():
        rig.camera.frame(next(numbers), depth='')
        rig.spin_some(5)
        return process.has_ended

    rig.until(sent_until_the_end, 'the end')
    assert process.wait() == 1
    assert 'strict: detection: ValueError: asked to fail' in process.output
    assert 'freed' in process.output


MALFORMED = {
    'malformed YAML': ('/**:\n  ros__parameters: [', 'wrong.yaml'),
    'mixed list': ('/**:\n  ros__parameters:\n    classes: [1, 2.5]\n', ''),
    'no such file': (None, 'missing.yaml'),
}


@pytest.mark.parametrize('case', MALFORMED)
def test_a_parameter_file_that_cannot_be_read(start_process, tmp_path, case):
    text, words = MALFORMED[case]
    path = str(tmp_path / 'missing.yaml') if text is None else write(tmp_path / 'wrong.yaml', text)
    process = start_process(*GRAPH, '--ros-args', '--params-file', path)
    assert process.wait() == 2
    assert 'cannot start: ' in process.output
    assert words in process.output
    assert 'Traceback' not in process.output


@pytest.mark.parametrize(
    ('rule', 'words'),
    [
        ('nodes:=[detektion]', 'some of detection, height, denoise, mono_depth, segmentation'),
        ('nodes:=[]', 'nodes must be some of'),
        ('nodes:=detection', 'nodes'),
        ('nodes:=[1]', 'nodes'),
        ("static_transforms:=['a b 1']", 'static transform'),
    ],
)
def test_a_graph_that_cannot_be_built(start_process, rule, words):
    process = start_process(*GRAPH, *ros_args(rule))
    assert process.wait() == 2
    assert words in process.output
    assert 'Traceback' not in process.output


def test_a_wrong_value_in_the_file_of_a_graph(rig, start_process, tmp_path):
    """One node comes up unconfigured and says why, the other works."""
    text = (
        '/rs_ml/detection:\n  ros__parameters: {score_threshold: 7.0, score_treshold: 0.5}\n'
        '/rs_ml/height:\n  ros__parameters: {max_rate_hz: 15}\n'
    )
    path = write(tmp_path / 'perception.yaml', text)
    process = start_process(
        *GRAPH, '--ros-args', '-p', 'nodes:=[detection, height]', '--params-file', path
    )
    process.wait_for('classes person')
    process.wait_for('cannot configure: ')
    assert 'parameter score_threshold refused' in process.output
    assert 'did you mean score_threshold?' in process.output
    states = [
        rig.call(GetState, f'/rs_ml/{n}/get_state', GetState.Request()).current_state.label
        for n in ('detection', 'height')
    ]
    assert states == ['unconfigured', 'active']
    process.signal(SIGTERM)
    assert process.wait() == 0
    assert 'Traceback' not in process.output


def test_requests_from_outside_do_not_end_the_process(rig, start_process):
    process = start_process(*GRAPH, *ros_args('nodes:=[height]'))
    process.wait_for('configured')
    name = '/rs_ml/height/change_state'
    for number in (99, Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP):
        request = ChangeState.Request(transition=Transition(id=number))
        assert not rig.call(ChangeState, name, request).success
    response = rig.call(SetBool, '/rs_ml/height/enable', SetBool.Request(data=False))
    assert (response.success, response.message) == (True, 'inactive')
    assert not process.has_ended


def arrived(start_process, count: int, **env: str) -> int:
    """How many 1280x720 images a node in another process answers in lockstep."""
    rules = ros_args('max_age_secs:=0.0', 'depth_source:=none')
    node = start_process(FAKE, 'node', *rules, **env)
    node.wait_for('configured')
    size = ('--count', str(count), '--width', '1280', '--height', '720')
    camera = start_process(FAKE, 'camera', *size, **env)
    assert camera.wait() == 0, camera.output
    return int(camera.output.split('arrived')[1])


def test_every_image_arrives_between_processes(start_process):
    """With the profile, best effort, 2.8 MB each; losses without it are only printed."""
    profile = {
        'FASTRTPS_DEFAULT_PROFILES_FILE': str(PROFILE),
        'FASTDDS_DEFAULT_PROFILES_FILE': str(PROFILE),
    }
    count = 30
    with_profile = arrived(start_process, count, **profile)
    without = dict.fromkeys(profile, '')
    print(f'arrived with config/fastdds.xml: {with_profile} of {count}')
    print(f'with the default transport: {arrived(start_process, 10, **without)} of 10')
    assert with_profile == count
