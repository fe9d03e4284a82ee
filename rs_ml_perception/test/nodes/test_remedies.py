"""Parameters that messages propose to set exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs.msg._frame_report', reason='needs a built rs_ml_msgs')

from rs_ml_perception.core.options import walk
from rs_ml_perception.launching.arguments import ARGUMENTS
from rs_ml_perception.nodes.record_node import RecordOptions
from rs_ml_perception.nodes.replay_options import ReplayOptions
from rs_ml_perception.nodes.table import NODES

import rs_ml_perception

PROPOSED = re.compile(r'(?<![\w.])([a-z]\w*(?:\.\w+)*):=')
OF_OTHERS = {'align_depth.enable'}
"""Parameters of realsense2_camera."""


def texts() -> list[tuple[str, str]]:
    """(module, text) of every string of the package."""
    package = Path(rs_ml_perception.__file__).parent
    return [
        (str(path.relative_to(package)), node.value)
        for path in package.rglob('*.py')
        for node in ast.walk(ast.parse(path.read_text('utf-8')))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_every_parameter_that_is_proposed_exists():
    types = [
        ReplayOptions,
        RecordOptions,
        *(n.node_class().parameters_type for n in NODES.values()),
    ]
    known = {leaf.name for options in types for leaf in walk(options)}
    known |= {'nodes', *ARGUMENTS} | OF_OTHERS
    proposed = {(name, place) for place, text in texts() for name in PROPOSED.findall(text)}
    assert ('lockstep', 'nodes/replay_timing.py') in proposed
    assert {(name, place) for name, place in proposed if name not in known} == set()
