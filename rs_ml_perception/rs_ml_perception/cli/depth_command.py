"""rs-ml depth: depth from colour pictures."""

from __future__ import annotations

import argparse
from typing import Any

from rs_ml_perception.cli.task_arguments import add_range_arguments, add_task_arguments
from rs_ml_perception.inference.shelf import DEFAULT_MODELS


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser('depth', help='estimate depth from colour')
    add_task_arguments(parser, model=DEFAULT_MODELS['mono_depth'], out='out/depth')
    add_range_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rs_ml_perception.cli.task_run import run_task

    return run_task(args, _prepare, noun='depth images', keep_results=False)


def _prepare(args: argparse.Namespace) -> Any:
    from rs_ml_perception.cli.result_fields import depth_fields, millimetres
    from rs_ml_perception.cli.task_run import TaskResult
    from rs_ml_perception.core.drawing.colormap import colorize_depth
    from rs_ml_perception.inference.model import load_model
    from rs_ml_perception.tasks.mono_depth import DepthEstimator, MonoDepthOptions

    options = MonoDepthOptions(range_min_m=args.range_min_m, range_max_m=args.range_max_m)
    model = load_model(args.model, backend=args.backend, device=args.device, threads=args.threads)
    estimator = DepthEstimator(model, options)

    def estimate(image: Any) -> TaskResult:
        depth_m = estimator(image.frame.rgb, image.frame.camera).depth_m
        return TaskResult(
            depth_fields(depth_m),
            1,
            files={'_depth.png': millimetres(depth_m)},
            pictures={'_annotated.png': lambda: colorize_depth(depth_m)},
        )

    return estimate
