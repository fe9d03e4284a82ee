"""The table of nodes: launch file, graph, offline run and documentation read it.

A node outside this package adds a row to NODES before the graph or the offline run starts.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.inference.cpu import available_cores

_COLOR = ('color/image_raw', 'color/camera_info')
_RAW_DEPTH = 'depth/image_rect_raw'
_DEPTH = (
    'aligned_depth_to_color/image_raw',
    _RAW_DEPTH,
    'depth/camera_info',
    'extrinsics/depth_to_color',
)
_ACCEL = 'accel/sample'
_INFRARED = (('enable_infra1', 'true'), ('enable_sync', 'true'))
_ALIGNED = (('align_depth.enable', 'true'), ('enable_sync', 'true'))
_NODES = 'rs_ml_perception.nodes'
GRAPH = 'perception_graph'
"""Name and executable of the process that runs several nodes."""


@dataclass(frozen=True)
class NodeSpec:
    """One perception node.

    Attributes:
        name: default node name.
        executable: console script of the node alone.
        class_path: 'module:class'.
        inputs: topics relative to the driver's, the primary stream first.
        consumes: nodes that it takes results of; its pipeline is called with a frame and the
            result of each.
        result: its topic that other nodes may consume, '' for none.
        needs: launch arguments of realsense2_camera for the inputs.
        has_network: whether it runs a network, with parameters `model`, `backend`, `device`.
        requires_depth: whether it cannot work on frames without depth.
    """

    name: str
    executable: str
    class_path: str
    inputs: tuple[str, ...]
    consumes: tuple[str, ...] = ()
    result: str = ''
    needs: tuple[tuple[str, str], ...] = ()
    has_network: bool = True
    requires_depth: bool = False

    @property
    def is_depth_primary(self) -> bool:
        """Whether the node works on depth images, not on colour images."""
        return self.inputs[0] == _RAW_DEPTH

    @property
    def inner_inputs(self) -> tuple[str, ...]:
        """Topics of the nodes it consumes, relative to the namespace."""
        return tuple(f'{name}/{NODES[name].result}' for name in self.consumes)

    @property
    def uses_gravity(self) -> bool:
        return _ACCEL in self.inputs

    @property
    def all_inputs(self) -> tuple[str, ...]:
        """Topics of the camera and of other nodes."""
        return (*self.inputs, *self.inner_inputs)

    @property
    def uses_depth(self) -> bool:
        return _RAW_DEPTH in self.inputs

    def node_class(self) -> type[Any]:
        """Import the class, a PerceptionNode; its dependencies are loaded only now."""
        module, name = self.class_path.split(':')
        node_class: type[Any] = getattr(importlib.import_module(module), name)
        return node_class


NODES: dict[str, NodeSpec] = {
    spec.name: spec
    for spec in (
        NodeSpec(
            'detection',
            'detection_node',
            f'{_NODES}.detection_node:DetectionNode',
            inputs=(*_COLOR, *_DEPTH),
            result='detections',
            needs=_ALIGNED,
        ),
        NodeSpec(
            'height',
            'height_node',
            f'{_NODES}.height_node:HeightNode',
            inputs=(*_COLOR, *_DEPTH, _ACCEL),
            consumes=('detection',),
            needs=(*_ALIGNED, ('enable_accel', 'true')),
            has_network=False,
            requires_depth=True,
        ),
        NodeSpec(
            'denoise',
            'denoise_node',
            f'{_NODES}.denoise_node:DenoiseNode',
            inputs=(
                _RAW_DEPTH,
                'depth/camera_info',
                'infra1/image_rect_raw',
                'aligned_depth_to_color/image_raw',
                'color/camera_info',
            ),
            needs=_INFRARED,
        ),
        NodeSpec(
            'mono_depth',
            'mono_depth_node',
            f'{_NODES}.mono_depth_node:MonoDepthNode',
            inputs=(*_COLOR, *_DEPTH),
            needs=_ALIGNED,
        ),
        NodeSpec(
            'segmentation',
            'segmentation_node',
            f'{_NODES}.segmentation_node:SegmentationNode',
            inputs=(*_COLOR, *_DEPTH),
            needs=_ALIGNED,
        ),
    )
}

EXECUTABLES = (*(spec.executable for spec in NODES.values()), GRAPH, 'replay_node', 'record_node')
"""Console scripts with ROS, each the function `main` of the module of its name in this folder."""


def camera_inputs() -> tuple[str, ...]:
    """Camera topics of all nodes, relative to the names of the driver."""
    return tuple(dict.fromkeys(topic for spec in NODES.values() for topic in spec.inputs))


def camera_prefix(camera_namespace: str, camera_name: str) -> str:
    """Absolute name of the driver's node; empty parts leave no '//'."""
    parts = [part.strip('/"\'') for part in (camera_namespace, camera_name)]
    return ''.join(f'/{part}' for part in parts if part)


def parse_nodes(text: str) -> tuple[str, ...]:
    """Names separated by commas or blanks, in the order of the table; empty or 'all': all nodes.

    Raises:
        ConfigError: an unknown name.
    """
    names = text.replace(',', ' ').split()
    if not names or names == ['all']:
        return tuple(NODES)
    unknown = [name for name in names if name not in NODES]
    if unknown:
        raise ConfigError(f'there is no node {unknown[0]!r}: choose from {", ".join(NODES)}')
    return tuple(name for name in NODES if name in names)


def threads_per_network(names: Sequence[str], cores: int | None = None) -> int:
    """Inference threads of each network, so that those that run at once share the cores.

    Args:
        names: of all nodes that run at once; several cameras name them several times.
        cores: for all of them; None: those that this process may use.

    Returns:
        0 for a single network, which keeps the choice of `rs-ml models tune` or of its backend.
    """
    networks = sum(NODES[name].has_network for name in names)
    if networks < 2:
        return 0
    return max(1, (available_cores() if cores is None else cores) // networks)


def require_sources(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names unchanged, for a run without other nodes.

    Raises:
        ConfigError: one consumes results of a node that is not among them.
    """
    for name in names:
        for source in NODES[name].consumes:
            if source not in names:
                raise ConfigError(f'{name} needs {source}: name both')
    return names
