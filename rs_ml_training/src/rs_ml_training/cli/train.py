"""`rs-ml-train TASK`: train a network."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.options import Options, option

from rs_ml_training.cli.command import command
from rs_ml_training.networks.registry import NETWORKS
from rs_ml_training.tasks.options import TrainOptions
from rs_ml_training.tasks.registry import TASKS, task_named

EXAMPLE = """
rs-ml-train depth --help
rs-ml-train depth @rs_ml_training/args/mobile_depth_nyu.txt
"""


@dataclass(frozen=True)
class SearchOptions(Options):
    """A search for better options; every trial is a run of its own."""

    trials: int = option(0, 'runs to try, 0: no search', low=0)
    search: tuple[str, ...] = option(
        (),
        'options to vary, as learning_rate=1e-5..1e-2:log batch_size=4|8 width=0.5..1.0',
        metavar='FLAG=RANGE',
    )


def parser() -> FlagParser:
    """Flags of every task; `@file` reads more of them, one or several a line."""
    top = FlagParser(prog='rs-ml-train', description=__doc__, example=EXAMPLE)
    tasks = top.add_subparsers(dest='task', required=True, parser_class=FlagParser)
    for task in TASKS.values():
        title = task.train_options.__doc__
        networks = [f'{e.name} ({e.summary})' for e in NETWORKS.values() if e.task == task.name]
        sub = tasks.add_parser(
            task.name,
            help=title,
            description=f'{title} Networks: {"; ".join(networks)}.',
            example=f'rs-ml-train {task.name} --data FORMAT:PATH --epochs 20 --name first\n'
            f'rs-ml-train {task.name} --data FORMAT:PATH --trials 9 --search batch_size=4|8',
        )
        add_flags(sub, task.train_options, group=task.name)
        add_flags(sub, SearchOptions, group='search')
    return top


def options_of(arguments: argparse.Namespace) -> TrainOptions:
    """The task's options; those not given are as recommended for the network."""
    options_type: type[TrainOptions] = task_named(arguments.task).train_options
    network = getattr(arguments, 'model', None) or options_type().model
    recommended = NETWORKS[network].recommended if network in NETWORKS else {}
    return from_flags(options_type, arguments, **recommended)


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    arguments = parser().parse_args(argv)
    options, searched = options_of(arguments), from_flags(SearchOptions, arguments)
    written = ['rs-ml-train', *(sys.argv[1:] if argv is None else argv)]
    if searched.trials:
        from rs_ml_training.training.search import search

        print(search(arguments.task, options, searched.search, searched.trials, written))
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
