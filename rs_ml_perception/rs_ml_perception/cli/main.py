"""The command rs-ml: the package's tasks without ROS."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from rs_ml_perception.cli import (
    denoise_command,
    depth_command,
    detect_command,
    height_command,
    models_command,
    parameters_command,
    process_command,
    recording_command,
    segment_command,
)
from rs_ml_perception.cli.exit_status import INTERRUPTED, report
from rs_ml_perception.core.errors import ConfigError

COMMANDS = (
    detect_command,
    segment_command,
    depth_command,
    denoise_command,
    height_command,
    process_command,
    recording_command,
    models_command,
    parameters_command,
)
"""Modules with add_parser(subparsers); they import what is heavy when they run."""


def build_parser() -> argparse.ArgumentParser:
    """The parser; a command's function is in `run`."""
    parser = argparse.ArgumentParser(prog='rs-ml', description=__doc__)
    subparsers = parser.add_subparsers(required=True, metavar='COMMAND')
    for command in COMMANDS:
        command.add_parser(subparsers)
    moved = subparsers.add_parser('bench', help='moved: make bench in a checkout')
    moved.add_argument('arguments', nargs=argparse.REMAINDER)
    moved.set_defaults(run=_bench)
    return parser


def _bench(args: argparse.Namespace) -> int:
    raise ConfigError(
        'benchmarks are no part of the package: run make bench, or tools/run python -m '
        'benchmarks.speed, in a checkout'
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0, 2 for wrong arguments or unusable inputs, 1 for what fails while running. RS_ML_DEBUG=1
        shows tracebacks.
    """
    args = build_parser().parse_args(argv)
    try:
        return args.run(args)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has seen enough; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return report('rs-ml', error)


if __name__ == '__main__':
    sys.exit(main())
