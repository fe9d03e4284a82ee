"""The summary.json of the demo, and its table."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rclpy

from rs_ml_msgs.msg import InferenceStats
from rs_ml_perception.core.streams.counters import DROPPED
from rs_ml_perception.demo.processes import Usage


def make_summary(
    stats: Mapping[str, InferenceStats],
    *,
    recording: Path,
    composed: bool,
    wall_s: float,
    usage: Usage,
) -> dict[str, Any]:
    """The content of summary.json."""
    return {
        'ros_distro': os.environ.get('ROS_DISTRO', ''),
        'rmw': rclpy.get_rmw_implementation_identifier(),
        'composed': composed,
        'recording': str(recording),
        'nodes': {name: _node(msg) for name, msg in stats.items()},
        'wall_s': round(wall_s, 3),
        'cpu_s': round(usage.cpu_s, 3),
        'peak_rss_mb': round(usage.peak_rss_mb, 1),
    }


def write_summary(summary: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(summary, indent=2) + '\n', encoding='utf-8')


def format_table(summary: Mapping[str, Any]) -> str:
    """One line per node."""
    rows = [('node', 'received', 'published', 'dropped', 'fps', 'latency ms', 'age ms', 'model')]
    for name, node in summary['nodes'].items():
        counts = {**node['dropped'], 'overwritten': node['overwritten']}
        dropped = ', '.join(f'{count} {reason}' for reason, count in counts.items() if count)
        rows.append(
            (
                name,
                str(node['received']),
                str(node['published']),
                dropped or '-',
                _text(node['fps']),
                f'{_text(node["latency_ms"]["p50"])} / {_text(node["latency_ms"]["p95"])}',
                f'{_text(node["age_ms"]["p50"])} / {_text(node["age_ms"]["p95"])}',
                f'{node["model"]} ({node["backend"]})' if node['model'] else '-',
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        '  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return '\n'.join(line.rstrip() for line in lines)


def _node(msg: InferenceStats) -> dict[str, Any]:
    counts = {reason.value: int(getattr(msg, f'dropped_{reason.value}')) for reason in DROPPED}
    return {
        'received': int(msg.received),
        'published': int(msg.published),
        'dropped': {reason: count for reason, count in counts.items() if count},
        'overwritten': None if msg.overwritten < 0 else int(msg.overwritten),
        'without_partner': int(msg.without_partner),
        'fps': _number(msg.fps),
        'latency_ms': {'p50': _number(msg.latency_p50_ms), 'p95': _number(msg.latency_p95_ms)},
        'age_ms': {'p50': _number(msg.age_p50_ms), 'p95': _number(msg.age_p95_ms)},
        'model': msg.model,
        'backend': msg.backend,
    }


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else round(float(value), 3)


def _text(value: float | None) -> str:
    return '-' if value is None else f'{value:.1f}'
