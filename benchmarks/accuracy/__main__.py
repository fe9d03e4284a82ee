"""`python -m benchmarks.accuracy`: accuracy and speed of every model that ships."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_training.cli.command import command
from rs_ml_training.data.output_folder import write_file

from benchmarks.accuracy.definitions import AccuracyOptions
from benchmarks.accuracy.report import (
    add_markers,
    card,
    check_document,
    markdown,
    values,
    write_part,
)
from benchmarks.accuracy.run import Report, run_benchmarks

_CARD_HEADING = '## On unseen data'


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; the exit status is 0 whether or not the targets are met."""
    parser = FlagParser(prog='python -m benchmarks.accuracy', description=AccuracyOptions.__doc__)
    add_flags(parser, AccuracyOptions)
    options = from_flags(AccuracyOptions, parser.parse_args(argv))
    evaluate(options, functools.partial(print, flush=True))
    return 0


def evaluate(options: AccuracyOptions, log: Callable[[str], None]) -> Report:
    """Measure, print, write.

    Args:
        options: benchmarks, data, and output files.
        log: prints.

    Raises:
        ConfigError: options that cannot work, before anything is measured.
        InputError: an output cannot be written.
    """
    if options.out is not None:
        check_document(options.out)
    if options.cards is not None and not any(options.cards.glob('*/README.md')):
        raise ConfigError(
            f'{options.cards} holds no model directories: give --cards the right one'
        )
    if options.json_file is not None and not options.json_file.parent.is_dir():
        raise ConfigError(f'{options.json_file.parent} is no folder: give --json a path in one')
    report = run_benchmarks(options, log)
    part = markdown(report)
    log(f'\n{part}')
    if options.out is not None:
        write_part(options.out, part)
    if options.cards is not None:
        _write_cards(options.cards, report)
    if options.json_file is not None:
        content = json.dumps(values(report), indent=1) + '\n'
        write_file(options.json_file, content.encode(), replace=True)
    return report


def _write_cards(folder: Path, report: Report) -> None:
    for path in sorted(folder.glob('*/README.md')):
        part = card(report, path.parent.name)
        if part:
            add_markers(path, _CARD_HEADING)
            write_part(path, part)


if __name__ == '__main__':
    sys.exit(main())
