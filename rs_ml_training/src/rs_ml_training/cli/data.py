"""`rs-ml-data COMMAND`: look at data sets, convert, cut, augment, split and label them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rs_ml_perception.core.flags import FlagParser

from rs_ml_training.cli import data_inspection, data_labelling, data_recording, data_writing
from rs_ml_training.cli.command import command

EXAMPLE = """
rs-ml-data COMMAND --help
"""


def parser() -> FlagParser:
    """Flags of every command."""
    top = FlagParser(prog='rs-ml-data', description=__doc__, example=EXAMPLE)
    commands = top.add_subparsers(dest='command', required=True, parser_class=FlagParser)
    for part in (data_recording, data_writing, data_inspection, data_labelling):
        part.add_commands(commands)
    return top


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    arguments = parser().parse_args(argv)
    arguments.run(arguments)
    return 0


if __name__ == '__main__':
    sys.exit(main())
