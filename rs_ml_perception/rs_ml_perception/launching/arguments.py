"""The arguments of the launch file, and their values.

Like all imports of the launch file, this module needs only the standard library and yaml: on a
robot `ros2 launch` and the nodes may run on different Pythons.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.options import build, walk
from rs_ml_perception.nodes.parameter_files import read_content
from rs_ml_perception.nodes.replay_options import ReplayOptions
from rs_ml_perception.nodes.table import NODES, camera_prefix, parse_nodes

DEFAULT_CAMERA = 'camera'
LOG_LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')
OF_THE_REPLAY = ('loop', 'rate', 'lockstep')
PARAMETER_FILE = 'config/perception.yaml'
MODEL_ARGUMENTS = {'detection_model': 'detection'}
"""Argument -> node whose `model` it sets."""

COMPOSITIONS = {
    'true': 'one for all nodes',
    'camera': 'one per camera',
    'false': 'one per node',
}
"""Values of `composed`."""

ARGUMENTS: dict[str, tuple[str, str]] = {
    'namespace': ('rs_ml', 'namespace of the nodes; / for none'),
    'camera_namespace': (DEFAULT_CAMERA, 'namespace of the camera driver; / for none'),
    'camera_name': (DEFAULT_CAMERA, 'name of the camera driver, also in a recording'),
    'cameras': ('', 'several cameras: front,rear with nodes in NAMESPACE/NAME, or a .yaml file'),
    'nodes': ('all', f'nodes to start, of {",".join(NODES)}'),
    'composed': ('true', f'processes: {", ".join(f"{k}: {v}" for k, v in COMPOSITIONS.items())}'),
    'params_file': ('', f'parameters of the nodes; default: {PARAMETER_FILE} of the package'),
    'detection_model': ('', 'model of the detection node: name or directory'),
    'backend': ('', 'inference runtime of all nodes, such as openvino; default: auto'),
    'device': ('', 'device of the inference: auto, cpu, gpu or npu; default: auto'),
    'start_camera': ('false', 'also start realsense2_camera with the streams of the nodes'),
    'serial_no': ('', 'serial number of the camera to start; with cameras: one each, in order'),
    'bag': ('', 'recording to replay instead of a camera'),
    'rate': ('', 'speed factor of the replay; default: 1'),
    'loop': ('', 'repeat the replay; default: false'),
    'lockstep': ('', 'publish a frame after the nodes have finished the last; default: false'),
    'rviz': ('false', 'also start rviz2 with the outputs of the nodes'),
    'use_sim_time': ('', 'default: true with a recording, false without'),
    'autostart': ('', 'nodes configure and activate by themselves; default: true'),
    'log_level': ('', f'log level of the nodes: {", ".join(LOG_LEVELS)}; default: info'),
}  # fmt: skip
"""Name -> default and meaning. An empty default leaves the choice to params_file."""


@dataclass(frozen=True)
class Camera:
    """One camera and its nodes.

    Attributes:
        namespace: of the nodes, absolute; '/' for none.
        driver_namespace: of the driver, '' for none.
        name: of the driver.
        serial_no: of the device, '' for any.
    """

    namespace: str
    driver_namespace: str
    name: str
    serial_no: str = ''

    @property
    def prefix(self) -> str:
        """Absolute name of the driver's node."""
        return camera_prefix(self.driver_namespace, self.name)

    @property
    def is_default(self) -> bool:
        return (self.driver_namespace, self.name) == (DEFAULT_CAMERA, DEFAULT_CAMERA)

    def node(self, name: str) -> str:
        """Full name of a node."""
        return f'{self.namespace.rstrip("/")}/{name}'


@dataclass(frozen=True)
class Request:
    """The parsed arguments.

    Attributes:
        cameras: at least one.
        namespace: of the nodes of a single camera, absolute.
        nodes: names, in the order of the table.
        composed: key of COMPOSITIONS.
        params_file: '' for that of the package.
        start_camera: whether to start the driver.
        bag: path of a recording, '' for none.
        replay: parameters of the replay node that were given.
        rviz: whether to start rviz2.
        log_level: of the nodes, '' for the default.
        given: node -> parameters given as arguments.
        remarks: on arguments without effect.
    """

    cameras: tuple[Camera, ...]
    namespace: str
    nodes: tuple[str, ...]
    composed: str
    params_file: str
    start_camera: bool
    bag: str
    replay: Mapping[str, Any]
    rviz: bool
    log_level: str
    given: Mapping[str, Mapping[str, Any]]
    remarks: tuple[str, ...]


