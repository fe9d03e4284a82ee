"""Common parts of the commands of `rs-ml-data`: their parsers and their data set."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.options import REQUIRED, DataclassInstance, Options, option
from rs_ml_perception.core.progress import bar

from rs_ml_training.data.formats import FORMATS, open_data
from rs_ml_training.data.reader import Reader, WatchedReader
from rs_ml_training.tasks.options import name_values

T = TypeVar('T', bound=DataclassInstance)
Commands = Any  # argparse's own type of add_subparsers is private


@dataclass(frozen=True, kw_only=True)
class SourceOptions(Options):
    """The data set that a command reads."""

    data: str = option(
        REQUIRED, f'one of {", ".join(FORMATS)}', metavar='FORMAT:PATH', group='input'
    )
    list_file: Path | None = option(
        None, 'file that names the samples', none_doc='all', flag='list', group='input'
    )
    data_option: tuple[str, ...] = option(
        (), 'for the reader', metavar='NAME=VALUE', group='input'
    )


@dataclass(frozen=True, kw_only=True)
class ToFolder(SourceOptions):
    """A data set, and where the result goes."""

    out: Path = option(REQUIRED, 'a new folder', group='output')


def open_source(options: SourceOptions) -> Reader:
    """Open the data set.

    Raises:
        ConfigError: no such format or option.
        InputError: missing or damaged files.
    """
    values = name_values(options.data_option)
    return open_data(options.data, list_file=options.list_file, **values)


@contextmanager
def watched(reader: Reader, count: int | None = None) -> Iterator[Reader]:
    """The same data; a progress bar shows how many samples have been read.

    Args:
        reader: each of its samples is read once.
        count: of those that will be read; None: all.
    """
    with bar(len(reader) if count is None else min(count, len(reader)), 'sample') as step:
        yield WatchedReader(reader, lambda: step(1))


def add_command(
    commands: Commands,
    name: str,
    options_type: type[T],
    run: Callable[[T, argparse.Namespace], None],
    *,
    summary: str,
    example: str,
) -> FlagParser:
    """Add a command whose flags are the options of a dataclass.

    Args:
        commands: of the program.
        name: of the command.
        options_type: its options.
        run: does the work with the options and the arguments, of which some may be positional.
        summary: one line for `--help`.
        example: a call, shown at the end of `--help`.

    Returns:
        The parser of the command, for arguments without a flag.
    """
    sub: FlagParser = commands.add_parser(
        name, help=summary, description=f'{summary[0].upper()}{summary[1:]}.', example=example
    )
    add_flags(sub, options_type, group='options')
    sub.set_defaults(run=lambda arguments: run(from_flags(options_type, arguments), arguments))
    return sub
