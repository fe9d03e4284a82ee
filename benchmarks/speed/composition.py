"""All nodes in one process against one process per node, at the same frame rate."""

from __future__ import annotations

import statistics
from functools import partial
from pathlib import Path
from typing import Any

from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.ros.dds_domain import ros_session

from benchmarks.speed.recorded_input import MessageSet, load_message_sets
from benchmarks.speed.running_graph import running_graph
from benchmarks.speed.sections import SpeedOptions
from benchmarks.tables import Row
from benchmarks.timing import alternate, median_ratio

COMPOSED = {'composed': True, 'separate': False}
MEASURES = ('cpu_ms', 'age_p50_ms', 'age_p95_ms', 'peak_rss_mb', 'complete')


def measure(options: SpeedOptions, logs: Path) -> dict[str, Any]:
    """Both alternate, each from a fresh start."""
    message_sets = load_message_sets(options.recording)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in COMPOSED}

    def start(name: str) -> float:
        found[name].append(run_graph(message_sets, options, logs, composed=COMPOSED[name]))
        return found[name][-1]['cpu_ms']

    with ros_session():
        cpu_ms = alternate(
            {name: partial(start, name) for name in COMPOSED},
            rounds=min(options.rounds, 3),
        )
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in MEASURES}
        for name, runs in found.items()
    }
    ratio = median_ratio(cpu_ms['separate'], cpu_ms['composed'])
    return {**medians, 'cpu_ratio': ratio, 'rate_hz': options.rate_hz, 'rounds': found}


def run_graph(
    message_sets: list[MessageSet], options: SpeedOptions, logs: Path, *, composed: bool
) -> dict[str, float]:
    """CPU per frame, age and memory of one start of all nodes."""
    with running_graph(tuple(NODES), message_sets, logs, composed=composed) as graph:
        before = graph.usage()
        run = graph.camera.pace(options.frames, rate_hz=options.rate_hz)
        after = graph.usage()
    return {
        'cpu_ms': 1e3 * (after.cpu_s - before.cpu_s) / options.frames,
        'peak_rss_mb': after.peak_rss_mb,
        **{f'age_p{percent}_ms': run.age_ms(percent) for percent in (50, 95)},
        'complete': run.complete_frames / options.frames,
    }


def rows(result: dict[str, Any]) -> list[Row]:
    """Both, and their ratio."""
    lines = []
    for name in COMPOSED:
        part = result[name]
        lines.append(
            Row(
                name,
                f'{part["cpu_ms"]:.0f} ms CPU per frame, age {part["age_p50_ms"]:.0f} ms '
                f'(p95 {part["age_p95_ms"]:.0f}), {part["peak_rss_mb"]:.0f} MB, '
                f'{100 * part["complete"]:.0f} % of frames from all nodes',
            )
        )
    ratio = result['cpu_ratio']
    return [*lines, Row('CPU separate / composed', f'{ratio:.2f}', '>= 1', ratio >= 1)]
