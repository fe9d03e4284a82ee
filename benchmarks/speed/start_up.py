"""Time from the start of the process to the first results, memory, and loaded libraries."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.ros.dds_domain import ros_session

from benchmarks.speed.recorded_input import MessageSet, load_message_sets
from benchmarks.speed.running_graph import running_graph
from benchmarks.speed.sections import SpeedOptions
from benchmarks.tables import Row

GOAL_SECS = 3.0
GOAL_RSS_MB = 700.0
CAMERA_HZ = 10.0
LIMIT_SECS = 60.0


def measure(options: SpeedOptions, logs: Path) -> dict[str, Any]:
    """Start all nodes in one process, several times, while a camera runs."""
    message_sets = load_message_sets(options.recording)
    with ros_session():
        runs = [run_once(message_sets, options, logs) for _ in range(options.start_ups)]
    numbers = ('first_s', 'all_s', 'peak_rss_mb', 'cpu_ms')
    return {
        **{key: statistics.median(run[key] for run in runs) for key in numbers},
        'tensorflow_loaded': any(run['tensorflow_loaded'] for run in runs),
        'runs': runs,
    }


def run_once(message_sets: list[MessageSet], options: SpeedOptions, logs: Path) -> dict[str, Any]:
    """One start: seconds to the first result of any and of all nodes, then some frames."""
    with running_graph(tuple(NODES), message_sets, logs, wait=False) as graph:
        first_secs = graph.camera.until_first_results(rate_hz=CAMERA_HZ, timeout_secs=LIMIT_SECS)
        graph.camera.settle()
        before = graph.usage()
        graph.camera.saturate(options.frames)
        after = graph.usage()
        libraries = set().union(*(loaded_libraries(process.pid) for process in graph.processes))
    since_start = {name: secs - graph.started_secs for name, secs in first_secs.items()}
    return {
        'first_s': min(since_start.values()),
        'all_s': max(since_start.values()),
        'per_node_s': since_start,
        'peak_rss_mb': after.peak_rss_mb,
        'cpu_ms': 1e3 * (after.cpu_s - before.cpu_s) / options.frames,
        'tensorflow_loaded': any(is_tensorflow(name) for name in libraries),
    }


def loaded_libraries(pid: int) -> set[str]:
    """Files that a process has mapped."""
    lines = Path(f'/proc/{pid}/maps').read_text(encoding='utf-8', errors='replace').splitlines()
    return {line.split(maxsplit=5)[5] for line in lines if '/' in line}


def is_tensorflow(library: str) -> bool:
    """Whether a file is TensorFlow's; OpenVINO's reader of its models bears the name too."""
    return Path(library).name.startswith('libtensorflow')


def rows(result: dict[str, Any]) -> list[Row]:
    """Against the goals."""
    first_s, rss_mb = result['first_s'], result['peak_rss_mb']
    loaded = result['tensorflow_loaded']
    return [
        Row('first result', f'{first_s:.2f} s', f'<= {GOAL_SECS:.0f} s', first_s <= GOAL_SECS),
        Row('first result of every node', f'{result["all_s"]:.2f} s'),
        Row(
            'peak resident memory',
            f'{rss_mb:.0f} MB',
            f'<= {GOAL_RSS_MB:.0f} MB',
            rss_mb <= GOAL_RSS_MB,
        ),
        Row('CPU per frame, all nodes', f'{result["cpu_ms"]:.0f} ms'),
        Row('TensorFlow in the process', 'yes' if loaded else 'no', 'no', not loaded),
    ]
