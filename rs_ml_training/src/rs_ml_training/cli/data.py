"""`rs-ml-data COMMAND`: look at data sets, convert, cut, augment, split and label them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rs_ml_training.cli import (
    data_bag,
    data_capturing,
    data_labelling,
    data_looking,
    data_noise,
    data_synth,
    data_teaching,
    data_writing,
)
from rs_ml_training.cli.command import command
from rs_ml_training.cli.flags import FlagParser


def parser() -> FlagParser:
    """Flags of every command."""
    top = FlagParser(prog='rs-ml-data', description=__doc__)
    commands = top.add_subparsers(dest='command', required=True, parser_class=FlagParser)
    for part in (
        data_synth,
        data_writing,
        data_looking,
        data_noise,
        data_teaching,
        data_labelling,
        data_capturing,
        data_bag,
    ):
        part.add_commands(commands)
    return top


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    arguments = parser().parse_args(argv)
    return arguments.run(arguments)


if __name__ == '__main__':
    sys.exit(main())
