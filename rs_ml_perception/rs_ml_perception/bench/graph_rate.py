"""The graph's rate over that of the bare models run one after another on the same frames."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from rs_ml_perception.bench.bare_models import BareModels
from rs_ml_perception.bench.graph import ros_session, running_graph
from rs_ml_perception.bench.material import load_frames, load_moments
from rs_ml_perception.bench.options import BenchOptions
from rs_ml_perception.bench.rows import Row
from rs_ml_perception.bench.timing import median_ratio, take_turns
from rs_ml_perception.nodes.table import NODES

GOAL_RATIO = 0.90
SETS = (
    tuple(NODES),
    ('detection', 'height'),
    ('detection',),
    ('segmentation',),
    ('mono_depth',),
)


def measure(options: BenchOptions, logs: Path) -> dict[str, Any]:
    """Measure every set of nodes."""
    with ros_session():
        return {' + '.join(names): _measure_set(names, options, logs) for names in SETS}


def _measure_set(names: tuple[str, ...], options: BenchOptions, logs: Path) -> dict[str, Any]:
    models = BareModels(names, load_frames(options.recording))
    moments = load_moments(options.recording)
    with running_graph(names, moments, logs) as graph:
        turns = {
            'bare_hz': lambda: models.rate_hz(options.frames),
            'graph_hz': lambda: graph.feeder.saturate(options.frames).rate_hz,
        }
        rates = take_turns(turns, rounds=options.rounds)
        stage_ms = graph.stage_ms()
    models.close()
    return {
        **{name: statistics.median(values) for name, values in rates.items()},
        'ratio': median_ratio(rates['graph_hz'], rates['bare_hz']),
        'rounds': rates,
        'backends': models.backends,
        'stage_ms': stage_ms,
    }


def rows(result: dict[str, Any]) -> list[Row]:
    """One line a set; only the whole graph has a goal."""
    lines = []
    for names, part in result.items():
        text = f'{part["graph_hz"]:.1f} Hz / {part["bare_hz"]:.1f} Hz = {part["ratio"]:.2f}'
        is_whole = names == ' + '.join(NODES)
        goal = f'>= {GOAL_RATIO:.2f}' if is_whole else ''
        lines.append(Row(names, text, goal, part['ratio'] >= GOAL_RATIO if is_whole else None))
    return lines
