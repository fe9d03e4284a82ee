"""`python -m benchmarks.training`: speed of reading data and training, as ratios of one run."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.options import Options, option
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


@dataclass(frozen=True)
class Flags(Options):
    """Flags of the command."""

    only: tuple[str, ...] = option(
        (), f'of {", ".join(SECTIONS)}', none_doc='all', metavar='SECTION'
    )
    data: Path | None = option(None, f'folder with {NYU}/', none_doc='drawn images')
    workers: int = option(TrainingOptions.workers, 'threads', low=1)
    rounds: int = option(TrainingOptions.rounds, 'of every comparison', low=1)
    json: Path | None = option(None, 'output file')


def parser() -> FlagParser:
    """Flags of the benchmark."""
    parser = FlagParser(prog='python -m benchmarks.training', description=__doc__)
    add_flags(parser, Flags, defaults={'data': _real()})
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    given = from_flags(Flags, parser().parse_args(argv))
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
