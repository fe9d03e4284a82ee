"""The graph's rate over that of the bare models run one after another on the same frames."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.ros.dds_domain import ros_session

from benchmarks.speed.bare_models import BareModels, Pace
from benchmarks.speed.graph import Graph, running_graph
from benchmarks.speed.material import load_depth_frames, load_frames, load_moments
from benchmarks.speed.options import BenchOptions
from benchmarks.speed.rows import Row
from benchmarks.speed.timing import median_ratio, take_turns

GOAL_RATIO = 0.90
# The second leaves out height, which works without a network.
SETS = (
    tuple(NODES),
    ('detection', 'denoise', 'mono_depth', 'segmentation'),
    ('detection', 'height'),
    ('detection',),
    ('segmentation',),
    ('mono_depth',),
    ('denoise',),
)


def measure(options: BenchOptions, logs: Path) -> dict[str, Any]:
    """Measure every set of nodes."""
    with ros_session():
        return {' + '.join(names): _measure_set(names, options, logs) for names in SETS}


def _measure_set(names: tuple[str, ...], options: BenchOptions, logs: Path) -> dict[str, Any]:
    recording = options.recording
    models = BareModels(names, load_frames(recording), load_depth_frames(recording))
    moments = load_moments(recording)
    with running_graph(names, moments, logs) as graph:
        turns = {
            'bare': lambda: models.run(options.frames),
            'graph': lambda: saturate(graph, options.frames),
        }
        paces = take_turns(turns, rounds=options.rounds)
        stage_ms = graph.stage_ms()
    models.close()
    numbers = {
        f'{side}_{key}': [getattr(pace, key) for pace in found]
        for side, found in paces.items()
        for key in ('rate_hz', 'cpu_ms')
    }
    return {
        **{name: statistics.median(values) for name, values in numbers.items()},
        'ratio': median_ratio(numbers['graph_rate_hz'], numbers['bare_rate_hz']),
        'cpu_ratio': median_ratio(numbers['bare_cpu_ms'], numbers['graph_cpu_ms']),
        'rounds': numbers,
        'backends': models.backends,
        'stage_ms': stage_ms,
    }


def saturate(graph: Graph, count: int) -> Pace:
    """Rate and CPU of a graph that never waits for the camera."""
    before_secs = graph.usage().cpu_s
    feed = graph.feeder.saturate(count)
    return Pace(feed.rate_hz, 1e3 * (graph.usage().cpu_s - before_secs) / count)


def rows(result: dict[str, Any]) -> list[Row]:
    """One line a set; only the whole graph has a goal."""
    lines = []
    for names, part in result.items():
        text = (
            f'{part["graph_rate_hz"]:.1f} Hz / {part["bare_rate_hz"]:.1f} Hz = '
            f'{part["ratio"]:.2f}; by CPU time {part["bare_cpu_ms"]:.0f} ms / '
            f'{part["graph_cpu_ms"]:.0f} ms = {part["cpu_ratio"]:.2f}'
        )
        is_whole = names == ' + '.join(NODES)
        goal = f'>= {GOAL_RATIO:.2f}' if is_whole else ''
        lines.append(Row(names, text, goal, part['ratio'] >= GOAL_RATIO if is_whole else None))
    return lines
