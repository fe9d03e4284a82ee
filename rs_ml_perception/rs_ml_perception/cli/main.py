"""The command rs-ml: the tasks of the package without ROS."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from rs_ml_perception.cli.color_commands import add_detect, add_segment
from rs_ml_perception.cli.command import INTERRUPTED, CommandParser, report
from rs_ml_perception.cli.denoise_command import add_denoise
from rs_ml_perception.cli.depth_command import add_depth
from rs_ml_perception.cli.height_command import add_height
from rs_ml_perception.cli.models_command import add_models
from rs_ml_perception.cli.parameters_command import add_parameters
from rs_ml_perception.cli.recording_commands import add_process, add_recording
from rs_ml_perception.core.errors import ConfigError

COMMANDS = (
    add_detect,
    add_segment,
    add_depth,
    add_denoise,
    add_height,
    add_process,
    add_recording,
    add_models,
    add_parameters,
)
"""Each adds one command to the subparsers, which imports runtimes and ROS only when it runs."""


def build_parser() -> argparse.ArgumentParser:
    """The parser; a command's function is in `run`."""
    parser = CommandParser(
        prog='rs-ml',
        description='Detection, segmentation, depth and height without ROS.',
        example="""
            rs-ml detect street.jpg
            rs-ml process recordings/room --out out/room
        """,
    )
    subparsers = parser.add_subparsers(required=True, metavar='COMMAND')
    for add_command in COMMANDS:
        add_command(subparsers)
    # Another prefix: whatever follows is swallowed, --help too.
    moved = subparsers.add_parser(
        'bench', help='moved: make bench in a checkout', prefix_chars='+', add_help=False
    )
    moved.add_argument('arguments', nargs=argparse.REMAINDER)
    moved.set_defaults(run=_bench)
    return parser


def _bench(args: argparse.Namespace) -> int:
    raise ConfigError(
        'benchmarks are not part of the package: run make bench, or tools/run python -m '
        'benchmarks.speed, in a checkout'
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0, 2 for wrong arguments or unusable inputs, 1 for errors at run time. RS_ML_DEBUG=1 shows
        tracebacks.
    """
    args = build_parser().parse_args(argv)
    try:
        status: int = args.run(args)
        return status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return report('rs-ml', error)


if __name__ == '__main__':
    sys.exit(main())
