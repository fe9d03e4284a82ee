"""The launch file, run by `ros2 launch` where that is installed, by any Python."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from rs_ml_perception.launching.arguments import ARGUMENTS
from rs_ml_perception.recordings.open_recording import shipped_recording

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(not shutil.which('ros2'), reason='ros2 launch is not installed'),
]

PACKAGE = 'rs_ml_perception'
LAUNCH_FILE = [PACKAGE, 'perception.launch.py']
DEADLINE_SECS = 60.0


def is_installed(package: str) -> bool:
    marker = Path('share/ament_index/resource_index/packages') / package
    return any((Path(p) / marker).exists() for p in os.environ['AMENT_PREFIX_PATH'].split(':'))


class Launched:
    """`ros2 launch` in a separate process group, with its output."""

    def __init__(
        self, log: Path, domain: int, arguments: tuple[str, ...], file: list[str]
    ) -> None:
        command = ['ros2', 'launch', *file, *arguments]
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

    def pids(self) -> dict[str, int]:
        """Name of an executable -> its process id."""
        found = re.findall(r'\[(\w+)-\d+\]: process started with pid \[(\d+)\]', self.text())
        return {name: int(pid) for name, pid in found}

    def interrupt(self) -> str:
        """Ctrl-C in a terminal sends SIGINT to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)
        assert self.process.wait(30) == 0, self.text()
        return self.text()


@pytest.fixture
def launch(tmp_path, domain):
    started = []

    def start(*arguments, launch_file=LAUNCH_FILE):
        log = tmp_path / f'launch{len(started)}.log'
        started.append(Launched(log, domain, arguments, launch_file))
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
    assert re.findall(r"^    '(\w+)':", shown, re.MULTILINE) == list(ARGUMENTS)


@pytest.mark.parametrize(
    ('composed', 'executable'), [('true', 'perception_graph'), ('false', 'height_node')]
)
def test_a_node_comes_up_and_goes_down(launch, composed, executable):
    launched = launch('nodes:=height', f'composed:={composed}', 'namespace:=robot/front')
    text = launched.wait_for(r'configured: .*classes person')
    assert f'[{executable}-1]' in text
    assert '[robot.front.height]' in text
    assert ended_cleanly(launched.interrupt()) == 1


@pytest.mark.parametrize(
    ('argument', 'sentence'),
    [
        ('nodes:=heigth', "there is no node 'heigth'"),
        ('composed:=flase', "must be one of true, camera, false, got 'flase'"),
        ('bag:=/nowhere', 'recording /nowhere does not exist'),
        ('bag:=~/nowhere', f'recording {Path.home()}/nowhere does not exist'),
        ('params_file:=/nowhere.yaml', 'parameter file /nowhere.yaml cannot be read'),
        ('start_camera:=true', 'start_camera:=true needs realsense2_camera: sudo apt-get install'),
        ('rviz:=true', 'rviz:=true needs rviz2: sudo apt-get install ros-'),
    ],
)
def test_wrong_arguments_start_nothing(launch, argument, sentence):
    package = sentence.partition(' needs ')[2].partition(':')[0]
    if package and is_installed(package):
        pytest.skip(f'{package} is installed')
    launched = launch(argument)
    assert launched.process.wait(30) == 1
    assert sentence in launched.text()
    assert 'process started' not in launched.text()


def test_a_misspelt_argument_is_named(launch):
    launched = launch('noodes:=height', 'nodes:=height')
    launched.wait_for('unknown argument noodes is ignored: did you mean nodes')
    launched.wait_for('configured')
    assert ended_cleanly(launched.interrupt()) == 1


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
    launched.wait_for(r'configured: .*classes person')
    pid = launched.pids()['perception_graph']
    command = Path(f'/proc/{pid}/cmdline').read_text().split('\0')
    assert f'color/camera_info:={topic}' in command
    assert ended_cleanly(launched.interrupt()) == 1


@pytest.mark.parametrize(('composed', 'processes'), [('true', 1), ('camera', 2)])
def test_cameras_share_a_process_or_not(launch, tmp_path, composed, processes):
    file = tmp_path / 'cameras.yaml'
    file.write_text('- {name: front}\n- {name: rear, namespace: /mast, camera_namespace: rig}\n')
    words = ['nodes:=height', 'namespace:=robot', f'composed:={composed}']
    launched = launch(f'cameras:={file}', *words)
    text = launched.wait_for(r'configured: .*classes person', 2)
    assert '[robot.front.height]' in text
    assert '[mast.height]' in text
    waiting = launched.wait_for('waiting_image', 2)
    assert '/camera/front/' in waiting
    assert '/rig/rear/' in waiting
    assert ended_cleanly(launched.interrupt()) == processes


def check_that_all_nodes_see(launched, images: int, processes: int) -> None:
    launched.wait_for(rf'replayed \d+ messages of \d+ topics, {images} frames')
    assert len(re.findall('configured:', launched.text())) == 5
    # Said by a node that had images and gets no more.
    assert launched.wait_for(r'stale: last (?:image|detections)', 5)
    assert ended_cleanly(launched.interrupt()) == processes


@pytest.mark.skipif('RS_ML_TEST_DATA' not in os.environ, reason='RS_ML_TEST_DATA is not set')
@pytest.mark.parametrize(('composed', 'processes'), [('true', 2), ('false', 6)])
def test_a_recording_passes_through_all_nodes(launch, composed, processes, monkeypatch):
    data = Path(os.environ['RS_ML_TEST_DATA'])
    monkeypatch.setenv('RS_ML_MODEL_PATH', str(data / 'models'))
    launched = launch(f'bag:={data / "recordings" / "nyu_people"}', f'composed:={composed}')
    check_that_all_nodes_see(launched, 14 + 14, processes)  # of colour, of depth


