"""`rs-ml-data teach`: boxes from a detector that knows more."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.cli.data_source import add_source, reader_of
from rs_ml_training.teaching.taught_set import Trust

if TYPE_CHECKING:
    from rs_ml_training.teaching.cell_detector import CellDetector
    from rs_ml_training.teaching.frozen_detector import FrozenDetector


def add_commands(commands: Any) -> None:
    """Add `teach`."""
    sub = commands.add_parser('teach', help='boxes from a detector, in the layout of COCO')
    add_source(sub)
    sub.add_argument('--out', type=Path, required=True, help='a new folder')
    sub.add_argument(
        '--model',
        default='detection',
        help='directory or name of a model with the decoder gfl or gfl_head',
    )
    sub.add_argument('--graph', type=Path, help='frozen_inference_graph.pb, in place of a model')
    sub.add_argument('--label-map', type=Path, help='.pbtxt of the classes of --graph')
    sub.add_argument('--sure', type=float, default=Trust.sure, help='score of an object')
    sub.add_argument('--doubtful', type=float, default=Trust.doubtful, help='score of a crowd')
    sub.add_argument(
        '--marked',
        nargs='*',
        metavar='CLASS',
        help='classes of which the data mark every object (default: all that both have)',
    )
    sub.add_argument('--teacher-license', default='', help='named beside that of the data')
    sub.set_defaults(run=_teach)


def _teach(arguments: argparse.Namespace) -> int:
    from rs_ml_training.teaching.taught_set import Lesson, write_taught_set

    trust = Trust(arguments.sure, arguments.doubtful)
    teacher = _teacher(arguments)
    marked = None if arguments.marked is None else tuple(arguments.marked)
    lesson = Lesson(teacher, teacher.labels, trust, marked, arguments.teacher_license)
    counts = write_taught_set(reader_of(arguments), lesson, arguments.out)
    said = ', '.join(f'{count} {name}' for name, count in counts.items())
    print(f'{arguments.out}: {said}; --data coco:{arguments.out}')
    return 0


def _teacher(arguments: argparse.Namespace) -> FrozenDetector | CellDetector:
    if (arguments.graph is None) != (arguments.label_map is None):
        raise ConfigError('--graph and --label-map belong together: give both or neither')
    if arguments.graph is None:
        from rs_ml_training.teaching.cell_detector import CellDetector

        return CellDetector(arguments.model)
    from rs_ml_training.teaching.frozen_detector import FrozenDetector

    return FrozenDetector(arguments.graph, arguments.label_map)
