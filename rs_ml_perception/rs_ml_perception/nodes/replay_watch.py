"""Nodes that a replay keeps in step with: discovery, and their reports on each frame."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.client import Client
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from rclpy.task import Future

from rs_ml_msgs.msg import FrameReport, InferenceStats
from rs_ml_perception.core.frames.messages import stamp_of
from rs_ml_perception.ros.guards import guarded
from rs_ml_perception.ros.qos import profile, results

REPORT_TYPE = 'rs_ml_msgs/msg/FrameReport'
REPORT_SUFFIX, STATS_SUFFIX = '/frames', '/stats'

DISCOVERY_SECS = 4.0
"""Fast DDS may find a service this much later than a topic of the same node (3.1 s seen)."""

BOOKS_SECS = 4.0
"""Nodes report their counts once a second."""

OnReport = Callable[[str, int], None]
"""Called with the node's full name and the stamp in nanoseconds."""


class NodeWatch:
    """Subscribes to the reports of nodes and tracks whether they are active.

    Args:
        node: owner.
        names: nodes to watch, relative to the owner's namespace; empty: all that report.
        on_report: called for each report.
    """

    def __init__(self, node: Node, names: Sequence[str], on_report: OnReport) -> None:
        self._node = node
        self._names = [_full_name(node, name) for name in names]
        self._on_report = on_report
        self._watched: dict[str, Client] = {}
        self._states: dict[str, int] = {}
        self._asked: dict[str, Future] = {}
        self._seen_secs: dict[str, float] = {}
        self._stats: dict[str, InferenceStats] = {}
        self._heard: Counter[str] = Counter()
        for name in self._names:
            self._watch(name)

    @property
    def names(self) -> list[str]:
        """Full names of the nodes watched so far."""
        return list(self._watched)

    @property
    def overwritten(self) -> dict[str, int | str]:
        """Node -> images overwritten before it received them, for nodes that have any."""
        counts = {name: stats.overwritten for name, stats in self._stats.items()}
        return {
            name: 'not counted' if count == InferenceStats.NOT_COUNTED else count
            for name, count in counts.items()
            if count
        }

    def await_books(self, spin_until: Callable[[Callable[[], bool]], None]) -> None:
        """Spin until nodes with counts have reported them twice, since gaps show up in between."""
        counts = Counter(
            {n: 2 for n in self._watched if self._node.count_publishers(n + STATS_SUFFIX)}
        )
        end_secs = time.monotonic() + BOOKS_SECS
        self._heard.clear()
        spin_until(lambda: counts <= self._heard or time.monotonic() >= end_secs)

    def update(self) -> list[str]:
        """Look at the ROS graph; return the names of the nodes that report."""
        if not self._names:
            for topic, types in self._node.get_topic_names_and_types():
                if REPORT_TYPE in types and topic.endswith(REPORT_SUFFIX):
                    self._watch(topic.removesuffix(REPORT_SUFFIX))
        here = [name for name in self._watched if self._reports(name)]
        for name in self._watched:
            if name in here:
                self._ask_state(name)
            else:  # it may come back inactive and never answer the old request
                self._states.pop(name, None)
                self._asked.pop(name, None)
        return here

    def not_ready(self) -> list[str]:
        """Watched nodes that are missing, or lifecycle nodes that are not active."""
        return [name for name in self._watched if not self._is_ready(name)]

    def _is_ready(self, name: str) -> bool:
        if not self._reports(name):
            return False
        seen_secs = self._seen_secs.setdefault(name, time.monotonic())
        if not self._watched[name].service_is_ready():
            # No lifecycle node, or its services are not discovered yet.
            return time.monotonic() - seen_secs > DISCOVERY_SECS
        return bool(self._states.get(name) == State.PRIMARY_STATE_ACTIVE)

    def _reports(self, name: str) -> bool:
        return bool(self._node.count_publishers(name + REPORT_SUFFIX))

    def _watch(self, name: str) -> None:
        if name in self._watched:
            return

        def hear(report: FrameReport) -> None:
            self._on_report(name, stamp_of(report))

        self._node.create_subscription(
            FrameReport,
            name + REPORT_SUFFIX,
            guarded(self._node, hear),
            profile(ReliabilityPolicy.RELIABLE, depth=1000),
        )

        def note(stats: InferenceStats) -> None:
            self._stats[name] = stats
            self._heard[name] += 1

        self._node.create_subscription(
            InferenceStats, name + STATS_SUFFIX, guarded(self._node, note), results()
        )
        self._watched[name] = self._node.create_client(GetState, f'{name}/get_state')

    def _ask_state(self, name: str) -> None:
        pending = self._asked.get(name)
        if pending is not None and pending.done():
            if pending.result() is not None:
                self._states[name] = pending.result().current_state.id
            self._asked.pop(name)
            pending = None
        is_active = self._states.get(name) == State.PRIMARY_STATE_ACTIVE
        if pending is None and not is_active and self._watched[name].service_is_ready():
            self._asked[name] = self._watched[name].call_async(GetState.Request())


def _full_name(node: Node, name: str) -> str:
    if name.startswith('/'):
        return name
    return f'{node.get_namespace().rstrip("/")}/{name}'
