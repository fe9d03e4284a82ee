"""`rs-ml bench`: how fast this machine runs it, as ratios measured in one run."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `bench`; it sets `run`, called with the parsed arguments."""
    parser = subparsers.add_parser('bench', help='speed of the graph on this machine')
    parser.add_argument('--out', type=Path, default=Path('out/bench'), help='for bench.json, logs')
    parser.add_argument('--quick', action='store_true', help='few turns: for a look')
    parser.add_argument('--only', default='', metavar='NAME,...', help='sections; default: all')
    parser.add_argument('--recording', default='', help='rosbag2 with colour and aligned depth')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print a table and save bench.json; 1 if a section failed."""
    from rs_ml_perception.bench.material import default_recording
    from rs_ml_perception.bench.run import parse_sections, run_bench

    names = parse_sections(args.only)
    recording = args.recording or default_recording()
    return run_bench(names, recording=recording, out=args.out, is_quick=args.quick)
