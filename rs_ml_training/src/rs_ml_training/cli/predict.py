"""`rs-ml-predict RUN INPUT... --out DIR`: what a trained network says about pictures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.geometry.camera import CameraModel

from rs_ml_training.cli.command import command
from rs_ml_training.cli.flags import FlagParser, add_flags, flag, from_flags
from rs_ml_training.cli.progress import progress_bar
from rs_ml_training.data.encodings import ENCODINGS
from rs_ml_training.data.sample import Sample
from rs_ml_training.prediction import sources as inputs
from rs_ml_training.prediction.classes import class_table, with_classes
from rs_ml_training.prediction.colors import COLORMAPS, palette
from rs_ml_training.prediction.files import empty_folder
from rs_ml_training.prediction.heads import UPSAMPLINGS, PredictOptions
from rs_ml_training.prediction.session import Session, SessionOptions, Totals
from rs_ml_training.prediction.sources import DepthPictures, Source
from rs_ml_training.prediction.style import PANORAMIC, Style, depth_encoding
from rs_ml_training.trained import ModelSpec, Trained


@dataclass(frozen=True)
class PredictFlags:
    """Flags; the flag of a field is its name with dashes."""

    out: Path | None = flag(None, 'folder for the results, new or empty')
    force: bool = flag(False, 'replace files in a folder that is not empty')
    weights: str | None = flag(None, 'file in the run folder (default: the best, else the last)')
    input_size: tuple[int, int] | None = flag(None, 'WIDTHxHEIGHT to run at (default: as trained)')
    batch_size: int = flag(1, 'pictures a step', low=1)
    list_file: Path | None = flag(None, 'file that names the samples of a data set', name='list')
    data_option: tuple[str, ...] = flag((), 'NAME=VALUE for the reader of a data set')
    limit: int = flag(0, 'pictures of each input at most, 0: all', low=0)
    flip: bool = flag(False, 'average with the mirrored picture')
    kb_crop: bool = flag(False, 'show the network the 1216x352 crop of KITTI')
    focal_px: float | None = flag(None, 'focal length of pictures that do not know it', low=1e-3)
    focal_correction: bool = flag(True, 'scale depth to the focal length of a known camera')
    intrinsics: str | None = flag(None, 'fx,fy,cx,cy of pictures that do not know them')
    upsampling: str = flag('nearest', 'of masks', choices=UPSAMPLINGS)
    min_confidence: float = flag(0.0, 'of masks and denoised depth, else 255 or 0', low=0)
    min_score: float = flag(0.3, 'of boxes drawn; results.jsonl has more', low=0)
    infrared: Path | None = flag(None, 'denoise: folder of infrared pictures of the same names')
    input_encoding: str = flag('mm', 'denoise: of depth files read', choices=ENCODINGS)
    depth_encoding: str | None = flag(
        None, 'of depth files written (default: mm, kitti beyond 65 m)', choices=('mm', 'kitti')
    )
    pictures: bool = flag(True, 'colours and overlays for looking at')
    colormap: str = flag('viridis', 'of depth', choices=COLORMAPS)
    range_m: tuple[float, ...] = flag((), 'NEAR FAR of the colours [m] (default: of each picture)')
    intermediates: bool = flag(False, 'further maps of the network, in grey')
    strips: bool = flag(False, 'picture, truth and prediction side by side')
    sheet_rows: int = flag(0, 'strips on a sheet, 0: no sheets', low=0)
    every: int = flag(1, 'only each n-th strip comes on a sheet', low=1)
    errors: bool = flag(False, 'error against the truth in jet colours')
    error_limit: float = flag(0.5, 'relative error of the last colour', low=1e-3)
    normals: bool = flag(False, 'surface normals as colours')
    cloud: bool = flag(False, 'coloured point cloud, .ply')
    keep_edges: bool = flag(True, 'keep points on depth edges in clouds')
    panorama: bool = flag(False, 'pictures are equirectangular')
    fps: float = flag(0.0, 'make a video of the pictures of a folder, frames/s', low=0)
    frames: bool = flag(False, 'files of every frame of a video too')


def parser() -> argparse.ArgumentParser:
    """The flags of the command; `@file` reads more of them."""
    top = FlagParser(prog='rs-ml-predict', description=__doc__)
    top.add_argument('run', type=Path, help='run folder of a training')
    top.add_argument(
        'inputs', nargs='+', help='pictures, folders, videos, FORMAT:PATH; denoise: depth files'
    )
    add_flags(top, PredictFlags)
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
    """Counts and speeds in one line, by the clock on the wall."""
    rate = totals.images / max(totals.wall_s, 1e-9)
    each_ms = 1000 * totals.seconds_per_image
    return f'{totals.images} pictures, {rate:.1f} a second, {each_ms:.1f} ms each in the network'


def camera_of(text: str) -> Callable[[tuple[int, int]], CameraModel]:
    """Makes the camera of 'fx,fy,cx,cy' for a picture of (width, height).

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
    return PredictOptions(
        flip=flags.flip,
        kb_crop=flags.kb_crop,
        focal_px=flags.focal_px,
        focal_correction=flags.focal_correction,
        upsampling=flags.upsampling,
        min_confidence=flags.min_confidence,
        min_score=min(flags.min_score, 0.05),
    )


def _sources(run: Path, texts: Sequence[str], flags: PredictFlags) -> list[Source]:
    """Opened before the network, so that a wrong path is told at once."""
    from rs_ml_training.trained import read_spec
    from rs_ml_training.training.sources import name_values

    task = read_spec(run).task
    _require_use(task, texts, flags)
    read = inputs.read_color
    if task == 'denoise':
        read = DepthPictures(flags.input_encoding, flags.infrared)
    options = {'list_file': flags.list_file, **name_values(flags.data_option)}
    found = inputs.open_sources(texts, read, **options)
    if flags.limit:
        found = [inputs.limited(source, flags.limit) for source in found]
    if flags.fps:
        found = [s if s.fps else replace(s, fps=flags.fps) for s in found]
    if flags.intrinsics:
        found = [inputs.completed(s, _with_camera(flags.intrinsics)) for s in found]
    return found


def _require_use(task: str, texts: Sequence[str], flags: PredictFlags) -> None:
    """Flags that would change nothing are mistakes."""
    if (flags.list_file or flags.data_option) and not any(map(inputs.is_data, texts)):
        raise ConfigError('--list and --data-option are for FORMAT:PATH, which no input is')
    if task != 'denoise' and (flags.infrared or flags.input_encoding != 'mm'):
        raise ConfigError(f'--infrared and --input-encoding are for denoise, this is {task}')


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
    return Style(
        pictures=flags.pictures or is_video,
        colormap=flags.colormap,
        range_m=tuple(flags.range_m) or None,
        encoding=flags.depth_encoding or depth_encoding(spec),
        strips=flags.strips or flags.sheet_rows > 0,
        errors=flags.errors,
        error_limit=flags.error_limit,
        normals=flags.normals,
        cloud=flags.cloud,
        keep_edges=flags.keep_edges,
        intermediates=flags.intermediates,
        panorama=flags.panorama or spec.network in PANORAMIC,
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
    from rs_ml_training.prediction.predictor import predictor_of

    session = SessionOptions(flags.batch_size, flags.frames, flags.sheet_rows, flags.every)
    predictor = predictor_of(trained, options)
    return Session(predictor, style, out, session, progress_bar).run(found)


if __name__ == '__main__':
    sys.exit(main())
