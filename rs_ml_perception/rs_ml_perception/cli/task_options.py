"""Common flags of the task commands."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.core.flags import FlagParser, add_flags
from rs_ml_perception.core.options import Options, option
from rs_ml_perception.inference.shelf import DEFAULT_MODELS
from rs_ml_perception.tasks.blur import BlurOptions
from rs_ml_perception.tasks.options import ModelOptions

INPUT, MODEL, TASK, OUTPUT = 'input', 'model', 'task', 'output'
"""Headings in `--help`, in this order."""

COLOR_INPUTS = (
    'image, folder of images, video, recording (rosbag2, .mcap, .db3, RealSense .bag), '
    'number of a webcam, or realsense[:SERIAL]'
)
RECORDING_HELP = 'rosbag2 directory, .mcap, .db3 or .bag'


def intrinsics(text: str) -> tuple[float, float, float, float]:
    """Parse 'fx,fy,cx,cy'."""
    try:
        fx, fy, cx, cy = (float(number) for number in text.split(','))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'{text!r} must be four numbers fx,fy,cx,cy in pixels'
        ) from None
    if fx <= 0 or fy <= 0:
        raise argparse.ArgumentTypeError(f'focal lengths must be positive, got {fx:g} and {fy:g}')
    return fx, fy, cx, cy


def positive(text: str) -> float:
    """Parse a positive number."""
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f'must be positive, got {text}')
    return number


@dataclass(frozen=True)
class CameraOptions(Options):
    """The camera of a recording."""

    camera: str = option(
        '',
        'namespace of the camera in a recording with several, such as /front',
        none_doc='the one with most streams',
        metavar='NAMESPACE',
        group=INPUT,
    )


@dataclass(frozen=True)
class DepthUnitOptions(Options):
    """Unit of depth images."""

    depth_unit: float | None = option(
        None,
        'distance of a value of 1 in depth images',
        none_doc='0.001, 1 for float32',
        metavar='METRES',
        group=INPUT,
        parse=positive,
    )


@dataclass(frozen=True)
class RunOptions(CameraOptions):
    """Input and output of every task command."""

    max_frames: int = option(0, 'stop after this many frames; 0: never', low=0, group=INPUT)
    out: Path = option(Path('out'), 'folder of the results', metavar='DIR', group=OUTPUT)
    json: bool = option(False, 'print the results as JSON lines', is_switch=True, group=OUTPUT)
    no_pictures: bool = option(
        False, 'do not write annotated images', is_switch=True, group=OUTPUT
    )
    video: Path | None = option(
        None,
        'mp4 of the annotated images, in place of files for each frame',
        none_doc='no video',
        metavar='FILE',
        group=OUTPUT,
    )
    frames: bool = option(
        False, 'with --video, also write the files of each frame', is_switch=True, group=OUTPUT
    )
    fps: float = option(
        0.0,
        'of the video; 0: that of the frames, 30 for images without a time',
        unit='frames/s',
        low=0.0,
        high=240.0,
        group=OUTPUT,
    )


@dataclass(frozen=True)
class ColorRunOptions(BlurOptions, RunOptions):
    """A command for colour images."""

    intrinsics: tuple[float, float, float, float] | None = option(
        None,
        'intrinsics of images, videos and webcams; recordings contain theirs',
        unit='px',
        metavar='fx,fy,cx,cy',
        group=INPUT,
        parse=intrinsics,
    )


@dataclass(frozen=True)
class DepthRunOptions(DepthUnitOptions, ColorRunOptions):
    """A command for colour images that also takes their depth."""

    depth: Path | None = option(
        None,
        'folder with depth images <stem>.png or <stem>_depth.png, aligned to colour',
        metavar='DIR',
        group=INPUT,
    )


def add_run_flags(
    parser: FlagParser,
    options_type: type[RunOptions],
    *,
    task: str,
    out: str,
    inputs: str = COLOR_INPUTS,
) -> None:
    """Add the inputs, and the flags of input, output and model.

    Args:
        parser: of the command.
        options_type: of the run.
        task: its default model is that of the command.
        out: default folder of the results.
        inputs: kinds of input, for `--help`.
    """
    for heading in (INPUT, MODEL, TASK, OUTPUT):
        parser.group(heading)
    parser.group(INPUT).add_argument('inputs', nargs='+', metavar='INPUT', help=inputs)
    add_flags(parser, options_type, defaults={'out': Path(out)})
    add_flags(parser, ModelOptions, group=MODEL, defaults={'model': DEFAULT_MODELS[task]})