def parse_arguments(values: Mapping[str, str], *, base_namespace: str = '') -> Request:
    """Parse the values of ARGUMENTS.

    Args:
        values: all of them; empty ones are not given.
        base_namespace: namespace in which relative ones are resolved.

    Raises:
        ConfigError: a value is wrong, or two of them contradict each other.
    """
    values = {name: value.strip() for name, value in values.items()}
    start_camera, bag = _is_true(values, 'start_camera'), _path(values['bag'])
    if bag and start_camera:
        raise ConfigError('bag and start_camera exclude each other: pass only one of them')
    namespace = _absolute(values['namespace'], base_namespace)
    cameras = _cameras(values, namespace)
    if bag and len(cameras) > 1:
        raise ConfigError("a recording is replayed to one camera's nodes: leave cameras out")
    nodes = parse_nodes(values['nodes'])
    return Request(
        cameras=cameras,
        namespace=namespace,
        nodes=nodes,
        composed=_composition(values['composed']),
        params_file=_path(values['params_file']),
        start_camera=start_camera,
        bag=bag,
        replay=_replay_parameters(values),
        rviz=_is_true(values, 'rviz'),
        log_level=_log_level(values['log_level']),
        given=_given_parameters(values, nodes),
        remarks=tuple(_remarks(values, nodes)),
    )


def unknown_arguments(
    names: Iterable[str], others: Iterable[str] = (), *, only_misspelt: bool = False
) -> list[str]:
    """Sentences on unknown arguments.

    Args:
        names: given ones.
        others: known ones besides ARGUMENTS.
        only_misspelt: ignore names that are not similar to ours.
    """
    known = [*ARGUMENTS, *others]
    sentences = []
    # launch's own ros_namespace is no misspelling of namespace.
    cutoff = 0.85 if only_misspelt else 0.75
    for name in names:
        near = difflib.get_close_matches(name, known, n=1, cutoff=cutoff)
        if name in known or (only_misspelt and not near):
            continue
        hint = f': did you mean {near[0]}?' if near else ': --show-args lists the known ones'
        sentences.append(f'unknown argument {name} is ignored{hint}')
    return sentences


def _cameras(values: Mapping[str, str], namespace: str) -> tuple[Camera, ...]:
    cameras = tuple(_named_cameras(values, namespace))
    for what, texts in (
        ('names', [camera.prefix for camera in cameras]),
        ('namespaces', [camera.namespace for camera in cameras]),
    ):
        if len(set(texts)) != len(texts):
            raise ConfigError(f'cameras must have different {what}, got {", ".join(texts)}')
    return cameras


def _named_cameras(values: Mapping[str, str], namespace: str) -> Iterator[Camera]:
    driver_namespace = values['camera_namespace'].strip('/"\'')
    serials = values['serial_no'].replace(',', ' ').split()
    if values['cameras'].endswith(('.yaml', '.yml')):
        if serials:
            raise ConfigError('serial_no is given in the file of cameras: leave the argument out')
        yield from _cameras_of(_path(values['cameras']), namespace, driver_namespace)
        return
    names = values['cameras'].replace(',', ' ').split()
    if len(serials) > max(1, len(names)) or (serials and names and len(serials) != len(names)):
        wanted = f'one for each of {", ".join(names)}' if names else 'one'
        raise ConfigError(f'serial_no must be {wanted}, got {values["serial_no"]!r}')
    if not names:
        yield Camera(namespace, driver_namespace, values['camera_name'].strip('/"\''), *serials)
        return
    for name, serial_no in zip(names, serials or [''] * len(names), strict=True):
        yield Camera(_absolute(name, namespace), driver_namespace, name, serial_no)


_CAMERA_KEYS = ('name', 'namespace', 'camera_namespace', 'serial_no')


