"""The processes to start, for the launch file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.launching.arguments import Camera, Request
from rs_ml_perception.launching.recording_plan import RecordingPlan
from rs_ml_perception.nodes.parameter_files import ParameterBlocks
from rs_ml_perception.nodes.table import GRAPH, NODES, camera_inputs, threads_per_network


@dataclass(frozen=True)
class LaunchInputs:
    """Everything known before the first process starts.

    Attributes:
        request: parsed arguments.
        blocks: of the parameter file.
        recording: plan of the recording, None without one.
        driver_arguments: given for the driver; they override the needs of the nodes.
    """

    request: Request
    blocks: ParameterBlocks
    recording: RecordingPlan | None = None
    driver_arguments: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """The requested nodes that can run.

        Raises:
            ConfigError: none can.
        """
        if self.recording is None:
            return self.request.nodes
        if not self.recording.nodes:
            reasons = '; '.join(self.left_out)
            raise ConfigError(f'no node can run on {self.request.bag}: {reasons}')
        return self.recording.nodes

    @property
    def left_out(self) -> list[str]:
        """A sentence on each node that cannot run."""
        reasons = self.recording.left_out if self.recording else {}
        return [f'{name} is left out: {reason}' for name, reason in reasons.items()]

    def value(self, camera: Camera, node: str, parameter: str, default: Any) -> Any:
        """A parameter of a node: from the arguments, else from params_file, else the default."""
        said = self.blocks.of(camera.node(node)).get(parameter, default)
        return self.request.given.get(node, {}).get(parameter, said)


@dataclass(frozen=True)
class NodeProcess:
    """A process with perception nodes.

    Attributes:
        executable: of this package.
        namespace: of its nodes, absolute.
        remappings: (input, topic) pairs.
        ros_arguments: words after --ros-args.
        parameters: parameter file to be passed after params_file, as text.
    """

    executable: str
    namespace: str
    remappings: tuple[tuple[str, str], ...]
    ros_arguments: tuple[str, ...]
    parameters: str


@dataclass(frozen=True)
class LaunchPlan:
    """Everything to start.

    Attributes:
        nodes: processes with perception nodes.
        replay: parameters of the replay node, None without a recording.
        drivers: launch arguments of realsense2_camera, one mapping for each camera.
        use_sim_time: of the viewer.
        remarks: warnings.
    """

    nodes: tuple[NodeProcess, ...]
    replay: Mapping[str, Any] | None
    drivers: tuple[Mapping[str, str], ...]
    use_sim_time: bool
    remarks: tuple[str, ...]


def make_launch_plan(inputs: LaunchInputs, viewed_topics: tuple[str, ...] = ()) -> LaunchPlan:
    """Plan everything to start.

    Args:
        inputs: arguments, parameters, recording.
        viewed_topics: topics that a viewer will subscribe to.

    Raises:
        ConfigError: no node can work with the recording.
    """
    request = inputs.request
    cameras = request.cameras
    drivers = [_driver_arguments(camera, inputs) for camera in cameras]
    return LaunchPlan(
        nodes=tuple(_processes(inputs)),
        replay=_replay_parameters(inputs, viewed_topics) if request.bag else None,
        drivers=tuple(drivers) if request.start_camera else (),
        use_sim_time=bool(
            inputs.value(cameras[0], inputs.nodes[0], 'use_sim_time', bool(request.bag))
        ),
        remarks=(*request.remarks, *_recording_remarks(inputs), *_missed_blocks(inputs)),
    )


def _processes(inputs: LaunchInputs) -> Iterator[NodeProcess]:
    """One process for everything, one for all nodes of a camera, or one for each node."""
    request, cameras = inputs.request, inputs.request.cameras
    if request.composed == 'true' and len(cameras) > 1:
        yield _common_process(inputs)
        return
    in_graph = {GRAPH: (GRAPH, *inputs.nodes)}
    alone = {NODES[name].executable: (name,) for name in inputs.nodes}
    for camera in cameras:
        for executable, loggers in (alone if request.composed == 'false' else in_graph).items():
            yield NodeProcess(
                executable,
                camera.namespace,
                remappings=_remappings(camera, inputs.recording),
                ros_arguments=_log_arguments(camera, request.log_level, loggers),
                parameters=inputs.blocks.follow_up(_parameters(camera, inputs)),
            )


def _common_process(inputs: LaunchInputs) -> NodeProcess:
    """All nodes of all cameras. Remappings have full names: each camera has other topics."""
    request, loggers = inputs.request, (GRAPH, *inputs.nodes)
    root = f'{request.namespace.rstrip("/")}/{GRAPH}'
    namespaces = [camera.namespace for camera in request.cameras]
    parameters: dict[str, Mapping[str, Any]] = {root: {'namespaces': namespaces}}
    for camera in request.cameras:
        for node, given in _parameters(camera, inputs).items():
            parameters[node] = {**parameters.get(node, {}), **given}
    return NodeProcess(
        GRAPH,
        request.namespace,
        remappings=tuple(
            (camera.node(topic), name)
            for camera in request.cameras
            for topic, name in _remappings(camera, None)
        ),
        ros_arguments=tuple(
            word
            for camera in request.cameras
            for word in _log_arguments(camera, request.log_level, loggers)
        ),
        parameters=inputs.blocks.follow_up(parameters),
    )


def _parameters(camera: Camera, inputs: LaunchInputs) -> dict[str, Mapping[str, Any]]:
    """By node: those of the recording not set by params_file, and those given as arguments."""
    given = {name: inputs.request.given[name] for name in inputs.nodes}
    # The graph's own clock is that of its nodes.
    of_time = {k: v for k, v in given[inputs.nodes[0]].items() if k == 'use_sim_time'}
    given[GRAPH] = {'nodes': list(inputs.nodes), **of_time}
    values: dict[str, Mapping[str, Any]] = {}
    for name in (GRAPH, *inputs.nodes):
        node = camera.node(name)
        said = inputs.blocks.of(node)
        asked = inputs.recording.parameters(name, said) if inputs.recording else {}
        values[node] = {**_threads(name, said, inputs), **asked, **given[name]}
    return values


def _threads(name: str, said: Mapping[str, Any], inputs: LaunchInputs) -> dict[str, int]:
    """Threads of a network, where processes that do not know each other share the cores."""
    request, count = inputs.request, len(inputs.request.cameras)
    if name == GRAPH or not NODES[name].has_network or said.get('threads'):
        return {}
    if request.composed == 'true' or (request.composed == 'camera' and count == 1):
        return {}
    threads = threads_per_network(inputs.nodes * count)
    return {'threads': threads} if threads else {}


def _remappings(camera: Camera, recording: RecordingPlan | None) -> tuple[tuple[str, str], ...]:
    """Remappings of the inputs to topics of the driver or of the recording."""
    topics = {topic: f'{camera.prefix}/{topic}' for topic in camera_inputs()}
    return tuple((topics | dict(recording.remappings if recording else {})).items())


def _log_arguments(camera: Camera, level: str, loggers: tuple[str, ...]) -> tuple[str, ...]:
    """Levels by logger, since a global level would include rcl, which logs a lot at debug."""
    if not level:
        return ()
    names = [camera.node(name).strip('/').replace('/', '.') for name in loggers]
    return tuple(word for name in names for word in ('--log-level', f'{name}:={level}'))


def _replay_parameters(inputs: LaunchInputs, viewed_topics: tuple[str, ...]) -> dict[str, Any]:
    (camera,) = inputs.request.cameras
    parameters = {
        'bag': inputs.request.bag,
        'wait_for_nodes': [camera.node(name) for name in inputs.nodes],
        **inputs.request.replay,
    }
    if inputs.recording and inputs.recording.camera:
        parameters['camera'] = inputs.recording.camera
    if viewed_topics:
        parameters['wait_for_readers_of'] = list(viewed_topics)
    return parameters


def _driver_arguments(camera: Camera, inputs: LaunchInputs) -> dict[str, str]:
    """Launch arguments of the driver, with the streams of the nodes."""
    arguments = dict(need for name in inputs.nodes for need in NODES[name].needs)
    arguments |= {'camera_namespace': camera.driver_namespace or '/', 'camera_name': camera.name}
    if camera.serial_no:
        # launch turns bare digits into a number, which the driver refuses.
        arguments['serial_no'] = f'_{camera.serial_no.lstrip("_")}'
    return arguments | dict(inputs.driver_arguments)


def _recording_remarks(inputs: LaunchInputs) -> tuple[str, ...]:
    notes = inputs.recording.notes if inputs.recording else ()
    return (*notes, *inputs.left_out)


def _missed_blocks(inputs: LaunchInputs) -> Iterator[str]:
    cameras = inputs.request.cameras
    names = [camera.node(name) for camera in cameras for name in (GRAPH, *inputs.nodes)]
    for key in inputs.blocks.missed(names):
        name = key.rpartition('/')[2]
        yield f'params_file: block {key} matches no node: /**/{name} would match'