def test_the_shipped_recording_passes_through_all_nodes(launch, monkeypatch):
    """Compressed images, and depth in the depth camera's frame."""
    monkeypatch.delenv('RS_ML_MODEL_PATH', raising=False)
    launched = launch(f'bag:={shipped_recording()}')
    check_that_all_nodes_see(launched, 14 + 14, processes=2)


def is_running(pid: int) -> bool:
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def wait_until(condition) -> None:
    deadline = time.monotonic() + DEADLINE_SECS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_a_killed_launch(launch, number):
    if not shutil.which('setpriv'):
        pytest.skip('util-linux has no setpriv')
    launched = launch('nodes:=height', f'bag:={shipped_recording()}', 'loop:=true')
    launched.wait_for('configured')
    os.kill(launched.process.pid, number)
    wait_until(lambda: not any(is_running(pid) for pid in launched.pids().values()))
    assert 'Traceback' not in launched.text()


def test_a_replay_ends_with_the_last_node(launch):
    launched = launch('nodes:=height', f'bag:={shipped_recording()}', 'loop:=true')
    launched.wait_for('configured')
    os.kill(launched.pids()['perception_graph'], signal.SIGKILL)
    assert launched.process.wait(30) == 0
    assert 'no perception node is left' in launched.text()
    assert '[replay_node-2]: process has finished cleanly' in launched.text()


def test_the_log_level_is_for_our_nodes(launch):
    launched = launch('nodes:=height', 'log_level:=warn')
    launched.wait_for('waiting_image')
    assert 'configured' not in launched.interrupt()
    launched = launch('nodes:=height', 'log_level:=debug')
    launched.wait_for('configured')
    assert '[rcl' not in launched.interrupt()


PARAMETERS = """
/rs_ml/height: {ros__parameters: {autostart: false}}
/**: {ros__parameters: {use_sim_time: false}}
"""


def test_an_argument_wins_over_params_file(launch, tmp_path):
    (tmp_path / 'params.yaml').write_text(PARAMETERS)
    arguments = [f'params_file:={tmp_path / "params.yaml"}', 'autostart:=true']
    launched = launch('nodes:=height', *arguments)
    launched.wait_for('configured')
    assert ended_cleanly(launched.interrupt()) == 1


DRIVER = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.substitutions import LaunchConfiguration

NAMES = ('camera_namespace', 'camera_name', 'serial_no', 'log_level', 'nodes', 'enable_sync',
         'pointcloud.enable')

def generate_launch_description():
    declared = [DeclareLaunchArgument(name, default_value='none') for name in NAMES]
    words = [part for name in NAMES for part in (f' {name}=', LaunchConfiguration(name))]
    say = [['echo driver', *words, ' $FASTDDS_DEFAULT_PROFILES_FILE; sleep 600']]
    return LaunchDescription([*declared, ExecuteProcess(cmd=say, shell=True, output='screen')])
"""


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A launch file in place of the driver's that records its arguments."""
    marker = tmp_path / 'share/ament_index/resource_index/packages/realsense2_camera'
    launch_file = tmp_path / 'share/realsense2_camera/launch/rs_launch.py'
    for path, text in ((marker, ''), (launch_file, DRIVER)):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{tmp_path}:{os.environ["AMENT_PREFIX_PATH"]}')


@pytest.mark.usefixtures('driver')
def test_each_camera_has_a_driver_that_sees_its_own_arguments_only(launch):
    arguments = ['cameras:=front,rear', 'serial_no:=12,34', 'nodes:=height', 'log_level:=debug']
    launched = launch('start_camera:=true', 'pointcloud.enable:=true', *arguments)
    text = launched.wait_for('configured', 2)
    for name, serial_no in (('front', '_12'), ('rear', '_34')):
        said = launched.wait_for(f'driver camera_namespace=camera camera_name={name} .*')
        (line,) = re.findall(f'driver camera_namespace=camera camera_name={name} .*', said)
        assert f'serial_no={serial_no} log_level=none nodes=none enable_sync=true' in line
        assert 'pointcloud.enable=true' in line
        assert 'fastdds.xml' in line
        assert f'[rs_ml.{name}.height]' in text
    assert 'unknown argument' not in text
    launched.interrupt()
    assert not any(is_running(pid) for pid in launched.pids().values())


INCLUDING = """
<launch>
  <arg name="speed" default="1"/>
  <group>
    <push_ros_namespace namespace="robot"/>
    <include file="$(find-pkg-share rs_ml_perception)/launch/perception.launch.py">
      <arg name="nodes" value="height"/><arg name="autostart" value=""/>
    </include>
  </group>
  <include file="$(find-pkg-share rs_ml_perception)/launch/perception.launch.py">
    <arg name="nodes" value="mono_depth"/><arg name="namespace" value="/rear"/>
    <arg name="camera_namespace" value=""/>
  </include>
</launch>
"""


def test_two_cameras_from_a_launch_file_in_xml(launch, tmp_path):
    (tmp_path / 'robot.launch.xml').write_text(INCLUDING)
    launched = launch(launch_file=[str(tmp_path / 'robot.launch.xml')])
    text = launched.wait_for('configured', 2)
    assert '[robot.rs_ml.height]' in text
    assert '[rear.mono_depth]' in text
    assert 'unknown argument' not in text
    assert ended_cleanly(launched.interrupt()) == 2
