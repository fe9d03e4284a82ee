"""rs-ml denoise: depth without the camera's noise."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rs_ml_perception.cli.task_arguments import (
    add_depth_unit_argument,
    add_range_arguments,
    add_run_arguments,
)
from rs_ml_perception.inference.shelf import DEFAULT_MODELS

INPUTS = (
    'depth picture (16 bit, millimetres), folder of them, folder of res-N.png with left-N.png, '
    'recording (rosbag2, .mcap, .db3, RealSense .bag), or realsense[:SERIAL]'
)


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser('denoise', help='take the noise out of depth')
    add_run_arguments(parser, model=DEFAULT_MODELS['denoise'], out='out/denoise', inputs=INPUTS)
    add_range_arguments(parser)
    parser.add_argument(
        '--confidence-threshold',
        type=float,
        help="less certain pixels become 0, in [0, 1] (default: the model's)",
    )
    add_depth_unit_argument(parser)
    parser.add_argument(
        '--infrared',
        type=Path,
        metavar='DIR',
        help='folder with the left infrared pictures <stem>.png of depth pictures',
    )
    parser.add_argument(
        '--no-infrared', action='store_true', help='use depth alone, even where there is infrared'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rs_ml_perception.cli.task_run import run_images
    from rs_ml_perception.core.errors import InputError
    from rs_ml_perception.recordings.depth_inputs import (
        DepthPictures,
        read_depth_inputs,
        resolve_depth_inputs,
    )

    if args.infrared is not None and not args.infrared.is_dir():
        raise InputError(f'infrared folder {args.infrared} does not exist')
    sources = resolve_depth_inputs(args.inputs, args.camera)
    pictures = DepthPictures(args.depth_unit, args.infrared, not args.no_infrared)

    def read(on_rejected: Any) -> Iterator[Any]:
        return read_depth_inputs(sources, on_rejected=on_rejected, pictures=pictures)

    return run_images(args, sources, _prepare, read, noun='depth images', keep_results=False)


def _prepare(args: argparse.Namespace) -> Any:
    from rs_ml_perception.cli.result_fields import denoised_fields, millimetres
    from rs_ml_perception.cli.task_run import TaskResult
    from rs_ml_perception.core.drawing.panel import compose_denoised
    from rs_ml_perception.tasks.denoise import (
        DenoiseOptions,
        DenoisePipeline,
    )
    from rs_ml_perception.tasks.options import ModelOptions

    options = DenoiseOptions(
        range_min_m=args.range_min_m,
        range_max_m=args.range_max_m,
        infrared='none' if args.no_infrared else 'auto',
        confidence_threshold=args.confidence_threshold,
    )
    choice = ModelOptions(args.model, args.backend, args.device, args.threads)
    pipeline = DenoisePipeline.load(choice, options)

    def denoise(image: Any) -> TaskResult:
        frame = image.frame
        found = pipeline(frame)
        return TaskResult(
            denoised_fields(frame, found),
            1,
            files={'_depth.png': millimetres(found.depth_m)},
            pictures={
                '_annotated.png': lambda: compose_denoised(
                    frame.depth.depth_m, found.depth_m, title=image.name
                )
            },
        )

    return denoise
