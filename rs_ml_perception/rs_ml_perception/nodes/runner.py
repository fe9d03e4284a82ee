"""Main functions of processes with nodes: start, spin, end on a signal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from rs_ml_perception.nodes.table import NODES, NodeSpec
from rs_ml_perception.ros.guards import guarded
from rs_ml_perception.ros.lifecycle import STOP_BUDGET_SECS
from rs_ml_perception.ros.node import PerceptionNode
from rs_ml_perception.ros.tool_process import StopRequest, ignore_signals

AnyNode = PerceptionNode[Any, Any, Any]

SPIN_SECS = 0.1
"""Python signal handlers do not run during an endless wait."""

SWITCH_INTERVAL_SECS = 0.0005
"""With CPython's 5 ms a worker in pure Python halves the rate of its neighbours' inference."""


def run(make_node: Callable[[], AnyNode]) -> int:
    """Main function of a process with one node; returns the exit code."""

    def make_nodes() -> tuple[Sequence[AnyNode], Sequence[Node]]:
        node = make_node()
        if node.default_name in NODES:
            spec = NODES[node.default_name]
            names = {topic: node.resolve_topic_name(topic) for topic in spec.all_inputs}
            for line in input_lines(spec, names, node.get_namespace()):
                node.get_logger().info(line)
        return [node], []

    return run_nodes(make_nodes)


def input_lines(spec: NodeSpec, names: Mapping[str, str], namespace: str) -> list[str]:
    """Log lines on the inputs of a node, which stays silent if the camera is in another namespace.

    Args:
        spec: the node.
        names: input -> its resolved name.
        namespace: of the node.
    """
    lines = [f'inputs: {", ".join(names.values())}']
    own = namespace.rstrip('/')
    if all(names[topic] == f'{own}/{topic}' for topic in spec.inputs):
        rules = ' '.join(f'-r {topic}:=/camera/camera/{topic}' for topic in spec.inputs)
        lines.append(
            'no input is remapped: for a camera under /camera/camera start the node with '
            f'--ros-args {rules}, or by perception.launch.py nodes:={spec.name}'
        )
    return lines


def run_nodes(
    make_nodes: Callable[[], tuple[Sequence[AnyNode], Sequence[Node]]],
) -> int:
    """Main function of a process with several nodes.

    Args:
        make_nodes: returns (perception nodes, plain nodes) once rclpy is initialised.

    Returns:
        Exit code: 0 after a signal, 1 when a strict node failed, 2 when nothing could start.
    """
    stop = StopRequest()
    stop.catch_signals()
    sys.setswitchinterval(SWITCH_INTERVAL_SECS)
    try:
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:
        # A malformed parameter file or remapping rule, which the message of rcl names.
        print(f'cannot start: {error}', file=sys.stderr)
        return 2
    try:
        return _run_initialised(make_nodes, stop)
    finally:
        ignore_signals()


def _run_initialised(
    make_nodes: Callable[[], tuple[Sequence[AnyNode], Sequence[Node]]],
    stop: StopRequest,
) -> int:
    try:
        nodes, plain_nodes = make_nodes()
    except Exception as error:
        print(f'cannot start: {error}', file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    executor = SingleThreadedExecutor()
    for node in (*nodes, *plain_nodes):
        executor.add_node(node)
    code = 1
    try:
        code = _spin(executor, nodes, stop)
    finally:
        _end(executor, nodes, plain_nodes, code)
    return code


def _end(
    executor: SingleThreadedExecutor,
    nodes: Sequence[AnyNode],
    plain_nodes: Sequence[Node],
    code: int,
) -> None:
    """Stop and destroy the nodes within the time budget of the process."""
    for node in nodes:
        node.begin_to_stop()
    deadline = time.monotonic() + STOP_BUDGET_SECS
    for node in nodes:
        guarded(node, node.stop)(_secs_until(deadline))
    busy = [n.get_name() for n in nodes if not n.has_ended(_secs_until(deadline))]
    # Pending loads of models are abandoned.
    executor.shutdown(timeout_sec=0.0)
    for each in (*nodes, *plain_nodes):
        each.destroy_node()
    rclpy.try_shutdown()
    if busy:
        print(f'{", ".join(busy)}: still busy, not waited for', file=sys.stderr, flush=True)
        # Runtimes with a busy thread abort a process that exits normally.
        sys.stdout.flush()
        os._exit(code)


def _secs_until(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _spin(executor: SingleThreadedExecutor, nodes: Sequence[AnyNode], stop: StopRequest) -> int:
    for node in nodes:
        if node.parameters.autostart:
            executor.create_task(node.start_by_itself)
    while rclpy.ok() and not stop.is_set():
        executor.spin_once(timeout_sec=SPIN_SECS)
        failed = [node.fatal for node in nodes if node.fatal]
        if failed:
            print(f'strict: {failed[0]}', file=sys.stderr)
            return 1
    return 0
