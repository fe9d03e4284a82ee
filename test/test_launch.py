"""The launch file, run for real wherever `launch` is installed."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from rs_ml_perception.recordings.shipped import shipped_recording

pytest.importorskip('launch', reason='ros2 launch is not installed')
pytest.importorskip('launch_ros', reason='launch_ros is not installed')

pytestmark = pytest.mark.ros

PACKAGE = 'rs_ml_perception'
DEADLINE_SECS = 60.0
ARGUMENTS = [
    *('namespace', 'camera_namespace', 'camera_name', 'nodes', 'composed', 'params_file'),
    *('start_camera', 'bag', 'rviz', 'use_sim_time', 'autostart', 'log_level'),
]


class Launched:
    """`ros2 launch` in a process group of its own, its output collected."""

    def __init__(self, log: Path, domain: int, *arguments: str) -> None:
        command = ['ros2', 'launch', PACKAGE, 'perception.launch.py', *arguments]
        environment = {**os.environ, 'ROS_DOMAIN_ID': str(domain)}
        self.log = log
        with log.open('wb') as output:
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )

    def text(self) -> str:
        return self.log.read_text(errors='replace')

    def wait_for(self, pattern: str, count: int = 1) -> str:
        deadline = time.monotonic() + DEADLINE_SECS
        while len(re.findall(pattern, self.text())) < count:
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, f'no {pattern!r} in:\n{self.text()}'
            time.sleep(0.1)
        return self.text()

    def interrupt(self) -> str:
        """Ctrl-C in a terminal: the whole group gets SIGINT."""
        os.killpg(self.process.pid, signal.SIGINT)
        assert self.process.wait(30) == 0, self.text()
        return self.text()


@pytest.fixture
def launch(tmp_path, domain):
    started = []

    def start(*arguments):
        started.append(Launched(tmp_path / f'launch{len(started)}.log', domain, *arguments))
        return started[-1]

    yield start
    for launched in started:
        if launched.process.poll() is None:
            os.killpg(launched.process.pid, signal.SIGKILL)


def ended_cleanly(text: str) -> int:
    assert 'Traceback' not in text, text
    assert 'process has died' not in text, text
    return text.count('process has finished cleanly')


def test_arguments_are_those_of_the_design():
    shown = subprocess.run(
        ['ros2', 'launch', PACKAGE, 'perception.launch.py', '--show-args'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert re.findall(r"^    '(\w+)':", shown, re.MULTILINE) == ARGUMENTS


@pytest.mark.parametrize(
    ('composed', 'executable'), [('true', 'perception_graph'), ('false', 'height_node')]
)
def test_a_node_comes_up_and_goes_down(launch, composed, executable):
    launched = launch('nodes:=height', f'composed:={composed}', 'namespace:=robot/front')
    text = launched.wait_for(r'configured: classes person')
    assert f'[{executable}-1]' in text
    assert '[robot.front.height]' in text
    assert ended_cleanly(launched.interrupt()) == 1


@pytest.mark.parametrize(
    ('argument', 'sentence'),
    [
        ('nodes:=heigth', "there is no node 'heigth'"),
        ('composed:=flase', "must be true or false, got 'flase'"),
        ('bag:=/nowhere', 'recording /nowhere does not exist'),
    ],
)
def test_a_misspelt_argument_is_named(launch, argument, sentence):
    launched = launch(argument)
    launched.process.wait(30)
    assert sentence in launched.text()


@pytest.mark.parametrize(
    ('arguments', 'topic'),
    [
        ([], '/camera/camera/color/camera_info'),
        (['camera_namespace:=/'], '/camera/color/camera_info'),
        (['camera_namespace:=robot', 'camera_name:=front'], '/robot/front/color/camera_info'),
    ],
)
def test_inputs_are_remapped_to_the_camera(launch, arguments, topic):
    launched = launch('nodes:=height', *arguments)
    pid = re.search(r'process started with pid \[(\d+)\]', launched.wait_for('with pid'))[1]
    command = Path(f'/proc/{pid}/cmdline').read_text().split('\0')
    assert f'color/camera_info:={topic}' in command
    launched.wait_for(r'configured: classes person')
    assert ended_cleanly(launched.interrupt()) == 1


def check_that_all_nodes_see(launched, images: int, processes: int) -> None:
    launched.wait_for(rf'replayed \d+ messages of \d+ topics, {images} frames')
    assert len(re.findall('configured:', launched.text())) == 5
    # Said by a node that had images and gets no more.
    assert launched.wait_for(r'stale: last image', 5)
    assert ended_cleanly(launched.interrupt()) == processes


@pytest.mark.skipif('RS_ML_TEST_DATA' not in os.environ, reason='RS_ML_TEST_DATA is not set')
@pytest.mark.parametrize(('composed', 'processes'), [('true', 2), ('false', 6)])
def test_a_recording_goes_through_all_nodes(launch, composed, processes, monkeypatch):
    data = Path(os.environ['RS_ML_TEST_DATA'])
    monkeypatch.setenv('RS_ML_MODEL_PATH', str(data / 'models'))
    launched = launch(f'bag:={data / "recordings" / "nyu_people"}', f'composed:={composed}')
    check_that_all_nodes_see(launched, 14 + 14, processes)  # of colour, of depth


def test_what_ships_goes_through_all_nodes(launch, monkeypatch):
    """Compressed, and depth as the sensor sees it."""
    monkeypatch.delenv('RS_ML_MODEL_PATH', raising=False)
    launched = launch(f'bag:={shipped_recording()}')
    check_that_all_nodes_see(launched, 14 + 14, processes=2)
