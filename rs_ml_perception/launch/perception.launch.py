"""Launches the perception nodes, and on request camera, replay and rviz2.

Examples:
    ros2 launch rs_ml_perception perception.launch.py start_camera:=true rviz:=true
    ros2 launch rs_ml_perception perception.launch.py nodes:=detection,height composed:=false
    ros2 launch rs_ml_perception perception.launch.py bag:=~/room lockstep:=true loop:=true
    ros2 launch rs_ml_perception perception.launch.py cameras:=front,rear backend:=openvino

Arguments override params_file, which overrides the settings of a recording.

Missing parts are reported before the first process starts. This file and its imports need only
the packages of `ros2 launch`: the nodes may run on another Python.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
)
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    PopLaunchConfigurations,
    PushLaunchConfigurations,
    RegisterEventHandler,
    ResetLaunchConfigurations,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.events import matches_action
from launch.events.process import ShutdownProcess
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.logging import get_logger
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.launching.arguments import (
    ARGUMENTS,
    PARAMETER_FILE,
    Request,
    parse_arguments,
    unknown_arguments,
)
from rs_ml_perception.launching.processes import (
    LaunchInputs,
    LaunchPlan,
    NodeProcess,
    make_launch_plan,
)
from rs_ml_perception.launching.recording_plan import RecordingPlan
from rs_ml_perception.launching.viewer import make_rviz_config, viewed_topics
from rs_ml_perception.nodes.parameter_files import NO_BLOCKS, read_blocks

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity

PACKAGE = 'rs_ml_perception'
PREFIX = Path(get_package_prefix(PACKAGE))
SHARE = Path(get_package_share_directory(PACKAGE))
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
INSPECTION_SECS = 120.0


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; launch_all acts on their values."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    # Without the large-message profile most 720p images are lost between processes.
    profile = str(SHARE / 'config' / 'fastdds.xml')
    profiles = [
        SetEnvironmentVariable(name, os.environ.get(name, profile)) for name in PROFILE_VARIABLES
    ]
    return LaunchDescription([*declared, *profiles, OpaqueFunction(function=launch_all)])


def launch_all(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """The actions for the arguments. All errors are raised here, before anything runs."""
    arguments = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    pushed_namespace = context.launch_configurations.get('ros_namespace', '')
    request = parse_arguments(arguments, base_namespace=pushed_namespace)
    params_file = request.params_file or str(SHARE / PARAMETER_FILE)
    blocks = read_blocks(params_file)
    driver = driver_file() if request.start_camera else None
    known = driver_arguments(driver, context) if driver else frozenset()
    forwarded = {k: v for k, v in context.launch_configurations.items() if k in known}
    if request.rviz:
        require_package('rviz2', 'rviz:=true')
    recording = look_into(request) if request.bag else None
    inputs = LaunchInputs(request, blocks, recording, forwarded)
    rviz = None
    if request.rviz:
        template = yaml.safe_load((SHARE / 'config/rviz/perception.rviz').read_text())
        rviz = make_rviz_config(template, inputs)
    plan = make_launch_plan(inputs, viewed_topics(rviz) if rviz else ())
    for remark in (*unknown(context, known), *plan.remarks):
        get_logger('perception.launch').warning(remark)
    nodes = [perception(process, params_file, context) for process in plan.nodes]
    cameras = [action for words in plan.drivers for action in camera(driver, words, context)]
    companions = []
    if plan.replay is not None:
        # In a parameter file: launch_ros would turn a recording named 2024 into a number.
        replay_file = temporary_file('.yaml', NO_BLOCKS.follow_up({'/**': plan.replay}))
        companions.append(own_node('replay_node', context, parameters=[replay_file]))
    if rviz:
        companions.append(viewer(rviz, plan, context))
    return [*ending(nodes, companions), *nodes, *cameras, *companions]


def perception(process: NodeProcess, params_file: str, context: LaunchContext) -> Node:
    """Perception nodes. No `name=`: it would rename every node of the process."""
    return own_node(
        process.executable,
        context,
        namespace=process.namespace,
        remappings=process.remappings,
        arguments=['--ros-args', *process.ros_arguments] if process.ros_arguments else [],
        parameters=[params_file, temporary_file('.yaml', process.parameters)],
    )


def own_node(executable: str, context: LaunchContext, **details: object) -> Node:
    """A node of this package."""
    return Node(
        package=PACKAGE,
        executable=executable,
        exec_name=executable,  # else that of the prefix
        output='screen',
        prefix=ending_with_us(context),
        **details,
    )


def viewer(config: dict[str, object], plan: LaunchPlan, context: LaunchContext) -> Node:
    """rviz2 with its configuration."""
    return Node(
        package='rviz2',
        executable='rviz2',
        exec_name='rviz2',
        arguments=['-d', temporary_file('.rviz', yaml.safe_dump(config, sort_keys=False))],
        parameters=[{'use_sim_time': plan.use_sim_time}],
        prefix=ending_with_us(context),
    )


def camera(
    driver: Path, words: dict[str, str], context: LaunchContext
) -> list[LaunchDescriptionEntity]:
    """realsense2_camera, which sees its own arguments only: it has a `log_level`, too.

    A GroupAction without forwarding would also take the large-message profile from it.
    """
    prefix = ending_with_us(context)
    kept = dict(words) | ({'launch-prefix': prefix} if prefix else {})
    return [
        PushLaunchConfigurations(),
        ResetLaunchConfigurations(kept),
        IncludeLaunchDescription(driver_source(driver), launch_arguments=words.items()),
        PopLaunchConfigurations(),
    ]


def ending(nodes: list[Node], companions: list[Node]) -> list[LaunchDescriptionEntity]:
    """End replay and viewer with the last perception node."""
    running = list(nodes)

    def on_exit(event: object, context: LaunchContext) -> list[LaunchDescriptionEntity] | None:
        running.remove(event.action)
        if running or not companions or context.is_shutdown:
            return None
        message = 'no perception node is left: replay and viewer end'
        stops = [ShutdownProcess(process_matcher=matches_action(action)) for action in companions]
        return [LogInfo(msg=message), *(EmitEvent(event=stop) for stop in stops)]

    return [
        RegisterEventHandler(OnProcessExit(target_action=node, on_exit=on_exit)) for node in nodes
    ]


def ending_with_us(context: LaunchContext) -> str | None:
    """Command prefix by which a process gets SIGINT when `ros2 launch` is killed.

    On SIGTERM launch leaves its processes behind. None if a prefix is given, or if
    there is no setpriv.
    """
    if context.launch_configurations.get('launch-prefix') or not shutil.which('setpriv'):
        return None
    return 'setpriv --pdeathsig INT'


def look_into(request: Request) -> RecordingPlan:
    """The plan for a recording, made by the Python of the nodes, which can read it.

    Raises:
        InputError: it cannot be read or holds no images.
    """
    command = [str(PREFIX / 'lib' / PACKAGE / 'rs-ml'), 'recording', '--json']
    command += ['--nodes', ','.join(request.nodes)]
    (camera,) = request.cameras
    if not camera.is_default:
        command += ['--camera', camera.prefix]
    command += ['--', request.bag]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSPECTION_SECS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f'recording {request.bag} cannot be inspected: {error}') from error
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f'status {done.returncode}']
        raise InputError(words[-1].removeprefix('rs-ml: '))
    return RecordingPlan.from_json(done.stdout)


def driver_file() -> Path:
    """The driver's launch file.

    Raises:
        ConfigError: it is not installed.
    """
    share = require_package('realsense2_camera', 'start_camera:=true')
    return share / 'launch' / 'rs_launch.py'


def driver_source(path: Path) -> PythonLaunchDescriptionSource:
    """A source for one use: its actions cannot be executed twice."""
    return PythonLaunchDescriptionSource(str(path))


def driver_arguments(driver: Path, context: LaunchContext) -> frozenset[str]:
    """Names of the driver's launch arguments, without those that are also ours."""
    declared = driver_source(driver).get_launch_description(context).get_launch_arguments()
    return frozenset(argument.name for argument in declared) - set(ARGUMENTS)


def require_package(name: str, argument: str) -> Path:
    """The share folder of a package.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return Path(get_package_share_directory(name))
    except PackageNotFoundError:
        distro = os.environ.get('ROS_DISTRO', '<distro>')
        package = f'ros-{distro}-{name.replace("_", "-")}'
        raise ConfigError(f'{argument} needs {name}: sudo apt-get install {package}') from None


def unknown(context: LaunchContext, others: frozenset[str]) -> list[str]:
    """Sentences on arguments that nobody knows.

    Included by another launch file, we see its arguments too: then only what resembles one of ours
    is taken for a misspelling.
    """
    if any(Path(word).name == Path(__file__).name for word in sys.argv):
        return unknown_arguments((word.partition(':=')[0] for word in context.argv), others)
    return unknown_arguments(context.launch_configurations, others, only_misspelt=True)


def temporary_file(suffix: str, text: str) -> str:
    """Path of a new file, which goes with this process."""
    with tempfile.NamedTemporaryFile('w', prefix='rs_ml_', suffix=suffix, delete=False) as file:
        file.write(text)
    atexit.register(Path(file.name).unlink, missing_ok=True)
    return file.name
