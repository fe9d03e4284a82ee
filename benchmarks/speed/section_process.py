"""One section in a process of its own: what it loads and leaves behind disturbs no other."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rs_ml_perception.cli.command import report

from benchmarks.speed.options import BenchOptions
from benchmarks.speed.sections import SECTIONS


def main() -> int:
    """Measure and write {"result": ...} to the file; returns the exit status."""
    arguments = _parse()
    options = BenchOptions(arguments.recording)
    try:
        module = SECTIONS[arguments.section].load()
        result = module.measure(options.quick() if arguments.quick else options, arguments.logs)
    except Exception as error:
        return report(f'bench {arguments.section}', error)
    arguments.json.write_text(json.dumps(result), encoding='utf-8')
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('section', choices=tuple(SECTIONS))
    parser.add_argument('--recording', required=True)
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--json', type=Path, required=True)
    parser.add_argument('--logs', type=Path, required=True)
    return parser.parse_args()


if __name__ == '__main__':
    sys.exit(main())
