"""Launches the perception nodes, with camera, replay and rviz2 where asked.

Examples:
    ros2 launch rs_ml_perception perception.launch.py start_camera:=true rviz:=true
    ros2 launch rs_ml_perception perception.launch.py nodes:=detection,height composed:=false
    ros2 launch rs_ml_perception perception.launch.py bag:=/data/room
"""

import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetEnvironmentVariable,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.demo.plan import make_plan
from rs_ml_perception.nodes.table import NODES, camera_inputs, camera_prefix, parse_nodes
from rs_ml_perception.recordings.open_recording import open_recording

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity

PACKAGE = 'rs_ml_perception'
SHARE = Path(get_package_share_directory(PACKAGE))
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')

ARGUMENTS = {
    'namespace': ('rs_ml', 'of the nodes; several cameras: rs_ml/<camera_name>'),
    'camera_namespace': ('camera', 'of the camera driver; may be empty'),
    'camera_name': ('camera', 'of the camera driver'),
    'nodes': ('all', f'some of {",".join(NODES)}'),
    'composed': ('true', 'one process for all nodes, or one for each'),
    'params_file': (str(SHARE / 'config' / 'perception.yaml'), 'parameters of the nodes'),
    'start_camera': ('false', 'also start realsense2_camera with what the nodes need'),
    'bag': ('', 'recording to replay instead of a camera'),
    'rviz': ('false', 'also start rviz2'),
    'use_sim_time': ('', 'true, false; empty: true with a bag'),
    'autostart': ('true', 'nodes configure and activate by themselves'),
    'log_level': ('info', 'debug, info, warn, error or fatal'),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; what they ask for is decided once they are known."""
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
    """The actions the arguments ask for."""
    arguments = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    names = parse_nodes(arguments['nodes'])
    actions = perception(names, arguments)
    if is_true(arguments['start_camera']):
        actions.append(camera(names, arguments))
    if arguments['bag']:
        actions.append(replay(names, arguments))
    if is_true(arguments['rviz']):
        config = str(SHARE / 'config' / 'rviz' / 'perception.rviz')
        sim_time = {'use_sim_time': uses_sim_time(arguments)}
        actions.append(
            Node(
                package='rviz2',
                executable='rviz2',
                arguments=['-d', config],
                parameters=[sim_time],
            )
        )
    return actions


def perception(names: tuple[str, ...], arguments: dict[str, str]) -> list[Node]:
    """The perception nodes. No `name=`: it would rename every node of the process."""
    prefix = camera_prefix(arguments['camera_namespace'], arguments['camera_name'])
    parameters: dict[str, object] = {
        'use_sim_time': uses_sim_time(arguments),
        'autostart': is_true(arguments['autostart']),
        **recording_parameters(names, arguments['bag']),
    }
    common = {
        'package': PACKAGE,
        'namespace': arguments['namespace'],
        'remappings': [(topic, f'{prefix}/{topic}') for topic in camera_inputs()],
        'arguments': ['--ros-args', '--log-level', arguments['log_level']],
        'output': 'screen',
    }
    files = [arguments['params_file']] if arguments['params_file'] else []
    if is_true(arguments['composed']):
        parameters['nodes'] = list(names)
        return [Node(executable='perception_graph', parameters=[*files, parameters], **common)]
    return [
        Node(executable=NODES[name].executable, parameters=[*files, parameters], **common)
        for name in names
    ]


def recording_parameters(names: tuple[str, ...], bag: str) -> dict[str, object]:
    """What the nodes must be told of a recording, {} without one; params_file may overrule it.

    Raises:
        InputError: it cannot be read or holds no images.
    """
    if not bag:
        return {}
    with open_recording(bag) as recording:
        plan = make_plan(recording, names)
    found: dict[str, object] = {}
    if plan.static_transforms:
        found['static_transforms'] = list(plan.static_transforms)
    return found


def camera(names: tuple[str, ...], arguments: dict[str, str]) -> IncludeLaunchDescription:
    """realsense2_camera with the streams the nodes need."""
    share = Path(get_package_share_directory('realsense2_camera'))
    source = PythonLaunchDescriptionSource(str(share / 'launch' / 'rs_launch.py'))
    needs = dict(need for name in names for need in NODES[name].needs)
    wanted = {key: arguments[key] for key in ('camera_namespace', 'camera_name')} | needs
    return IncludeLaunchDescription(source, launch_arguments=wanted.items())


def replay(names: tuple[str, ...], arguments: dict[str, str]) -> Node:
    """The recording, with /clock, once every node is active."""
    prefix = camera_prefix(arguments['namespace'], '')
    return Node(
        package=PACKAGE,
        executable='replay_node',
        parameters=[
            {
                'bag': arguments['bag'],
                'wait_for_nodes': [f'{prefix}/{name}' for name in names],
            }
        ],
        output='screen',
    )


def uses_sim_time(arguments: dict[str, str]) -> bool:
    """As asked for, else whether a recording brings its own time."""
    return is_true(arguments['use_sim_time'] or str(bool(arguments['bag'])))


def is_true(text: str) -> bool:
    """Whether a launch argument says yes.

    Raises:
        ConfigError: it says neither yes nor no.
    """
    if text.lower() in ('true', '1', 'yes', 'on'):
        return True
    if text.lower() in ('false', '0', 'no', 'off'):
        return False
    raise ConfigError(f'a launch argument must be true or false, got {text!r}')
