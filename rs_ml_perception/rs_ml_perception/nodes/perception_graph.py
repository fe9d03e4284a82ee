"""A set of nodes in one process; each camera topic is subscribed and decoded once."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rclpy.node import Node

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.nodes.runner import AnyNode, run_nodes
from rs_ml_perception.nodes.table import GRAPH, NODES, threads_per_network
from rs_ml_perception.ros.input.detections_synchronizer import LocalDetections
from rs_ml_perception.ros.input.hub import CameraHub
from rs_ml_perception.ros.input.topics import DETECTIONS
from rs_ml_perception.ros.node import NAMESPACE


def make_graph() -> tuple[Sequence[AnyNode], Sequence[Node]]:
    """The nodes named by the parameter `nodes` around one hub.

    Raises:
        ConfigError: an unknown node.
    """
    owner = Node(GRAPH, namespace=NAMESPACE)
    # An empty list has no type in ROS and comes as None.
    names = owner.declare_parameter('nodes', list(NODES)).value or []
    static_transforms = owner.declare_parameter('static_transforms', ['']).value
    unknown = [name for name in names if name not in NODES]
    if unknown or not names:
        raise ConfigError(f'nodes must be some of {", ".join(NODES)}, got {list(names)}')
    hub = CameraHub(owner, tuple(text for text in static_transforms if text))
    if DETECTIONS in (f'{name}/{NODES[name].result}' for name in names):
        hub.local_detections = LocalDetections(owner, DETECTIONS)
    # The table's order: a node comes before those that consume its results.
    nodes = [spec.node_class()(hub) for name, spec in NODES.items() if name in names]
    hub.inference_threads = threads_per_network(names)
    return nodes, [owner]


def main() -> int:
    """Run the graph."""
    return run_nodes(make_graph)


if __name__ == '__main__':
    sys.exit(main())
