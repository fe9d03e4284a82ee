"""rs-ml denoise: depth without the camera's noise."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rs_ml_perception.cli.task_options import (
    INPUT,
    TASK,
    DepthUnitOptions,
    RunOptions,
    add_run_flags,
)
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.flags import add_flags, from_flags
from rs_ml_perception.core.options import option
from rs_ml_perception.tasks.denoise import DenoiseOptions, DenoisePipeline
from rs_ml_perception.tasks.options import ModelOptions

INPUTS = (
    'depth image (16 bit, millimetres), folder of them, folder of res-N.png with left-N.png, '
    'recording (rosbag2, .mcap, .db3, RealSense .bag), or realsense[:SERIAL]'
)


@dataclass(frozen=True)
class DenoiseRunOptions(DepthUnitOptions, RunOptions):
    """Input and output of `denoise`."""

    infrared: Path | None = option(
        None,
        'folder with the left infrared images <stem>.png of the depth images',
        metavar='DIR',
        group=INPUT,
    )
    no_infrared: bool = option(False, 'ignore infrared', is_switch=True, group=INPUT)


def add_denoise(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        'denoise',
        help='denoise depth',
        description='Denoise depth images; the results have the same size.',
        example='rs-ml denoise res-0001.png --confidence-threshold 0.5',
    )
    add_run_flags(parser, DenoiseRunOptions, task='denoise', out='out/denoise', inputs=INPUTS)
    add_flags(parser, DenoiseOptions, group=TASK)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rs_ml_perception.cli.task_run import run_images
    from rs_ml_perception.recordings.depth_inputs import (
        DepthImageFiles,
        read_depth_inputs,
        resolve_depth_inputs,
    )

    options = from_flags(DenoiseRunOptions, args)
    if options.infrared is not None and not options.infrared.is_dir():
        raise InputError(f'infrared folder {options.infrared} does not exist')
    sources = resolve_depth_inputs(args.inputs, options.camera)
    pictures = DepthImageFiles(options.depth_unit, options.infrared, not options.no_infrared)

    def read(on_rejected: Any) -> Iterator[Any]:
        return read_depth_inputs(sources, on_rejected=on_rejected, pictures=pictures)

    return run_images(
        args, options, sources, _prepare, read, noun='depth image', keep_results=False
    )


def _prepare(args: argparse.Namespace) -> Any:
    from rs_ml_perception.cli.result_fields import denoised_fields, millimetres
    from rs_ml_perception.cli.task_output import TaskResult
    from rs_ml_perception.core.drawing.panel import compose_denoised

    infrared = 'none' if from_flags(DenoiseRunOptions, args).no_infrared else 'auto'
    options = from_flags(DenoiseOptions, args, infrared=infrared)
    pipeline = DenoisePipeline.load(from_flags(ModelOptions, args), options)

    def denoise(image: Any) -> TaskResult:
        frame = image.frame
        found = pipeline(frame)
        return TaskResult(
            denoised_fields(frame, found),
            1,
            files={'_depth.png': millimetres(found.depth_m)},
            pictures={
                '_annotated.png': lambda _: compose_denoised(
                    frame.depth.depth_m, found.depth_m, title=image.name
                )
            },
        )

    return denoise
