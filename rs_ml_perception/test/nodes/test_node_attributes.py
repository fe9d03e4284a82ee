"""Our nodes overwrite no attribute of rclpy: `_clock` once broke the replay."""

from __future__ import annotations

import ast
import inspect
import textwrap

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs.msg._frame_report', reason='needs a built rs_ml_msgs')

from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rs_ml_perception.nodes.record_node import RecordNode
from rs_ml_perception.nodes.replay_node import ReplayNode
from rs_ml_perception.nodes.table import NODES

OURS = [ReplayNode, RecordNode, *(spec.node_class() for spec in NODES.values())]


def assigned(cls: type) -> set[str]:
    """Names of attributes that the methods of one class set on self."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == 'self'
    }


def of_rclpy() -> set[str]:
    classes = [c for base in (Node, LifecycleNode) for c in base.__mro__ if c is not object]
    return set().union(*(assigned(c) | set(vars(c)) for c in classes))


@pytest.mark.parametrize('cls', OURS, ids=lambda cls: cls.__name__)
def test_attributes_are_our_own(cls):
    ours = [c for c in cls.__mro__ if c.__module__.startswith('rs_ml_perception')]
    found = set().union(*(assigned(c) for c in ours))
    assert found, 'the test looks at nothing'
    assert found & of_rclpy() == set()
