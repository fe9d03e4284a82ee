"""`rs-ml process`: the nodes' work on a recording, offline and deterministic."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rs_ml_perception.cli.task_arguments import add_camera_argument


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        'process', help='run the nodes over a recording without middleware, into a rosbag2'
    )
    parser.add_argument('recording', type=Path, help='rosbag2 directory, .mcap, .db3 or .bag')
    parser.add_argument('--out', type=Path, required=True, help='rosbag2 directory to create')
    add_camera_argument(parser)
    parser.add_argument('--nodes', default='', help='names separated by commas; default: all')
    parser.add_argument('--params-file', default='', help='ROS parameter file of the nodes')
    parser.add_argument('--pictures', action='store_true', help='annotated images too')
    parser.add_argument('--overwrite', action='store_true', help='replace what lies at --out')
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Process, then say what became of the frames."""
    from rs_ml_perception.nodes.offline import run_offline
    from rs_ml_perception.nodes.table import parse_nodes, require_sources
    from rs_ml_perception.recordings.camera_topics import recording_notes
    from rs_ml_perception.recordings.open_recording import open_recording
    from rs_ml_perception.recordings.writer import check_apart

    names = require_sources(parse_nodes(arguments.nodes))
    check_apart(arguments.recording, arguments.out)
    with open_recording(arguments.recording, arguments.camera) as recording:
        for note in recording_notes(recording, '--camera'):
            print(f'rs-ml: {note}', file=sys.stderr)
        run = run_offline(
            recording,
            names,
            arguments.out,
            params_file=arguments.params_file,
            with_pictures=arguments.pictures,
            overwrite=arguments.overwrite,
        )
    for (where, what), count in run.counts.items():
        print(f'{where}: {count} {what}')
    print(f'written to {arguments.out}')
    if run.damage:
        print(f'rs-ml: {run.damage}', file=sys.stderr)
        return 1
    return 0 if any(what == 'published' for _, what in run.counts) else 1
