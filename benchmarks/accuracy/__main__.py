"""`python -m benchmarks.accuracy`: accuracy and speed of every model that ships."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence

from rs_ml_training.cli.command import command
from rs_ml_training.cli.flags import FlagParser, add_flags, from_flags

from benchmarks.accuracy.options import ShippedOptions
from benchmarks.accuracy.session import run_all


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; the exit status is 0 whether or not the targets are met."""
    parser = FlagParser(prog='python -m benchmarks.accuracy', description=ShippedOptions.__doc__)
    add_flags(parser, ShippedOptions)
    run_all(
        from_flags(ShippedOptions, parser.parse_args(argv)), functools.partial(print, flush=True)
    )
    return 0


if __name__ == '__main__':
    sys.exit(main())
