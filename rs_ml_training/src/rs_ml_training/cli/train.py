"""`rs-ml-train TASK`: train a network."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rs_ml_training.cli.command import command
from rs_ml_training.cli.flags import FlagParser, add_flags, from_flags
from rs_ml_training.networks.registry import NETWORKS
from rs_ml_training.training.options import OPTIONS, RECOMMENDED, TrainOptions


def parser() -> argparse.ArgumentParser:
    """Flags of every task; `@file` reads more of them, one or several a line."""
    top = FlagParser(prog='rs-ml-train', description=__doc__)
    tasks = top.add_subparsers(dest='task', required=True, parser_class=FlagParser)
    for task, options_type in OPTIONS.items():
        networks = [f'{e.name} ({e.summary})' for e in NETWORKS.values() if e.task == task]
        sub = tasks.add_parser(
            task,
            help=options_type.__doc__,
            description=f'{options_type.__doc__} Networks: {"; ".join(networks)}.',
        )
        add_flags(sub, options_type)
        sub.add_argument('--trials', type=int, default=0, help='search: runs to try')
        sub.add_argument(
            '--search',
            nargs='+',
            default=(),
            metavar='FLAG=RANGE',
            help='search: learning_rate=1e-5..1e-2:log batch_size=4|8 width=0.5..1.0',
        )
    return top


def options_of(arguments: argparse.Namespace) -> TrainOptions:
    """The task's options; what is not given is as recommended for the network."""
    options_type = OPTIONS[arguments.task]
    network = getattr(arguments, 'model', None) or options_type().model
    return from_flags(options_type, arguments, **RECOMMENDED.get(network, {}))


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    arguments = parser().parse_args(argv)
    options = options_of(arguments)
    written = ['rs-ml-train', *(sys.argv[1:] if argv is None else argv)]
    if arguments.trials:
        from rs_ml_training.training.search import search

        print(search(arguments.task, options, arguments.search, arguments.trials, written))
        return 0
    if options.profile:
        from rs_ml_training.training.profile import profile

        print(profile(arguments.task, options))
        return 0
    from rs_ml_training.training.session import train

    folder = train(arguments.task, options, command=written)
    print(f'{folder}: best and last weights, history.csv, curves.png')
    return 0


if __name__ == '__main__':
    sys.exit(main())
