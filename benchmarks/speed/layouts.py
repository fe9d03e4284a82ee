"""All nodes in one process against one process per node, fed at the same rate."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.ros.dds_domain import ros_session

from benchmarks.speed.feeder import Feed
from benchmarks.speed.graph import running_graph
from benchmarks.speed.material import Moment, load_moments
from benchmarks.speed.options import BenchOptions
from benchmarks.speed.rows import Row
from benchmarks.speed.timing import median_ratio, take_turns

LAYOUTS = {'composed': True, 'separate': False}
MEASURES = ('cpu_ms', 'age_p50_ms', 'age_p95_ms', 'peak_rss_mb', 'complete')


def measure(options: BenchOptions, logs: Path) -> dict[str, Any]:
    """Both layouts in turn, each from a fresh start."""
    moments = load_moments(options.recording)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in LAYOUTS}

    def turn(name: str) -> float:
        found[name].append(run_layout(moments, options, logs, composed=LAYOUTS[name]))
        return found[name][-1]['cpu_ms']

    with ros_session():
        cpu_ms = take_turns(
            {name: (lambda name=name: turn(name)) for name in LAYOUTS},
            rounds=min(options.rounds, 3),
        )
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in MEASURES}
        for name, runs in found.items()
    }
    ratio = median_ratio(cpu_ms['separate'], cpu_ms['composed'])
    return {**medians, 'cpu_ratio': ratio, 'rate_hz': options.rate_hz, 'rounds': found}


def run_layout(
    moments: list[Moment], options: BenchOptions, logs: Path, *, composed: bool
) -> dict[str, float]:
    """CPU per frame, age and memory of one start of all nodes."""
    with running_graph(tuple(NODES), moments, logs, composed=composed) as graph:
        before = graph.usage()
        feed = graph.feeder.pace(options.frames, rate_hz=options.rate_hz)
        after = graph.usage()
    return {
        'cpu_ms': 1e3 * (after.cpu_s - before.cpu_s) / options.frames,
        'peak_rss_mb': after.peak_rss_mb,
        **_ages(feed),
        'complete': feed.complete_frames / options.frames,
    }


def _ages(feed: Feed) -> dict[str, float]:
    return {f'age_p{percent}_ms': feed.age_ms(percent) for percent in (50, 95)}


def rows(result: dict[str, Any]) -> list[Row]:
    """Two layouts and their ratio."""
    lines = []
    for name in LAYOUTS:
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
