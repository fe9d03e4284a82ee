"""`rs-ml-evaluate TASK`: metrics of a network or of predictions in files; `curves`: trainings.

`--all` has moved: `python -m benchmarks.accuracy` in a checkout evaluates every model that ships.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.options import REQUIRED, Options, option
from rs_ml_perception.core.progress import progress

from rs_ml_training.cli.command import command
from rs_ml_training.tasks.registry import TASKS, task_named

_CURVES, _ALL = 'curves', '--all'
EXAMPLE = """
rs-ml-evaluate depth --help
rs-ml-evaluate depth @flags.txt
"""


@dataclass(frozen=True, kw_only=True)
class CurveOptions(Options):
    """Learning curves of trainings."""

    out: Path = option(REQUIRED, '.png, .svg or .pdf')
    columns: tuple[str, ...] = option((), 'of history.csv', none_doc='all')


def parser() -> FlagParser:
    """Flags of every task; `@file` reads more of them, one or several a line."""
    top = FlagParser(prog='rs-ml-evaluate', description=__doc__, example=EXAMPLE)
    tasks = top.add_subparsers(dest='task', required=True, parser_class=FlagParser)
    for task in TASKS.values():
        text = task.evaluate_options.__doc__
        example = f'rs-ml-evaluate {task.name} --model runs/RUN --data FORMAT:PATH'
        sub = tasks.add_parser(task.name, help=text, description=text, example=example)
        add_flags(sub, task.evaluate_options, group=task.name)
    curves = tasks.add_parser(
        _CURVES,
        help='draw the learning curves of one or several trainings',
        example='rs-ml-evaluate curves runs/first runs/second --out curves.png',
    )
    curves.add_argument('runs', nargs='+', type=Path, help='run folders, or history.csv files')
    add_flags(curves, CurveOptions, group='output')
    return top


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == [_ALL]:
        raise ConfigError(
            'the evaluation of all shipped models is no part of the package: run tools/run python '
            '-m benchmarks.accuracy in a checkout'
        )
    arguments = parser().parse_args(words)
    if arguments.task == _CURVES:
        return _draw_curves(arguments.runs, from_flags(CurveOptions, arguments))
    options = from_flags(task_named(arguments.task).evaluate_options, arguments)
    if options.json_file is not None and not options.json_file.parent.is_dir():
        raise ConfigError(f'{options.json_file.parent} is no folder: give --json a path in one')
    from rs_ml_training.evaluation.session import run

    report = run(arguments.task, options, progress)
    print(report.table())
    if options.json_file is not None:
        report.write(options.json_file)
    return 0


def _draw_curves(runs: Sequence[Path], options: CurveOptions) -> int:
    from rs_ml_training.training.curves import draw_all

    files = [run / 'history.csv' if run.is_dir() else run for run in runs]
    names = [file.parent.name for file in files]
    if len(set(names)) < len(names):
        names = [str(file.parent) for file in files]
    draw_all(dict(zip(names, files, strict=True)), options.out, options.columns)
    print(options.out)
    return 0


if __name__ == '__main__':
    sys.exit(main())
