"""`python -m benchmarks.speed`: speed of the nodes on this machine, as ratios within one run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rs_ml_perception.cli.command import INTERRUPTED, report

from benchmarks.speed.recorded_input import default_recording
from benchmarks.speed.sections import (
    SECTIONS,
    measure_section,
    parse_sections,
    run_sections,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print a table and save bench.json; 1 if a section failed."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == ['section']:
        return measure_section(words[1:])
    arguments = _parse(words)
    try:
        names = parse_sections(arguments.only)
        recording = arguments.recording or default_recording()
        return run_sections(
            names, recording=recording, out=arguments.out, is_quick=arguments.quick
        )
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        return report('benchmarks.speed', error)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='python -m benchmarks.speed', description=__doc__)
    parser.add_argument('--out', type=Path, default=Path('out/bench'), help='for bench.json, logs')
    parser.add_argument('--quick', action='store_true', help='few rounds: for a look')
    parser.add_argument(
        '--only', default='', metavar='NAME,...', help=f'of {", ".join(SECTIONS)}; default: all'
    )
    parser.add_argument('--recording', default='', help='rosbag2 with colour and aligned depth')
    return parser.parse_args(argv)


if __name__ == '__main__':
    sys.exit(main())
