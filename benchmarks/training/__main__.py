"""`python -m benchmarks.training`: speed of reading data and training, as ratios of one run."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rs_ml_perception.core.flags import FlagParser
from rs_ml_training.cli.command import command

from benchmarks.training.comparisons import (
    SECTIONS,
    TrainingOptions,
    format_table,
    parse_sections,
    run_comparisons,
    save,
)
from benchmarks.training.datasets import NYU


def parser() -> FlagParser:
    """Flags of the benchmark."""
    parser = FlagParser(prog='python -m benchmarks.training', description=__doc__)
    add, defaults = parser.add_argument, TrainingOptions()
    add(
        '--only',
        nargs='+',
        default=[],
        metavar='SECTION',
        help=f'of {", ".join(SECTIONS)}; default: all',
    )
    add('--data', type=Path, default=_real(), help=f'folder with {NYU}/; default: drawn images')
    add('--workers', type=int, default=defaults.workers, help='threads')
    add('--rounds', type=int, default=defaults.rounds, help='of every comparison')
    add('--json', type=Path, help='output file')
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    given = parser().parse_args(argv)
    options = dataclasses.replace(
        TrainingOptions(),
        sections=parse_sections(given.only),
        real=given.data,
        workers=given.workers,
        rounds=given.rounds,
    )
    book = run_comparisons(options)
    print(format_table(book))
    if given.json:
        save(book, given.json)
    return 0


def _real() -> Path | None:
    """Folder of the test data, if it holds real images."""
    root = os.environ.get('RS_ML_TEST_DATA')
    return Path(root) if root and (Path(root) / NYU / 'rgb').is_dir() else None


if __name__ == '__main__':
    sys.exit(main())
