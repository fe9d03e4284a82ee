"""`python -m benchmarks.training`: how fast this machine reads and trains, as ratios."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rs_ml_training.cli.command import command
from rs_ml_training.cli.flags import FlagParser

from benchmarks.training.material import NYU
from benchmarks.training.run import SECTIONS, BenchOptions, run_bench, save, sections_of, table


def parser() -> FlagParser:
    """Flags of the bench."""
    parser = FlagParser(prog='python -m benchmarks.training', description=__doc__)
    parser.add_argument(
        '--only', nargs='+', default=[], metavar='SECTION', help=', '.join(SECTIONS)
    )
    parser.add_argument('--data', type=Path, default=_real(), help=f'folder with {NYU}/')
    parser.add_argument('--workers', type=int, default=BenchOptions.workers, help='threads')
    parser.add_argument('--rounds', type=int, default=BenchOptions.rounds, help='of every race')
    parser.add_argument('--json', type=Path, help='file to save it to')
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    given = parser().parse_args(argv)
    options = dataclasses.replace(
        BenchOptions(),
        sections=sections_of(given.only),
        real=given.data,
        workers=given.workers,
        rounds=given.rounds,
    )
    book = run_bench(options)
    print(table(book))
    if given.json:
        save(book, given.json)
    return 0


def _real() -> Path | None:
    """Real pictures where the tests find theirs."""
    root = os.environ.get('RS_ML_TEST_DATA')
    return Path(root) if root and (Path(root) / NYU / 'rgb').is_dir() else None


if __name__ == '__main__':
    sys.exit(main())
