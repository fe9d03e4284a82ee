"""A running graph under measurement: its processes, and the camera that feeds them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.demo.processes import Process, Usage, start_nodes
from rs_ml_perception.demo.watch import DemoWatch
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.ros.node import NAMESPACE

from benchmarks.speed.load_generator import LoadGenerator
from benchmarks.speed.recorded_input import MessageSet
from benchmarks.speed.sections import last_error

START_SECS = 90.0


@dataclass(frozen=True, eq=False)
class RunningGraph:
    """Nodes in their processes.

    Attributes:
        names: of the nodes.
        processes: of the nodes.
        camera: publishes images and receives frame reports.
        watch: receives states and statistics.
        started_secs: time.monotonic() just before the processes started.
    """

    names: tuple[str, ...]
    processes: tuple[Process, ...]
    camera: LoadGenerator
    watch: DemoWatch
    started_secs: float

    def usage(self) -> Usage:
        """CPU and memory so far, sum of all processes."""
        return sum((process.usage() for process in self.processes), Usage())

    def wait_until_active(self) -> None:
        """Until every node is active and has published a result.

        Raises:
            ConfigError: a node failed; the message holds its reason.
        """
        self.watch.wait(lambda: self.watch.all_settled() or self._is_any_dead(), START_SECS)
        if len(self.watch.active) < len(self.names):
            reasons = [f'{name}: {why}' for name, why in self.watch.failed.items()]
            ended = [p for p in self.processes if p.return_code is not None]
            reasons += [last_error(p.log.read_text(errors='replace')) for p in ended]
            raise ConfigError(
                f'not every node came up: {"; ".join(reasons) or "none reported why"}'
            )
        self.camera.settle()

    def _is_any_dead(self) -> bool:
        return any(process.return_code is not None for process in self.processes)

    def stage_ms(self) -> dict[str, dict[str, float]]:
        """Node -> mean milliseconds per stage over its last frames."""
        self.watch.forget_stats()
        self.watch.wait(self.watch.all_idle, 5.0)
        return {
            name: dict(zip(stats.stage_names, map(float, stats.stage_ms), strict=True))
            for name, stats in self.watch.stats.items()
        }


def default_model(node: str) -> str:
    """The default model of a node, '' for one without a network."""
    return getattr(NODES[node].node_class().parameters_type(), 'model', '')


@contextmanager
def running_graph(
    names: Sequence[str],
    message_sets: Sequence[MessageSet],
    logs: Path,
    *,
    composed: bool = True,
    wait: bool = True,
) -> Iterator[RunningGraph]:
    """Start nodes, yield once they are active (or at once without `wait`), stop them."""
    camera, watch = LoadGenerator(names, message_sets), DemoWatch(names, NAMESPACE)
    processes: list[Process] = []
    started_secs = time.monotonic()
    try:
        processes += start_nodes(names, composed=composed, ros_args=(), logs=logs)
        graph = RunningGraph(tuple(names), tuple(processes), camera, watch, started_secs)
        if wait:
            graph.wait_until_active()
        yield graph
    finally:
        for process in processes:
            process.stop()
        watch.close()
        camera.close()
