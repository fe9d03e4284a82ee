"""`rs-ml-predict RUN INPUT... --out DIR`: predictions of a trained network for images."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError, counted
from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.options import option, override
from rs_ml_perception.core.progress import progress

from rs_ml_training.cli.command import command
from rs_ml_training.data.classes import class_table, with_classes
from rs_ml_training.data.encodings import ENCODINGS
from rs_ml_training.data.sample import Sample
from rs_ml_training.prediction import sources as inputs
from rs_ml_training.prediction.colors import palette
from rs_ml_training.prediction.predictor import PredictOptions
from rs_ml_training.prediction.rendering import PANORAMIC, Style, StyleOptions, depth_encoding
from rs_ml_training.prediction.result_files import empty_folder
from rs_ml_training.prediction.session import Session, SessionOptions, Totals
from rs_ml_training.prediction.sources import DepthFiles, Source
from rs_ml_training.tasks.options import name_values
from rs_ml_training.tasks.registry import TASKS, predictor_of, task_named
from rs_ml_training.tasks.task import Task
from rs_ml_training.trained import ModelSpec, Trained

_INPUT, _OUTPUT, _VIDEO = 'input', 'output', 'video'
EXAMPLE = """
rs-ml-predict runs/depth images/ --out result
rs-ml-predict runs/rooms coco:/data/coco --list val.txt --out result --strips --errors
rs-ml-predict runs/denoise depth/ --infrared infrared/ --out result --cloud
"""


@dataclass(frozen=True)
class PredictFlags(PredictOptions, SessionOptions, StyleOptions):
    """Flags of the command; those of its three bases are among them."""

    min_score: float = override(0.3, doc='of boxes drawn; results.jsonl has more', group=_OUTPUT)
    out: Path | None = option(None, 'folder for the results, new or empty', group=_OUTPUT)
    force: bool = option(False, 'replace files in a folder that is not empty', group=_OUTPUT)
    weights: str | None = option(
        None, 'file in the run folder', none_doc='the best, else the last'
    )
    input_size: tuple[int, int] | None = option(
        None, 'size to run at', none_doc='as trained', metavar='WIDTHxHEIGHT'
    )
    list_file: Path | None = option(
        None, 'file that names the samples of a data set', flag='list', group=_INPUT
    )
    data_option: tuple[str, ...] = option(
        (), 'for the reader of a data set', metavar='NAME=VALUE', group=_INPUT
    )
    limit: int = option(0, 'images of each input at most, 0: all', low=0, group=_INPUT)
    intrinsics: str | None = option(
        None, 'of images that do not state theirs', metavar='FX,FY,CX,CY', group=_INPUT
    )
    infrared: Path | None = option(
        None, 'denoise: folder of infrared images of the same names', group=_INPUT
    )
    input_encoding: str = option(
        'mm', 'denoise: of depth files read', choices=ENCODINGS, group=_INPUT
    )
    depth_encoding: str | None = option(
        None,
        'of depth files written',
        none_doc='mm, kitti beyond 65 m',
        choices=('mm', 'kitti'),
        group=_OUTPUT,
    )
    range_m: tuple[float, ...] = option(
        (), 'NEAR FAR of the colours', unit='m', none_doc='of each image', group=_OUTPUT
    )
    fps: float = option(
        0.0, 'make a video of the images of a folder', unit='frames/s', low=0, group=_VIDEO
    )


def parser() -> FlagParser:
    """The flags of the command; `@file` reads more of them."""
    top = FlagParser(prog='rs-ml-predict', description=__doc__, example=EXAMPLE)
    top.add_argument('run', type=Path, help='run folder of a training')
    top.add_argument(
        'inputs', nargs='+', help='images, folders, videos, FORMAT:PATH; denoise: depth files'
    )
    add_flags(top, PredictFlags, group='network')
    return top


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    arguments = parser().parse_args(argv)
    flags = from_flags(PredictFlags, arguments)
    if flags.out is None:
        raise ConfigError('--out is missing: give a new folder for the results')
    _checked(flags)
    options = _predict_options(flags)
    found = _sources(arguments.run, arguments.inputs, flags)
    trained = _load(arguments.run, flags)
    style = _style(trained.spec, flags, is_video=any(source.fps for source in found))
    found = [_in_classes(source, trained.spec.labels) for source in found]
    out = empty_folder(flags.out, arguments.inputs, flags.force)
    totals = _run(trained, options, style, out, found, flags)
    print(f'{out}: {describe(totals)}')
    return 0


def describe(totals: Totals) -> str:
    """Counts and speeds in one line, in wall time."""
    rate = totals.images / max(totals.wall_s, 1e-9)
    each_ms = 1000 * totals.seconds_per_image
    images = counted(totals.images, 'image')
    return f'{images}, {rate:.1f} a second, {each_ms:.1f} ms each in the network'


def camera_of(text: str) -> Callable[[tuple[int, int]], CameraModel]:
    """Make the camera of 'fx,fy,cx,cy' for an image of (width, height).

    Raises:
        ConfigError: these are not four numbers with positive focal lengths.
    """
    try:
        fx, fy, cx, cy = (float(part) for part in text.split(','))
    except ValueError as error:
        raise ConfigError(f'--intrinsics {text!r} is not fx,fy,cx,cy') from error
    if fx <= 0 or fy <= 0:
        raise ConfigError(f'--intrinsics {text!r}: focal lengths must be positive')
    return lambda size: CameraModel(*size, fx, fy, cx, cy)


def _checked(flags: PredictFlags) -> None:
    if flags.range_m and not (
        len(flags.range_m) == 2 and 0 <= flags.range_m[0] < flags.range_m[1]
    ):
        raise ConfigError(f'--range-m needs NEAR and FAR in metres, got {flags.range_m}')


def _predict_options(flags: PredictFlags) -> PredictOptions:
    given = {f.name: getattr(flags, f.name) for f in fields(PredictOptions)}
    return PredictOptions(**{**given, 'min_score': min(flags.min_score, 0.05)})


def _sources(run: Path, texts: Sequence[str], flags: PredictFlags) -> list[Source]:
    """Open the sources, before the network so that a wrong path fails at once."""
    from rs_ml_training.trained import read_spec

    task = task_named(read_spec(run).task)
    _require_use(task, texts, flags)
    read = inputs.read_color
    if task.reads_depth_files:
        read = DepthFiles(flags.input_encoding, flags.infrared)
    options = {'list_file': flags.list_file, **name_values(flags.data_option)}
    found = inputs.open_sources(texts, read, **options)
    if flags.limit:
        found = [inputs.limited(source, flags.limit) for source in found]
    if flags.fps:
        found = [s if s.fps else replace(s, fps=flags.fps) for s in found]
    if flags.intrinsics:
        found = [inputs.completed(s, _with_camera(flags.intrinsics)) for s in found]
    return found


def _require_use(task: Task[Any, Any], texts: Sequence[str], flags: PredictFlags) -> None:
    """Refuse flags that would have no effect."""
    if (flags.list_file or flags.data_option) and not any(map(inputs.is_data, texts)):
        raise ConfigError('--list and --data-option are for FORMAT:PATH, which no input is')
    if not task.reads_depth_files and (flags.infrared or flags.input_encoding != 'mm'):
        readers = ', '.join(name for name, other in TASKS.items() if other.reads_depth_files)
        raise ConfigError(
            f'--infrared and --input-encoding are for {readers}, this is {task.name}'
        )


def _in_classes(source: Source, labels: Sequence[str]) -> Source:
    """The source with its truth in the classes of the network, without it if they share none."""
    if not source.labels or not labels:
        return source
    if set(labels).isdisjoint(source.labels):
        return inputs.completed(source, lambda sample: replace(sample, labels=None, boxes=None))
    table = class_table(labels, source.labels)
    return inputs.completed(source, lambda sample: with_classes(sample, table))


def _with_camera(text: str) -> Callable[[Sample], Sample]:
    return partial(_set_camera, camera_of(text))


def _set_camera(camera: Callable[[tuple[int, int]], CameraModel], sample: Sample) -> Sample:
    return sample if sample.intrinsics else replace(sample, intrinsics=camera(sample.size))


def _load(run: Path, flags: PredictFlags) -> Trained:
    from rs_ml_training.trained import load

    options = {'intermediates': True} if flags.intermediates else {}
    return load(run, weights=flags.weights, input_size=flags.input_size, **options)


def _style(spec: ModelSpec, flags: PredictFlags, is_video: bool) -> Style:
    chosen = {f.name: getattr(flags, f.name) for f in fields(StyleOptions)}
    chosen['pictures'] |= is_video
    chosen['strips'] |= flags.sheet_rows > 0
    chosen['panorama'] |= spec.network in PANORAMIC
    return Style(
        **chosen,
        range_m=(flags.range_m[0], flags.range_m[1]) if flags.range_m else None,
        encoding=flags.depth_encoding or depth_encoding(spec),
        min_score=flags.min_score,
        labels=spec.labels,
        palette=palette(spec.colors, max(len(spec.labels), 2)),
    )


def _run(
    trained: Trained,
    options: PredictOptions,
    style: Style,
    out: Path,
    found: Sequence[Source],
    flags: PredictFlags,
) -> Totals:
    session = SessionOptions(**{f.name: getattr(flags, f.name) for f in fields(SessionOptions)})
    predictor = predictor_of(trained, options)
    return Session(predictor, style, out, session, progress).run(found)


if __name__ == '__main__':
    sys.exit(main())
