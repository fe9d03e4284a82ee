"""The attributes of rclpy that are not public and that this package needs, each with a fallback.

They are the same in Humble, Jazzy and Kilted. A release that renames one costs the feature named
in the warning; the node runs on.
"""

from __future__ import annotations

from typing import Any

from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.parameter import Parameter

CHANGE_STATE_SERVICE = '_service_change_state'
PARAMETER_OVERRIDES = '_parameter_overrides'


def change_state_service(node: LifecycleNode) -> Any:
    """The rclpy Service behind ~/change_state, whose callback can be replaced; None without it."""
    service = getattr(node, CHANGE_STATE_SERVICE, None)
    if not hasattr(service, 'callback'):
        _warn(node, CHANGE_STATE_SERVICE, 'a transition that is not allowed ends the process')
        return None
    return service


def parameter_overrides(node: Node) -> dict[str, Parameter]:
    """Initial values from YAML and the command line by name; writing to it changes them."""
    overrides = getattr(node, PARAMETER_OVERRIDES, None)
    if not isinstance(overrides, dict):
        _warn(
            node,
            PARAMETER_OVERRIDES,
            'unknown parameters are ignored silently, and 1 does not stand for 1.0',
        )
        return {}
    return overrides


def _warn(node: Node, name: str, effect: str) -> None:
    node.get_logger().warning(f'this rclpy has no {type(node).__name__}.{name}: {effect}')
