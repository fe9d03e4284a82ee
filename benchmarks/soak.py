"""`make soak`: small images at a high rate through the graph, for a given time.

Every node must account for every image: as received, lost, or overwritten before reception, and
for every received one with an outcome. Memory is printed as a slope.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.cli.command import INTERRUPTED
from rs_ml_perception.core.errors import ConfigError, RsMlError
from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.options import Options, option
from rs_ml_perception.core.streams.counters import DROPPED
from rs_ml_perception.core.tether import interrupt_when_gone
from rs_ml_perception.demo.processes import Process, start_nodes
from rs_ml_perception.demo.watch import DemoWatch
from rs_ml_perception.nodes.table import NODES, parse_nodes, require_sources
from rs_ml_perception.ros.dds_domain import ros_session
from rs_ml_perception.ros.node import NAMESPACE

from benchmarks.small_camera import SmallCamera
from rs_ml_msgs.msg import InferenceStats

START_SECS = 120.0
CLOSE_SECS = 20.0
MEMORY_SECS, MEMORY_SAMPLES_PER_LINE = 5.0, 12
# Fraction of memory samples excluded from the slope, while caches and histories still fill.
WARM_UP_FRACTION = 1 / 3


@dataclass(frozen=True)
class Balance:
    """The accounting of one node after the last image.

    Attributes:
        sent: messages of its primary stream.
        received, lost: of them.
        overwritten: in the reader's queue, None where the middleware does not count it.
        published: results.
        dropped: by reason.
        unaccounted: received without an outcome.
    """

    sent: int
    received: int
    lost: int
    overwritten: int | None
    published: int
    dropped: Mapping[str, int]
    unaccounted: int

    @classmethod
    def of(cls, sent: int, stats: InferenceStats) -> Balance:
        dropped = {r.value: int(getattr(stats, f'dropped_{r.value}')) for r in DROPPED}
        outcomes = stats.published + sum(dropped.values()) + stats.in_flight
        is_counted = stats.overwritten != InferenceStats.NOT_COUNTED
        return cls(
            sent,
            int(stats.received),
            int(stats.lost_in_transport),
            int(stats.overwritten) if is_counted else None,
            int(stats.published),
            {reason: count for reason, count in dropped.items() if count},
            int(stats.received - outcomes),
        )

    @property
    def missing(self) -> int:
        """Sent without a trace; includes overwritten ones where they are not counted."""
        return self.sent - self.received - self.lost - (self.overwritten or 0)

    @property
    def is_closed(self) -> bool:
        """Whether every message is accounted for."""
        return self.unaccounted == 0 and (self.missing == 0 or self.overwritten is None)


@dataclass(frozen=True)
class SoakOptions(Options):
    """A run of the graph."""

    seconds: float = option(1800.0, 'duration', unit='s', low=0)
    rate_hz: float = option(60.0, 'of the camera', unit='Hz', low=0.1)
    max_rate_hz: float = option(5.0, 'of the nodes, at most', unit='Hz', low=0.1)
    nodes: str = option('', 'names separated by commas', none_doc='all')
    json: Path | None = option(None, 'file for all numbers')
    ancestor: int = option(0, 'end when the process of this number is gone; 0: never', low=0)


def soak(
    options: SoakOptions, names: Sequence[str], logs: Path
) -> tuple[dict[str, Balance], list[tuple[float, float]]]:
    """Run the nodes on small images.

    Returns:
        The balance of every node, and (seconds, megabytes resident) of the graph.

    Raises:
        ConfigError: the graph did not come up, or ended by itself.
    """
    arguments = ['-p', f'max_rate_hz:={options.max_rate_hz:.3f}']
    with ros_session():
        watch, camera = DemoWatch(names, NAMESPACE), SmallCamera()
        graph = start_nodes(names, composed=True, ros_args=arguments, logs=logs)[0]
        try:
            _wait_until_ready(watch, camera, graph, names)
            memory = _send_images(options, watch, camera, graph)
            return _final_balances(names, watch, camera), memory
        finally:
            graph.stop()
            camera.close()
            watch.close()


def _wait_until_ready(
    watch: DemoWatch, camera: SmallCamera, graph: Process, names: Sequence[str]
) -> None:
    """Until every node has received the first image, from which on images are counted."""
    ready = watch.wait(
        lambda: (len(watch.active) == len(names) and camera.is_heard()) or _has_ended(graph),
        START_SECS,
    )
    if ready and not _has_ended(graph):
        camera.send()
        ready = watch.wait(lambda: _all_received(watch, names), START_SECS)
    if not ready or _has_ended(graph):
        reasons = [f'{name}: {why}' for name, why in watch.failed.items()]
        raise ConfigError(f'not every node came up: {"; ".join(reasons) or graph.tail(1)}')


def _has_ended(graph: Process) -> bool:
    return graph.return_code is not None


def _all_received(watch: DemoWatch, names: Sequence[str]) -> bool:
    return all(name in watch.stats and watch.stats[name].received > 0 for name in names)


def _send_images(
    options: SoakOptions, watch: DemoWatch, camera: SmallCamera, graph: Process
) -> list[tuple[float, float]]:
    """Send for the given time; returns (seconds, megabytes) every few seconds."""
    memory: list[tuple[float, float]] = []
    start_secs = next_secs = time.monotonic()
    while (elapsed_secs := time.monotonic() - start_secs) < options.seconds:
        if _has_ended(graph):
            raise ConfigError(f'the graph has ended by itself: {graph.tail(3)}')
        camera.send()
        if not memory or elapsed_secs - memory[-1][0] > MEMORY_SECS:
            memory.append((elapsed_secs, graph.resident_mb()))
            if len(memory) % MEMORY_SAMPLES_PER_LINE == 1:
                print(
                    f'{elapsed_secs:.0f} s: sent {camera.sent}, {memory[-1][1]:.0f} MB', flush=True
                )
        # On a slow machine, late images are not sent in a burst.
        next_secs = max(next_secs + 1 / options.rate_hz, time.monotonic())
        watch.wait(partial(_is_due, next_secs), 1.0)
    memory.append((elapsed_secs, graph.resident_mb()))
    return memory


def _is_due(due_secs: float) -> bool:
    return time.monotonic() >= due_secs


def _final_balances(
    names: Sequence[str], watch: DemoWatch, camera: SmallCamera
) -> dict[str, Balance]:
    def balances() -> dict[str, Balance]:
        # Statistics arrive one by one: height needs those of detection.
        stats = dict(watch.stats)
        sent = {name: _sent(name, stats, camera) for name in names if name in stats}
        return {n: Balance.of(count, stats[n]) for n, count in sent.items() if count is not None}

    def are_closed() -> bool:
        found = balances()
        return len(found) == len(names) and all(one.is_closed for one in found.values())

    watch.forget_stats()
    watch.wait(are_closed, CLOSE_SECS)
    return balances()


def _sent(name: str, stats: Mapping[str, InferenceStats], camera: SmallCamera) -> int | None:
    """Messages of the node's primary stream: images, or the results of its source node.

    None until the statistics of the source arrive.
    """
    consumed = NODES[name].consumes
    if not consumed:
        return camera.sent
    source = consumed[0]
    return int(stats[source].published) if source in stats else None


def slope_mb_per_hour(memory: Sequence[tuple[float, float]]) -> float:
    """Slope of a line through the samples after the warm-up; NaN for fewer than two."""
    rest = memory[int(WARM_UP_FRACTION * len(memory)) :]
    if len(rest) < 2:
        return float('nan')
    seconds, megabytes = np.array(rest, float).T
    return float(np.polyfit(seconds, megabytes, 1)[0] * 3600.0)


def report(balances: Mapping[str, Balance], memory: Sequence[tuple[float, float]]) -> list[str]:
    """Lines for the terminal."""
    lines = []
    for name, b in balances.items():
        overwritten = 'not counted' if b.overwritten is None else b.overwritten
        dropped = ', '.join(f'{count} {reason}' for reason, count in b.dropped.items()) or 'none'
        lines.append(
            f'{name}: sent {b.sent} = received {b.received} + lost {b.lost} + overwritten '
            f'{overwritten} + missing {b.missing}; published {b.published}, dropped: {dropped}, '
            f'unaccounted {b.unaccounted}'
        )
    lines.append(
        f'memory: {memory[0][1]:.0f} MB, at the end {memory[-1][1]:.0f} MB after '
        f'{memory[-1][0]:.0f} s, slope {slope_mb_per_hour(memory):+.1f} MB an hour'
    )
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Soak; 0 if every balance is closed."""
    parser = FlagParser(prog='soak', description=__doc__)
    add_flags(parser, SoakOptions)
    arguments = parser.parse_args(argv)
    try:
        options = from_flags(SoakOptions, arguments)
        if options.ancestor:
            interrupt_when_gone(options.ancestor)
        names = require_sources(parse_nodes(options.nodes))
        with tempfile.TemporaryDirectory() as logs:
            balances, memory = soak(options, names, Path(logs))
    except RsMlError as error:
        print(f'soak: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print('soak: interrupted', file=sys.stderr)
        return INTERRUPTED
    print('\n'.join(report(balances, memory)), flush=True)
    if options.json:
        _write(options.json, balances, memory)
    return 0 if all(one.is_closed for one in balances.values()) else 1


def _write(
    path: Path, balances: Mapping[str, Balance], memory: Sequence[tuple[float, float]]
) -> None:
    content: dict[str, Any] = {
        'nodes': {name: {**asdict(b), 'missing': b.missing} for name, b in balances.items()},
        'memory_mb': memory,
        'slope_mb_per_hour': slope_mb_per_hour(memory),
    }
    path.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')


if __name__ == '__main__':
    sys.exit(main())
