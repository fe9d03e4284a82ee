"""A running graph under measurement: processes, the camera before them, what they use."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.demo.processes import Process, Usage, start_nodes
from rs_ml_perception.demo.watch import NodeWatch
from rs_ml_perception.ros.node import NAMESPACE

from benchmarks.speed.feeder import Feeder
from benchmarks.speed.material import Moment

START_SECS = 90.0


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes that are up.

    Attributes:
        names: of the nodes.
        processes: that hold them.
        feeder: the camera.
        watch: hears their accounting.
        started_secs: time.monotonic() just before the processes were started.
    """

    names: tuple[str, ...]
    processes: tuple[Process, ...]
    feeder: Feeder
    watch: NodeWatch
    started_secs: float

    def usage(self) -> Usage:
        """CPU and memory so far, all processes together."""
        return sum((process.usage() for process in self.processes), Usage())

    def wait_until_active(self) -> None:
        """Until every node is up.

        Raises:
            ConfigError: one is not; its reason is in the message.
        """
        self.watch.wait(lambda: self.watch.all_settled() or self._is_any_dead(), START_SECS)
        if len(self.watch.active) < len(self.names):
            reasons = [f'{name}: {why}' for name, why in self.watch.failed.items()]
            reasons += [p.tail(1) for p in self.processes if p.return_code is not None]
            raise ConfigError(f'not every node came up: {"; ".join(reasons) or "no word"}')
        self.feeder.settle()

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


@contextmanager
def running_graph(
    names: Sequence[str],
    moments: Sequence[Moment],
    logs: Path,
    *,
    composed: bool = True,
    wait: bool = True,
) -> Iterator[Graph]:
    """Start nodes, yield once they are active (or at once), stop them."""
    feeder, watch = Feeder(names, moments), NodeWatch(names, NAMESPACE)
    processes: list[Process] = []
    started_secs = time.monotonic()
    try:
        processes += start_nodes(names, composed=composed, ros_args=(), logs=logs)
        graph = Graph(tuple(names), tuple(processes), feeder, watch, started_secs)
        if wait:
            graph.wait_until_active()
        yield graph
    finally:
        for process in processes:
            process.stop()
        watch.close()
        feeder.close()
