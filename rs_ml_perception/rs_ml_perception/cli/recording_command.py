"""`rs-ml recording`: which nodes can work with a recording, and their settings for it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rs_ml_perception.cli.task_arguments import add_camera_argument

if TYPE_CHECKING:
    from rs_ml_perception.launching.recording_plan import RecordingPlan


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the command."""
    parser = subparsers.add_parser('recording', help='show what a recording offers the nodes')
    parser.add_argument('recording', type=Path, help='rosbag2 directory, .mcap, .db3 or .bag')
    add_camera_argument(parser)
    parser.add_argument('--nodes', default='', help='names separated by commas; default: all')
    parser.add_argument('--json', action='store_true', help='as JSON, for the launch file')
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    from rs_ml_perception.launching.inspection import make_plan
    from rs_ml_perception.nodes.table import parse_nodes
    from rs_ml_perception.recordings.camera_topics import recording_notes
    from rs_ml_perception.recordings.open_recording import open_recording

    names = parse_nodes(arguments.nodes)
    # The launch file reads JSON, and names the camera by two arguments.
    option = 'camera_namespace and camera_name' if arguments.json else '--camera'
    with open_recording(arguments.recording, arguments.camera) as recording:
        notes = tuple(recording_notes(recording, option))
        plan = replace(make_plan(recording, names), notes=notes)
    print(plan.to_json() if arguments.json else '\n'.join(_lines(plan)))
    return 0


def _lines(plan: RecordingPlan) -> Iterator[str]:
    yield f'{plan.recording}, images in {plan.frame_id or "an unnamed frame"}'
    for name in plan.nodes:
        own = ', '.join(f'{key} {value}' for key, value in plan.own.get(name, {}).items())
        yield f'  {name}: {own or "can run"}'
    for name, reason in plan.left_out.items():
        yield f'  {name}: cannot run, {reason}'
    for role, topic in plan.remappings.items():
        yield f'  {role}: {topic}'
    for key, value in plan.shared.items():
        yield f'  {key}: {value}'
    for note in plan.notes:
        yield f'  {note}'
