"""`python -m benchmarks.speed`: speed of the nodes on this machine, as ratios within one run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.cli.command import INTERRUPTED, report
from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.options import Options, option

from benchmarks.speed.recorded_input import default_recording
from benchmarks.speed.sections import (
    SECTIONS,
    measure_section,
    parse_sections,
    run_sections,
)


@dataclass(frozen=True)
class Flags(Options):
    """Flags of the command."""

    out: Path = option(Path('out/bench'), 'for bench.json, logs')
    quick: bool = option(False, 'few rounds: for a look', is_switch=True)
    only: str = option('', f'of {", ".join(SECTIONS)}', none_doc='all', metavar='NAME,...')
    recording: str = option(
        '', 'rosbag2 with colour and aligned depth', none_doc='a real or the shipped one'
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print a table and save bench.json; 1 if a section failed."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == ['section']:
        return measure_section(words[1:])
    parser = FlagParser(prog='python -m benchmarks.speed', description=__doc__)
    add_flags(parser, Flags)
    arguments = parser.parse_args(words)
    try:
        flags = from_flags(Flags, arguments)
        names = parse_sections(flags.only)
        recording = flags.recording or default_recording()
        return run_sections(names, recording=recording, out=flags.out, is_quick=flags.quick)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        return report('benchmarks.speed', error)


if __name__ == '__main__':
    sys.exit(main())
