"""State and counts of nodes, observed from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from rs_ml_msgs.msg import InferenceStats
from rs_ml_perception.ros.qos import results


class DemoWatch:
    """Follows /diagnostics and ~/stats of some nodes.

    Attributes:
        active: nodes that process frames.
        failed: node -> why it cannot.
        stats: node -> its latest counts.
        drops: node -> why it last dropped a frame.
    """

    def __init__(self, names: Sequence[str], namespace: str) -> None:
        self.active: set[str] = set()
        self.failed: dict[str, str] = {}
        self.stats: dict[str, InferenceStats] = {}
        self.drops: dict[str, str] = {}
        self._names = {f'{namespace}/{name}': name for name in names}
        self._node = Node('demo_watch', namespace=namespace)
        self._node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, results()
        )
        for full_name in self._names:
            self._node.create_subscription(
                InferenceStats, f'{full_name}/stats', self._on_stats, results()
            )
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)

    def wait(self, is_done: Callable[[], bool], timeout_secs: float) -> bool:
        """Spin until the condition holds; False after the timeout."""
        deadline = time.monotonic() + timeout_secs
        while not is_done():
            if time.monotonic() > deadline:
                return False
            self._executor.spin_once(timeout_sec=0.1)
        return True

    def all_settled(self) -> bool:
        """Whether every node is active or has failed."""
        return len(self.active | set(self.failed)) == len(self._names)

    def all_idle(self) -> bool:
        """Whether every active node has finished all frames it received."""
        counts = [self.stats.get(name) for name in self.active]
        return all(b is not None and b.received > 0 and b.in_flight == 0 for b in counts)

    def forget_stats(self) -> None:
        """Discard the counts so far."""
        self.stats.clear()

    def close(self) -> None:
        self._executor.shutdown()
        self._node.destroy_node()

    def _on_stats(self, msg: InferenceStats) -> None:
        name = self._names.get(msg.node)
        if name is not None:
            self.stats[name] = msg

    def _on_diagnostics(self, msg: DiagnosticArray) -> None:
        for status in msg.status:
            full_name, _, part = status.name.partition(': ')
            name = self._names.get(f'/{full_name}')
            if name is not None:
                self._note(name, part, status)

    def _note(self, name: str, part: str, status: DiagnosticStatus) -> None:
        if part == 'model' and status.level == DiagnosticStatus.ERROR:
            self.failed[name] = status.message
        values = {pair.key: pair.value for pair in status.values}
        if part == 'input' and values.get('state', 'inactive') != 'inactive':
            self.active.add(name)
        if values.get('last_drop'):
            self.drops[name] = values['last_drop']
