"""The nodes of one or more cameras in one process.

Each topic is subscribed and decoded once. Cameras share the copy of a network and use it in turn.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rclpy.node import Node

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.nodes.runner import AnyNode, run_nodes
from rs_ml_perception.nodes.table import GRAPH, NODES, threads_per_network
from rs_ml_perception.ros.input.detections_synchronizer import LocalDetections
from rs_ml_perception.ros.input.hub import CameraHub
from rs_ml_perception.ros.input.topics import DETECTIONS
from rs_ml_perception.ros.node import NAMESPACE


def make_graph(**node_args: Any) -> tuple[Sequence[AnyNode], Sequence[Node]]:
    """The nodes of each namespace in the parameter `namespaces`, by default those of one camera.

    Args:
        **node_args: of every rclpy node.

    Raises:
        ConfigError: an unknown node, or one namespace twice.
    """
    root = Node(GRAPH, namespace=NAMESPACE, **node_args)
    # An empty list has no type in ROS and comes as None.
    texts = root.declare_parameter('namespaces', ['']).value or []
    namespaces = [text for text in texts if text]
    if len(set(namespaces)) != len(namespaces):
        raise ConfigError(f'namespaces must differ, got {", ".join(namespaces)}')
    nodes: list[AnyNode] = []
    owners = [root]
    if not namespaces:
        nodes += _camera_nodes(root, node_args)
    for namespace in namespaces:
        # A rule of the node: launch's own __ns rule is one of the process.
        args = {**node_args, 'cli_args': ['--ros-args', '-r', f'__ns:={namespace}']}
        owner = root
        if namespace != root.get_namespace():
            owner = Node(GRAPH, namespace=namespace, **args)
            owners.append(owner)
        nodes += _camera_nodes(owner, args)
    return nodes, owners


def _camera_nodes(owner: Node, node_args: Mapping[str, Any]) -> list[AnyNode]:
    """The nodes named by the owner's parameter `nodes` around one hub.

    Args:
        owner: node that subscribes for them.
        node_args: of each node.

    Raises:
        ConfigError: no node is named, or an unknown one.
    """
    names = owner.declare_parameter('nodes', list(NODES)).value or []
    static_transforms = owner.declare_parameter('static_transforms', ['']).value
    unknown = [name for name in names if name not in NODES]
    if unknown or not names:
        raise ConfigError(f'nodes must be some of {", ".join(NODES)}, got {list(names)}')
    hub = CameraHub(owner, tuple(text for text in static_transforms if text))
    if DETECTIONS in (f'{name}/{NODES[name].result}' for name in names):
        hub.local_detections = LocalDetections(owner, DETECTIONS)
    # The table's order: a node comes before those that consume its results.
    nodes = [spec.node_class()(hub, **node_args) for name, spec in NODES.items() if name in names]
    # Cameras use a common network in turn: more of them need no more threads.
    hub.inference_threads = threads_per_network(names)
    return nodes


def main() -> int:
    """Run the graph."""
    return run_nodes(make_graph)


if __name__ == '__main__':
    sys.exit(main())