def _cameras_of(path: str, namespace: str, driver_namespace: str) -> Iterator[Camera]:
    """The cameras of a YAML file: a list of mappings with the keys _CAMERA_KEYS, `name` required.

    A relative `namespace` is in that of the nodes, and `name` is its default.
    """
    entries = read_content(path, 'file of cameras')
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f'{path} must be a list of cameras, as "- {{name: front}}"')
    for entry in entries:
        if not isinstance(entry, dict) or not entry.get('name') or set(entry) - {*_CAMERA_KEYS}:
            raise ConfigError(
                f'{path}: a camera has a name and maybe {", ".join(_CAMERA_KEYS[1:])}, got {entry}'
            )
        texts = {key: value for key, value in entry.items() if value is not None}
        for key, value in texts.items():
            if not isinstance(value, str):  # YAML reads 0123 as 83, and on as True
                raise ConfigError(f'{path}: {key} must be a text: write it in quotes')
        yield Camera(
            _absolute(texts.get('namespace', texts['name']), namespace),
            texts.get('camera_namespace', driver_namespace).strip('/'),
            texts['name'],
            texts.get('serial_no', ''),
        )


def _absolute(namespace: str, base: str) -> str:
    parts = [namespace.strip('"\'')]
    if not parts[0].startswith('/'):
        parts.insert(0, base)
    return '/' + '/'.join(part.strip('/') for part in parts if part.strip('/'))


def _given_parameters(
    values: Mapping[str, str], nodes: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    for_all: dict[str, Any] = {
        name: _is_true(values, name) for name in ('use_sim_time', 'autostart') if values[name]
    }
    if values['lockstep'] and _is_true(values, 'lockstep'):
        # Frames wait for the nodes and must not be dropped for their age.
        for_all['max_age_secs'] = 0.0
    for_networks = {name: values[name] for name in ('backend', 'device') if values[name]}
    given = {name: for_all | (for_networks if NODES[name].has_network else {}) for name in nodes}
    for argument, name in MODEL_ARGUMENTS.items():
        if values[argument] and name in given:
            given[name]['model'] = _path(values[argument])
    return given


def _replay_parameters(values: Mapping[str, str]) -> dict[str, Any]:
    """Parameters of the replay node, checked by its options."""
    given: dict[str, Any] = {}
    for leaf in walk(ReplayOptions):
        if leaf.name in OF_THE_REPLAY and values[leaf.name]:
            read = _is_true if leaf.type is bool else _number
            given[leaf.name] = read(values, leaf.name)
    build(ReplayOptions, given)
    return given


def _remarks(values: Mapping[str, str], nodes: tuple[str, ...]) -> Iterable[str]:
    if not values['bag']:
        for name in OF_THE_REPLAY:
            if values[name]:
                yield f'{name} has no effect without bag'
    if values['serial_no'] and not _is_true(values, 'start_camera'):
        yield 'serial_no has no effect without start_camera:=true'
    for argument, name in MODEL_ARGUMENTS.items():
        if values[argument] and name not in nodes:
            yield f'{argument} has no effect: {name} is not among nodes'


def _log_level(text: str) -> str:
    level = text.lower()
    if level and level not in LOG_LEVELS:
        raise ConfigError(f'log_level must be one of {", ".join(LOG_LEVELS)}, got {text!r}')
    return level


def _path(text: str) -> str:
    """Expand ~, which the shell leaves in the value of an argument."""
    return str(Path(text).expanduser()) if text.startswith('~') else text


def _number(values: Mapping[str, str], name: str) -> float:
    try:
        return float(values[name])
    except ValueError:
        raise ConfigError(f'{name} must be a number, got {values[name]!r}') from None


def _composition(text: str) -> str:
    if text.lower() in COMPOSITIONS:
        return text.lower()
    try:
        return str(_is_true({'composed': text}, 'composed')).lower()
    except ConfigError:
        raise ConfigError(
            f'composed must be one of {", ".join(COMPOSITIONS)}, got {text!r}'
        ) from None


def _is_true(values: Mapping[str, str], name: str) -> bool:
    text = values[name].lower()
    if text in ('true', '1', 'yes', 'on'):
        return True
    if text in ('false', '0', 'no', 'off'):
        return False
    raise ConfigError(f'{name} must be true or false, got {values[name]!r}')
