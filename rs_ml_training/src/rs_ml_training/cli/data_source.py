"""The data set that a command of `rs-ml-data` works on."""

from __future__ import annotations

import argparse

from rs_ml_training.data.formats import FORMATS, open_data
from rs_ml_training.data.reader import Reader
from rs_ml_training.tasks.options import name_values


def add_source(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the flags that `reader_of` reads."""
    parser.add_argument(
        '--data', required=required, metavar='FORMAT:PATH', help=f'one of {", ".join(FORMATS)}'
    )
    parser.add_argument('--list', dest='list_file', help='file that names the samples')
    parser.add_argument(
        '--data-option', nargs='+', default=(), metavar='NAME=VALUE', help='for the reader'
    )


def reader_of(arguments: argparse.Namespace) -> Reader:
    """Open the data set.

    Raises:
        ConfigError: no such format or option.
        InputError: missing or damaged files.
    """
    options = name_values(arguments.data_option)
    return open_data(arguments.data, list_file=arguments.list_file, **options)
